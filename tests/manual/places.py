#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
places.py SOURCE LIBRARY

What stands in more than one place is the same in all: functions, constants and
names in the header, the library, the pages, README.md and the lists of the
tests, and in the tables of the pages what the code or another test decides.
"""

import ctypes
import errno
import fcntl
import fnmatch
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

source, library = map(pathlib.Path, sys.argv[1:])
memfd = ctypes.CDLL(str(library.resolve()), use_errno=True)
header = (source / 'include/memfd.h').read_text()
readme = (source / 'README.md').read_text()
functions = tap.functions(source / 'src/libmemfd.map')
pages = {path.name: path.read_text()
         for path in sorted((source / 'src/man').glob('*.[37]'))}
texts = {**pages, 'memfd.h': header, 'README.md': readme}
entries = (source / 'tests/proofs/calls.c').read_text()

# Names in the manual that are not of the library.
THEIRS = {'memfd_create', 'memfd_noexec', 'memfd_secret', 'memfd_file',
          'memfd_new_and_seal', 'memfd_set_sealed', 'memfd_get_sealed'}
MACROS = {'Dv', 'Em', 'Er', 'Fn', 'Li', 'No', 'Pa', 'Xr'}


# The library, by name.

def number(kind, name):
    """What the name is to memfd_parse_flags or memfd_parse_seals, or None."""
    value = ctypes.c_uint()
    parse = getattr(memfd, f'memfd_parse_{kind}')
    return None if parse(name.encode(), ctypes.byref(value), None) else \
        value.value


def accepted(kind):
    """All names and their values, those that are documented nowhere, too."""
    words = {word.decode() for word in re.findall(
        rb'(?=([a-z][a-z0-9-]{1,15})\0)', library.read_bytes())}
    return {word: number(kind, word) for word in words
            if number(kind, word) is not None}


def printed(seals):
    text = ctypes.create_string_buffer(128)
    memfd.memfd_format_seals(seals, text, len(text))
    return text.value.decode()


# The header.

def kind_of(constant):
    return 'seals' if constant.startswith('MEMFD_SEAL_') else 'flags'


def own_name(constant):
    """Without the prefix, as the library has it."""
    return re.sub('^MEMFD_(SEAL_)?', '', constant).lower().replace('_', '-')


def constants():
    """By name: the value, and the first Linux that has it."""
    found, linux = {}, None
    for comment, constant, value in re.findall(
            r'/\*(.*?)\*/|\b(MEMFD_\w+)(?: =)? (0x\w+)', header, re.S):
        if comment:
            linux = re.search(r'Linux (\d+\.\d+)\.', comment)
        else:
            found[constant] = (int(value.rstrip('U'), 16),
                               linux[1] if linux else 'unknown')
    return found


def functions_without_comment():
    return [function for function in functions if not re.search(
        rf'/\*\*\n(?: \*.*\n)+ \*/\nint {function}\(', header)]


def prototype(function):
    return ' '.join(re.search(rf'^int {function}\([^;]*;', header,
                              re.M)[0].split())


# Functions and constants in the lists of the tests.

def calls_that_are_missing():
    """Where every call is made, and where all are proved but those of the _str
    functions. All other lists are the version script's."""
    for files in 'tests/shared/calls.h', 'tests/proofs/*.c':
        code = ''.join(path.read_text() for path in source.glob(files))
        code = re.sub(r'/\*.*?\*/', '', code, flags=re.S)
        for function in functions:
            if not re.search(rf'\b{function}\(', code) and not (
                    'proofs' in files and function.endswith('_str')):
                yield f'{files}: no call of {function}'


def entries_without_proof():
    """What the unit test runs, CBMC proves."""
    proved = (source / 'tests/proofs/proofs.py').read_text()
    return [entry for entry in re.findall(r'ENTRY\(\w+, (\w+)\)', entries)
            if not re.search(rf"'calls {entry}'", proved)]


def unlike_the_baselines():
    known = set()
    for path in (source / 'tests/abi').glob('*.abi'):
        released = {*re.findall(r"<elf-symbol name='(\w+)' version='(\w+)'",
                                path.read_text())}
        known |= released
        nodes = {node for _, node in released}
        for name, node in released ^ {*functions.items()}:
            if node in nodes:
                yield f'{name}: {node} was released, and does not change'
    for name, _ in {*functions.items()} - known:
        yield f'{name} is in none: meson compile abi-baseline writes one'


def names_of(kind):
    """Accepted by the library, in the tests' grammar, and of a constant."""
    names = accepted(kind)
    grammar = (source / 'tests/shared/grammar.h').read_text()
    known = re.search(rf'{kind[:-1]}_words\[\] = {{(.*?)}};', grammar, re.S)[1]
    for name in {*re.findall('"(.*?)"', known)} ^ {*names}:
        yield f'{name}: accepted, or in grammar.h, but not both'
    size = re.search(r'} name\[(\d+)\];',
                     (source / 'src/names.c').read_text())[1]
    if len(names) >= int(size):
        yield f'the table of {size} names has no room for its end'
    for name, value in names.items():
        if value not in (value for value, _ in table.values()):
            yield f'{name} is {value:#x}, which no constant is'


# The pages.

def section(page, title):
    found = re.search(rf'^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)', pages[page],
                      re.M | re.S)
    return found[1] if found else ''


def page_of(function):
    """It has the functions of its name, with their prototypes."""
    link = re.match(r'\.so man3/(.*)', pages[f'{function}.3'])
    page = link[1] if link else f'{function}.3'
    names = re.findall(r'^\.Nm (\w+)', section(page, 'NAME'), re.M)
    shown = re.sub(r'^\.F\w', '', section(page, 'SYNOPSIS'), flags=re.M)
    wanted = re.findall(r'[*\w]+', prototype(function))
    if function not in names:
        yield f'NAME of {page} has no {function}'
    if wanted not in [re.findall(r'[*\w]+', f'int {one}')
                      for one in re.split(r'^ int$', shown, flags=re.M)]:
        yield f'SYNOPSIS of {page} has no {prototype(function)}'


def not_explained():
    for constant in table:
        page = pages['memfd_seal.3' if kind_of(constant) == 'seals'
                     else 'memfd_new.3']
        tags = re.findall(r'^\.It (?:Xo$.*?^\.Xc|Dv [^\n]*)', page,
                          re.M | re.S)
        if not re.search(rf'\b{constant}\b', ' '.join(tags)):
            yield constant


def one_way():
    refers = {page: {f'{other}.{number}' for other, number in re.findall(
        r'^\.Xr (\w+) (\d)', section(page, 'SEE ALSO'), re.M)} & {*pages}
              for page, text in pages.items() if not text.startswith('.so')}
    for page, others in refers.items():
        if not others:
            yield f'{page} refers to none of ours'
        for other in others:
            if page not in refers[other]:
                yield f'{other} does not refer back to {page}'
    for page, text in pages.items():
        for other, number in re.findall(r'^\.Xr (\w*memfd\w*) (\d)', text, re.M):
            if number != '2' and f'{other}.{number}' not in pages:
                yield f'{page} refers to {other}({number}), which is none'


def hyphens():
    """Lines of code and of names with a hyphen that is not escaped: it may be
    rendered as that of a book, which no shell and no compiler knows."""
    for page, text in pages.items():
        code = False
        for line in text.splitlines():
            code = code and line != '.Ed' or line.startswith('.Bd -literal')
            if re.search(r'(?<!\\)-', line) and not line.startswith('.B') and \
                    (code or re.match(r'\.(D1|Dl|Q[lq]|.*\b(Li|Pa)) ', line)):
                yield f'{page}: {line}'


# The tables of the pages, on whichever page.

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


def constants_table():
    """The value of each as in the header, and all names that the library has
    for it."""
    shown = {constant: (int(value, 16), {*names} - {''})
             for constant, value, *names in rows_of('Constant')}
    names = {kind: accepted(kind) for kind in ('flags', 'seals')}
    for constant in {*shown, *table}:
        value = table.get(constant, [None])[0]
        wanted = value, {name for name, other in names[kind_of(constant)].items()
                         if other == value} | {own_name(constant)}
        if shown.get(constant) != wanted:
            yield f'{constant}: {shown.get(constant)}, not {wanted}'


def versions_table():
    """What is newer than Linux 3.17. A row about two flags together is about
    none that the header has."""
    shown = {constant: linux for constants, linux in rows_of('Flag or seal')
             for constant in constants.split(' , ')}
    for constant, (_, linux) in table.items():
        said = [shown[name] for name in shown
                if fnmatch.fnmatchcase(constant, name)] or ['3.17']
        if said != [linux]:
            yield f'{constant}: {said}, in the header {linux}'


def new_file(flags):
    """Seals and mode of a new memfd, or the error."""
    fd = memfd.memfd_new_str(b'places', flags.encode())
    if fd < 0:
        return [errno.errorcode[ctypes.get_errno()], '']
    mode = os.fstat(fd).st_mode & 0o777
    seals = printed(memfd.memfd_get_seals(fd))
    os.close(fd)
    return [seals or 'none', f'{mode:04o}']


def new_files_table():
    """A new file, against one made on this kernel."""
    before = new_file('noexec-seal')[0] == 'EINVAL'
    for flags, *cells in rows_of('Flags'):
        said, is_so = cells[2:] if before else cells[:2], new_file(flags)
        # vm.memfd_noexec may be 2.
        if is_so != said and not (is_so[0] == 'EACCES' and 'EXEC' in flags):
            yield f'{flags}: {is_so}, not {said}'


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
    """How many system calls tests/proofs/calls.c claims for each function that
    has an entry there."""
    shown = {(function, calls) for what, calls in rows_of('Function')
             for function in re.findall(r'memfd_\w+', what)}
    claimed = {(function, calls) for count, function in re.findall(
        r'CLAIM\(calls\(\) ==([^"]*)"(\w+) makes', entries)
               for calls in re.findall(r'\b\d\b', count)}
    yield from shown ^ claimed
    yield from {*re.findall(r'ENTRY\((memfd_\w+)', entries)} ^ {*dict(claimed)}


# Running text.

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
    """What the code says of them, by pattern."""
    code = (source / 'src/memfd.c').read_text()
    block, transfer = (re.search(rf'#define {name} (\w+)', code)[1]
                       for name in ('BLOCK', 'TRANSFER_MAX'))
    released = [path.stem.partition('-')[2]
                for path in (source / 'tests/abi').glob('libmemfd-*.abi')]
    length = re.search(r'MEMFD_SEALS_STRLEN = (\d+)', header)[1]
    version = '.'.join(re.findall(r'MEMFD_VERSION_\w+ (\d+)', header))
    for pattern, right in (
            (r'pread64 fd buf (\d+)', [block]),
            # Where pages have 64 KiB, it is less.
            (r'\b(0x7fff\w+)', [transfer, '0x7fff0000']),
            (r'MEMFD_SEALS_STRLEN \((\d+)\)', [length]),
            (r'\b(2[45]\d)(?= bytes|;)', ['249']),
            (r'Executable, with mode (0\d+)', ['0777']),
            (r'It Fn fchmod fd (\d+)', ['0666']),
            (r'libmemfd\.so\.(\d+)', ['1']),
            (r'^Version (\d+\.\d+\.\d+)', [version]),
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
            if printed(int(seals, 16)) != text:
                yield f'{name}: {seals} is {printed(int(seals, 16))}, not {text}'


# README.md.

def check_readme():
    # With the names of the parameters.
    calls = {re.sub(r'[\w ]+[ *](?=\w+[,)])', ' ', prototype(function))
             .replace('( ', '(')[len('int '):-1] for function in functions}
    shown = [call for row in re.findall(r'^\| (`memfd_.*?`) \|', readme, re.M)
             for call in re.findall('`(.*?)`', row)]
    tap.same('readme_lists_every_function', {*shown},
             {call for call in calls if '_str(' not in call})
    tap.same('the_first_seven_exist_with_str',
             {call.split('(')[0] + '_str' for call in shown[:7]},
             {name for name in functions if name.endswith('_str')})
    tap.same('readme_lists_every_constant',
             {pair for names, by_name in re.findall(
                 r'^\| (`MEMFD_.*?) \| (.*?) \|', readme, re.M)
              for pair in zip(*(re.findall('`(.*?)`', cell)
                                for cell in (names, by_name)))},
             {(constant, own_name(constant)) for constant in table
              if not re.search('_HUGE_(?!2MB)', constant)})
    tap.none('readme_refers_to_files_that_exist',
             (link for link in re.findall(r'\]\(([^)#]+)', readme)
            if not (source / link).exists()))


table = constants()
tap.none('every_function_has_a_comment', functions_without_comment())
tap.none('every_function_is_called_where_all_are', calls_that_are_missing())
tap.none('every_entry_is_proved', entries_without_proof())
tap.none('functions_are_those_of_the_baselines', unlike_the_baselines())
symbols = source / 'tests/packages/debian/libmemfd1.symbols'
tap.same('debian_has_the_symbols_of_the_map', {*functions.items()},
         {*re.findall(r'^ (memfd_\w+)@(\w+)', symbols.read_text(), re.M)})
for kind in 'flags', 'seals':
    tap.none(f'names_of_{kind}_are_known_to_the_tests', names_of(kind))

tap.none('every_function_has_a_page',
         (wrong for function in functions for wrong in page_of(function)))
tap.none('every_constant_is_explained', not_explained())
tap.none('see_also_goes_both_ways', one_way())
tap.none('hyphens_can_be_copied', hyphens())

tap.none('constants_are_as_in_the_table', constants_table())
tap.none('versions_are_the_headers', versions_table())
tap.none('new_files_are_as_in_the_table', new_files_table())
tap.none('seals_forbid_what_the_manual_says', seals_table())
tap.none('flags_are_ported_as_the_manual_says', porting_table())
tap.none('system_calls_are_as_many_as_the_manual_says', counts_table())
tap.none('attributes_are_those_of_the_header',
         (row for row in rows_of('Interface') if row[-1] not in (
             'MT-Safe', 'AS-Safe', 'not a cancellation point')))
tap.same('index_of_recipes_is_complete', [row[0] for row in rows_of('Recipe')],
         re.findall(r'^\.Ss (.*)', pages['libmemfd_recipes.7'], re.M))

tap.none('names_in_the_texts_are_those_of_the_header', names_that_are_not())
tap.none('numbers_in_the_texts_are_those_of_the_code', numbers_and_examples())
check_readme()
tap.finish()
