#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py NAME TESTLOG.json: what a run of `meson test` counted, in one line.

cmocka programs and TAP scripts count their own tests; anything else is one.
Prints the skipped with their reasons and the failed with their output before
"NAME: N passed, N failed, N skipped", and exits 1 where there is a failure or
nothing ran.
"""
import json
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), '../tests/shared'))
sys.dont_write_bytecode = True  # leave the source folder as it is
from tap import cmocka  # noqa: E402

TAP = re.compile(r'^(not )?ok\b(.*)$', re.M)


def count(test):
    """How many passed, failed and were skipped, and why those were."""
    stdout = test.get('stdout', '')
    output = stdout + '\n' + test.get('stderr', '')
    number = dict(zip(('PASSED', 'FAILED', 'SKIPPED'), cmocka(output)))
    reasons = []
    if any(number.values()):
        if number['SKIPPED']:
            reasons = re.findall(r'^# (.*)$', output, re.M)
    else:
        for bad, rest in TAP.findall(stdout):
            if re.search(r'# SKIP', rest, re.I):
                number['SKIPPED'] += 1
                reasons.append(rest.strip(' -'))
            else:
                number['FAILED' if bad else 'PASSED'] += 1
    if not any(number.values()):
        kind = {'OK': 'PASSED', 'SKIP': 'SKIPPED'}.get(test['result'], 'FAILED')
        number[kind] = 1
        if kind == 'SKIPPED':
            reasons = [output.strip()]
    # A crash, or a test that ended before its time.
    if test['result'] not in ('OK', 'SKIP') and not number['FAILED']:
        number['FAILED'] = 1
    return *number.values(), reasons


def main():
    name, path = sys.argv[1:]
    total = [0, 0, 0]
    with open(path, encoding='utf-8') as log:
        tests = [json.loads(line) for line in log]
    for test in tests:
        *numbers, reasons = count(test)
        total = [a + b for a, b in zip(total, numbers)]
        for reason in reasons:
            print(f'{name}: {test["name"]}: skipped: {reason}')
        if numbers[1]:
            print(f'{name}: {test["name"]}: {test["result"]}')
            print(test.get('stdout', '')[-8000:])
            print(test.get('stderr', '')[-4000:])
    print('{}: {} passed, {} failed, {} skipped'.format(name, *total))
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
