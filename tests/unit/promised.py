# SPDX-License-Identifier: MIT
"""The promised functions, and how a test reports: TAP on standard output."""

import os
import re
import sys


def functions(map_file):
    """The functions that the version script exports, each with its node."""
    found = {}
    node = None
    with open(map_file, encoding='ascii') as file:
        for line in file:
            begins = re.match(r'(\w[\w.]*) \{', line)
            if begins:
                node = begins[1]
            name = re.match(r'\t(\w+);', line)
            if name:
                found[name[1]] = node
    return found


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
