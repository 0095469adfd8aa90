#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py FILE RESULTS.json...: what was run where, between the two markers
in FILE, as the suites `kernels` and `arches` left it in their build folders."""
import itertools
import json
import string
import sys
from pathlib import Path

BEGIN, END = '<!-- kernels:begin -->', '<!-- kernels:end -->'


def table(cells):
    reasons = {}
    yield '| where | passed | failed | skipped |'
    yield '|---|---|---|---|'
    for row, columns in itertools.groupby(cells, lambda cell: cell['row']):
        columns = list(columns)
        if 'passed' not in columns[0]:
            yield f'| {row} | | | |'
            continue
        names = [column['column'] for column in columns]
        # The word that all columns begin with is said once.
        first = names[0].split(' ')[0] + ' '
        if len(names) > 1 and all(name.startswith(first) for name in names):
            names[1:] = [name[len(first):] for name in names[1:]]
        row = ': '.join(filter(None, [row, ' / '.join(names)]))
        letters = ''.join(sorted({
            reasons.setdefault(reason, string.ascii_lowercase[len(reasons)])
            for column in columns for reason in column['reasons']}))
        passed, failed, skipped = (
            ' / '.join(str(column[kind]) for column in columns)
            for kind in ('passed', 'failed', 'skipped'))
        yield f'| {row} | {passed} | {failed} | {skipped} {letters} |'
    yield ''
    yield 'Skipped: ' + '; '.join(
        f'{letter}: {reason}' for reason, letter in reasons.items()) + '.'


def main():
    path, *results = map(Path, sys.argv[1:])
    cells = [cell for result in results
             for cell in json.loads(result.read_text())]
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f'{path}: no {BEGIN} and {END}')
    path.write_text('\n'.join([before + BEGIN, '', *table(cells), '',
                               END + after]))


main()
