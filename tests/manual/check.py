#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
check.py SOURCE BUILD LIBRARY COMPILER [ARGUMENT...]

The header, the library, the manual and README.md agree. Of the manual that is
what mandoc(1) renders: what a reader sees, and copies.
"""

import ctypes
import errno
import fcntl
import fnmatch
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

source, build, library = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
compiler = sys.argv[4:]
header = (source / 'include/memfd.h').read_text()
readme = (source / 'README.md').read_text()
functions = tap.functions(source / 'src/libmemfd.map')
pages = {page.name: page
         for page in sorted((source / 'src/man').glob('*.[37]'))}
examples = [path.read_text() for path in (source / 'tests/example').glob('*.[ch]')]
memfd = ctypes.CDLL(str(library), use_errno=True)


def report(name, wrong):
    """A line of TAP, and one for each thing that is wrong."""
    tap.result(name, '\n'.join(what.rstrip() for what in wrong))


def run(*args, **more):
    """(status, what was said on both streams)"""
    done = subprocess.run(args, text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env={**os.environ, 'LC_ALL': 'C'}, **more)
    return done.returncode, done.stdout


# The library, by name.

def number(kind, name):
    """What the name is to memfd_parse_flags or memfd_parse_seals, or None."""
    value = ctypes.c_uint()
    parse = getattr(memfd, f'memfd_parse_{kind}')
    return None if parse(name.encode(), ctypes.byref(value), None) else \
        value.value


def printed(seals):
    text = ctypes.create_string_buffer(128)
    memfd.memfd_format_seals(seals, text, len(text))
    return text.value.decode()


def new_file(flags):
    """Mode and seals of a new memfd, or the error."""
    fd = memfd.memfd_new_str(b'check', flags.encode())
    if fd < 0:
        return errno.errorcode[ctypes.get_errno()]
    mode = os.fstat(fd).st_mode & 0o777
    seals = printed(memfd.memfd_get_seals(fd))
    os.close(fd)
    return f'{mode:04o} {seals}'


# The header. A table is {constant: (value, names)}.

def kind_of(constant):
    return 'seals' if constant.startswith('MEMFD_SEAL_') else 'flags'


def header_table():
    """The header's constants, each with all names that the library has, and
    the first Linux that knows each."""
    # Every word in it, to find also the names that are documented nowhere.
    words = {word.decode() for word in re.findall(
        rb'(?=([a-z][a-z0-9-]{1,15})\0)', library.read_bytes())}
    found, first = {}, {}
    for comment, constant, value in re.findall(
            r'/\*(.*?)\*/|\b(MEMFD_\w+)(?: =)? (0x\w+)', header, re.S):
        if comment:
            linux = re.search(r'Linux (\d+\.\d+)\.', comment)
            continue
        value, kind = int(value.rstrip('U'), 16), kind_of(constant)
        found[constant] = (
            value, sorted(w for w in words if number(kind, w) == value))
        first[constant] = linux[1] if linux else 'unknown'
    return found, first


def library_against_header():
    for constant, (value, names) in table.items():
        kind = kind_of(constant)
        if not names:
            yield f'{constant} has no name'
        # What <sys/mman.h> or <fcntl.h> calls it.
        kernels = re.sub('^MEMFD_', 'F_' if kind == 'seals' else 'MFD_',
                         constant)
        for word in (constant, kernels):
            if number(kind, word) != value:
                yield f'{word} is {number(kind, word)}, not {value:#x}'
        if kind == 'seals' and 'immutable' not in names and \
                [printed(value)] != names:
            yield f'{constant} is printed as {printed(value)}'


def without_comment():
    """Functions that have no comment right before them in the header."""
    return [function for function in functions if not re.search(
        rf'/\*\*\n(?: \*.*\n)+ \*/\nint {function}\(', header)]


def prototype(function):
    return squeeze(re.search(rf'^int {function}\([^;]*;', header, re.M)[0])


# The manual as it is rendered.

def render(root, form, *names):
    # On its stderr mandoc(1) speaks of the index of the system's own pages.
    return subprocess.run(
        ['mandoc', '-T', *form, *(f'man{name[-1]}/{name}' for name in names)],
        cwd=root, text=True, check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout


def text(marked_up):
    return html.unescape(re.sub(r'<[^>]*>', '', marked_up))


def squeeze(marked_up):
    return ' '.join(text(marked_up).split())


def section(page, title):
    found = re.search(rf'<h1 class="Sh" id="{title}">.*?</h1>(.*?)(?=<h1|$)',
                      page, re.S)
    return found[1] if found else ''


def rows(page):
    """The cells of each row of its tables."""
    for row in re.findall(r'<tr.*?</tr>', page, re.S):
        yield re.findall(r'<td.*?</td>', row, re.S)


def constants_of(page):
    found = {}
    for first, *cells in rows(page):
        cells = ''.join(cells)
        value = re.search(r'\b0x[0-9a-f]+', cells)
        if value and re.fullmatch(r'MEMFD_\w+', squeeze(first)):
            names = re.findall('<code class="Li".*?>(.*?)</code>', cells)
            found[squeeze(first)] = (int(value[0], 16), sorted(names))
    return found


def versions(page):
    """The table of what is newer than Linux 3.17, against the header. A row
    about two flags together is about none that the header has."""
    shown = {constant: squeeze(linux)
             for first, linux in rows(section(page, 'VERSIONS'))
             for constant in squeeze(first).split(', ')}
    for constant, linux in since.items():
        said = [shown[name] for name in shown
                if fnmatch.fnmatchcase(constant, name)] or ['3.17']
        if said != [linux]:
            yield f'{constant}: {said}, in the header {linux}'


def hyphens(source):
    """Lines of code and of names with a hyphen that is not escaped: it may be
    rendered as that of a book, which no shell and no compiler knows."""
    code = False
    for line in source.read_text().splitlines():
        code = code and line != '.Ed' or line.startswith('.Bd -literal')
        if re.search(r'(?<!\\)-', line) and not line.startswith('.B') and \
                (code or re.match(r'\.(D1|Dl|Q[lq]|.*\b(Li|Pa)) ', line)):
            yield f'{source.name}: {line}'


def new_files(page):
    """What the page says of a new file, against one made on this kernel."""
    shown = {flags: cells for flags, *cells in
             (map(squeeze, row) for row in rows(page))
             if re.fullmatch('[0A-Z_ |]+', flags) and len(cells) == 4}
    if len(shown) != 5:
        yield f'the table has {len(shown)} rows'
    for flags, cells in shown.items():
        seals, mode = cells[:2] if knows_exec else cells[2:]
        is_so, said = new_file(flags), f'{mode} {seals.replace("none", "")}'
        if seals.startswith('E'):
            said = seals
        if is_so != said and not (is_so == 'EACCES' and 'EXEC' in flags):
            yield f'{flags}: {is_so}, not {said}'


def page_of(function, page):
    """Whether it has the name, and the prototype of the header."""
    names = squeeze(section(page, 'NAME')).split(' \N{EM DASH} ')[0].split(', ')
    if function not in names:
        yield f'NAME of {function} has {" ".join(names)}'
    if prototype(function) not in squeeze(section(page, 'SYNOPSIS')):
        yield f'SYNOPSIS does not have {prototype(function)}'


def one_way(rendered):
    refers = {name: {f'{other}.{number}' for other, number in
                     re.findall(r'(\w+)\((\d)\)',
                                text(section(page, 'SEE_ALSO')))}
              for name, page in rendered.items()}
    for name, others in refers.items():
        if not others & {*rendered}:
            yield f'{name} refers to none of ours'
        for other in others & {*rendered}:
            if name not in refers[other]:
                yield f'{other} does not refer back to {name}'


# What the manual and README.md show is part of an example that is installed, and
# that has its own test; or it compiles as it stands, and runs if it is a program.

def sealed_text():
    """A memfd for programs that read one."""
    fd = os.memfd_create('check', os.MFD_ALLOW_SEALING)
    os.write(fd, b'text\n')
    os.lseek(fd, 0, os.SEEK_SET)
    # F_ADD_SEALS, and shrink, grow and write.
    fcntl.fcntl(fd, 1033, 0xe)
    return fd


def lines(code):
    return [line.strip() for line in code.strip().splitlines()]


def is_in_example(code):
    code = '\n'.join(['', *lines(code), ''])
    return any(code in '\n'.join(['', *lines(whole), ''])
               for whole in examples)


def blocks(page):
    """(code, what it prints where the page shows that)"""
    found = re.findall(r'<pre>(.*?)</pre>', page, re.S)
    found = [text(block) for block in found]
    for code, after in zip(found, [*found[1:], '']):
        if ';' in code or 'if (' in code:
            yield code, '' if ';' in after or 'if (' in after else after


def compiles(code, output=''):
    """What is wrong with the code, or with what it prints as a program."""
    with tempfile.TemporaryDirectory() as directory:
        where = pathlib.Path(directory)
        program = re.search(r'\bmain\(', code)
        (where / 'example.c').write_text(code)
        status, said = run(
            *compiler, '-Wall', '-Wextra', '-Wno-unused-function', '-Werror',
            '-I', source / 'include', 'example.c', '-o', 'example',
            *([library, f'-Wl,-rpath,{library.parent}']
              if program else ['-c']), cwd=where)
        if status or not program:
            return [said] if status else []
        stdin = sealed_text()
        status, said = run(where / 'example', stdin=stdin)
        os.close(stdin)
    # Two streams, of which one is buffered: the order may differ.
    if output and sorted(lines(output)) != sorted(lines(said)) and knows_exec:
        return [f'the page shows\n{output}\nit prints\n{said}']
    return [f'status {status}\n{said}'] if status else []


def check_manual(root):
    target = {}
    for name, page in pages.items():
        (root / f'man{name[-1]}').mkdir(exist_ok=True)
        shutil.copy(page, root / f'man{name[-1]}')
        link = re.match(r'\.so man3/(.*)', page.read_text())
        target[name] = link[1] if link else name
    rendered = {name: render(root, ['html', '-O', 'fragment'], name)
                for name in sorted({*target.values()})}

    # Like the Linux man-pages, and unlike BSD, examples come late.
    _, lint = run('mandoc', '-T', 'lint', '-W', 'warning',
                  *(pages[name] for name in rendered))
    report('lint_is_silent', (line for line in lint.splitlines()
                              if 'out of conventional order' not in line))
    # Newer versions of groff indent by two columns more.
    plain = re.sub('.\b', '', render(root, ['ascii', '-O', 'width=78'],
                                     *rendered))
    report('pages_fit_80_columns',
           (line for line in plain.splitlines() if len(line) > 78))
    report('every_function_has_a_page',
           (wrong for function in functions
            for wrong in (page_of(function, rendered[target[f'{function}.3']])
                          if f'{function}.3' in target else
                          [f'there is no {function}.3'])))
    shown = constants_of(rendered['memfd_parse_flags.3'])
    report('manual_tables_are_the_headers',
           (f'{key} is {shown.get(key)}, in the header {table.get(key)}'
            for key in sorted({*table, *shown})
            if table.get(key) != shown.get(key)))
    report('hyphens_can_be_copied',
           (line for name in rendered for line in hyphens(pages[name])))
    tap.same('index_of_recipes_is_complete',
             [squeeze(first) for first, _ in
              rows(section(rendered['libmemfd.7'], 'EXAMPLES'))][1:],
             [squeeze(title) for title in re.findall(
                 r'<h2 .*?</h2>', rendered['libmemfd_recipes.7'], re.S)])
    report('versions_are_the_headers', versions(rendered['libmemfd.7']))
    report('new_files_are_as_in_the_table', new_files(rendered['memfd_new.3']))
    report('every_constant_is_explained',
           (constant for constant in table if not re.search(
               f'<dt(?:(?!</dt>).)*>{constant}<',
               rendered['memfd_seal.3' if kind_of(constant) == 'seals'
                        else 'memfd_new.3'], re.S)))
    report('see_also_goes_both_ways', one_way(rendered))
    for name, page in rendered.items():
        shown = list(blocks(page))
        wrong = [] if shown else ['none']
        for code, output in shown:
            wrong += [] if is_in_example(code) else compiles(code, output)
        if name == 'libmemfd_recipes.7':
            # Its first block is what all of its functions include.
            wrong += compiles('\n'.join(map(text, re.findall(
                '<pre>(.*?)</pre>', page, re.S))))
        report(f'examples_of_{name}', wrong)


def readme_code():
    """The first program prints the first block of text; the functions compile
    with what they include, and are those of an installed example."""
    programs = re.findall(r'^```c\n(.*?)^```', readme, re.M | re.S)
    outputs = re.findall(r'^```text\n(.*?)^```', readme, re.M | re.S)
    yield from compiles(programs[0], outputs[0])
    for code in programs[1:]:
        yield from compiles(code)
        if not is_in_example(re.sub(r'^#include.*\n', '', code, flags=re.M)):
            yield f'in no example:\n{code}'


def check_readme():
    report('readme_code_is_right', readme_code())
    # With the names of the parameters.
    calls = {re.sub(r'[\w ]+[ *](?=\w+[,)])', ' ', prototype(function))
             .replace('( ', '(')[len('int '):-1] for function in functions}
    shown = [call for row in re.findall(r'^\| (`memfd_.*?`) \|', readme, re.M)
             for call in re.findall('`(.*?)`', row)]
    tap.same('readme_lists_every_function', sorted(shown),
             sorted(call for call in calls if '_str(' not in call))
    tap.same('the_first_seven_exist_with_str',
             sorted(call.replace('(', '_str(').split('(')[0]
                    for call in shown[:7]),
             sorted(name for name in functions if name.endswith('_str')))
    tap.same('readme_lists_every_flag',
             {pair for constants, names in re.findall(
                 r'^\| (`MEMFD_(?!SEAL_).*?) \| (.*?) \|', readme, re.M)
              for pair in zip(*(re.findall('`(.*?)`', cell)
                                for cell in (constants, names)))},
             {(flag, flag[len('MEMFD_'):].lower().replace('_', '-'))
              for flag in table if kind_of(flag) == 'flags'
              and not re.search('_HUGE_(?!2MB)', flag)})
    tap.same('readme_lists_every_seal',
             {*re.findall(r'^\| `(MEMFD_SEAL_\w+)` \| `(.*?)` \|', readme, re.M)},
             {(seal, name) for seal, (_, names) in table.items()
              if kind_of(seal) == 'seals' for name in names})
    report('readme_refers_to_files_that_exist',
           (link for link in re.findall(r'\]\(([^)#]+)', readme)
            if not (source / link).exists()))


table, since = header_table()
knows_exec = new_file('noexec-seal') != 'EINVAL'
report('library_is_as_the_header_says', library_against_header())
report('every_function_has_a_comment', without_comment())
installed = json.loads((build / 'meson-info/intro-installed.json').read_text())
to_install = [*pages.values(), source / 'include/memfd.h',
              *(source / 'tests/example').glob('*.[ch]')]
report('header_pages_and_examples_are_installed',
       {*map(str, to_install)} - {os.path.realpath(path)
                                  for path, place in installed.items()
                                  if not path.endswith('memfd.h') or
                                  place.endswith('include/memfd.h')})
check_readme()
if shutil.which('mandoc'):
    with tempfile.TemporaryDirectory() as directory:
        check_manual(pathlib.Path(directory))
else:
    tap.missing('manual_as_rendered', 'mandoc is not installed')
tap.finish()
