#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""adopters.py ROOT BUILD [PROGRAM...]: programs that have code of their own for
memfds, built and tested as they are and again on libmemfd."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'shared'))
from programs import PROGRAMS
from suite import Cache, Unavailable, call, comment, need, tap

LEAST = 3


def install(root, build):
    """libmemfd, where pkg-config will find it."""
    build = build / 'libmemfd'
    shutil.rmtree(build, ignore_errors=True)
    call('meson', 'setup', build, root, f'--prefix={build}/prefix',
         '--libdir=lib', '-Dtests=disabled')
    call('meson', 'install', '-C', build)
    return build / 'prefix'


def worse(before, after):
    return sorted(test for test, passed in before.items()
                  if passed and not after.get(test))


def compare(title, was, now):
    """The results of both. A test that got worse has a second try, alone, so
    that one which fails now and then decides nothing."""
    before, after = was.test(), now.test()
    names = sorted({name for name, _ in worse(before, after)})
    if names:
        after.update(now.test(*names))
        tap.comment(f'tried once more: {", ".join(names)}')
    bad = [f'no longer passes: {" ".join(test)}'
           for test in worse(before, after)]
    passed = sum(map(bool, before.values()))
    if passed < was.passes:
        bad.append(f'as it is, only {passed} passed: fewer than {was.passes}')
    said = ['{} passed, {} failed, {} skipped'.format(*(
        sum(result is kind for result in results.values())
        for kind in (True, False, None))) for results in (before, after)]
    tap.result(f'{title}: as it is {said[0]}; on libmemfd {said[1]}',
               '\n'.join(bad))


def links(program):
    """What is dynamically linked with libmemfd.so.1."""
    for pattern in program.linked:
        found = [file for file in program.build.glob(pattern)
                 if file.is_file()]
        if not found:
            raise LookupError(f'there is no {pattern}')
        for file in found:
            if '[libmemfd.so.1]' not in call('readelf', '-d', file):
                raise LookupError(f'{file.name} does not need libmemfd.so.1')
            yield file.name


def adopt(program, source, version, build, prefix):
    # Debian adds what it took out for its own reasons.
    title = f'{program.name} {version.partition("+")[0]}'
    trees = [build / program.name / state for state in ('before', 'after')]
    shutil.rmtree(build / program.name, ignore_errors=True)
    for tree in trees:
        shutil.copytree(source, tree, symlinks=True)
    was, now = (program(tree, prefix) for tree in trees)
    now.port()
    # The status is 1, because they differ.
    changed = call('sh', '-c', '! git diff --no-index --shortstat "$0" "$1"',
                   *trees)
    was.compile()
    now.compile()
    tap.result(f'{title}: builds on libmemfd, {changed.strip()}')
    tap.result(f'{title}: libmemfd.so.1 is needed by {", ".join(links(now))}')
    compare(title, was, now)
    saw = now.look()
    for what, old in was.look().items():
        new = saw[what]
        tap.result(f'{title}: {what}: ' + ', '.join(
            f'{part} {old[part]} → {new[part]}' for part in old),
            bool(now.worse(old, new)))


def main():
    root, build = (Path(folder).resolve() for folder in sys.argv[1:3])
    wanted = sys.argv[3:]
    tried = 0
    try:
        for tool in 'ctags', 'unifdef', 'autoreconf', 'xz', 'setpriv':
            need(tool)
        if os.geteuid():
            raise Unavailable('crun is tried as root only')
        cache = Cache(build / 'cache')
        prefix = install(root, build)
        for program in PROGRAMS:
            if wanted and program.name not in wanted:
                continue
            try:
                source, version = cache.source(program.release, program.name)
            except Unavailable as error:
                tap.skip(program.name, f'not tried: {error}')
                continue
            tried += 1
            try:
                adopt(program, source, version, build, prefix)
            except subprocess.CalledProcessError as error:
                tap.result(program.name, f'{error}'.splitlines()[0])
                comment((error.stdout or '') + (error.stderr or ''))
            except (LookupError, OSError, ValueError) as error:
                tap.result(program.name, f'{error}')
        if not wanted:
            tap.result(f'{tried} programs tried, {LEAST} needed', tried < LEAST)
    except Unavailable as error:
        tap.missing('adopters', error)
    tap.finish()


main()
