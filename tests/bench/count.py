#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py instructions|syscalls CALLS LIBRARY: count what each call costs that
CALLS, the program of calls.c, makes, and hold it to the limits. Prints TAP."""

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

# The most instructions of the library itself, for gcc on x86-64 (those of libc
# do not count); and exactly this many system calls. Which these are, and how
# they divide what is too large for one, tests/unit holds.
LIMITS = {
    'memfd_new("", 0)': (50, 2),
    'memfd_new("", MEMFD_ALLOW_SEALING)': (50, 1),
    'memfd_new("", MEMFD_EXEC)': (50, 1),
    'memfd_new("", MEMFD_NOEXEC_SEAL)': (50, 1),
    'memfd_new_str("", "exec")': (400, 1),
    'memfd_new_sized("", 0, 64, MEMFD_SEAL_SHRINK)': (120, 3),
    'memfd_new_sized("", 0, 64, 0)': (120, 3),
    'memfd_new_sized("", MEMFD_ALLOW_SEALING, 64, 0)': (120, 2),
    'memfd_new_sealed("", 0, data, 0)': (160, 2),
    'memfd_new_sealed("", 0, data, 64)': (160, 3),
    'memfd_new_sealed_copy("", 0, fd, 64)': (170, 5),
    'memfd_seal(fd, MEMFD_SEAL_IMMUTABLE)': (15, 1),
    'memfd_get_seals(fd)': (15, 1),
    'memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE)': (20, 1),
    'memfd_get_seals_str(fd, text, sizeof(text))': (500, 1),
    'memfd_check_seals_str(fd, "immutable")': (500, 1),
    'memfd_parse_flags("allow-sealing", &flags, NULL)': (400, 0),
    'memfd_format_seals(0x0e, text, sizeof(text))': (300, 0),
}


def leave_out(report, tool, reason):
    report(tool, reason)
    tap.finish()


def run(tool, *command, **env):
    """What the command prints under the tool, on its two outputs."""
    if not shutil.which(tool):
        leave_out(tap.missing, tool, 'not installed')
    # Bound early, so that the first call costs no more than the next.
    done = subprocess.run([tool, *command], env={**os.environ, **env,
                                                 'LD_BIND_NOW': '1'},
                          capture_output=True, text=True, timeout=100)
    if done.returncode == 77:
        leave_out(tap.skip, tool, 'no exec flags here, and calls cost more')
    if done.returncode and 'PTRACE' in done.stderr:
        leave_out(tap.missing, tool, 'it may not trace here')
    if done.returncode:
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
    """How many instructions each call took."""
    with tempfile.TemporaryDirectory() as tmp:
        # Not all debugging information that compilers write can be read.
        run('strip', '-g', '-o', f'{tmp}/calls', calls)
        run('strip', '-g', '-o', f'{tmp}/libmemfd.so.1', library)
        marks = run('valgrind', '-q', '--tool=callgrind', '--dump-before=mark',
                    '--compress-strings=no', '--compress-pos=no',
                    f'--callgrind-out-file={tmp}/dump', f'{tmp}/calls',
                    LD_LIBRARY_PATH=tmp)[0].splitlines()
        # Part 1 ends at the first mark.
        return {call: own_cost(pathlib.Path(tmp, f'dump.{part}').read_text())
                for part, call in enumerate(marks, 2) if call != 'end'}


def syscalls(calls, _library):
    """How many system calls each call made."""
    return {call.replace('\\"', '"'): made.count('\n') for call, made in
            re.findall(r'^write\(1, "(.*)\\n".*\n((?:.*\n)*?)write\(1, "end',
                       run('strace', '-s99', calls)[1], re.M)}


def main():
    what, calls, library = sys.argv[1:]
    if what == 'instructions':
        counted = instructions(calls, library)
    else:
        counted = syscalls(calls, library)
    tap.same('every call is counted', counted.keys(), LIMITS.keys())
    for call, count in counted.items():
        most, exactly = LIMITS[call]
        good = count == exactly if what == 'syscalls' else 0 < count <= most
        tap.result(f'{call}: {count}', '' if good else
                   f'at most {most} instructions, {exactly} system calls')
    tap.finish()


if __name__ == '__main__':
    main()
