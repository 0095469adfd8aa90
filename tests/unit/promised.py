# SPDX-License-Identifier: MIT
"""The thirteen functions, and how a test reports: TAP on standard output."""

import os
import sys

FUNCTIONS = {
    'memfd_new', 'memfd_seal', 'memfd_get_seals', 'memfd_new_sealed',
    'memfd_check_seals', 'memfd_new_str', 'memfd_seal_str',
    'memfd_get_seals_str', 'memfd_new_sealed_str', 'memfd_check_seals_str',
    'memfd_parse_flags', 'memfd_parse_seals', 'memfd_format_seals'}

tests = 0
failed = 0


def result(name, problem):
    """One thing tested: what is wrong with it, or nothing."""
    global tests, failed
    tests += 1
    print(f'{"not ok" if problem else "ok"} {tests} - {name}')
    if problem:
        failed += 1
        for line in f'{problem}'.splitlines():
            print('#', line)


def same(name, got, wanted):
    result(name, '' if got == wanted else f'{got}, wanted {wanted}')


def skip(name, reason):
    global tests
    tests += 1
    print(f'ok {tests} - {name} # SKIP {reason}')


def missing(tool):
    """A tool that is not here: in CI it has to be."""
    if os.environ.get('CI') == 'true':
        result(tool, 'not installed')
    else:
        skip(tool, 'not installed')


def finish():
    print(f'1..{tests}')
    sys.exit(failed > 0)
