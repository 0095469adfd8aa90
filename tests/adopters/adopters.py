#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""adopters.py ROOT BUILD [--calls] [PROGRAM...]: programs that have code of
their own for memfds, built and tested as they are and again on libmemfd.

MEMFD_CACHE keeps what a program does as it is. With --calls, what its tests
call of libmemfd is counted and written to README.md."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'shared'))
from programs import HERE, PROGRAMS
from suite import Cache, Unavailable, call, comment, need, tap, write_between

LEAST = 3


class Workshop:
    """Where programs are built, one after the other. What is built has the
    paths in it, and so stays in the cache."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.cache = Cache(build / 'cache')
        self.path = self.cache.path / 'adopters'
        self.path.mkdir(exist_ok=True)
        self.lock = self.cache.alone('adopters')
        self.prefix = self.path / 'libmemfd'
        for folder in self.prefix, build / 'libmemfd':
            shutil.rmtree(folder, ignore_errors=True)
        call('meson', 'setup', build / 'libmemfd', root,
             f'--prefix={self.prefix}', '--libdir=lib', '-Dtests=disabled')
        call('meson', 'install', '-C', build / 'libmemfd')

    def program(self, kind, source, name=None):
        """A copy of its tree."""
        tree = self.path / (name or kind.name)
        shutil.rmtree(tree, ignore_errors=True)
        call('cp', '-a', source, tree)
        return kind(tree, self.prefix)

    def as_it_is(self, kind, source):
        """What its tests say, what it makes, and its tree, built: done once
        with these versions of all that it depends on."""
        depends = [source.name, os.uname().release, call('dpkg-query', '-W'),
                   (HERE / 'programs.py').read_text()]
        digest = hashlib.sha256('\0'.join(depends).encode()).hexdigest()[:16]
        kept = self.path / f'{kind.name}-{digest}'
        if not kept.exists():
            for old in self.path.glob(f'{kind.name}-*'):
                shutil.rmtree(old)
            was = self.program(kind, source)
            was.compile()
            tests = was.test()
            passed = sum(map(bool, tests.values()))
            if passed < kind.passes:
                raise LookupError(f'as it is, only {passed} tests pass: fewer '
                                  f'than {kind.passes}')
            found = tests, was.look()
            partial = self.path / f'{kind.name}-partial'
            partial.mkdir()
            (partial / 'found').write_text(json.dumps(found))
            was.tree.rename(partial / 'tree')
            partial.rename(kept)
        return *json.loads((kept / 'found').read_text()), kept / 'tree'

    def calls(self, program):
        """How often its tests call each function of libmemfd."""
        log = self.path / 'calls'
        log.write_text('')
        log.chmod(0o666)
        library = (self.prefix / 'lib/libmemfd.so.1').resolve()
        original = library.read_bytes()
        call('gcc', '-shared', '-fPIC', '-O2', '-DHAVE_MEMFD_CREATE',
             f'-DLOG="{log}"', '-finstrument-functions',
             f'-I{self.root}/include', *self.root.glob('src/*.c'),
             HERE / 'calls.c', '-Wl,-soname,libmemfd.so.1',
             f'-Wl,--version-script={self.root}/src/libmemfd.map',
             '-o', library)
        program.test()
        library.write_bytes(original)
        used = [name for pattern in program.linked
                for file in program.build.glob(pattern)
                for name in re.findall(r' U (\w+)@LIBMEMFD_',
                                       call('nm', '-D', file))]
        counts = Counter(dict.fromkeys(used, 0))
        counts.update(log.read_text().split())
        return counts


def worse(before, after):
    return sorted(test for test, passed in before.items()
                  if passed and not after.get(test))


def compare(title, before, now):
    """The results of both. What got worse has a second try, so that a test that
    fails now and then decides nothing."""
    after = now.test()
    if worse(before, after):
        tap.comment(f'tried once more: {", ".join(worse(before, after))}')
        after.update((test, True) for test, passed in now.test().items()
                     if passed)
    said = ['{} passed, {} failed, {} skipped'.format(*(
        sum(result is kind for result in results.values())
        for kind in (True, False, None))) for results in (before, after)]
    tap.result(f'{title}: as it is {said[0]}; on libmemfd {said[1]}',
               '\n'.join(f'no longer passes: {test}'
                         for test in worse(before, after)))


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


def adopt(kind, source, title, workshop):
    before, was, tree = workshop.as_it_is(kind, source)
    ported = workshop.program(kind, source, 'ported')
    ported.port()
    # The status is 1, because they differ.
    changed = call('sh', '-c', '! git diff --no-index --shortstat "$0" "$1"',
                   source, ported.tree)
    now = workshop.program(kind, tree)
    now.port()
    now.compile()
    tap.result(f'{title}: builds on libmemfd, {changed.strip()}')
    tap.result(f'{title}: libmemfd.so.1 is needed by {", ".join(links(now))}')
    if before:
        compare(title, before, now)
    saw = now.look()
    for what, old in was.items():
        new = saw[what]
        tap.result(f'{title}: {what}: ' + ', '.join(
            f'{part} {old[part]} → {new[part]}' for part in old),
            bool(now.worse(old, new)))
    return now


def main():
    options = [option for option in sys.argv if option == '--calls']
    root, build, *wanted = [word for word in sys.argv[1:]
                            if word not in options]
    tried = 0
    rows = ['| program | calls |', '|---|---|']
    try:
        for tool in 'ctags', 'unifdef', 'autoreconf', 'xz', 'setpriv':
            need(tool)
        if os.geteuid():
            raise Unavailable('crun is tried as root only')
        workshop = Workshop(Path(root).resolve(), Path(build).resolve())
        for kind in PROGRAMS:
            if wanted and kind.name not in wanted:
                continue
            try:
                source, version = workshop.cache.source(kind.release, kind.name)
            except Unavailable as error:
                tap.skip(kind.name, f'not tried: {error}')
                continue
            tried += 1
            # Debian adds what it took out for its own reasons.
            title = f'{kind.name} {version.partition("+")[0]}'
            try:
                now = adopt(kind, source, title, workshop)
                if options:
                    calls = ', '.join(f'{name} {number}' for name, number
                                      in workshop.calls(now).most_common())
                    tap.comment(f'{title} calls {calls}')
                    rows.append(f'| {title} | {calls} |')
            except subprocess.CalledProcessError as error:
                tap.result(kind.name, f'{error}'.splitlines()[0])
                comment((error.stdout or '') + (error.stderr or ''))
            except (LookupError, OSError, ValueError) as error:
                tap.result(kind.name, f'{error}')
        if not wanted:
            tap.result(f'{tried} programs tried, {LEAST} needed', tried < LEAST)
    except Unavailable as error:
        tap.missing('adopters', error)
    if options and not wanted:
        write_between(HERE / 'README.md', 'calls', rows)
    tap.finish()


main()
