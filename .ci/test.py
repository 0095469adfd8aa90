#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CI fails closed: count.py on a toy project, which breaks in one way each."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / 'tests/shared'))
sys.dont_write_bytecode = True  # leave the source folder as it is
import tap  # noqa: E402

NOISE = 'yes "# noise" | head -n 3000'
CMOCKA = '''echo "[==========] Running 3 test(s)."
echo "[ RUN      ] one"; echo "[       OK ] one"
echo "[ RUN      ] two"; echo "# no reason"; echo "[  {0} ] two"
echo "[ RUN      ] three"
yes noise | head -n 3000; echo "[       OK ] three"
echo "[  ERROR   ] --- 0x1 != 0x2" >&2; yes noise | head -n 3000 >&2
echo "[  PASSED  ] 2 test(s)." >&2
echo "[  {0} ] 1 test(s), listed below:" >&2
exit {1}'''
GOOD = {
    'meson.build': '''project('toy')
test('points', find_program('points'), protocol: 'tap', timeout: 5)
test('unit', find_program('unit'))
benchmark('speed', find_program('speed'))''',
    'points': 'echo "ok 1 - here"; echo "ok 2 - there # SKIP far"; echo 1..2',
    'unit': CMOCKA.format('SKIPPED', 0),
    'speed': 'echo "| fast |"',
    '.ci/suites': '# tests\ntoy 5\n',
    '.ci/skips': 'toy points there -- it is far\ntoy unit no r* -- it is small\n',
    # What follows `meson test`, and its options.
    'then': '', 'options': ''}


def points(text):
    return {'points': text}


# What is wrong, the files that are then otherwise, and what CI says of it.
TOYS = [
    ('a test fails, and 3000 lines follow',
     points(f'echo "# why"; echo "not ok 1 - here"; {NOISE}; echo 1..1; exit 1'),
     'toy: points: FAILED: here\n    # why\n    not ok 1 - here\n'),
    ('a test fails, with status 0', points('echo "not ok 1 - a"; echo 1..1'),
     'points: FAILED: a'),
    ('a test prints nothing', points(''), 'points: FAILED: counted nothing'),
    ('a test prints no TAP', points('echo hello'), 'points: FAILED'),
    ('a plan of 0', points('echo 1..0'), 'points: FAILED: 0 ran, planned: 0'),
    ('no plan', points('echo ok 1 - a'), 'points: FAILED: 1 ran, planned: ?'),
    ('two plans', points('echo ok 1 - a; echo 1..1; echo 1..1'),
     'points: FAILED: 1 ran, planned: 1 and 1'),
    ('a test ends too early', points('echo ok 1 - a; echo 1..2'),
     'points: FAILED: 1 ran, planned: 2'),
    ('all is skipped', points('echo "1..0 # SKIP not today"'),
     'points: FAILED: all\n    skipped, which .ci/skips does not allow: not'),
    ('a test is skipped by its status', {'unit': 'echo not today; exit 77'},
     'unit: FAILED: all\n    skipped, which .ci/skips does not allow: not'),
    ('a part is skipped', points('echo "ok 1 - here # SKIP far"; echo 1..1'),
     'points: FAILED: here\n    skipped, which .ci/skips does not allow: far'),
    ('a program that it runs skips', points('echo ok 1 - a; echo 1..1; '
                                            'echo "# skipped: far"'),
     'points: FAILED: in one of its programs\n    skipped, which .ci/skips does not allow'),
    ('a test bails out', points('echo ok 1 - a; echo 1..1; echo Bail out!'),
     'points: FAILED: ERROR, status 0'),
    ('a test crashes', points('echo ok 1 - a; echo 1..1; kill -SEGV $$'),
     'points: FAILED: '),
    ('a test takes too long', points('echo ok 1 - a; echo 1..1; sleep 60'),
     'points: FAILED: TIMEOUT'),
    ('cmocka: a test fails, and 3000 lines follow',
     {'unit': CMOCKA.format('FAILED ', 1)},
     'unit: FAILED: two\n    # no reason\n    [  ERROR   ] --- 0x1 != 0x2\n'),
    ('cmocka: it fails, with status 0', {'unit': CMOCKA.format('FAILED ', 0)},
     'unit: FAILED: two'),
    ('cmocka: it fails after the tests',
     {'unit': CMOCKA.format('SKIPPED', 1)}, 'unit: FAILED: '),
    ('cmocka: it ends too early',
     {'unit': 'echo "[==========] Running 2 test(s)."'}, 'unit: FAILED: '),
    ('cmocka: no tests',
     {'unit': 'echo "[==========] Running 0 test(s)."'}, 'unit: FAILED: '),
    ('cmocka: a test is skipped', {'.ci/skips': 'toy points there -- it is far'},
     'unit: FAILED: two\n    skipped, which .ci/skips does not allow: no reas'),
    ('all is skipped, and may be',
     {**points('echo "1..0 # SKIP not today"'), 'unit': 'echo no; exit 77',
      '.ci/skips': 'toy * * -- all'}, 'toy: meson: FAILED: status 0'),
    ('no tests', {'meson.build': "project('toy')"},
     'toy: meson: FAILED: status 0, 0 tests'),
    ('the log is cut', {'then': 'truncate -s -5 "$0"'},
     'toy: count.py: FAILED: cannot read what Meson wrote'),
    ('the log lacks a test', {'then': 'sed -i 1d "$0"'},
     'toy: meson: FAILED: status 0, 2 tests; 1 are in its log'),
    ('the log is empty', {'then': ': >"$0"'}, 'toy: meson: FAILED'),
    ('there is no log', {'then': 'rm "$0"'}, 'toy: count.py: FAILED'),
    ('there are two logs', {'then': 'cp "$0" "${0%.json}-2.json"'},
     'toy: count.py: FAILED'),
    ('Meson fails, and no test does', {'then': 'exit 3'},
     'toy: meson: FAILED: status 3'),
    ('count.py fails', {'tests/shared/suite.py': 'def Result(*_): raise OSError'},
     'toy: FAILED: has 0 results'),
    ('a suite shrinks', {'.ci/suites': 'toy 6\n'},
     'toy: FAILED: has 5 tests, not 6'),
    ('a suite is lost', {'.ci/suites': 'toy 5\nother 0\n'},
     'other: FAILED: has 0 results'),
    ('a suite is not listed', {'.ci/suites': 'other 0\n'},
     'toy: FAILED: is not in .ci/suites'),
    ('no suite is listed', {'.ci/suites': ''},
     'toy: FAILED: is not in .ci/suites'),
    ('a benchmark fails', {'speed': 'exit 1', 'options': '--benchmark'},
     'toy: speed: FAILED'),
    ('a benchmark is skipped', {'speed': 'echo slow; exit 77', 'options': '--benchmark'},
     'toy: speed: FAILED: all'),
    ('no benchmark', {'meson.build': "project('toy')", 'options': '--benchmark'},
     'toy: meson: FAILED'),
]


class Toy:
    def __init__(self, folder):
        self.folder = folder
        self.built = None
        for name in '.ci', 'tests/shared':
            (folder / name).mkdir(parents=True)

    def write(self, files):
        for name, text in files.items():
            file = self.folder / name
            if '.' not in name and '/' not in name:
                text = f'#!/bin/sh\n{text}\n'
            file.write_text(text)
            file.chmod(0o755)

    def count(self, *arguments):
        return subprocess.run(
            ['python3', self.folder / '.ci/count.py', *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)

    def ci(self, changes):
        """What is printed of a suite and in the end, and both statuses."""
        files = {**GOOD, **changes}
        self.write(files)
        build = self.folder / 'build'
        if files['meson.build'] != self.built:
            shutil.rmtree(build, ignore_errors=True)
            subprocess.run(['meson', 'setup', build, self.folder], check=True,
                           stdout=subprocess.DEVNULL)
            self.built = files['meson.build']
        log = build / 'meson-logs/toy'
        suite = self.count(
            'toy', log, 'sh', '-c', f'"$@" && {files["then"] or ":"}',
            f'{log}.json', 'meson', 'test', '-C', build, '--no-rebuild',
            '--logbase', 'toy', *files['options'].split())
        output = self.folder / 'output'
        output.write_text(suite.stdout)
        total = self.count('--total', output)
        return suite.stdout + total.stdout, suite.returncode, total.returncode


def main():
    for name in '.ci/count.py', 'tests/shared/tap.py', 'tests/shared/suite.py':
        GOOD[name] = (ROOT / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        toy = Toy(Path(folder))
        for what, options, size in (('all is well', '', (3, 0, 2)),
                                    ('a benchmark', '--benchmark', (1, 0, 0))):
            numbers = '{} passed, {} failed, {} skipped\n'.format(*size)
            output, *statuses = toy.ci({
                'options': options, '.ci/suites': f'toy {sum(size)}'})
            good = output.endswith(f'\ntoy: {numbers}{numbers}') or \
                output == f'toy: {numbers}{numbers}'
            tap.result(what, '' if good and statuses == [0, 0] else output)
        for what, changes, says in TOYS:
            output, _, status = toy.ci(changes)
            last = re.search(r'\n\d+ passed, [1-9]\d* failed, \d+ skipped\n$',
                             output)
            tap.result(what, '' if status == 1 and last and says in output
                       else f'status {status}, no {says!r}:\n{output[-2000:]}')
    tap.finish()


main()
