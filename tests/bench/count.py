#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py LIST CALLS LIBRARY: count the instructions of each call that CALLS,
the program of calls.c, makes, and hold it to its limit in LIST, which is
shared/calls.h. Prints TAP."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402


def own_cost(dump):
    """Add up the lines of a callgrind dump that are of the library itself."""
    total = 0
    own = inclusive = False
    for line in dump.splitlines():
        if line.startswith('ob='):
            own = line.endswith('/libmemfd.so.1')
        elif line.startswith('calls='):
            inclusive = True
        elif re.match(r'[-+*\d]', line):
            if own and not inclusive:
                total += int(line.split()[1])
            inclusive = False
    return total


def count(calls, library):
    """How many instructions each call took, by its label."""
    with tempfile.TemporaryDirectory() as tmp:
        # Not all debugging information that compilers write can be read.
        for path, name in (calls, 'calls'), (library, 'libmemfd.so.1'):
            subprocess.run(['strip', '-g', '-o', f'{tmp}/{name}', path],
                           check=True)
        status = subprocess.run(
            ['valgrind', '-q', '--tool=callgrind', '--dump-before=call_*',
             '--dump-before=ended', '--compress-strings=no',
             '--compress-pos=no', f'--callgrind-out-file={tmp}/dump',
             f'{tmp}/calls'], timeout=100,
            # Bound early, so that the first call costs no more than the next.
            env={**os.environ, 'LD_LIBRARY_PATH': tmp, 'LD_BIND_NOW': '1'},
            check=False).returncode
        if status == 77:
            tap.skip('calls', 'no exec flags here, and calls cost more')
            tap.finish()
        tap.result('calls are made', status)
        parts = [path.read_text() for path in sorted(
            pathlib.Path(tmp).glob('dump.*'),
            key=lambda path: int(path.suffix[1:]))]
    return {begun[1]: own_cost(part) for before, part in zip(parts, parts[1:])
            for begun in [re.search(r'--dump-before=call_(\w+)', before)]
            if begun and '--dump-before=ended' in part}


calls_h, *built = sys.argv[1:]
if shutil.which('valgrind'):
    counted = count(*built)
    for label, most in re.findall(r'\tCALL\((\w+), (\d+)',
                                  pathlib.Path(calls_h).read_text()):
        took = counted.get(label, 0)
        tap.result(f'{label}: {took}', '' if 0 < took <= int(most) else
                   f'at most {most} instructions')
else:
    tap.missing('valgrind')
tap.finish()
