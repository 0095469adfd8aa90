#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read the shared object: what it exports, imports and weighs, beside an
empty library built the same way. Prints TAP.

usage: object.py MAP LIBRARY EMPTY-LIBRARY SYSCALL OPTIMIZATION CC...
(SYSCALL and OPTIMIZATION are Meson's options, CC its compiler)
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
from tap import finish, functions, missing, result, same, skip  # noqa: E402

IMPORTS = {
    'memfd_create', 'syscall', 'fcntl', 'fchmod', 'close', 'lseek',
    'ftruncate64', 'pread64', 'pwrite64', 'sendfile64', 'write',
    # musl calls them so.
    'ftruncate', 'pread', 'pwrite', 'sendfile',
    'pthread_setcancelstate', '__errno_location',
    'strchr', 'strspn', 'strcspn'}
# Compilers call these by themselves: in place of another (clang makes strchr a
# memchr), for a copy, under a hardening flag.
COMPILER = {'memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'strlen',
            '__stack_chk_fail', '__stack_chk_fail_local', '__stack_chk_guard'}
ALLOWED = IMPORTS | COMPILER
TEXT_AND_DATA_MAX = 12 * 1024
STRIPPED_MAX = 20 * 1024


def tool(name, *args):
    return subprocess.run([prefix + name, *args], capture_output=True, text=True, check=True,
                          env=dict(os.environ, LC_ALL='C')).stdout


def symbols(*args):
    """What is defined and undefined, each a name and its version."""
    defined, undefined = {}, {}
    for line in tool('nm', '-g', *args).splitlines():
        *address, kind, symbol = line.split()
        name, _, version = symbol.partition('@')
        if kind in ('U', 'w', 'v'):
            undefined[name] = version
        # The nodes of versions are absolute.
        elif address and kind != 'A':
            defined[name] = version.lstrip('@')
    return defined, undefined


def relocations(path):
    """Type and symbol of each relocation that the loader must make."""
    found = re.findall(r'^[0-9a-f]{8,} +(R_\S+) +([^\s@+]*)',
                       tool('objdump', '-R', path), re.M)
    return sorted(found)


def writable(*paths):
    """The writable sections of objects, with a byte."""
    found = []
    for line in tool('readelf', '-S', '-W', *paths).splitlines():
        match = re.match(r'\s*\[ *\d+\] (\.\S+)\s+\S+ +[0-9a-f]+ [0-9a-f]+ '
                         r'([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*) ', line)
        if match and 'W' in match[3] and int(match[2], 16):
            found.append(match[1])
    return found


def by_default(map_file, *names):
    """Options of a build that was given none."""
    project = os.path.join(os.path.dirname(map_file), '../meson.build')
    values = {option['name']: option['value'] for option in json.loads(
        subprocess.run(['meson', 'introspect', '--buildoptions', project],
                       capture_output=True, check=True).stdout)}
    return [values[name] for name in names]


def is_elf(path):
    """What clang writes for link-time optimization is not."""
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF'


def libc_has_memfd_create(cc):
    """Asked in another way than Meson's."""
    program = 'int memfd_create(); int main() { return memfd_create(); }'
    return subprocess.run([*cc, '-x', 'c', '-', '-o', '/dev/null'],
                          input=program, text=True,
                          capture_output=True).returncode == 0


def dynamic(tag, path):
    return re.findall(tag + r'\).*\[(.*)\]', tool('readelf', '-dW', path))


def text_and_data(path):
    return sum(map(int, tool('size', path).splitlines()[1].split()[:2]))


def stripped_size(path):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, 'stripped')
        tool('strip', '-o', copy, path)
        return os.path.getsize(copy)


def shared_object(promised, library, empty, syscall, optimization, *cc):
    header = tool('readelf', '-hW', library)
    x86_64 = 'X86-64' in header and 'ELF64' in header
    exported, imported = symbols('-D', library)
    ours = {name: version for name, version in imported.items()
            if name not in symbols('-D', empty)[1]}

    same('exports the promised functions, each with its version', exported,
         promised)
    same('has those of 1.0 in LIBMEMFD_1', promised['memfd_new'], 'LIBMEMFD_1')
    same('is libmemfd.so.1', dynamic('SONAME', library), ['libmemfd.so.1'])
    result('needs libc alone',
           [name for name in dynamic('NEEDED', library)
            if not re.match(r'libc\.|ld[-.]', name)])

    result('imports what it calls, and nothing else', set(ours) - ALLOWED)
    creates = ours.keys() & {'memfd_create', 'syscall'}
    libc = syscall == 'libc' or syscall == 'auto' and libc_has_memfd_create(cc)
    same(f'creates as syscall={syscall} says', creates,
         {'memfd_create' if libc else 'syscall'})

    # To call what it imports, it needs one each.
    same('has no run-time relocations of its own',
         [found for found in relocations(library) if found[1] not in ALLOWED],
         relocations(empty))
    name = 'has no writable data of its own'
    objects = glob.glob(f'{library}.p/*.o')
    if objects and not is_elf(objects[0]):
        skip(name, 'the objects are bitcode')
    else:
        result(name, writable(*objects) if objects else 'no objects to look at')

    size = text_and_data(library)
    print(f'# text and data: {size} bytes')
    name = f'text and data are at most {TEXT_AND_DATA_MAX} bytes'
    if 'PowerPC64' in header:
        skip(name, 'not on PowerPC')
    else:
        result(name, size > TEXT_AND_DATA_MAX and size)
    name = f'stripped, it is at most {STRIPPED_MAX} bytes'
    if x86_64 and optimization in ('2', 's'):
        size = stripped_size(library)
        print(f'# stripped: {size} bytes')
        result(name, size > STRIPPED_MAX and size)
    else:
        skip(name, 'promised for x86-64 at -O2')


# Of a cross compiler come tools for its machine.
prefix = os.path.basename(sys.argv[-1]).replace('gcc', '')
if not shutil.which(prefix + 'nm'):
    prefix = ''
absent = [name for name in ('nm', 'objdump', 'readelf', 'size', 'strip')
          if not shutil.which(prefix + name)]
if absent:
    missing(', '.join(absent))
else:
    shared_object(functions(sys.argv[1]), *sys.argv[2:])
    if shutil.which('meson'):
        same('is optimised by default, and leaves tests and syscall to the system',
             by_default(sys.argv[1], 'optimization', 'syscall', 'tests'),
             ['2', 'auto', 'auto'])
    else:
        missing('meson')
finish()
