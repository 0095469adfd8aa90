#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""proofs.py SOURCE BUILD [ENTRY...]: prove what the contract says.

Runs CBMC over each entry function of the harnesses beside this file, or over
those named, two at a time. A property is one line of TAP: its name is the text
of the harness's assertions.

NAME.ini lists the entries of NAME.c in the order to start them, slowest first:

    [entry]
    over = what the properties hold for
    cc = options of goto-cc
    replace = FUNCTION:OTHER, for calls of the one that shall be of the other
    instrument = options of goto-instrument; without any it does not run.
        {here} is the folder of the harnesses, {entry} the entry
    cbmc = options of CBMC; {flags} and {seals} are the turns of a loop over all
        names, and its end

A section [DEFAULT] has what all of them have.
"""
import configparser
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent import futures
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / 'shared'))
import suite  # noqa: E402
from suite import tap  # noqa: E402

# In Debian since trixie. The libraries are those of the same release.
RELEASE = 'trixie'
NEEDS = 'libc6', 'libgcc-s1', 'libstdc++6', 'minisat', 'zlib1g'
LOADER = 'usr/lib64/ld-linux-x86-64.so.2'
LIBRARIES = 'usr/lib/x86_64-linux-gnu', 'usr/lib'

# Beyond what CBMC checks of itself. Of functions that are not called it would
# say that their properties hold.
CHECKS = ['--drop-unused-functions', '--unwinding-assertions',
          '--pointer-overflow-check']
# The properties of one function, under its name.
FUNCTION = re.compile(r'^(?:(\S+) )?function \S+\n((?:\[.*\n)+)', re.M)
PROPERTY = re.compile(
    r'^\[(\S+)\] (?:line (\d+) )?(.*): (SUCCESS|FAILURE|UNKNOWN|ERROR)$', re.M)
MEMORY = 'no access outside an object, no undefined behaviour'
ENDS = 'every loop ends'
BODY = 'every function has a body'
TURNS = 'every turn of a loop keeps what its invariant says'


class Tools:
    def __init__(self, cache):
        suite.need('gcc')
        suite.need('dpkg-deb')
        self.root, self.version = cache.deb(cache.apt(RELEASE), 'cbmc',
                                            needs=NEEDS)

    def run(self, name, *arguments):
        """A program of CBMC's, with the libraries of its release."""
        libraries = ':'.join(f'{self.root}/{path}' for path in LIBRARIES)
        return subprocess.run(
            [self.root / LOADER, '--library-path', libraries,
             self.root / 'usr/bin' / name, *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace', check=False)


class Proof:
    """One entry function: the run of CBMC that proves its properties."""

    def __init__(self, harness, entry, options):
        self.harness, self.entry = harness, entry
        self.over = options['over']
        self.cc, self.replace, self.instrument, self.cbmc = (
            shlex.split(options.get(key, '')) for key in (
                'cc', 'replace', 'instrument', 'cbmc'))

    def __str__(self):
        return f'{self.harness.stem}: {self.entry}'

    def compile(self, tools, source, folder):
        """The object file, and what became of it."""
        goto = folder / f'{self.harness.stem}-{self.entry}.goto'
        done = tools.run(
            'goto-cc', '-std=gnu11', '-DPROOF', f'-I{source}/include',
            *self.cc, '--function', self.entry, '-o', goto,
            source / 'tests/proofs' / self.harness.name)
        if not done.returncode and self.replace:
            done = tools.run('goto-instrument', *(
                word for call in self.replace
                for word in ('--replace-calls', call)), goto, goto)
        return goto, done

    def run(self, tools, source, folder):
        """Its properties, each with what CBMC found wrong; and the output."""
        goto, done = self.compile(tools, source, folder)
        if not done.returncode and self.instrument:
            done = tools.run('goto-instrument', *(
                option.replace('{here}', f'{source}/tests/proofs')
                .replace('{entry}', self.entry)
                for option in self.instrument), goto, goto)
        if done.returncode:
            return {}, done.stdout
        grammar = (source / 'tests/shared/grammar.h').read_text()
        turns = {kind: str(words.count('"') // 2 + 2) for kind, words in
                 re.findall(r' (\w+)_words\[\] = {(.*?)};', grammar, re.S)}
        done = tools.run('cbmc', *CHECKS, *(
            option.replace('{flags}', turns['flag'])
            .replace('{seals}', turns['seal']) for option in self.cbmc), goto)
        properties = {}
        for file, lines in FUNCTION.findall(done.stdout):
            for name, line, text, status in PROPERTY.findall(lines):
                said = f'{name}, line {line}: {text}: {status}'
                kind = name.split('.')[-2]
                if kind in ('unwind', 'recursion'):
                    text = ENDS
                elif kind == 'no-body':
                    text = BODY
                elif (kind == 'assigns' or kind.startswith('loop_') or
                      # goto-instrument tells no more of a loop `for (;;)`.
                      text == 'assertion'):
                    text = TURNS
                elif kind != 'assertion' or file.startswith('<'):
                    # The second are in CBMC's own models of libc.
                    text = MEMORY
                wrong = properties.setdefault(text, [])
                if status != 'SUCCESS':
                    wrong.append(said)
        # CBMC's own verdict: 0 or 10. Anything else is a failure to decide.
        if done.returncode not in (0, 10) or (
                done.returncode == 10) != any(properties.values()):
            return {}, done.stdout
        return properties, done.stdout


def proofs(wanted):
    for path in sorted(Path(__file__).parent.glob('*.ini')):
        table = configparser.ConfigParser(interpolation=None)
        table.read(path, 'utf-8')
        for entry in table.sections():
            if not wanted or entry in wanted:
                yield Proof(path.with_suffix('.c'), entry, table[entry])


def prove(tools, source, todo):
    """The unchanged source: every property holds."""
    def run(proof):
        with tempfile.TemporaryDirectory(prefix='proofs-') as folder:
            start = time.monotonic()
            return proof.run(tools, source, Path(folder)), \
                time.monotonic() - start

    with futures.ThreadPoolExecutor(2) as pool:
        for proof, ((properties, output), took) in zip(
                todo, pool.map(run, todo)):
            print(f'# {proof}: {took:.1f} s', flush=True)
            if not properties:
                tap.result(f'{proof}: CBMC decides', True)
                suite.comment(output)
            for text, wrong in properties.items():
                # What comes after the first failure of a run is unknown.
                known = [line for line in wrong
                         if not line.endswith('UNKNOWN')]
                tap.result(f'{proof.entry}: {text} ({proof.over})',
                           '\n'.join(known or wrong))


def main():
    source, build, *wanted = sys.argv[1:]
    source, build = Path(source).resolve(), Path(build).resolve()
    todo = list(proofs(wanted))
    try:
        tools = Tools(suite.Cache(build.parent / 'cache'))
    except suite.Unavailable as error:
        tap.missing('proofs', error)
        tap.finish()
    print(f'# CBMC {tools.version}, {os.cpu_count()} processors')
    prove(tools, source, todo)
    tap.finish()


main()
