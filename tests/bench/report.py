#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Show what the program COSTS measures as tables of ratios.

usage: report.py [--write] COSTS [SECONDS]

Each comparison takes about SECONDS. With --write, the tables go into README.md
beside this script, between the lines <!-- costs:begin --> and <!-- costs:end -->,
and into costs.png. That needs gnuplot, and a machine that does nothing else.
"""

import operator
import os
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is
HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'shared'))
from suite import write_between  # noqa: E402

# What the ways of costs.c are beside, in their order.
FILLED = ('the same raw calls', 'raw beside raw', 'mmap and memcpy',
          "systemd 257's calls")
COPIED = ('the same raw calls', 'raw beside raw', 'mapping the source',
          'a loop of 64 KiB')
# A median above its goal is in bold.
GOALS = {'the same raw calls': 1.02, 'mmap and memcpy': .5,
         "systemd 257's calls": 1.02}
COLOURS = {
    'the same raw calls': '#555555', 'mmap and memcpy': '#1f77b4',
    "systemd 257's calls": '#d95f02', 'mapping the source': '#1b9e77',
    'a loop of 64 KiB': '#7570b3'}


def label(call, size):
    for shift, unit in (20, 'MiB'), (10, 'KiB'), (0, 'B'):
        if size >> shift:
            return f'{call}, {size >> shift} {unit}'
    return call


def measure(*command):
    """Of each call, beside each other way: the quartiles of the ratio."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(done.stdout, end='')
        sys.exit(done.returncode)
    took = {}
    for line in done.stdout.splitlines():
        call, size, times = line.split('\t')
        took.setdefault(label(call, int(size)), []).append(
            [float(time) for time in times.split()])
    for call, (ours, raw, again, *others) in took.items():
        found = []
        for one, other in ((ours, raw), (raw, again),
                           *((ours, way) for way in others)):
            found.append(statistics.quantiles(
                map(operator.truediv, one, other), n=4))
        yield call, dict(zip(COPIED if '_copy' in call else FILLED, found))


def tables(title, found):
    yield title + ':'
    for columns in FILLED, COPIED:
        yield from ('', f'| call | {" | ".join(columns)} |',
                    '|---|---|---|---|---|')
        for call, ways in found.items():
            if ('_copy' in call) != (columns is COPIED):
                continue
            row = f'| {call} |'
            for way in columns:
                if way in ways:
                    low, median, high = ways[way]
                    bold = '**' if median > GOALS.get(way, median) else ''
                    row += f' {bold}{median:.3f}{bold} ' \
                           f'({low:.3f} to {high:.3f})'
                row += ' |'
            yield row


def chart(title, found):
    """Draw the ratios: a point for the median, a line for the quartiles."""
    ticks = ', '.join(f'"{call}" {-row}' for row, call in enumerate(found))
    blocks, plots = '', []
    for number, (way, colour) in enumerate(COLOURS.items()):
        blocks += f'$d{number} << EOD\n'
        for row, ways in enumerate(found.values()):
            if way in ways:
                low, median, high = ways[way]
                blocks += f'{median} {.24 - row - .12 * number} {low} {high}\n'
        blocks += 'EOD\n'
        plots.append(f'$d{number} with xerrorbars pt 7 ps 0.7 lw 1.5 '
                     f'lc rgb "{colour}" title "{way}"')
    subprocess.run(['gnuplot'], check=True, text=True, input=f'''
set terminal pngcairo noenhanced size 1350,{220 + 50 * len(found)} \
    background "#ffffff" font "Sans,15" linewidth 1.5 pointscale 1.5
set output "{HERE / 'costs.png'}"
set title "Time that libmemfd takes, as a ratio to that of others \
(median and quartiles)\\n{title[len('On '):]}"
set key below maxcols 3 samplen 0.5 width -2
set xrange [0:1.4]
set yrange [{.5 - len(found)}:.5]
set ytics ({ticks}) scale 0
set xlabel "less than 1: libmemfd takes less time" offset 0,0.4
set xtics 0.2
set grid xtics lc rgb "#dddddd"
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "#555555" dt 2
{blocks}plot {', '.join(plots)}
''')


def main(costs, seconds='2'):
    system = os.uname()
    title = f'On Linux {system.release.partition("-")[0]}, {system.machine}, ' \
            f'{os.cpu_count()} processors'
    found = dict(measure(costs, seconds))
    if WRITE:
        write_between(HERE / 'README.md', 'costs', tables(title, found))
        chart(title, found)
    else:
        print('\n'.join(tables(title, found)))


if __name__ == '__main__':
    WRITE = '--write' in sys.argv
    main(*[word for word in sys.argv[1:] if word != '--write'])
