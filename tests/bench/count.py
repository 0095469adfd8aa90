#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count what calls to the library cost, hold it to the limits, print TAP."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402  pylint: disable=wrong-import-position

# The most instructions of the library itself on x86-64; those of libc do not
# count. A call that is not listed has no limit.
INSTRUCTIONS = {
    'memfd_new': 50,
    'memfd_new, inherit': 50,
    'memfd_new, allow-sealing': 50,
    'memfd_new, exec': 50,
    'memfd_new, noexec-seal': 50,
    'memfd_seal': 15,
    'memfd_get_seals': 15,
    'memfd_check_seals': 20,
}

# Exactly these, by the names that strace gives them on 64-bit machines, and the
# size that each write is asked for.
NEW = ['memfd_create']
MOST = 0x7ffff000
SENDFILE = f'sendfile {MOST}'
SYSCALLS = {
    'memfd_new': ['memfd_create', 'fcntl'],
    'memfd_new, inherit': ['memfd_create', 'fcntl'],
    'memfd_new, allow-sealing': NEW,
    'memfd_new, exec': NEW,
    'memfd_new, noexec-seal': NEW,
    'memfd_new_str, allow-sealing': NEW,
    'memfd_new_sealed, 0 bytes': ['memfd_create', 'fcntl'],
    'memfd_new_sealed, 64 bytes': ['memfd_create', 'pwrite64 64', 'fcntl'],
    'memfd_new_sealed, 0x7ffff000 bytes':
        ['memfd_create', f'pwrite64 {MOST}', 'fcntl'],
    'memfd_new_sealed, 0x7ffff001 bytes':
        ['memfd_create', f'pwrite64 {MOST}', 'pwrite64 1', 'fcntl'],
    'memfd_new_sealed_copy, 64 bytes':
        ['memfd_create', 'sendfile 65', 'sendfile 1', 'lseek', 'fcntl'],
    'memfd_new_sealed_copy, 0x7ffff000 bytes':
        ['memfd_create', SENDFILE, 'sendfile 1', 'lseek', 'fcntl'],
    'memfd_new_sealed_copy, 0x7ffff001 bytes':
        ['memfd_create', SENDFILE, 'sendfile 2', 'lseek', 'fcntl'],
    'memfd_new_sized, shrink': ['memfd_create', 'ftruncate', 'fcntl'],
    'memfd_new_sized': ['memfd_create', 'fcntl', 'ftruncate'],
    'memfd_new_sized, allow-sealing': ['memfd_create', 'ftruncate'],
    'memfd_seal': ['fcntl'],
    'memfd_get_seals': ['fcntl'],
    'memfd_check_seals': ['fcntl'],
}


class Skip(Exception):
    """Nothing can be counted here."""


def run(tool, *command, **env):
    """Run the command under the tool and return the two outputs."""
    if not shutil.which(tool):
        if tap.CI:
            sys.exit(f'{tool} is missing')
        raise Skip(f'{tool} is missing')
    # Bound early, so that the first call costs no more than the next.
    done = subprocess.run([tool, *command], env={**os.environ, **env,
                                                 'LD_BIND_NOW': '1'},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=100)
    if done.returncode == 77:
        raise Skip('this kernel has no exec flags, and calls cost more')
    if done.returncode:
        if 'PTRACE' in done.stderr and not tap.CI:
            raise Skip(f'{tool} may not trace here')
        sys.exit(f'{tool} failed: {done.stderr}')
    return done.stdout, done.stderr


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
    """Yield each call and how many instructions it took."""
    with tempfile.TemporaryDirectory() as tmp:
        # Not all debugging information that compilers write can be read.
        run('strip', '-g', '-o', f'{tmp}/calls', calls)
        run('strip', '-g', '-o', f'{tmp}/libmemfd.so.1', library)
        marks = run('valgrind', '-q', '--tool=callgrind', '--dump-before=mark',
                    '--compress-strings=no', '--compress-pos=no',
                    f'--callgrind-out-file={tmp}/dump', f'{tmp}/calls',
                    LD_LIBRARY_PATH=tmp)[0].splitlines()
        # Part 1 ends at the first mark.
        for part, name in enumerate(marks, 2):
            if name != 'end':
                yield name, own_cost(
                    pathlib.Path(tmp, f'dump.{part}').read_text('utf-8'))


def syscalls(calls):
    """Yield each call and the system calls it made."""
    # A first transfer of all that one call can move, without the memory.
    most = f'-einject=pwrite64,sendfile:retval={MOST}:when=1'
    for args in [calls], [most, calls, hex(MOST)], [most, calls, hex(MOST + 1)]:
        name, made = None, []
        for line in run('strace', '-s99', *args)[1].splitlines():
            mark = re.match(r'write\(1, "(.*)\\n"', line)
            if mark and mark[1] == 'end':
                yield name, made
                name = None
            elif mark:
                name, made = mark[1], []
            elif name:
                # fcntl64 is what 32-bit machines have.
                call = line.split('(')[0].replace('fcntl64', 'fcntl')
                size = re.match(r'pwrite64\(.*, (\d+), \d+\) |'
                                r'sendfile\(.*, (\d+)\) ', line)
                made.append(f'{call} {size[1] or size[2]}' if size else call)


def test_instructions(args):
    """Hold each call that has a limit to it."""
    for name, count in instructions(args.calls, args.library):
        most = INSTRUCTIONS.get(name)
        if most and args.slack:
            most = most * 4 // 3
        yield (not most or 0 < count <= most, f'{name}: {count}'
               + (f', at most {most}' if most else ''))


def test_syscalls(args):
    """Hold each call to what it makes."""
    for name, made in syscalls(args.calls):
        expected = SYSCALLS.get(name, [])
        yield (made == expected, f'{name}: {len(made)}'
               + (f', expected {expected}, made {made}'
                  if made != expected else ''))


def main():
    """Print TAP, and exit with a status."""
    tests = {'instructions': test_instructions, 'syscalls': test_syscalls}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', choices=tests)
    parser.add_argument('calls', help='the program of calls.c')
    parser.add_argument('library', help='the one to count instructions in')
    parser.add_argument('--skip', help='count nothing, for this reason')
    parser.add_argument('--slack', action='store_true',
                        help='allow a third more: the limits are for the '
                        'default build with gcc')
    args = parser.parse_args()
    try:
        if args.skip:
            raise Skip(args.skip)
        for passed, text in tests[args.what](args):
            tap.result(text, not passed)
    except Skip as skip:
        print(f'1..0 # SKIP {skip}')
        return
    if not tap.tests:
        sys.exit('nothing was counted')
    tap.finish()


if __name__ == '__main__':
    main()
