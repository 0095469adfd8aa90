#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py FILE RESULTS.json...: what was run where, between the two markers
in FILE, as the suites `kernels` and `arches` left it in their build folders."""
import itertools
import json
import string
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'shared'))
from suite import write_between  # noqa: E402


def line(columns, letters):
    """All of a row but its name, which rows with the same may share."""
    names = [column['column'] for column in columns]
    numbers = []
    for kind in 'passed', 'failed', 'skipped':
        each = [str(column[kind]) for column in columns]
        numbers.append(each[0] if len(set(each)) == 1 else ' / '.join(each))
    # The word that all columns begin with is said once.
    first = names[0].partition(' ')[0] + ' '
    if len(names) > 1 and all(name.startswith(first) for name in names):
        names[1:] = [name[len(first):] for name in names[1:]]
    return (': ' if names[0] else '') + ' / '.join(names), ' | '.join(
        numbers), letters


def table(cells):
    reasons, rows, missing = {}, {}, []
    for row, columns in itertools.groupby(cells, lambda cell: cell['row']):
        columns = list(columns)
        if 'passed' not in columns[0]:
            missing.append(row)
            continue
        letters = ''.join(sorted({
            reasons.setdefault(reason, string.ascii_lowercase[len(reasons)])
            for column in columns for reason in column['reasons']}))
        rows.setdefault(line(columns, letters), []).append(row)
    yield '| where | passed | failed | skipped |'
    yield '|---|---|---|---|'
    for (names, numbers, letters), alike in rows.items():
        yield f'| {"; ".join(alike)}{names} | {f"{numbers} {letters}".rstrip()} |'
    for row in missing:
        yield f'| {row} | | | |'
    if reasons:
        yield ''
        yield 'Skipped: ' + '; '.join(
            f'{letter}: {reason}' for reason, letter in reasons.items()) + '.'


def main():
    path, *results = map(Path, sys.argv[1:])
    cells = [cell for result in results
             for cell in json.loads(result.read_text())]
    write_between(path, 'results', table(cells))


main()
