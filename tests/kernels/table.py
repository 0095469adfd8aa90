#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py FILE RESULTS.json...: what was run where, between the two markers
in FILE, as the suites `kernels` and `arches` left it in their build folders."""
import collections
import itertools
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'shared'))
from suite import write_between  # noqa: E402


def result(cell):
    """What one column of the table's row says, apart from where."""
    skipped = str(cell['skipped'])
    if cell['reasons'] and 'otherwise' not in cell:
        skipped += ': ' + '; '.join(sorted(set(cell['reasons'])))
    failed = str(cell['failed'])
    if 'otherwise' in cell:
        failed += ', and those below'
    return f'{cell["passed"]} | {failed} | {skipped}'


def lines(cells):
    """What ran in one place: a line for those columns that are alike."""
    found = collections.defaultdict(list)
    for cell in cells:
        found[result(cell)].append(cell['column'])
    return tuple((joined(columns), text) for text, columns in found.items())


def joined(columns):
    """The word that all begin with is said once."""
    first = columns[0].partition(' ')[0] + ' '
    return columns[0] + ''.join(
        f', {column.removeprefix(first)}' for column in columns[1:])


def table(cells):
    places, missing = collections.defaultdict(list), []
    for row, columns in itertools.groupby(cells, lambda cell: cell['row']):
        columns = list(columns)
        if 'passed' in columns[0]:
            places[lines(columns)].append(row)
        else:
            missing.append(row)
    yield '| where | how | passed | failed | skipped |'
    yield '|---|---|---|---|---|'
    for alike, rows in places.items():
        where = '<br>'.join(rows)
        for how, text in alike:
            yield f'| {where} | {how} | {text} |'
            where = ''
    for row in missing:
        yield f'| {row} | | | | |'
    for cell in cells:
        if 'otherwise' in cell:
            yield ''
            yield f'In {cell["row"]}, these tests fail or are skipped:'
            yield ''
            for test, reason in cell['otherwise'].items():
                yield f'- `{test}`: {reason}'


def main():
    path, *results = map(Path, sys.argv[1:])
    cells = [cell for result in results
             for cell in json.loads(result.read_text())]
    write_between(path, 'results', table(cells))


main()
