#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py SUITE LOG COMMAND...: run `meson test`, which writes LOG.json, and
count what each test counted itself. Prints each failure with its diagnostics,
each skip with its reason, and "SUITE: N passed, N failed, N skipped".

count.py --total FILE: add up such lines. Each suite that .ci/suites lists has
to be there once, and to be as large as it says.

count.py --write FILE: write the numbers of such lines to .ci/suites.

What cannot be counted is a failure, and so is a skip that .ci/skips does not
allow. The status is 1 where there is a failure, or nothing passed.
"""
import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'tests/shared'))
sys.dont_write_bytecode = True  # leave the source folder as it is
from suite import Result  # noqa: E402

SUITES = HERE / 'suites'
LINE = re.compile(r'^(\S+): (\d+) passed, (\d+) failed, (\d+) skipped$', re.M)
ROW = re.compile(r'^([\w-]+) +(\d+)(?: +(\d+))?$', re.M)
LINES = 60  # of diagnostics


def skips():
    """Patterns of the suite, the test, and its part or the reason."""
    return [line.partition(' -- ')[0].split(None, 2)
            for line in (HERE / 'skips').read_text().splitlines()
            if line and line[0] != '#']


class Count:
    """The tests of one suite."""

    def __init__(self, suite):
        self.suite = suite
        self.passed = self.failed = self.skipped = 0
        self.allowed = skips()

    def fail(self, test, part, diagnostics=()):
        self.failed += 1
        print(f'{self.suite}: {test}: FAILED: {part}')
        for line in diagnostics[:LINES]:
            print(f'    {line}')

    def skip(self, test, part, reason):
        if any(all(map(fnmatch.fnmatchcase, (self.suite, test, what), patterns))
               for patterns in self.allowed for what in (part, reason)):
            self.skipped += 1
            print(f'{self.suite}: {test}: skipped: {part}: {reason}')
        else:
            self.fail(test, part, [f'skipped, which .ci/skips does not allow: '
                                   f'{reason}'])

    def cmocka(self, test, output, errors, status):
        found = Result(test, f'{output}\n{errors}', status)
        # Where a test failed is said on the other stream.
        where = [line for line in errors.splitlines()
                 if re.search('ERROR|LINE', line)]
        listed = {'FAILED': 0, 'SKIPPED': 0}
        for part, text, result in re.findall(
                r'^\[ RUN +\] (\w+)\n((?:(?!\[ RUN).*\n)*)'
                r'\[ +(FAILED|SKIPPED) +\] \1$', output, re.M):
            listed[result] += 1
            if result == 'FAILED':
                self.fail(test, part, text.splitlines())
            else:
                self.skip(test, part, text.rpartition('# ')[2].strip())
        self.passed += found.passed
        for line in where[:LINES]:
            print(f'    {line}')
        if listed != {'FAILED': found.failed, 'SKIPPED': found.skipped}:
            self.fail(test, f'{found}, status {status}')

    def tap(self, test, output):
        lines = output.splitlines()
        ran = 0
        for at, line in enumerate(lines):
            result = re.match(r'(not )?ok\b[ \d-]*(.*?)\s*(?:# SKIP\b(.*))?$',
                              line)
            if not result:
                continue
            ran += 1
            bad, part, reason = result.groups()
            if reason is not None:
                self.skip(test, part, reason.strip())
            elif bad:
                # The comments around it are about it.
                first, last = at, at + 1
                while first and lines[first - 1][:1] == '#':
                    first -= 1
                while lines[last:] and lines[last][:1] == '#':
                    last += 1
                self.fail(test, part, lines[first:last])
            else:
                self.passed += 1
        # What suite.py says of the programs that it runs elsewhere.
        for reason in re.findall(r'^# skipped: (.*)', output, re.M):
            self.skip(test, 'in one of its programs', reason)
        plans = re.findall(r'^1\.\.(\d+)\s*(?:# SKIP\b(.*))?$', output, re.M)
        if not ran and len(plans) == 1 and plans[0][1]:
            self.skip(test, 'all', plans[0][1].strip())
        elif not ran or [int(number) for number, _ in plans] != [ran]:
            self.fail(test, f'{ran} ran, planned: '
                      f'{" and ".join(number for number, _ in plans) or "?"}')

    def test(self, log, benchmark):
        name = log['name'].rpartition(' / ')[2]
        output, errors = log.get('stdout', ''), log.get('stderr', '')
        result, status = log['result'], log['returncode']
        before = self.failed
        if re.search(r'^\[=+\] Running', output, re.M):
            self.cmocka(name, output, errors, status)
        elif re.search(r'^((not )?ok\b|1\.\.\d)', output, re.M):
            self.tap(name, output)
        elif result == 'SKIP' and output.strip():
            self.skip(name, 'all', output.strip())
        elif benchmark and result == 'OK':
            self.passed += 1
        else:
            self.fail(name, 'counted nothing')
        if result not in ('OK', 'SKIP'):
            if before == self.failed:
                self.fail(name, f'{result}, status {status}')
            for line in output.splitlines()[-LINES:] + \
                    errors.splitlines()[-LINES:]:
                print(f'    | {line}')

    def run(self, base, command):
        base = Path(base)
        for old in base.parent.glob(f'{base.name}*.json'):
            old.unlink()
        meson = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
        try:
            log, = base.parent.glob(f'{base.name}*.json')
            tests = [json.loads(line) for line in log.read_text().splitlines()]
            for test in tests:
                self.test(test, '--benchmark' in command)
        except (KeyError, TypeError, ValueError) as error:
            self.fail('count.py', f'cannot read what Meson wrote: {error}')
            tests = []
        said = sum(map(int, re.findall(
            r'^(?:Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout): +'
            r'(\d+)', meson.stdout, re.M)))
        if said != len(tests) or not self.passed or \
                bool(meson.returncode) > bool(self.failed):
            self.fail('meson', f'status {meson.returncode}, {said} tests; '
                      f'{len(tests)} are in its log',
                      meson.stdout.splitlines()[-LINES:])


def total(text):
    lines = LINE.findall(text)
    passed, failed, skipped = (sum(int(line[at]) for line in lines)
                               for at in (1, 2, 3))
    wanted = {name: int(tests) - int(spare or 0)
              for name, tests, spare in ROW.findall(SUITES.read_text())}
    for name in sorted({*wanted, *(line[0] for line in lines)}):
        sizes = [sum(map(int, numbers)) for suite, *numbers in lines
                 if suite == name]
        if name not in wanted:
            problem = 'is not in .ci/suites'
        elif len(sizes) != 1:
            problem = f'has {len(sizes)} results'
        elif sizes[0] < wanted[name]:
            problem = f'has {sizes[0]} tests, not {wanted[name]}'
        else:
            continue
        failed += 1
        print(f'{name}: FAILED: {problem}')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed or not passed or not wanted


def write(text):
    sizes = {name: sum(map(int, numbers)) for name, *numbers
             in LINE.findall(text)}
    rows = ROW.sub(lambda row: ' '.join(filter(None, [
        row[1], str(sizes.pop(row[1], row[2])), row[3]])), SUITES.read_text())
    SUITES.write_text(rows + ''.join(
        f'{name} {size}\n' for name, size in sizes.items()))


def main():
    if sys.argv[1] == '--total':
        return total(Path(sys.argv[2]).read_text())
    if sys.argv[1] == '--write':
        return write(Path(sys.argv[2]).read_text())
    count = Count(sys.argv[1])
    count.run(sys.argv[2], sys.argv[3:])
    print(f'{count.suite}: {count.passed} passed, {count.failed} failed, '
          f'{count.skipped} skipped')
    return count.failed or not count.passed


if __name__ == '__main__':
    sys.exit(bool(main()))
