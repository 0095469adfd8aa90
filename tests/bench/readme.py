#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure what calls cost and write it into a file, between its lines
<!-- costs:begin --> and <!-- costs:end -->.

usage: readme.py FILE BUILD [SECONDS]

BUILD is the build folder; SECONDS go into each line that is timed. Run it on a
machine that does nothing else.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

sys.dont_write_bytecode = True  # leave the source folder as it is

import count  # noqa: E402  pylint: disable=wrong-import-position

BEGIN = '<!-- costs:begin -->\n'
END = '<!-- costs:end -->'
# What is counted of all that is tested.
COUNTED = [
    'memfd_new', 'memfd_new, allow-sealing', 'memfd_seal', 'memfd_get_seals',
    'memfd_check_seals', 'memfd_new_sealed, 64 bytes',
    'memfd_parse_flags, allow-sealing', 'memfd_format_seals, 0x0e']


def main(file, build, seconds='10'):
    """Measure and write."""
    build = pathlib.Path(build)
    calls = build / 'tests/bench/calls'
    text = pathlib.Path(file).read_text('utf-8')
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f'{file} has no place for the costs')

    made = {name: len(some) for name, some in count.syscalls(calls)}
    executed = dict(count.instructions(calls, build / 'src/libmemfd.so.1'))
    said = subprocess.run([build / 'tests/bench/costs', seconds], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    print(said)
    system, ratios, times = re.match(
        r'(.*?)\n.*?(\| .*?)\n\n(\| .*?)\n\n', said, re.S).groups()

    took = {}
    for row in times.splitlines()[2:]:
        name, nanoseconds = row.strip('| ').rsplit(' | ', 2)[:2]
        took[name.strip()] = nanoseconds.strip()
    counted = [f'{name} {executed[name]} / {made[name]}'
               + (f' ({took[name].split()[0]} ns)' if name in took else '')
               for name in COUNTED]
    lines = ['libmemfd\'s time over that of others, median (quartiles), on '
             f'{system}:', '', *re.sub(' +', ' ', ratios).splitlines(), '',
             *textwrap.wrap('Its own instructions / system calls: '
                            + '; '.join(counted) + '.', 100,
                            break_on_hyphens=False)]

    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    pathlib.Path(file).write_text(
        before + BEGIN + '\n'.join(lines) + '\n' + END + after, 'utf-8')


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
