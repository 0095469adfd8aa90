#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
check.py SOURCE BUILD LIBRARY COMPILER [ARGUMENT...]

What the manual and README.md show can be copied: it is part of an example that
is installed, and that has its own test; or it compiles as it stands, and runs
if it is a program. Of the manual that is what mandoc(1) renders.
"""

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
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

source, build, library = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
compiler = sys.argv[4:]
pages = sorted((source / 'src/man').glob('*.[37]'))
examples = [*(source / 'tests/example').glob('*.[ch]')]


def run(*args, **more):
    """(status, what was said on both streams)"""
    done = subprocess.run(args, text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env={**os.environ, 'LC_ALL': 'C'}, **more)
    return done.returncode, done.stdout


def knows_exec():
    """Whether seals are printed as the texts show them."""
    try:
        os.close(os.memfd_create('check', 8))  # MFD_NOEXEC_SEAL
    except OSError:
        return False
    return True


def lines(code):
    return [line.strip() for line in code.strip().splitlines()]


def is_in_example(code):
    code = '\n'.join(['', *lines(code), ''])
    return any(code in '\n'.join(['', *lines(path.read_text()), ''])
               for path in examples)


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
        # Some read an immutable memfd.
        fd = os.memfd_create('check', os.MFD_ALLOW_SEALING)
        with open(fd, 'w+b') as file:
            file.write(b'text\n')
            file.seek(0)
            fcntl.fcntl(file, 1033, 0xe)  # F_ADD_SEALS
            status, said = run(where / 'example', stdin=file)
    # Two streams, of which one is buffered: the order may differ.
    if output and sorted(lines(output)) != sorted(lines(said)) and knows_exec():
        return [f'the page shows\n{output}\nit prints\n{said}']
    return [f'status {status}\n{said}'] if status else []


# The manual as it is rendered.

def render(pages, *form):
    return subprocess.run(['mandoc', '-T', *form, *pages], check=True,
                          text=True, stdout=subprocess.PIPE).stdout


def blocks(page):
    return [html.unescape(re.sub(r'<[^>]*>', '', block)) for block in
            re.findall(r'<pre>(.*?)</pre>', render([page], 'html'), re.S)]


def programs(found):
    """(code, what it prints where the page shows that)"""
    for code, after in zip(found, [*found[1:], '']):
        if ';' in code or 'if (' in code:
            yield code, '' if ';' in after or 'if (' in after else after


def check_manual():
    whole = [page for page in pages if not page.read_text().startswith('.so')]
    # Like the Linux man-pages, and unlike BSD, examples come late.
    _, lint = run('mandoc', '-T', 'lint', '-W', 'warning', *whole)
    tap.none('lint_is_silent', (line for line in lint.splitlines()
                                if 'out of conventional order' not in line))
    # Newer versions of groff indent by two columns more.
    plain = re.sub('.\b', '', render(whole, 'ascii', '-O', 'width=78'))
    tap.none('pages_fit_80_columns',
             (line for line in plain.splitlines() if len(line) > 78))
    for page in whole:
        shown = blocks(page)
        wrong = [] if shown else ['none']
        for code, output in programs(shown):
            wrong += [] if is_in_example(code) else compiles(code, output)
        if page.name == 'libmemfd_recipes.7':
            # Its first block is what all of its functions include.
            wrong += compiles('\n'.join(shown))
        tap.none(f'examples_of_{page.name}', wrong)


def readme_code():
    """The first program prints the first block of text; the functions compile
    with what they include, and are those of an installed example."""
    readme = (source / 'README.md').read_text()
    codes = re.findall(r'^```c\n(.*?)^```', readme, re.M | re.S)
    outputs = re.findall(r'^```text\n(.*?)^```', readme, re.M | re.S)
    yield from compiles(codes[0], outputs[0])
    for code in codes[1:]:
        yield from compiles(code)
        if not is_in_example(re.sub(r'^#include.*\n', '', code, flags=re.M)):
            yield f'in no example:\n{code}'


installed = json.loads((build / 'meson-info/intro-installed.json').read_text())
tap.none('header_pages_and_examples_are_installed',
         {*map(str, [*pages, *examples, source / 'include/memfd.h'])} -
         {os.path.realpath(path) for path, place in installed.items()
          if not path.endswith('memfd.h') or
          place.endswith('include/memfd.h')})
tap.none('readme_code_is_right', readme_code())
if shutil.which('mandoc'):
    check_manual()
else:
    tap.missing('manual_as_rendered', 'mandoc is not installed')
tap.finish()
