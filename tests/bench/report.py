#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure the costs, and write them into README.md beside this script, between
the lines <!-- costs:begin --> and <!-- costs:end -->, and into costs.svg.

usage: report.py BUILD [SECONDS]

BUILD is a build folder. Each comparison takes about SECONDS. Needs strace and
valgrind, and a machine that does nothing else.
"""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is

import count  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'kernels'))
from suite import write_between  # noqa: E402

SERIES = {
    'the same raw calls': '#555555', 'mmap and memcpy': '#1f77b4',
    "systemd's": '#d95f02', 'mapping the source': '#1b9e77',
    'a loop of 4 KiB': '#a6761d', 'a loop of 64 KiB': '#7570b3'}


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
    """Draw the ratios: a dot for the median, a line for the quartiles."""
    found = list(ratios(said))
    calls = list(dict.fromkeys(call for call, *_ in found))
    bottom = 60 + 34 * len(calls)

    def x(ratio):
        return round(300 + 440 * ratio)

    def text(x, y, words, anchor='middle'):
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="900" '
           f'height="{bottom + 90}" font-family="sans-serif" font-size="13">',
           '<rect width="900" height="100%" fill="#ffffff"/>',
           text(450, 25, 'Time that libmemfd takes, as a ratio to that of '
                'others (median and quartiles)'),
           text(450, 43, said.splitlines()[0].strip(':')[len('On '):]),
           text(x(.65), bottom + 36, 'less than 1: libmemfd takes less time')]
    for tenths in range(0, 14, 2):
        style = 'stroke="#555555" stroke-dasharray="6,4"' if tenths == 10 \
            else 'stroke="#dddddd"'
        svg += [f'<path d="M{x(tenths / 10)} 55V{bottom}" {style}/>',
                text(x(tenths / 10), bottom + 18, tenths / 10)]
    svg += [text(290, 81 + 34 * row, call, 'end')
            for row, call in enumerate(calls)]
    for number, (name, colour) in enumerate(SERIES.items()):
        lines = dots = ''
        for call, beside, (median, low, high) in found:
            if beside == name:
                y = 67 + 34 * calls.index(call) + 4 * number
                lines += f'M{x(low)} {y}H{x(high)}'
                dots += f'M{x(median)} {y}h0'
        left, top = 150 + 240 * (number % 3), bottom + 60 + 20 * (number // 3)
        svg += [f'<g stroke="{colour}" stroke-linecap="round">',
                f'<path stroke-width="1.5" d="{lines}M{left} {top}h24"/>',
                f'<path stroke-width="6" d="{dots}M{left + 12} {top}h0"/>',
                '</g>', text(left + 34, top + 4, name, 'start')]
    (HERE / 'costs.svg').write_text('\n'.join([*svg, '</svg>', '']))


def write(build, said):
    """What the benchmark said, and the exact counts."""
    calls = build / 'tests/bench/calls'
    library = build / 'src/libmemfd.so.1'
    made = count.syscalls(calls, library)
    write_between(HERE / 'README.md', 'costs', [
        *said.splitlines(), '',
        'Of its own, without what libc and the kernel do, a call takes:', '',
        '| call | instructions | system calls |', '|---|---|---|',
        *(f'| `{call}` | {executed} | {made[call]} |' for call, executed in
          count.instructions(calls, library).items())])
    chart(said)


def main(build, seconds='10'):
    build = pathlib.Path(build)
    write(build, subprocess.run(
        [build / 'tests/bench/costs', seconds], check=True,
        stdout=subprocess.PIPE, text=True).stdout)


if __name__ == '__main__':
    main(*sys.argv[1:])
