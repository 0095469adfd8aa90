#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
places.py SOURCE LIBRARY

What stands in more than one place is the same in all: functions and names in
the lists of the tests, and in the tables of section 7 of the manual what the
code or another test decides.
"""

import ctypes
import fcntl
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

source, library = map(pathlib.Path, sys.argv[1:])
memfd = ctypes.CDLL(str(library.resolve()))
header = (source / 'include/memfd.h').read_text()
functions = tap.functions(source / 'src/libmemfd.map')
pages = {path.name: path.read_text()
         for path in sorted((source / 'src/man').glob('*.[37]'))}
texts = {**pages, 'memfd.h': header,
         'README.md': (source / 'README.md').read_text()}

# Programs that make every call that there is. All others take the list from the
# version script.
EVERY_CALL = {
    'tests/shared/calls.h': 'calls.h',
    'the proofs': '../proofs/*.c',
    'tests/bench/calls.c': '../bench/calls.c',
}
# Names in the manual that are not of the library.
THEIRS = {'memfd_create', 'memfd_noexec', 'memfd_secret', 'memfd_file',
          'memfd_new_and_seal', 'memfd_set_sealed', 'memfd_get_sealed'}
MACROS = {'Dv', 'Em', 'Er', 'Fn', 'Li', 'No', 'Pa', 'Xr'}


def number(kind, name):
    """What the name is to memfd_parse_flags or memfd_parse_seals, or None."""
    value = ctypes.c_uint()
    parse = getattr(memfd, f'memfd_parse_{kind}')
    return None if parse(name.encode(), ctypes.byref(value), None) else \
        value.value


def calls_that_are_missing():
    for what, files in EVERY_CALL.items():
        code = ''.join(path.read_text()
                       for path in (source / 'tests/shared').glob(files))
        code = re.sub(r'/\*.*?\*/', '', code, flags=re.S)
        for function in functions:
            if not re.search(rf'\b{function}\(', code):
                yield f'{what}: no call of {function}'


def constants_without_test():
    tests = ''.join((source / f'tests/unit/{name}.c').read_text()
                    for name in ('constants', 'hugetlb'))
    return [name for name in re.findall(r'\b(MEMFD_\w+)(?: =)? 0x', header)
            if not re.search(rf'\b{name}\b', tests)]


def entries_of_one_kind():
    """What the unit tests run of the proofs, and CBMC."""
    run, proved = ({*re.findall(pattern, (source / path).read_text(), re.M)}
                   for path, pattern in (
                       ('tests/proofs/calls.c', r'ENTRY\(\w+, (\w+)\)'),
                       ('tests/proofs/calls.ini', r'^\[(\w+)\]')))
    return run ^ proved


def names_of(kind):
    """Accepted by the library, in the tests' grammar, and of a constant."""
    words = {word.decode() for word in re.findall(
        rb'(?=([a-z][a-z0-9-]{1,15})\0)', library.read_bytes())}
    accepted = {word: number(kind, word) for word in words
                if number(kind, word) is not None}
    grammar = (source / 'tests/shared/grammar.h').read_text()
    known = re.search(rf'{kind[:-1]}_words\[\] = {{(.*?)}};', grammar, re.S)[1]
    values = {int(value, 16) for value in re.findall(r'\b0x[0-9a-f]+', header)}
    for name in {*re.findall('"(.*?)"', known)} ^ {*accepted}:
        yield f'{name}: accepted, or in grammar.h, but not both'
    size = re.search(r'} name\[(\d+)\];', (source / 'src/names.c').read_text())[1]
    if len(accepted) >= int(size):
        yield f'the table of {size} names has no room for its end'
    for name, value in accepted.items():
        if value not in values:
            yield f'{name} is {value:#x}, which no constant is'


# The tables of the manual, on whichever page.

def rows_of(first):
    """Of the tables whose header begins with this."""
    found = []
    for page in pages.values():
        rows = []
        for line in re.findall(r'^\.(Bl -column|It .*\bTa\b.*)', page, re.M):
            cells = [' '.join(word for word in cell.replace('\\-', '-').split()
                              if word not in MACROS)
                     for cell in re.split(r'\bTa\b', line[len('It '):])]
            if line.startswith('It Em '):
                rows = found if cells[0] == first else []
            elif line.startswith('It '):
                rows.append(cells)
    return found or sys.exit(f'no table of {first}')


def seals_table():
    """The deeds of tests/unit/forbid.c begin with the name of their column."""
    deeds = re.findall(r'^\t\{ "(\w+).*?", \w+,\s+(.*) \},',
                       (source / 'tests/unit/forbid.c').read_text(), re.M)
    for seal, *cells in rows_of('Seal'):
        bits = {'MEMFD_SEAL_' + seal.replace('-', '_').upper(),
                'WRITING' if 'write' in seal else None}
        for column, cell in zip(('write', 'mmap', 'grow', 'shrink', 'chmod',
                                 'seals'), cells):
            if cell.startswith('EPERM') != any(
                    column == name and bits & {*by.split(' | ')}
                    for name, by in deeds):
                yield f'{seal}, {column}: {cell}'


def porting_table():
    """A file of memfd_new's flags is as one of memfd_create's was."""
    def traits(fd):
        found = fcntl.fcntl(fd, fcntl.F_GETFD), memfd.memfd_get_seals(fd) & 1
        os.close(fd)
        return found

    for theirs, ours in rows_of('Flags of memfd_create'):
        old, new = (number('flags', names.replace('and ', ''))
                    for names in (theirs, ours))
        if not theirs.startswith('and '):
            old = traits(os.memfd_create('porting', old))
            new = traits(memfd.memfd_new(b'porting', new))
        if old != new:
            yield f'{theirs}: {old}, {ours}: {new}'


def counts_table():
    """Functions, and how many system calls tests/bench counts for each."""
    shown = {(function, int(calls)) for what, calls in rows_of('Function')
             for function in re.findall(r'memfd_\w+', what)}
    counted = {(function, int(calls)) for calls, function in re.findall(
        r'COUNT\w*\(\d+, (\d+), (memfd_\w+)',
        (source / 'tests/bench/calls.c').read_text())}
    return shown ^ {(function, calls) for function, calls in counted
                    if calls and not function.endswith('_str')}


def names_that_are_not():
    """Words that look like a name of the library, and are none."""
    known = {*functions, *THEIRS, 'MEMFD_GENERIC', *re.findall(
        r'^(?:#define |enum |\t)(\w+)', header, re.M)}
    for name, page in texts.items():
        # The title is in capitals.
        page = re.sub(r'^\.Dt.*', '', page, flags=re.M)
        for word in re.findall(r'(?<![/\w])(?:MEMFD|memfd)_\w*[A-Za-z0-9]\b',
                               page):
            if word not in known and not any(
                    one.startswith(word + '_') for one in known):
                yield f'{name}: {word}'


def numbers_and_examples():
    """In running text: what the code says of them, by pattern."""
    code = (source / 'src/memfd.c').read_text()
    block, transfer = (re.search(rf'#define {name} (\w+)', code)[1]
                       for name in ('BLOCK', 'TRANSFER_MAX'))
    released = [path.stem.partition('-')[2]
                for path in (source / 'tests/abi').glob('libmemfd-*.abi')]
    length = re.search(r'MEMFD_SEALS_STRLEN = (\d+)', header)[1]
    for pattern, right in (
            (r'pread64 fd buf (\d+)', [block]),
            # Where pages have 64 KiB, it is less.
            (r'\b(0x7fff\w+)', [transfer, '0x7fff0000']),
            (r'MEMFD_SEALS_STRLEN \((\d+)\)', [length]),
            (r'\b(2[45]\d)(?= bytes|;)', ['249']),
            (r'Executable, with mode (0\d+)', ['0777']),
            (r'It Fn fchmod fd (\d+)', ['0666']),
            (r'libmemfd\.so\.(\d+)', ['1']),
            (r'^libmemfd (\d+\.\d+\.\d+)', released)):
        for name, page in texts.items():
            for found in re.findall(pattern, page.replace('\n(', ' ('), re.M):
                if found not in right:
                    yield f'{name}: {found}, not {" or ".join(right)}'
    for linux in re.findall(r'Linux (\d+\.\d+)\.$', header, re.M):
        if linux not in ('3.17', *(row[1] for row in rows_of('Flag or seal'))):
            yield f'memfd.h: Linux {linux} is not in VERSIONS'
    for names in re.findall('"([a-z0-9,-]+)"', header):
        if number('flags', names) is number('seals', names) is None:
            yield f'memfd.h: "{names}" is refused'
    for name, page in texts.items():
        page = ' '.join(page.replace('\\-', '-').split())
        for seals, text in re.findall(r'(0x\w+) (?:is written )?as \.Qq (\S+)',
                                      page):
            buf = ctypes.create_string_buffer(128)
            memfd.memfd_format_seals(int(seals, 16), buf, 128)
            if buf.value.decode() != text:
                yield f'{name}: {seals} is {buf.value.decode()}, not {text}'


def report(name, wrong):
    tap.result(name, '\n'.join(sorted(map(str, wrong))))


report('every_function_is_called_where_all_are', calls_that_are_missing())
report('proofs_and_unit_tests_have_the_same_entries', entries_of_one_kind())
symbols = source / 'tests/packages/debian/libmemfd1.symbols'
tap.same('debian_has_the_symbols_of_the_map', {*functions.items()},
         {*re.findall(r'^ (memfd_\w+)@(\w+)', symbols.read_text(), re.M)})
version = '.'.join(re.findall(r'MEMFD_VERSION_\w+ (\d+)', header))
tap.same('library_has_the_version_of_the_header', library.resolve().name,
         f'libmemfd.so.{version}')
tap.same('project_has_the_license_of_the_header', re.search(
    r"license: '(.*)'", (source / 'meson.build').read_text())[1], re.search(
        r'SPDX-License-Identifier: (\S+)', header)[1])
report('every_constant_has_a_test', constants_without_test())
for kind in 'flags', 'seals':
    report(f'names_of_{kind}_are_known_to_the_tests', names_of(kind))
report('names_in_the_texts_are_those_of_the_header', names_that_are_not())
report('numbers_in_the_texts_are_those_of_the_code', numbers_and_examples())
report('attributes_are_those_of_the_header',
       (row for row in rows_of('Interface') if row[-1] not in (
           'MT-Safe', 'AS-Safe', 'not a cancellation point')))
report('seals_forbid_what_the_manual_says', seals_table())
report('flags_are_ported_as_the_manual_says', porting_table())
report('system_calls_are_as_many_as_the_manual_says', counts_table())
tap.finish()
