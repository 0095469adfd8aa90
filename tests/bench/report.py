#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure the costs, and write them into README.md beside this script, between
the lines <!-- costs:begin --> and <!-- costs:end -->, and into costs.svg.

usage: report.py BUILD [SECONDS]

BUILD is a build folder. Each comparison takes about SECONDS. Needs gnuplot,
strace and valgrind, and a machine that does nothing else.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

sys.dont_write_bytecode = True  # leave the source folder as it is

import count  # noqa: E402  pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'kernels'))
from suite import write_between  # noqa: E402  pylint: disable=C0413

# The calls whose exact counts are worth a line.
COUNTED = [
    'memfd_new', 'memfd_new, allow-sealing', 'memfd_seal', 'memfd_get_seals',
    'memfd_check_seals', 'memfd_new_sized, shrink',
    'memfd_new_sealed, 64 bytes', 'memfd_new_sealed_copy, 64 bytes',
    'memfd_parse_flags, allow-sealing', 'memfd_format_seals, 0x0e']
# What the chart shows, and how.
SERIES = {
    'the same raw calls': '#555555', 'mmap and memcpy': '#1f77b4',
    "systemd's": '#d95f02', 'mapping the source': '#1b9e77',
    'a loop of 4 KiB': '#a6761d', 'a loop of 64 KiB': '#7570b3'}


def table(text, head):
    """The cells of the Markdown table that begins with this line."""
    rows = re.search(rf'^{re.escape(head)}\n\|[-|]+\n((?:\|.*\n)+)', text,
                     re.M)[1]
    return [[cell.strip() for cell in row.strip('|').split('|')]
            for row in rows.splitlines()]


def chart(ratios, system):
    """Draw the ratios: a point for the median, a line for the quartiles."""
    calls = list(dict.fromkeys(row[0] for row in ratios))
    ticks = ', '.join(f'"{call}" {-place}' for place, call in enumerate(calls))
    blocks, plots = [], []
    for number, (beside, colour) in enumerate(SERIES.items()):
        points = [f'{middle} {-calls.index(call) + .24 - .12 * (number % 5)} '
                  + quartiles.replace('to', '')
                  for call, other, middle, quartiles in ratios
                  if other == beside]
        if not points:
            continue
        blocks.append(f'$d{number} << EOD\n' + '\n'.join(points) + '\nEOD\n')
        plots.append(
            f'$d{number} using 1:2:3:4 with xerrorbars pt 7 ps 0.5 lw 1.5 '
            f'lc rgb "{colour}" title "{beside}"')
    subprocess.run(['gnuplot'], check=True, text=True, input=f'''
set terminal svg noenhanced size 900,{130 + 34 * len(calls)} \
    background "#ffffff" font "sans-serif,13"
set output "{HERE / 'costs.svg'}"
set title "Time that libmemfd takes, as a ratio to that of others \
(median and quartiles)\\n{system}"
set key below maxcols 3 samplen 1 spacing 1.1
set xrange [0:1.3]
set yrange [{-len(calls) + .5}:.5]
set ytics ({ticks}) scale 0
set xlabel "less than 1: libmemfd takes less time" offset 0,0.4
set xtics 0.2
set grid xtics lc rgb "#dddddd"
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "#555555" dt 2
{''.join(blocks)}plot {', '.join(plots)}
''')


def main(build, seconds='10'):
    """Measure and write."""
    build = pathlib.Path(build)
    calls = build / 'tests/bench/calls'

    made = {name: len(some) for name, some in count.syscalls(calls)}
    executed = dict(count.instructions(calls, build / 'src/libmemfd.so.1'))
    said = subprocess.run([build / 'tests/bench/costs', seconds], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    print(said)
    system = said.splitlines()[0]
    ratios = table(said, '| call | beside | ratio | quartiles |')
    took = {row[0]: row[1] for row in table(
        said, '| call | nanoseconds | in memfd_create(2) calls |')}

    def row(*cells):
        return '| ' + ' | '.join(cells) + ' |'

    lines = [f'On {system}:', '',
             row('call', 'beside', 'ratio', 'quartiles'), '|---|---|---|---|']
    lines += [row(*cells) for cells in ratios]
    lines += ['', *textwrap.wrap(
        'Of its own, without what libc and the kernel do, a call takes:'), '',
        row('call', 'instructions', 'system calls', 'nanoseconds'),
        '|---|---|---|---|']
    lines += [row(name, str(executed[name]), str(made[name]),
                  took.get(name, '').split(' ')[0]) for name in COUNTED]
    write_between(HERE / 'README.md', 'costs', lines)
    chart(ratios, system)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
