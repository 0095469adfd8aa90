#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile memfd.h alone in every language standard, and read what is left of
it after preprocessing. Prints TAP.

usage: header.py INCLUDE-DIRECTORY
"""

import re
import shutil
import subprocess
import sys

from promised import FUNCTIONS, finish, missing, result, same

C = ['c89', 'c99', 'c11', 'c17', 'c2x']
CXX = ['c++98', 'c++11', 'c++14', 'c++17', 'c++20']
COMPILERS = [('gcc', C), ('clang', C), ('g++', CXX), ('clang++', CXX)]
WARNINGS = ['-Wall', '-Wextra', '-Wundef', '-pedantic', '-Werror']
SOURCE = '#include <memfd.h>\n'

PARAMETER = r'(const (char|void) \*|char \*|unsigned int \*?|int |size_t \*?)\w+'
PROTOTYPE = rf'int (\w+)\({PARAMETER}(, {PARAMETER})*\)'
ENUMERATOR = r'\w+ = (0x[0-9a-f]+|\d+)'
ENUM = rf'enum \w+ \{{ {ENUMERATOR}(, {ENUMERATOR})* \}}'

def run(compiler, *args, source=SOURCE):
    language = 'c++' if compiler.endswith('++') else 'c'
    return subprocess.run(
        [compiler, '-x', language, f'-I{include}', *args, '-'],
        input=source, capture_output=True, text=True)


def compiles(compiler, standard):
    for generic in [], ['-DMEMFD_GENERIC']:
        done = run(compiler, f'-std={standard}', *WARNINGS, '-fsyntax-only',
                   *generic)
        # A warning of the compiler itself fails here, too.
        problem = done.stderr if done.returncode or done.stderr else ''
        result(' '.join([compiler, standard] + generic), problem)


def own_text(compiler, *args):
    """What preprocessing leaves of memfd.h, without what it includes."""
    text = []
    own = False
    for line in run(compiler, '-E', *args).stdout.splitlines():
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            own = marker[1].endswith('/memfd.h')
        elif own:
            text.append(line)
    return ' '.join(' '.join(text).split())


def is_plain(compiler, standard):
    problems = []
    functions = set()
    for statement in own_text(compiler, f'-std={standard}').split(';'):
        statement = statement.strip()
        prototype = re.fullmatch(PROTOTYPE, statement)
        if prototype:
            functions.add(prototype[1])
        elif re.fullmatch(ENUM, statement):
            problems += [f'{value} does not fit an int'
                         for value in re.findall('0x[0-9a-f]+', statement)
                         if int(value, 16) > 0x7fffffff]
        elif statement:
            problems.append(f'neither prototype nor enum: {statement}')
    if functions != FUNCTIONS:
        problems.append(f'functions: {functions ^ FUNCTIONS}')
    result(f'{compiler} {standard}: prototypes and enums, nothing else',
           '\n'.join(problems))


def macro_is_a_literal(compiler):
    text = run(compiler, '-E', '-dM').stdout
    macros = dict(re.findall(r'#define (MEMFD_\w+) (.+)', text))
    same(f'{compiler}: one macro, a plain literal', macros,
         {'MEMFD_HUGE_16GB': '0x88000004U'})


def generic_is_asked_for(compiler):
    def macros(standard, *args):
        text = run(compiler, '-E', '-dM', f'-std={standard}', *args).stdout
        return re.findall(r'#define (memfd_\w+)\(', text)

    four = ['memfd_check_seals', 'memfd_new', 'memfd_new_sealed', 'memfd_seal']
    for standard in C:
        same(f'{compiler} {standard}: no generic function by default',
             macros(standard), [])
        same(f'{compiler} {standard}: the generic functions',
             sorted(macros(standard, '-DMEMFD_GENERIC')),
             four if standard in ('c11', 'c17', 'c2x') else [])


def is_linkage_of_c(compiler):
    text = own_text(compiler)
    result(f'{compiler}: extern "C"',
           '' if re.fullmatch(r'extern "C" \{ .* \}', text) else text)


include = sys.argv[1]
preprocessed = []
for compiler, standards in COMPILERS:
    if not shutil.which(compiler):
        missing(compiler)
        continue
    for standard in standards:
        compiles(compiler, standard)
    # What the preprocessor leaves, all compilers leave.
    if standards in preprocessed:
        continue
    preprocessed.append(standards)
    if standards is CXX:
        is_linkage_of_c(compiler)
        continue
    for standard in standards:
        is_plain(compiler, standard)
    macro_is_a_literal(compiler)
    generic_is_asked_for(compiler)
finish()
