#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read the shared object: what it exports, imports and weighs, beside an
empty library built the same way. Prints TAP.

usage: object.py LIBRARY EMPTY-LIBRARY MAP syscall-option
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

EXPORTS = {
    'memfd_new', 'memfd_seal', 'memfd_get_seals', 'memfd_new_sealed',
    'memfd_check_seals', 'memfd_new_str', 'memfd_seal_str',
    'memfd_get_seals_str', 'memfd_new_sealed_str', 'memfd_check_seals_str',
    'memfd_parse_flags', 'memfd_parse_seals', 'memfd_format_seals'}
IMPORTS = {
    'memfd_create', 'syscall', 'fcntl', 'fchmod', 'close',
    # musl calls pwrite64 so.
    'pwrite64', 'pwrite', 'pthread_setcancelstate', '__errno_location',
    'strchr', 'strspn', 'strcspn'}
# Compilers call these by themselves: in place of another (clang makes strchr a
# memchr), for a copy, under a hardening flag.
COMPILER = {'memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'strlen',
            '__stack_chk_fail', '__stack_chk_fail_local', '__stack_chk_guard'}
TEXT_AND_DATA_MAX = 10 * 1024
STRIPPED_MAX = 16 * 1024
NEWEST_GLIBC = (2, 17)

tests = 0
failed = False


def result(name, problem):
    global tests, failed
    tests += 1
    print(f'{"not ok" if problem else "ok"} {tests} - {name}')
    if problem:
        failed = True
        print('#', problem)


def skipped(name, reason):
    global tests
    tests += 1
    print(f'ok {tests} - {name} # SKIP {reason}')


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


def main(library, empty, map_file, syscall):
    for name in 'readelf', 'size', 'strip':
        if shutil.which(name):
            continue
        if os.environ.get('CI') == 'true':
            result(name, 'not installed')
        else:
            skipped('the shared object', f'{name} is not installed')
        return

    header = tool('readelf', '-hW', library)
    x86_64 = 'X86-64' in header and 'ELF64' in header
    exported, imported = symbols(library)
    ours = {name: version for name, version in imported.items()
            if name not in symbols(empty)[1]}

    names = {name for name in exported if name != 'LIBMEMFD_1'}
    result('exports the thirteen functions, and nothing else',
           f'{names ^ EXPORTS}' if names != EXPORTS else '')
    versions = {exported[name] for name in names}
    result('exports them under LIBMEMFD_1',
           f'{versions}' if versions != {'LIBMEMFD_1'} else '')
    with open(map_file, encoding='ascii') as file:
        nodes = re.findall(r'^(\w+) \{', file.read(), re.M)
    result('has one version node', f'{nodes}' if nodes != ['LIBMEMFD_1'] else '')
    result('is libmemfd.so.1', '' if soname(library) == 'libmemfd.so.1'
           else f'{soname(library)}')
    others = [name for name in needed(library)
              if not re.match(r'libc\.|ld[-.]', name)]
    result('needs libc alone', f'{others}' if others else '')

    allowed = IMPORTS | COMPILER
    result('imports what it calls, and nothing else',
           f'{set(ours) - allowed}' if set(ours) - allowed else '')
    creates = ours.keys() & {'memfd_create', 'syscall'}
    if syscall == 'auto':
        result('creates by one way', f'{creates}' if len(creates) != 1 else '')
    else:
        wanted = {'raw': {'syscall'}, 'libc': {'memfd_create'}}[syscall]
        result(f'creates by {wanted}', f'{creates}' if creates != wanted
               else '')

    name = 'loads on glibc 2.17'
    if x86_64 and 'GLIBC_2' in ' '.join(ours.values()):
        # A wrapper of memfd_create came with 2.27: that is what raw is for.
        rest = {name: version for name, version in ours.items()
                if name != 'memfd_create'}
        newest = newest_glibc(rest)
        print(f'# newest needed version: {newest_glibc(ours)}'
              f'{", memfd_create aside " + str(newest) if rest != ours else ""}')
        name += ', but for memfd_create' if rest != ours else ''
        result(name, f'{rest}' if newest > NEWEST_GLIBC else '')
    else:
        skipped(name, 'promised for x86-64 and glibc')

    for_data = [relocation for relocation in relocations(library)
                if relocation[1] not in allowed]
    result('has no run-time relocations of its own',
           f'{for_data}' if sorted(for_data) != sorted(relocations(empty))
           else '')
    result('has no writable data of its own',
           f'{writable(library)}, empty {writable(empty)}'
           if writable(library) != writable(empty) else '')

    size = text_and_data(library)
    print(f'# text and data: {size} bytes')
    result(f'text and data are at most {TEXT_AND_DATA_MAX} bytes',
           f'{size}' if size > TEXT_AND_DATA_MAX else '')
    name = f'stripped, it is at most {STRIPPED_MAX} bytes'
    if x86_64:
        size = stripped_size(library)
        print(f'# stripped: {size} bytes')
        result(name, f'{size}' if size > STRIPPED_MAX else '')
    else:
        skipped(name, 'promised for x86-64')


main(*sys.argv[1:])
print(f'1..{tests}')
sys.exit(failed)
