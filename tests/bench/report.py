#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure the costs, and write them into README.md beside this script, between
the lines <!-- costs:begin --> and <!-- costs:end -->, and into costs.png.

usage: report.py BUILD [SECONDS]

BUILD is a build folder. Each comparison takes about SECONDS. Needs gnuplot, and
a machine that does nothing else.
"""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is
HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'shared'))
from suite import write_between  # noqa: E402

SERIES = {
    'the same raw calls': '#555555', 'mmap and memcpy': '#1f77b4',
    "systemd 257's calls": '#d95f02', 'mapping the source': '#1b9e77',
    'a loop of 64 KiB': '#7570b3'}


def cells(line):
    return [cell.strip() for cell in line.strip('| ').split('|')]


def ratios(said):
    """(call, beside, [median, low, high]) of each ratio in the tables."""
    for table in said.split('\n\n')[1:]:
        head, _, *rows = table.splitlines()
        for row in rows:
            call, *values = cells(row)
            for beside, value in zip(cells(head)[1:], values):
                if value and beside in SERIES:
                    value = value.translate({ord(c): None for c in '*()'})
                    yield call, beside, [
                        float(n) for n in value.replace(' to', '').split()]


def chart(said):
    """Draw the ratios: a point for the median, a line for the quartiles."""
    found = list(ratios(said))
    calls = list(dict.fromkeys(call for call, *_ in found))
    ticks = ', '.join(f'"{call}" {-row}' for row, call in enumerate(calls))
    blocks, plots = '', []
    for number, (name, colour) in enumerate(SERIES.items()):
        blocks += f'$d{number} << EOD\n'
        for call, beside, (median, low, high) in found:
            if beside == name:
                row = .24 - calls.index(call) - .12 * (number % 5)
                blocks += f'{median} {row} {low} {high}\n'
        blocks += 'EOD\n'
        plots.append(f'$d{number} with xerrorbars pt 7 ps 0.7 lw 1.5 '
                     f'lc rgb "{colour}" title "{name}"')
    subprocess.run(['gnuplot'], check=True, text=True, input=f'''
set terminal pngcairo noenhanced size 1350,{220 + 50 * len(calls)} \
    background "#ffffff" font "Sans,15" linewidth 1.5 pointscale 1.5
set output "{HERE / 'costs.png'}"
set title "Time that libmemfd takes, as a ratio to that of others \
(median and quartiles)\\n{said.splitlines()[0].strip(':')[len('On '):]}"
set key below maxcols 3 samplen 0.5 width -2
set xrange [0:1.4]
set yrange [{.5 - len(calls)}:.5]
set ytics ({ticks}) scale 0
set xlabel "less than 1: libmemfd takes less time" offset 0,0.4
set xtics 0.2
set grid xtics lc rgb "#dddddd"
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "#555555" dt 2
{blocks}plot {', '.join(plots)}
''')


def main(build, seconds='10'):
    said = subprocess.run([pathlib.Path(build) / 'tests/bench/costs', seconds],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    write_between(HERE / 'README.md', 'costs', said.splitlines())
    chart(said)


if __name__ == '__main__':
    main(*sys.argv[1:])
