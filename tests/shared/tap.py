# SPDX-License-Identifier: MIT
"""What the Python scripts here share: TAP on standard output, the summaries of
cmocka, and the functions of the library. To import it, a script appends the
folder to sys.path."""

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


CI = os.environ.get('CI') == 'true'
CMOCKA = re.compile(r'^\[  (PASSED|FAILED|SKIPPED) *\] (\d+) test\(s\)', re.M)


def cmocka(output):
    """How many tests passed, failed and were skipped, as cmocka sums it up."""
    number = {'PASSED': 0, 'FAILED': 0, 'SKIPPED': 0}
    for kind, n in CMOCKA.findall(output):
        number[kind] += int(n)
    return list(number.values())


tests = 0
failed = 0


def result(name, problem=''):
    """One thing tested: what is wrong with it (True: that is said elsewhere)."""
    global tests, failed
    tests += 1
    failed += bool(problem)
    print(f'{"not ok" if problem else "ok"} {tests} - {name}', flush=True)
    if problem and problem is not True:
        comment(problem)


def comment(text):
    for line in f'{text}'.splitlines():
        print('#', line, flush=True)


def same(name, got, wanted):
    problem = f'{got}, wanted {wanted}'
    if isinstance(got, set) and isinstance(wanted, set):
        problem = f'too many: {got - wanted}, missing: {wanted - got}'
    result(name, '' if got == wanted else problem)


def none(name, wrong):
    """Nothing may be wrong, of what a test has looked at."""
    result(name, '\n'.join(sorted(map(str, wrong))))


def skip(name, reason):
    global tests
    tests += 1
    print(f'ok {tests} - {name} # SKIP {reason}', flush=True)


def missing(name, reason='not installed'):
    """A tool, or what needs one that is not here: in CI it has to be."""
    if CI:
        result(name, reason)
    else:
        skip(name, reason)


def finish():
    print(f'1..{tests}')
    sys.exit(failed > 0)
