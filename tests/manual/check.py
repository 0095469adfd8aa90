#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
check.py SOURCE BUILD LIBRARY PARSE COMPILER [ARGUMENT...]

The header, the library and the manual say the same. Of the manual that is what
mandoc(1) renders: what a reader sees, and copies.
"""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

source, build, library, parse = (pathlib.Path(arg).resolve()
                                 for arg in sys.argv[1:5])
compiler = sys.argv[5:]
header = (source / 'include/memfd.h').read_text()
prototypes = dict(re.findall(r'^(?=int (memfd_\w+))([^;]*;)', header, re.M))
pages = {page.name: page
         for page in sorted((source / 'src/man').glob('*.[37]'))}
links = {name for name, page in pages.items()
         if page.read_text().startswith('.so ')}
count = failures = 0


def report(name, wrong, skip=''):
    """A line of TAP, and one for each thing that is wrong."""
    global count, failures
    count += 1
    failures += bool(wrong)
    print('not ok' if wrong else 'ok', count, '-', name,
          '# SKIP ' + skip if skip else '', flush=True)
    for what in wrong:
        print('# ' + what.rstrip().replace('\n', '\n# '), flush=True)


def have(tools, cells):
    """Outside CI, what needs a tool that is not there is skipped by name."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    for cell in cells if missing else []:
        why = ' and '.join(missing) + ' not found'
        if os.environ.get('CI') == 'true':
            report(cell, [why])
        else:
            report(cell, [], why)
    return not missing


def run(*args, **more):
    """What was said, on both streams, if it failed; else nothing."""
    done = subprocess.run(args, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    return [] if done.returncode == 0 else [
        '%s: %d\n%s' % (' '.join(map(str, args)), done.returncode, done.stdout)]


# A table is {constant: (value, names, first Linux where it says one)}.

def kernels(constant):
    """What <sys/mman.h> or <fcntl.h> calls it."""
    return re.sub('^MEMFD_', 'F_' if 'SEAL_' in constant else 'MFD_', constant)


def ask_library():
    """{word: (its number as a flag, as a seal, how that is printed)}"""
    constants = re.findall(r'\bMEMFD_\w+', header)
    # Every word in it, to find also the names that are documented nowhere.
    words = re.findall(rb'(?=([a-z][a-z0-9-]{1,15})\0)', library.read_bytes())
    said = subprocess.run([parse, *{word.decode() for word in words},
                           *constants, *map(kernels, constants)],
                          text=True, check=True, stdout=subprocess.PIPE).stdout
    return {word: (*(None if n == '-' else int(n, 16) for n in (flag, seal)),
                   printed)
            for word, flag, seal, printed in
            (line.split('\t') for line in said.splitlines())}


def header_table():
    """The header's constants, each with all names that the library has."""
    table = {}
    for comment, constant, value in re.findall(
            r'/\*(.*?)\*/|\b(MEMFD_(?!STR_)\w+)(?: =)? (0x\w+)', header, re.S):
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
    return table


def written_table(rows, name):
    """rows: a constant and its other cells; name: what a name looks like."""
    table = {}
    for constant, cells in rows:
        value = re.search(r'\b0x[0-9a-f]+', cells)
        linux = re.search(r'\b\d+\.\d+\b', cells)
        table[constant] = (int(value.group(), 16) if value else None,
                           sorted(re.findall(name, cells)),
                           linux.group() if linux else False)
    return table


def against_header(table):
    return ['%s is %s, in the header %s' % (key, table.get(key), truth.get(key))
            for key in sorted({*truth, *table})
            if table.get(key) != truth.get(key)]


def library_against_header():
    for constant, (value, names, _) in truth.items():
        seal = constant.startswith('MEMFD_SEAL_')
        if not names:
            yield '%s has no name' % constant
        for word in (constant, kernels(constant)):
            if said[word][seal] != value:
                yield '%s is %s, not %#x' % (word, said[word][seal], value)
        if seal and 'immutable' not in names and [said[constant][2]] != names:
            yield '%s is printed as %s' % (constant, said[constant][2])


# The manual as it is rendered.

def render(name, root):
    # On its stderr mandoc(1) speaks of the index of the system's own pages.
    return subprocess.run(
        ['mandoc', '-T', 'html', '-O', 'fragment',
         'man%s/%s' % (name[-1], name)],
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


def manual_rows(page):
    for line in re.findall(r'<tr.*?</tr>', page, re.S):
        first, *cells = re.findall(r'<td.*?</td>', line, re.S)
        if re.fullmatch(r'MEMFD_\w+', squeeze(first)) and cells:
            yield squeeze(first), ''.join(cells)


def page_of(function, root):
    """Its file, its name, and the prototype of the header."""
    name = function + '.3'
    if name not in pages:
        return ['there is no ' + name]
    page = render(name, root)
    names = squeeze(section(page, 'NAME')).split(' \N{EM DASH} ')[0].split(', ')
    wrong = []
    if function not in names:
        wrong.append('NAME has ' + ' '.join(names))
    if squeeze(prototypes[function]) not in squeeze(section(page, 'SYNOPSIS')):
        wrong.append('SYNOPSIS does not have ' + squeeze(prototypes[function]))
    return wrong


def see_also(page, ours):
    return {name + '.' + number for name, number in
            re.findall(r'(\w+)\((\d)\)', text(section(page, 'SEE_ALSO')))
            if name + '.' + number in ours}


def example(code, directory):
    """Compiles it; runs it where it is a whole program."""
    (directory / 'example.c').write_text(code)
    program = re.search(r'\bmain\(', code)
    return run(*compiler, '-Wall', '-Wextra', '-Werror',
               '-I', source / 'include', 'example.c', '-o', 'example',
               *([library, '-Wl,-rpath,%s' % library.parent, '-pthread']
                 if program else ['-c']), cwd=directory) or \
        (run('./example', cwd=directory) if program else [])


def forbidden(code):
    sysctl = pathlib.Path('/proc/sys/vm/memfd_noexec')
    if 'MEMFD_EXEC' in code and sysctl.exists() and \
            sysctl.read_text().strip() == '2':
        return 'vm.memfd_noexec is 2'
    return ''


def check_rendered(root):
    rendered = {name: render(name, root) for name in pages if name not in links}

    for name in rendered:
        report('lint_is_silent_' + name,
               run('mandoc', '-T', 'lint', '-W', 'warning', pages[name]))
    for name in rendered:
        plain = subprocess.run(
            ['mandoc', '-T', 'ascii', '-O', 'width=80', pages[name]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        report('fits_80_columns_' + name,
               [line for line in re.sub('.\b', '', plain).splitlines()
                if len(line) > 80])
    for function in prototypes:
        report('page_of_' + function, page_of(function, root))
    report('manual_tables_are_the_headers', against_header(written_table(
        manual_rows(rendered['memfd_parse_flags.3']),
        '<code class="Li".*?>(.*?)</code>')))
    for name, constants in (
            ('memfd_new.3', [c for c in truth if 'SEAL_' not in c]),
            ('memfd_seal.3', [c for c in truth if 'SEAL_' in c])):
        report('every_constant_is_explained_in_' + name,
               [c for c in constants if not re.search(
                   '<dt(?:(?!</dt>).)*>%s<' % c, rendered[name], re.S)])
    for name, page in rendered.items():
        report('see_also_both_ways_' + name,
               ['%s, which does not refer back' % other
                for other in see_also(page, rendered)
                if name not in see_also(rendered[other], rendered)] or
               ([] if see_also(page, rendered) else ['refers to none of ours']))
    for name, page in rendered.items():
        examples = re.findall(r'<pre>(.*?)</pre>', page, re.S)
        for n, code in enumerate(map(text, examples), 1):
            with tempfile.TemporaryDirectory() as directory:
                why = forbidden(code)
                report('example_%d_of_%s' % (n, name),
                       [] if why else example(code, pathlib.Path(directory)),
                       why)


def check_installed(manual):
    for function in [*prototypes, 'libmemfd']:
        report('man_finds_' + function,
               run('man', '-M', manual, function,
                   env={**os.environ, 'MANPAGER': 'grep -qw ' + function}))


said = ask_library()
truth = header_table()
report('library_is_as_the_header_says', list(library_against_header()))

with tempfile.TemporaryDirectory() as directory:
    root = pathlib.Path(directory)
    if have(['mandoc'], ['manual_as_rendered']):
        for name, page in pages.items():
            (root / ('man' + name[-1])).mkdir(exist_ok=True)
            shutil.copy(page, root / ('man' + name[-1]))
        check_rendered(root)
    if have(['man', 'meson'], ['man_finds_every_function']):
        wrong = run('meson', 'install', '-C', build, '--no-rebuild', '--quiet',
                    '--destdir', root / 'installed')
        manuals = [man3.parent for man3 in (root / 'installed').rglob('man3')]
        report('installs', wrong or ([] if manuals else ['no manual']))
        for manual in manuals:
            check_installed(manual)

print('1..%d' % count)
sys.exit(failures != 0)
