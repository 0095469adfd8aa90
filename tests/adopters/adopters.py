#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""adopters.py ROOT BUILD [PROGRAM...]: programs that have code of their own for
memfds, built and tested as they are and again on libmemfd.

adopters.py --table README RESULTS: what was found, written between the two
markers in README.
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'kernels'))
from edit import changed
from programs import PROGRAMS
from suite import Cache, Tap, Unavailable, call, comment, need, write_between

LEAST = 3


class Failed(Exception):
    """Something that a program can do as it is, and not on libmemfd."""


def install(root, build):
    """libmemfd, where pkg-config will find it."""
    prefix = build / 'prefix'
    shutil.rmtree(build / 'libmemfd', ignore_errors=True)
    shutil.rmtree(prefix, ignore_errors=True)
    call('meson', 'setup', build / 'libmemfd', root, f'--prefix={prefix}',
         '--libdir=lib', '-Dtests=disabled')
    call('meson', 'install', '-C', build / 'libmemfd')
    return prefix


def fetch(cache, program):
    """Its source, from the first release whose one can be had."""
    reasons = []
    for release in program.releases:
        try:
            return cache.source(release, program.name)
        except Unavailable as error:
            reasons.append(f'{release}: {error}')
    raise Unavailable('; '.join(reasons))


def count(results):
    return tuple(sum(r is kind for r in results.values())
                 for kind in (True, False, None))


def said(results):
    return '{} passed, {} failed, {} skipped'.format(*count(results))


def worse(before, after):
    return sorted(test for test, passed in before.items()
                  if passed and not after.get(test))


def compare(was, now):
    """The results of both. A test that got worse has a second try, alone, so
    that one which fails now and then decides nothing."""
    before, after = was.test(), now.test()
    names = sorted({name for name, _ in worse(before, after)})
    if names:
        after.update(now.test(*names))
        print(f'# tried once more: {", ".join(names)}', flush=True)
    return before, after


def links(program):
    """What is dynamically linked with libmemfd.so.1."""
    for pattern in program.linked:
        found = [file for file in program.build.glob(pattern)
                 if file.is_file()]
        if not found:
            raise Failed(f'there is no {pattern}')
        for file in found:
            if '[libmemfd.so.1]' not in call('readelf', '-d', file):
                raise Failed(f'{file.name} does not need libmemfd.so.1')
            yield file.name


def adopt(tap, program, source, version, build, prefix):
    # Debian adds what it took out for its own reasons.
    title = f'{program.name} {version.partition("+")[0]}'
    trees = [build / program.name / state for state in ('before', 'after')]
    shutil.rmtree(build / program.name, ignore_errors=True)
    for tree in trees:
        shutil.copytree(source, tree, symlinks=True)
    was, now = (program(tree, prefix) for tree in trees)
    now.port()
    went, came = changed(*trees)
    was.compile()
    now.compile()
    tap.line(True, f'{title}: builds on libmemfd, {went} lines went and {came} '
             'came')
    tap.line(True, f'{title}: libmemfd.so.1 is needed by '
             f'{", ".join(links(now))}')

    before, after = compare(was, now)
    bad = [f'no longer passes: {" ".join(test)}'
           for test in worse(before, after)]
    if count(before)[0] < program.passes:
        bad.append(f'as it is, only {count(before)[0]} passed: fewer than '
                   f'{program.passes}')
    tap.line(not bad, f'{title}: as it is {said(before)}; '
             f'on libmemfd {said(after)}')
    for line in bad:
        comment(line)

    seen, saw = was.look(), now.look()
    better = []
    for what, new in saw.items():
        old = seen[what]
        tap.line(not new.worse(old), f'{title}: {what}: as it is {old}; '
                 f'on libmemfd {new}')
        since = new.since(old)
        if since:
            better.append(f'{what}: {since}')
    return {'program': title, 'went': went, 'came': came,
            'before': count(before), 'after': count(after),
            'better': better or [program.same]}


def table(rows):
    linux = os.uname().release.partition('-')[0]
    yield ('| program | lines removed, added | tests passed before | after '
           f'| what is better on Linux {linux} |')
    yield '|---|---|---|---|---|'
    for row in rows:
        if 'reason' in row:
            yield f'| {row["program"]} | not tried: {row["reason"]} | | | |'
            continue
        yield '| ' + ' | '.join([
            row['program'], f'{row["went"]}, {row["came"]}',
            *('{} of {}'.format(r[0], r[0] + r[1])
              for r in (row['before'], row['after'])),
            '<br>'.join(row['better'])]) + ' |'


def main():
    if sys.argv[1] == '--table':
        rows = json.loads(Path(sys.argv[3]).read_text())
        return write_between(sys.argv[2], 'adopters', table(rows))
    root, build = (Path(folder).resolve() for folder in sys.argv[1:3])
    tap = Tap('adopters', build)
    rows = tap.cells
    tried = 0
    try:
        for tool in 'ctags', 'unifdef', 'autoreconf', 'xz', 'setpriv':
            need(tool)
        if os.geteuid():
            raise Unavailable('crun is tried as root only')
        cache = Cache(build / 'cache')
        prefix = install(root, build)
        for program in PROGRAMS:
            if len(sys.argv) > 3 and program.name not in sys.argv[3:]:
                continue
            try:
                source, version = fetch(cache, program)
            except Unavailable as error:
                rows.append({'program': program.name, 'reason': str(error)})
                tap.skip(program.name, f'not tried: {error}')
                continue
            tried += 1
            try:
                rows.append(adopt(tap, program, source, version, build, prefix))
            except subprocess.CalledProcessError as error:
                tap.line(False, f'{program.name}: {error}'.splitlines()[0])
                comment((error.stdout or '') + (error.stderr or ''))
            except (Failed, LookupError, OSError, ValueError) as error:
                tap.line(False, f'{program.name}: {error}')
        if len(sys.argv) == 3:
            tap.line(tried >= LEAST, f'{tried} programs tried, {LEAST} needed')
        for line in table(rows):
            print(f'# {line}')
    except Unavailable as error:
        tap.missing('adopters', error)
    tap.end()


main()
