#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read the shared object: what it exports, imports and weighs, beside an
empty library built the same way. Or the static one: what it defines. Prints
TAP.

usage: object.py LIBRARY EMPTY-LIBRARY MAP SYSCALL OPTIMIZATION
       object.py ARCHIVE
(SYSCALL and OPTIMIZATION are Meson's options)
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from promised import FUNCTIONS, finish, missing, result, same, skip

IMPORTS = {
    'memfd_create', 'syscall', 'fcntl', 'fchmod', 'close',
    # musl calls pwrite64 so.
    'pwrite64', 'pwrite', 'pthread_setcancelstate', '__errno_location',
    'strchr', 'strspn', 'strcspn'}
# Compilers call these by themselves: in place of another (clang makes strchr a
# memchr), for a copy, under a hardening flag.
COMPILER = {'memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'strlen',
            '__stack_chk_fail', '__stack_chk_fail_local', '__stack_chk_guard'}
ALLOWED = IMPORTS | COMPILER
TEXT_AND_DATA_MAX = 10 * 1024
STRIPPED_MAX = 16 * 1024
NEWEST_GLIBC = (2, 17)


def tool(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True,
                          env=dict(os.environ, LC_ALL='C')).stdout


def symbols(path):
    """The dynamic symbols: exported and imported, each a name and version."""
    exported, imported = {}, {}
    for line in tool('readelf', '--dyn-syms', '-W', path).splitlines():
        # Num: Value Size Type Bind Vis Ndx Name@Version
        match = re.match(r'\s*\d+: \S+\s+\S+ \S+\s+\S+ +\S+ +(.*)', line)
        if not match:
            continue
        words = re.sub(r'\[.*?\]', '', match[1]).split()
        if len(words) < 2:
            continue
        name, _, version = words[1].partition('@')
        if words[0] == 'UND':
            imported[name] = version
        elif name:
            exported[name] = version.lstrip('@')
    return exported, imported


def relocations(path):
    """Type and symbol of each relocation that the loader must make."""
    found = []
    for line in tool('readelf', '-r', '-W', path).splitlines():
        match = re.match(r'[0-9a-f]{8,}\s+[0-9a-f]+\s+(R_\S+)(.*)', line)
        if match:
            words = match[2].split()
            symbol = words[1].partition('@')[0] if len(words) > 1 else ''
            found.append((match[1], symbol))
    return found


def writable(path):
    """Bytes of each writable section, but for the linker's own tables."""
    sizes = {}
    for line in tool('readelf', '-S', '-W', path).splitlines():
        match = re.match(r'\s*\[ *\d+\] (\.\S+)\s+\S+ +[0-9a-f]+ [0-9a-f]+ '
                         r'([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*) ', line)
        if match and 'W' in match[3] and not re.match(
                r'\.(got|plt|dynamic|opd|branch_lt)', match[1]):
            sizes[match[1]] = int(match[2], 16)
    return sizes


def soname(path):
    match = re.search(r'SONAME\).*\[(.*)\]', tool('readelf', '-dW', path))
    return match[1] if match else None


def needed(path):
    return re.findall(r'NEEDED\).*\[(.*)\]', tool('readelf', '-dW', path))


def text_and_data(path):
    return sum(map(int, tool('size', path).splitlines()[1].split()[:2]))


def stripped_size(path):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, 'stripped')
        tool('strip', '-o', copy, path)
        return os.path.getsize(copy)


def newest_glibc(imports):
    versions = [tuple(map(int, version[6:].split('.')))
                for version in imports.values()
                if re.fullmatch(r'GLIBC_[0-9.]+', version)]
    return max(versions, default=(0,))


def archive(path):
    defined, undefined = set(), set()
    for line in tool('nm', '-g', path).splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in 'Uw':
            undefined.add(words[1])
        elif len(words) == 3 and not words[2].startswith('__x86.'):
            defined.add(words[2])
    same('defines the thirteen functions, and nothing else', defined,
         FUNCTIONS)
    result('calls what it needs, and nothing else',
           undefined - defined - ALLOWED - {'_GLOBAL_OFFSET_TABLE_'})


def shared_object(library, empty, map_file, syscall, optimization):
    header = tool('readelf', '-hW', library)
    x86_64 = 'X86-64' in header and 'ELF64' in header
    exported, imported = symbols(library)
    ours = {name: version for name, version in imported.items()
            if name not in symbols(empty)[1]}

    names = {name for name in exported if name != 'LIBMEMFD_1'}
    same('exports the thirteen functions, and nothing else', names, FUNCTIONS)
    same('exports them under LIBMEMFD_1', {exported[name] for name in names},
         {'LIBMEMFD_1'})
    with open(map_file, encoding='ascii') as file:
        nodes = re.findall(r'^(\w+) \{', file.read(), re.M)
    same('has one version node', nodes, ['LIBMEMFD_1'])
    same('is libmemfd.so.1', soname(library), 'libmemfd.so.1')
    others = [name for name in needed(library)
              if not re.match(r'libc\.|ld[-.]', name)]
    result('needs libc alone', others)

    result('imports what it calls, and nothing else', set(ours) - ALLOWED)
    creates = ours.keys() & {'memfd_create', 'syscall'}
    if syscall == 'auto':
        same('creates in one way', len(creates), 1)
    else:
        same(f'creates as syscall={syscall} says', creates,
             {'memfd_create' if syscall == 'libc' else 'syscall'})

    name = 'loads on glibc 2.17'
    if x86_64 and 'GLIBC_2' in ' '.join(ours.values()):
        # A wrapper of memfd_create came with 2.27: that is what raw is for.
        rest = {name: version for name, version in ours.items()
                if name != 'memfd_create'}
        newest = newest_glibc(rest)
        print(f'# newest needed version: {newest_glibc(ours)}, of all but '
              f'memfd_create {newest}')
        if rest != ours:
            name += ', but for memfd_create'
        result(name, newest > NEWEST_GLIBC and rest)
    else:
        skip(name, 'promised for x86-64 and glibc')

    # To call what it imports, it needs one each.
    of_data = [relocation for relocation in relocations(library)
               if relocation[1] not in ALLOWED]
    same('has no run-time relocations of its own', sorted(of_data),
         sorted(relocations(empty)))
    same('has no writable data of its own', writable(library),
         writable(empty))

    size = text_and_data(library)
    print(f'# text and data: {size} bytes')
    result(f'text and data are at most {TEXT_AND_DATA_MAX} bytes',
           size > TEXT_AND_DATA_MAX and size)
    name = f'stripped, it is at most {STRIPPED_MAX} bytes'
    if x86_64 and optimization in ('2', 's'):
        size = stripped_size(library)
        print(f'# stripped: {size} bytes')
        result(name, size > STRIPPED_MAX and size)
    else:
        skip(name, 'promised for x86-64 at -O2')


absent = [name for name in ('nm', 'readelf', 'size', 'strip')
          if not shutil.which(name)]
if absent:
    missing(', '.join(absent))
elif len(sys.argv) == 2:
    archive(sys.argv[1])
else:
    shared_object(*sys.argv[1:])
finish()
