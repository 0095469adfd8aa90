#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py CALLS LIBRARY: count the instructions of each call that CALLS, the
program of calls.c, makes, and hold it to its limit. Prints TAP."""

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


def run(tool, *command, **env):
    """What the command prints under the tool."""
    # Bound early, so that the first call costs no more than the next.
    done = subprocess.run([tool, *command], env={**os.environ, **env,
                                                 'LD_BIND_NOW': '1'},
                          capture_output=True, text=True, timeout=100)
    if done.returncode == 77:
        tap.skip(tool, 'no exec flags here, and calls cost more')
        tap.finish()
    if done.returncode:
        sys.exit(f'{tool} failed: {done.stdout}{done.stderr}')
    return done.stdout


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


def instructions(calls, library):
    """How many instructions each call took."""
    with tempfile.TemporaryDirectory() as tmp:
        # Not all debugging information that compilers write can be read.
        run('strip', '-g', '-o', f'{tmp}/calls', calls)
        run('strip', '-g', '-o', f'{tmp}/libmemfd.so.1', library)
        marks = run('valgrind', '-q', '--tool=callgrind', '--dump-before=mark',
                    '--compress-strings=no', '--compress-pos=no',
                    f'--callgrind-out-file={tmp}/dump', f'{tmp}/calls',
                    LD_LIBRARY_PATH=tmp).splitlines()
        # Part 1 ends at the first mark.
        return {call: own_cost(pathlib.Path(tmp, f'dump.{part}').read_text())
                for part, call in enumerate(marks, 2) if call != 'end'}


def main():
    if not shutil.which('valgrind'):
        tap.missing('valgrind')
        tap.finish()
    counted = instructions(*sys.argv[1:])
    tap.result('calls are counted', not counted)
    for call, count in counted.items():
        most, call = call.split(' ', 1)
        tap.result(f'{call}: {count}', '' if 0 < count <= int(most) else
                   f'at most {most} instructions')
    tap.finish()


if __name__ == '__main__':
    main()
