#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile memfd.h alone, as C and C++ of each year, and read what is left of it
after preprocessing. Prints TAP.

usage: header.py SOURCE-DIRECTORY VERSION
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
from tap import finish, functions, missing, result  # noqa: E402

C = ['c89', 'c99', 'c11', 'c17', 'c2x']
CXX = ['c++98', 'c++11', 'c++14', 'c++17', 'c++20']
COMPILERS = [('gcc', C), ('clang', C), ('g++', CXX), ('clang++', CXX)]
WARNINGS = ['-Wall', '-Wextra', '-Wundef', '-pedantic', '-Werror']
SOURCE = '#include <memfd.h>\n'

PARAMETER = r'(const (char|void) \*|char \*|unsigned int \*?|int |size_t \*?)\w+'
PROTOTYPE = rf'int (\w+)\({PARAMETER}(, {PARAMETER})*\)'
ENUMERATOR = r'\w+ = (0x[0-9a-f]+|\d+)'
ENUM = rf'enum \w+ \{{ {ENUMERATOR}(, {ENUMERATOR})* \}}'


def run(compiler, *args):
    language = 'c++' if compiler.endswith('++') else 'c'
    return subprocess.run(
        [compiler, '-x', language, f'-I{source}/include', *args, '-'],
        input=SOURCE, capture_output=True, text=True)


def compiles(compiler, standard, *generic):
    name = ' '.join([compiler, standard, *generic])
    done = run(compiler, f'-std={standard}', *WARNINGS, '-fsyntax-only',
               *generic)
    if generic and standard in ('c89', 'c99'):
        refused = done.returncode and 'requires C11' in done.stderr
        return f'{name} is refused', '' if refused else 'it compiles'
    # A warning of the compiler itself fails here, too.
    return name, done.stderr if done.returncode or done.stderr else ''


def own_text(compiler, standard):
    """What preprocessing leaves of memfd.h, without what it includes."""
    text = []
    own = False
    for line in run(compiler, '-E', f'-std={standard}').stdout.splitlines():
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            own = marker[1].endswith('/memfd.h')
        elif own:
            text.append(line)
    return ' '.join(' '.join(text).split())


def is_plain(compiler, standard):
    problems = []
    declared = set()
    for statement in own_text(compiler, standard).split(';'):
        statement = statement.strip()
        prototype = re.fullmatch(PROTOTYPE, statement)
        if prototype:
            declared.add(prototype[1])
        elif re.fullmatch(ENUM, statement):
            problems += [f'{value} does not fit an int'
                         for value in re.findall('0x[0-9a-f]+', statement)
                         if int(value, 16) > 0x7fffffff]
        elif statement:
            problems.append(f'neither prototype nor enum: {statement}')
    if declared != exported:
        problems.append(f'functions: {declared ^ exported}')
    return (f'{compiler} {standard}: prototypes and enums, nothing else',
            '\n'.join(problems))


def own_macros(compiler, *args):
    """By name: what stands for it, of a function its parameters too."""
    text = run(compiler, '-E', '-dM', '-std=c11', *args).stdout
    found = re.findall(r'#define (memfd_\w+)(.*)', text, re.I)
    return {name: rest.strip() for name, rest in found}


def macros_are_literals(compiler):
    """And functions only where they are asked for: those that take flags or
    seals as a number, or as a string."""
    major, minor, patch = version.split('.')
    want = {'MEMFD_H': '', 'MEMFD_HUGE_16GB': '0x88000004U',
            'MEMFD_VERSION_MAJOR': major, 'MEMFD_VERSION_MINOR': minor,
            'MEMFD_VERSION_PATCH': patch}
    have = own_macros(compiler)
    problem = '' if have == want else f'{have}, wanted {want}\n'
    have = {name for name in own_macros(compiler, '-DMEMFD_GENERIC')
            if name.islower()}
    want = {name for name in exported if f'{name}_str' in exported
            } - {'memfd_get_seals'}
    return (f'{compiler}: macros for {version}, and the generic functions',
            problem + ('' if have == want else f'{have}, wanted {want}'))


def to_do():
    for compiler, standards in COMPILERS:
        if not shutil.which(compiler):
            missing(compiler)
            continue
        for standard in standards:
            yield compiles, compiler, standard
            yield compiles, compiler, standard, '-DMEMFD_GENERIC'
        if standards is C:
            yield is_plain, compiler, C[0]
            yield is_plain, compiler, C[-1]
            yield macros_are_literals, compiler


source, version = sys.argv[1:]
exported = set(functions(f'{source}/src/libmemfd.map'))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for done in pool.map(lambda call: call[0](*call[1:]), list(to_do())):
        result(*done)
finish()
