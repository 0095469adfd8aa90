#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""proofs.py SOURCE BUILD [ENTRY...]: prove what the contract says.

Runs CBMC over each entry function of the harnesses beside this file, or over
those named, two at a time. A property is one line of TAP: its name is the text
of the harness's assertions.
"""
import os
import re
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
# say that their properties hold. No loop but those of contracts makes 25 turns.
OPTIONS = ['--drop-unused-functions', '--pointer-overflow-check',
           '--unwind', '25']
# The properties of one function, under its name.
FUNCTION = re.compile(r'^(?:(\S+) )?function \S+\n((?:\[.*\n)+)', re.M)
PROPERTY = re.compile(
    r'^\[(\S+)\] (?:line (\d+) )?(.*): (SUCCESS|FAILURE|UNKNOWN|ERROR)$', re.M)
SOUND = 'no undefined behaviour, and loops keep their bounds and contracts'


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

    def __init__(self, entry, over, loops=False, replace=()):
        """Its harness and its name, and what the properties hold for; whether
        the harness has contracts for its loops, in a file of the same name; and
        FUNCTION:OTHER, for calls of the one that shall be of the other."""
        self.harness, self.entry = entry.split()
        self.over, self.loops, self.replace = over, loops, replace

    def run(self, tools, source):
        """Its properties, each with what CBMC found wrong; and the output."""
        path = source / 'tests/proofs' / self.harness
        with tempfile.TemporaryDirectory(prefix='proofs-') as folder:
            goto = f'{folder}/goto'
            steps = [['goto-cc', '-std=gnu11', '-DPROOF',
                      f'-I{source}/include', '--function', self.entry,
                      '-o', goto, path.with_suffix('.c')]]
            for call in self.replace:
                steps.append(['goto-instrument', '--replace-calls', call,
                              goto, goto])
            if self.loops:
                steps.append(['goto-instrument', '--loop-contracts-file',
                              path.with_suffix('.json'), '--dfcc', self.entry,
                              '--apply-loop-contracts', goto, goto])
            for step in steps:
                done = tools.run(*step)
                if done.returncode:
                    return {}, done.stdout
            done = tools.run('cbmc', *OPTIONS, goto)
        properties = {}
        for file, lines in FUNCTION.findall(done.stdout):
            for name, line, text, status in PROPERTY.findall(lines):
                said = f'{name}, line {line}: {text}: {status}'
                kind = name.split('.')[-2]
                # Of a contract of `for (;;)`, the text is "assertion"; those in
                # files with '<' are in CBMC's own models of libc.
                if kind != 'assertion' or text == 'assertion' or \
                        file.startswith('<'):
                    text = SOUND
                wrong = properties.setdefault(text, [])
                if status != 'SUCCESS':
                    wrong.append(said)
        # CBMC's own verdict: 0 or 10. Anything else is a failure to decide.
        if done.returncode not in (0, 10) or (
                done.returncode == 10) != any(properties.values()):
            return {}, done.stdout
        return properties, done.stdout


ANY_NAME = 'parse_number:any_number', 'parse_name:any_name'
# In the order to start them, slowest first.
PROOFS = (
    Proof('calls copied', 'any kernel, file, limit and way of cutting it',
          loops=True),
    Proof('calls sealed', 'any kernel, flags, size and way of cutting it',
          loops=True),
    Proof('calls sized', 'any kernel, flags, size and seals', loops=True),
    Proof('calls new_any', 'any kernel, and all flags'),
    Proof('calls seal', 'any kernel and descriptor, and all seals'),
    Proof('calls get_seals_of_any_file', 'any kernel and descriptor'),
    Proof('calls check_seals', 'any kernel and descriptor, and all seals'),
    Proof('names flag_name', 'a name of any length and any bytes'),
    Proof('names seal_name', 'a name of any length and any bytes'),
    Proof('names any_piece', 'all texts of up to 12 bytes, places and sizes',
          loops=True),
    Proof('names pieces', 'all numbers and all sizes',
          replace=['put:next_piece']),
    Proof('names hex', 'a name of any length and any bytes'),
    Proof('names any_flags', 'strings of any length', loops=True,
          replace=ANY_NAME),
    Proof('names any_seals', 'strings of any length', loops=True,
          replace=ANY_NAME),
)


def main():
    source, build, *wanted = sys.argv[1:]
    source, build = Path(source).resolve(), Path(build).resolve()
    todo = [proof for proof in PROOFS if not wanted or proof.entry in wanted]
    try:
        tools = Tools(suite.Cache(build.parent / 'cache'))
    except suite.Unavailable as error:
        tap.missing('proofs', error)
        tap.finish()
    tap.comment(f'CBMC {tools.version}, {os.cpu_count()} processors')

    def run(proof):
        start = time.monotonic()
        return *proof.run(tools, source), time.monotonic() - start

    with futures.ThreadPoolExecutor(2) as pool:
        for proof, (properties, output, took) in zip(
                todo, pool.map(run, todo)):
            tap.comment(f'{proof.harness}: {proof.entry}: {took:.1f} s')
            if not properties:
                suite.result(f'{proof.entry}: CBMC decides', True, output)
            for text, wrong in properties.items():
                # What comes after the first failure of a run is unknown.
                known = [line for line in wrong
                         if not line.endswith('UNKNOWN')]
                tap.result(f'{proof.entry}: {text} ({proof.over})',
                           '\n'.join(known or wrong))
    tap.finish()


main()
