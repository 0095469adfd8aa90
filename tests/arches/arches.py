#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arches.py SOURCE BUILD PROGRAM...: the unit tests on other processors.

Builds the library and the unit tests with each cross compiler of Debian, for
musl, and for glibc 2.17; runs them, emulated where need be; and compares the
numbers in src/syscalls.h with the kernel headers of each architecture there.
MEMFD_CACHE is where packages are kept.
"""
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / 'shared'))
import suite  # noqa: E402

# Locales are of one glibc, and an older one aborts over them.
os.environ.pop('LOCPATH', None)

# What Debian calls the compiler; Meson and qemu, the processor; byte order;
# and the oldest glibc: 2.17, or the first that knows the architecture.
CROSS = (
    ('aarch64-linux-gnu', 'aarch64', 'aarch64', 'little', '2.17'),
    ('arm-linux-gnueabihf', 'arm', 'arm', 'little', '2.17'),
    ('i686-linux-gnu', 'x86', 'i386', 'little', '2.17'),
    ('mips64el-linux-gnuabi64', 'mips64', 'mips64el', 'little', '2.17'),
    ('powerpc64le-linux-gnu', 'ppc64', 'ppc64le', 'little', '2.17'),
    ('riscv64-linux-gnu', 'riscv64', 'riscv64', 'little', '2.27'),
    ('s390x-linux-gnu', 's390x', 's390x', 'big', '2.17'),
)

LIBRARY = 'src/libmemfd.so.1.0.0'
EMPTY = 'tests/unit/libempty.so.1.0.0'

# The kernel headers of each architecture and ABI that src/syscalls.h knows, and
# how clang is told to be for it: for one ABI, in one byte order, which makes no
# difference; or where it is too old to know the architecture, by what a compiler
# for it would define.
NUMBERS = (
    ('x86', '--target=x86_64-linux-gnu'),
    ('x86', '--target=x86_64-linux-gnux32'),
    ('x86', '--target=i386-linux-gnu'),
    ('arm', '--target=arm-linux-gnueabi'),
    ('arm64', '--target=aarch64-linux-gnu'),
    ('riscv', '--target=riscv32-linux-gnu'),
    ('riscv', '--target=riscv64-linux-gnu'),
    ('loongarch', '-U__x86_64__', '-D__loongarch__', '-D__loongarch_lp64'),
    ('powerpc', '--target=powerpc-linux-gnu'),
    ('powerpc', '--target=powerpc64-linux-gnu'),
    ('s390', '--target=s390x-linux-gnu'),
    ('mips', '--target=mips-linux-gnu'),
    ('mips', '--target=mips64-linux-gnuabi64'),
    ('mips', '--target=mips64-linux-gnuabin32'),
)

# gcc 4.8 with glibc 2.17 and the headers of Linux 3.10, in packages of npm's;
# and the number that neither of them knows, for the tests' own questions.
OLD = (
    ('x86_64', 'gcc', '@napi-rs/cross-toolchain-x64-target-x86_64@1.0.0', 319),
    ('aarch64', 'aarch64-linux-gnu-gcc',
     '@napi-rs/cross-toolchain-x64-target-aarch64@1.0.3', 279),
)
# They need a kernel of their own, which emulators have not, and its headers,
# which neither musl nor glibc 2.17 has.
KERNELS_OWN = 'test-sandbox', 'test-forbid'


def targets(cache):
    """What to build for, each by a function: some must be fetched first."""
    def wrapper(emulator, root):
        # By its loader, which is not where the program looks for it.
        loader = next(Path(root).glob('lib*/ld*.so.[0-9]'))
        return [*emulator, str(loader), '--library-path', f'{root}/lib']

    def debian(triplet, family, cpu, endian, emulator):
        if not shutil.which(f'{triplet}-gcc'):
            raise suite.Unavailable(f'{triplet}-gcc is missing')
        return suite.Target(cpu, f'{triplet}-gcc', family, endian,
                            wrapper(emulator, f'/usr/{triplet}'))

    for *machine, oldest in CROSS:
        cpu = machine[2]
        # This processor's other half: qemu-i386 7.2 gives a thread's local data
        # to another one after a signal, and errno with it.
        emulator = [] if cpu == 'i386' else [f'qemu-{cpu}']
        yield cpu, oldest, functools.partial(debian, *machine, emulator)
    yield 'x86_64, musl', None, lambda: suite.Target('musl', 'musl-gcc')
    yield 'x86_64, musl, static', None, lambda: suite.Target(
        'musl-static', 'musl-gcc', link_args=['-static'])


def numbers(version):
    return [int(part) for part in version.split('.')]


def newest_needed(library):
    """The newest version of glibc that an object asks for."""
    return max(re.findall(r'Name: GLIBC_([0-9.]+)',
                          suite.call('readelf', '-VW', library)), key=numbers)


def check_needs(tap, what, library, oldest):
    version = newest_needed(library)
    tap.line(numbers(version) <= numbers(oldest),
             f'{what}: needs glibc {version}, no newer than {oldest}')


def check_object(tap, what, root, cc, syscall, empty):
    """What the plain tests ask of the shared object of this machine."""
    output, status = suite.run(
        [sys.executable, '-B', root / 'tests/unit/object.py',
         root / 'src/libmemfd.map', empty.parents[2] / LIBRARY, empty, syscall,
         '2', cc])
    tap.line(not status, f'{what}: the shared object is as promised')
    if status:
        suite.comment(output)


def run_target(tap, root, build, source, programs, place, oldest, target):
    cmocka = target.cmocka(source, build)
    if target.emulated() or target.cc == 'musl-gcc':
        programs = [name for name in programs
                    if Path(name).name not in KERNELS_OWN]
    for syscall in 'libc', 'raw':
        kind = 'static' if place.endswith('static') else 'shared'
        try:
            built = target.build(
                root, build, cmocka,
                [f'syscall={syscall}', f'default_library={kind}'],
                [*programs, *([EMPTY] if kind == 'shared' else [])])
        except subprocess.CalledProcessError as error:
            tap.line(False, f'{place}, {syscall}: builds')
            suite.comment(error.stdout + error.stderr)
            continue
        if kind == 'shared':
            check_object(tap, f'{place}, {syscall}', root, target.cc, syscall,
                         built.pop())
        if oldest and syscall == 'raw':
            check_needs(tap, f'{place}, raw', built[0].parents[2] / LIBRARY,
                        oldest)
        tap.programs(place, syscall, target.run(built))


def run_old(tap, cache, root, build, source, programs, cpu, cc, package,
            number):
    """The library on glibc 2.17: made there, and made today as "raw"."""
    for tool in 'npm', cc:
        suite.need(tool)

    def make(folder):
        suite.call('npm', 'pack', '--silent', package, cwd=folder)
        archive, = folder.glob('*.tgz')
        suite.call('sh', '-c', 'tar -xOf "$0" --wildcards "*.tar.xz" | '
                   'tar -xJ --no-same-owner', archive, cwd=folder)
        archive.unlink()

    place = f'{cpu}, glibc 2.17'
    prefix = f'{cpu}-unknown-linux-gnu'
    folder = cache.once(package.replace('/', '_'), make)
    sysroot = folder / prefix / 'sysroot'
    wrapper = [f'qemu-{cpu}', '-L', sysroot]
    if cpu == 'x86_64':
        wrapper = [sysroot / 'lib/ld-linux-x86-64.so.2', '--library-path',
                   sysroot / 'lib']
    old = suite.Target(f'{cpu}-old', f'{folder}/bin/{prefix}-gcc', cpu,
                       'little', map(str, wrapper))
    new = suite.Target(f'{cpu}-new', cc, cpu)
    cmocka = old.cmocka(source, build)
    tap.skip(f'{place}: test-generic', 'needs _Generic, which is gcc 4.9')
    names = [Path(program).name for program in programs
             if Path(program).name not in (*KERNELS_OWN, 'test-generic')]
    for target, syscall, column in ((new, 'raw', 'raw, made on Debian'),
                                    (old, 'auto', 'made there')):
        library, = target.build(root, build, cmocka, [f'syscall={syscall}'],
                                [LIBRARY], tests='disabled')
        check_needs(tap, f'{place}, {column}', library, '2.17')
        built = []
        for name in names:
            program = library.parent / name
            suite.call(old.cc, '-std=gnu11', '-O1', '-w', '-pthread',
                       '-include', 'linux/falloc.h',
                       f'-DSYS_memfd_create={number}', '-I', root / 'include',
                       '-I', source / 'include',
                       root / f'tests/unit/{name[len("test-"):]}.c', library,
                       cmocka / 'libcmocka.a', f'-Wl,-rpath,{library.parent}',
                       '-lrt', '-o', program)
            built.append(program)
        tap.programs(place, column, old.run(built))


def compare_numbers(tap, cache, root, build):
    """Debian's newest kernel headers have all architectures in one package."""
    suite.need('clang')
    folder, version = cache.deb(cache.apt('sid'), 'linux-libc-dev')
    # What src/syscalls.h includes of libc, which is not there for most.
    libc = build / 'include'
    for name in ('fcntl.h', 'pthread.h', 'sys/mman.h', 'sys/sendfile.h',
                 'sys/stat.h', 'unistd.h'):
        (libc / name).parent.mkdir(parents=True, exist_ok=True)
        (libc / name).write_text('')
    (libc / 'sys/syscall.h').write_text(
        '#include <asm/unistd.h>\n'
        'typedef long long off_t;\n'
        'typedef __SIZE_TYPE__ size_t;\n'
        'typedef long ssize_t;\n'
        'typedef unsigned int mode_t;\n'
        '#define SYS_memfd_create __NR_memfd_create\n'
        'long syscall(long, ...);\n')
    for headers, *options in NUMBERS:
        output, status = suite.run(
            ['clang', *options, '-fsyntax-only', '-nostdinc', '-isystem', libc,
             '-isystem', folder / 'usr/lib/linux/uapi' / headers,
             '-isystem', folder / 'usr/include',
             root / 'tests/arches/number.c'])
        name = options[0].partition('=')[2] or headers
        tap.line(not status, f'{name}: the number of Linux {version}')
        if status:
            suite.comment(output)


def main():
    root, build, *programs = sys.argv[1:]
    root, build = Path(root), Path(build)
    tap = suite.Tap()
    cache = suite.Cache(build.parent / 'cache')
    try:
        source = cache.cmocka_source()
    except suite.Unavailable as error:
        tap.missing('cmocka', error)
        tap.end()
    for place, oldest, target in targets(cache):
        try:
            target = target()
            for tool in target.cc, *target.wrapper[:1], 'meson', 'readelf':
                suite.need(tool)
        except suite.Unavailable as error:
            tap.missing(place, error)
            continue
        run_target(tap, root, build, source, programs, place, oldest, target)
    for cpu, *old in OLD:
        try:
            run_old(tap, cache, root, build, source, programs, cpu, *old)
        except suite.Unavailable as error:
            tap.missing(f'{cpu}, glibc 2.17', error)
        except subprocess.CalledProcessError as error:
            tap.line(False, f'{cpu}, glibc 2.17: builds')
            suite.comment(error.stdout + error.stderr)
    try:
        compare_numbers(tap, cache, root, build)
    except suite.Unavailable as error:
        tap.missing('numbers', error)
    tap.end()


main()
