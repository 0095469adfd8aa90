#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
check.py SOURCE BUILD LIBRARY PARSE COMPILER [ARGUMENT...]

The header, the library and the manual agree. Of the manual that is what
mandoc(1) renders: what a reader sees, and copies.
"""

import concurrent.futures
import errno
import fcntl
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
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402

source, build, library, parse = (pathlib.Path(arg).resolve()
                                 for arg in sys.argv[1:5])
compiler = sys.argv[5:]
header = (source / 'include/memfd.h').read_text()
functions = tap.functions(source / 'src/libmemfd.map')
pages = {page.name: page
         for page in sorted((source / 'src/man').glob('*.[37]'))}
links = {name for name, page in pages.items()
         if page.read_text().startswith('.so ')}

def report(name, wrong):
    """A line of TAP, and one for each thing that is wrong."""
    tap.result(name, '\n'.join(what.rstrip() for what in wrong))


def run(*args, **more):
    """(status, what was said on both streams)"""
    done = subprocess.run(args, text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env={**os.environ, 'LC_ALL': 'C'}, **more)
    return done.returncode, done.stdout


# A table is {constant: (value, names, first Linux where it says one)}.

def kernels(constant):
    """What <sys/mman.h> or <fcntl.h> calls it."""
    return re.sub('^MEMFD_', 'F_' if 'SEAL_' in constant else 'MFD_', constant)


def ask(words):
    """{word: (number as a flag, as a seal, how that is printed, new file)}"""
    said = subprocess.run([parse, *words], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return {word: (*(None if n == '-' else int(n, 16) for n in (flag, seal)),
                   printed, new)
            for word, flag, seal, printed, new in
            (line.split('\t') for line in said.splitlines())}


def header_table():
    """The header's constants, each with all names that the library has."""
    constants = re.findall(r'\bMEMFD_\w+', header)
    # Every word in it, to find also the names that are documented nowhere.
    words = re.findall(rb'(?=([a-z][a-z0-9-]{1,15})\0)',
                       library.read_bytes() + parse.read_bytes())
    said = ask([*{word.decode() for word in words}, *constants,
                *map(kernels, constants)])
    table = {}
    for comment, constant, value in re.findall(
            r'/\*(.*?)\*/|\b(MEMFD_\w+)(?: =)? (0x\w+)', header, re.S):
        if comment:
            linux = re.search(r'Linux (\d+\.\d+)\.', comment)
            continue
        value = int(value.rstrip('U'), 16)
        seal = constant.startswith('MEMFD_SEAL_')
        table[constant] = (value,
                           sorted(word for word, numbers in said.items()
                                  if numbers[seal] == value and
                                  word.islower()),
                           seal and (linux.group(1) if linux else None))
    return said, table


def library_against_header(said, table):
    for constant, (value, names, _) in table.items():
        seal = constant.startswith('MEMFD_SEAL_')
        if not names:
            yield '%s has no name' % constant
        for word in (constant, kernels(constant)):
            if said[word][seal] != value:
                yield '%s is %s, not %#x' % (word, said[word][seal], value)
        if seal and 'immutable' not in names and [said[constant][2]] != names:
            yield '%s is printed as %s' % (constant, said[constant][2])


def without_comment():
    """Functions that have no comment right before them in the header."""
    return [function for function in functions if not re.search(
        r'/\*\*\n(?: \*.*\n)+ \*/\nint %s\(' % function, header)]


# The manual as it is rendered.

def render(root, form, names):
    # On its stderr mandoc(1) speaks of the index of the system's own pages.
    return subprocess.run(
        ['mandoc', '-T', *form, *('man%s/%s' % (name[-1], name)
                                  for name in names)],
        cwd=root, text=True, check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout


def text(marked_up):
    return html.unescape(re.sub(r'<[^>]*>', '', marked_up))


def squeeze(marked_up):
    return ' '.join(text(marked_up).split())


def section(page, title):
    found = re.search(r'<h1 class="Sh" id="%s">.*?</h1>(.*?)(?=<h1|$)' % title,
                      page, re.S)
    return found.group(1) if found else ''


def rows(page):
    """The cells of each row of its tables."""
    for row in re.findall(r'<tr.*?</tr>', page, re.S):
        yield re.findall(r'<td.*?</td>', row, re.S)


def constants_of(page):
    table = {}
    for first, *cells in rows(page):
        cells = ''.join(cells)
        value = re.search(r'\b0x[0-9a-f]+', cells)
        if value and re.fullmatch(r'MEMFD_\w+', squeeze(first)):
            linux = re.search(r'\b\d+\.\d+\b', cells)
            names = re.findall('<code class="Li".*?>(.*?)</code>', cells)
            table[squeeze(first)] = (int(value.group(), 16), sorted(names),
                                     linux.group() if linux else False)
    return table


def new_files(page):
    """What the page says of a new file, against one made on this kernel."""
    known = kernel_knows_exec()
    table = {flags: cells for flags, *cells in
             (map(squeeze, row) for row in rows(page))
             if re.fullmatch('[0A-Z_ |]+', flags) and len(cells) == 4}
    if len(table) != 5:
        yield 'the table has %d rows' % len(table)
    for flags, (_, _, _, said) in ask(table).items():
        seals, mode = table[flags][:2] if known else table[flags][2:]
        if said == str(errno.EACCES) and 'EXEC' in flags:
            continue
        expected = str(getattr(errno, seals)) if seals.startswith('E') else \
            mode + ' ' + seals.replace('none', '')
        if said != expected:
            yield '%s: %s, not %s' % (flags, said, expected)


def page_of(function, page):
    """Whether it has the name, and the prototype of the header."""
    prototype = re.search(r'^int %s\([^;]*;' % function, header, re.M).group()
    names = squeeze(section(page, 'NAME')).split(' \N{EM DASH} ')[0].split(', ')
    if function not in names:
        yield 'NAME of %s has %s' % (function, ' '.join(names))
    if squeeze(prototype) not in squeeze(section(page, 'SYNOPSIS')):
        yield 'SYNOPSIS does not have ' + squeeze(prototype)


def one_way(rendered):
    refers = {name: {other + '.' + number for other, number in
                     re.findall(r'(\w+)\((\d)\)',
                                text(section(page, 'SEE_ALSO')))}
              for name, page in rendered.items()}
    for name, others in refers.items():
        if not others & {*rendered}:
            yield name + ' refers to none of ours'
        for other in others & {*rendered}:
            if name not in refers[other]:
                yield '%s does not refer back to %s' % (other, name)


# What the manual shows is part of an example that is installed, and that has
# its own test; or it compiles as it stands, and runs if it is a program.

def kernel_knows_exec():
    try:
        os.close(os.memfd_create('check', 8))
        return True
    except OSError:
        return False


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


def is_part_of(code, whole):
    return '\n'.join(['', *lines(code), '']) in \
        '\n'.join(['', *lines(whole), ''])


def blocks(page):
    """(code, what it prints where the page shows that)"""
    found = re.findall(r'<pre>(.*?)</pre>', page, re.S)
    found = [text(block) for block in found]
    for code, after in zip(found, [*found[1:], '']):
        if ';' in code or 'if (' in code:
            yield code, '' if ';' in after or 'if (' in after else after


def example(code, output):
    with tempfile.TemporaryDirectory() as directory:
        where = pathlib.Path(directory)
        program = re.search(r'\bmain\(', code)
        (where / 'example.c').write_text(code)
        status, said = run(
            *compiler, '-Wall', '-Wextra', '-Werror', '-I', source / 'include',
            'example.c', '-o', 'example',
            *([library, '-Wl,-rpath,%s' % library.parent, '-pthread']
              if program else ['-c']), cwd=where)
        if status or not program:
            return [said] if status else []
        stdin = sealed_text()
        status, said = run(where / 'example', stdin=stdin)
        os.close(stdin)
    # Two streams, of which one is buffered: the order may differ.
    if output and sorted(lines(output)) != sorted(lines(said)) and \
            kernel_knows_exec():
        return ['the page shows\n%s\nit prints\n%s' % (output, said)]
    return ['status %d\n%s' % (status, said)] if status else []


def check_rendered(root):
    names = [name for name in pages if name not in links]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        rendered = dict(zip(names, pool.map(
            lambda name: render(root, ['html', '-O', 'fragment'], [name]),
            names)))
        of_link = dict(zip(links, pool.map(
            lambda name: render(root, ['html', '-O', 'fragment'], [name]),
            links)))
        installed = [path.read_text()
                     for path in (source / 'tests/example').glob('*.c')]
        examples = [(name, *block) for name, page in rendered.items()
                    for block in blocks(page)]
        results = list(pool.map(
            lambda block: [] if any(is_part_of(block[1], whole)
                                    for whole in installed) else
            example(*block[1:]), examples))

    # Like the Linux man-pages, and unlike BSD, examples come late.
    _, lint = run('mandoc', '-T', 'lint', '-W', 'warning',
                  *(pages[name] for name in names))
    report('lint_is_silent', (line for line in lint.splitlines()
                              if 'out of conventional order' not in line))
    plain = re.sub('.\b', '', render(root, ['ascii', '-O', 'width=80'], names))
    report('pages_fit_80_columns',
           (line for line in plain.splitlines() if len(line) > 80))
    by_function = {**rendered, **of_link}
    report('every_function_has_a_page',
           (wrong for function in functions
            for wrong in (page_of(function, by_function[function + '.3'])
                          if function + '.3' in by_function else
                          ['there is no ' + function + '.3'])))
    shown = constants_of(rendered['memfd_parse_flags.3'])
    report('manual_tables_are_the_headers',
           ('%s is %s, in the header %s' % (key, shown.get(key), table.get(key))
            for key in sorted({*table, *shown})
            if table.get(key) != shown.get(key)))
    report('new_files_are_as_in_the_table', new_files(rendered['memfd_new.3']))
    report('every_constant_is_explained',
           (constant for constant in table if not re.search(
               '<dt(?:(?!</dt>).)*>%s<' % constant,
               rendered['memfd_seal.3' if 'MEMFD_SEAL_' in constant
                        else 'memfd_new.3'], re.S)))
    report('see_also_goes_both_ways', one_way(rendered))
    for name in rendered:
        mine = [result for block, result in zip(examples, results)
                if block[0] == name]
        report('examples_of_' + name, sum(mine, []) if mine else ['none'])


said, table = header_table()
report('library_is_as_the_header_says', library_against_header(said, table))
report('every_function_has_a_comment', without_comment())
installed = json.loads((build / 'meson-info/intro-installed.json').read_text())
report('every_page_is_installed',
       {*map(str, pages.values())} - {os.path.realpath(path)
                                      for path in installed})
if shutil.which('mandoc'):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, page in pages.items():
            (root / ('man' + name[-1])).mkdir(exist_ok=True)
            shutil.copy(page, root / ('man' + name[-1]))
        check_rendered(root)
else:
    tap.missing('manual_as_rendered', 'mandoc is not installed')
tap.finish()
