#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arches.py SOURCE BUILD PROGRAM...: the unit tests on other processors.

Builds the library and the unit tests with each cross compiler of Debian, for
musl, and for glibc 2.17; runs them, emulated where need be; and compares the
numbers in src/syscalls.h with the kernel headers of each architecture there.
MEMFD_CACHE is where packages are kept.
"""
import re
import subprocess
import sys
from concurrent import futures
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / 'shared'))
import suite  # noqa: E402
from suite import tap  # noqa: E402

# What qemu calls the processor; Debian, the compiler; Meson, the processor and
# its byte order; and the oldest glibc: 2.17, or the first that knows it.
CROSS = (
    ('aarch64', 'aarch64-linux-gnu', 'aarch64', 'little', '2.17'),
    ('arm', 'arm-linux-gnueabihf', 'arm', 'little', '2.17'),
    ('i386', 'i686-linux-gnu', 'x86', 'little', '2.17'),
    ('mips64el', 'mips64el-linux-gnuabi64', 'mips64', 'little', '2.17'),
    ('ppc64le', 'powerpc64le-linux-gnu', 'ppc64', 'little', '2.17'),
    ('riscv64', 'riscv64-linux-gnu', 'riscv64', 'little', '2.27'),
    ('s390x', 's390x-linux-gnu', 's390x', 'big', '2.17'),
)

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
# What calls memfd_create(2), and fcntl(2) on 32-bit processors, is all that
# depends on the option `syscall`.
OF_SYSCALL = 'test-new', 'test-seal'


def parts(version):
    return [int(part) for part in version.split('.')]


class Arches:
    def __init__(self, root, build, programs):
        self.root, self.build, self.programs = Path(root), Path(build), programs
        version, = re.findall(r"^  version: '(.+)',",
                              (self.root / 'meson.build').read_text(), re.M)
        self.library = f'src/libmemfd.so.{version}'
        self.empty = f'tests/unit/libempty.so.{version}'
        self.cache = suite.Cache(self.build.parent / 'cache')
        self.source = self.cache.cmocka_source()
        # What has been built runs while the next is being built.
        self.pool = futures.ThreadPoolExecutor(1)
        self.runs = []

    def attempt(self, place, function, *arguments):
        try:
            function(place, *arguments)
        except suite.Unavailable as error:
            tap.missing(place, error)
        except subprocess.CalledProcessError as error:
            suite.result(f'{place}: builds', True, error.stdout + error.stderr)

    def run(self, where, target, built):
        self.runs.append((where, self.pool.submit(target.run, built)))

    def finish(self):
        for where, run in self.runs:
            suite.report(where, run.result())
        tap.finish()

    def check_object(self, what, cc, syscall, empty):
        """What the plain tests ask of the shared object of this machine."""
        output, status = suite.run(
            [sys.executable, '-B', self.root / 'tests/unit/object.py',
             self.root / 'src/libmemfd.map', empty.parents[2] / self.library,
             empty, syscall, '2', cc])
        suite.result(f'{what}: the shared object is as promised', status,
                     output)

    def check_needs(self, what, library, oldest):
        version = max(re.findall(r'Name: GLIBC_([0-9.]+)',
                                 suite.call('readelf', '-VW', library)),
                      key=parts)
        tap.result(f'{what}: needs glibc {version}, no newer than {oldest}',
                   parts(version) > parts(oldest))

    def cross(self, cpu, triplet, family, endian, oldest):
        suite.need(f'{triplet}-gcc')
        # By its loader, which is not where the program looks for it.
        root = Path('/usr', triplet)
        loader = next(root.glob('lib*/ld*.so.[0-9]'))
        wrapper = [str(loader), '--library-path', f'{root}/lib']
        # This processor's other half: qemu-i386 7.2 gives a thread's local data
        # to another one after a signal, and errno with it.
        if cpu != 'i386':
            suite.need(f'qemu-{cpu}')
            wrapper.insert(0, f'qemu-{cpu}')
        self.both(cpu, suite.Target(cpu, f'{triplet}-gcc', family, endian,
                                    wrapper), oldest)

    def musl(self, place):
        suite.need('musl-gcc')
        self.both(place, suite.Target('musl', 'musl-gcc'))

    def both(self, place, target, oldest=None):
        """With libc's memfd_create, and with the library's own."""
        cmocka = target.cmocka(self.source, self.build)
        programs = [name for name in self.programs
                    if target.cpu == 'x86' or
                    Path(name).name not in KERNELS_OWN]
        for syscall in 'libc', 'raw':
            what = f'{place}, {syscall}'
            *built, empty = target.build(self.root, self.build, cmocka,
                                         [f'syscall={syscall}'],
                                         [*programs, self.empty])
            self.check_object(what, target.cc, syscall, empty)
            if oldest and syscall == 'raw':
                library = empty.parents[2] / self.library
                self.check_needs(what, library, oldest)
            self.run(what, target, built)
            programs = [name for name in programs
                        if Path(name).name in OF_SYSCALL]

    def old(self, place, cpu, cc, package, number):
        """The library on glibc 2.17: made there, and made today as "raw"."""
        for tool in 'npm', cc:
            suite.need(tool)

        def make(folder):
            suite.call('npm', 'pack', '--silent', package, cwd=folder)
            archive, = folder.glob('*.tgz')
            suite.call('sh', '-c', 'tar -xOf "$0" --wildcards "*.tar.xz" | '
                       'tar -xJ --no-same-owner', archive, cwd=folder)
            archive.unlink()

        prefix = f'{cpu}-unknown-linux-gnu'
        folder = self.cache.once(package.replace('/', '_'), make)
        sysroot = folder / prefix / 'sysroot'
        wrapper = [f'qemu-{cpu}', '-L', sysroot]
        if cpu == 'x86_64':
            wrapper = [sysroot / 'lib/ld-linux-x86-64.so.2', '--library-path',
                       sysroot / 'lib']
        old = suite.Target(f'{cpu}-old', f'{folder}/bin/{prefix}-gcc', cpu,
                           'little', map(str, wrapper))
        new = suite.Target(f'{cpu}-new', cc, cpu)
        cmocka = old.cmocka(self.source, self.build)
        tap.skip(f'{place}: test-generic', 'needs _Generic, which is gcc 4.9')
        for target, syscall, column in ((new, 'raw', 'raw, made on Debian'),
                                        (old, 'auto', 'made there')):
            library, = target.build(self.root, self.build, cmocka,
                                    [f'syscall={syscall}'], [self.library],
                                    tests='disabled')
            built = []
            for name in self.programs:
                program = library.parent / Path(name).name
                if program.name in (*KERNELS_OWN, 'test-generic'):
                    continue
                suite.call(
                    old.cc, '-std=gnu11', '-O1', '-w', '-pthread', '-include',
                    'linux/falloc.h', f'-DSYS_memfd_create={number}',
                    '-I', self.root / 'include', '-I', self.source / 'include',
                    self.root / f'{name.replace("test-", "")}.c', library,
                    cmocka / 'libcmocka.a', f'-Wl,-rpath,{library.parent}',
                    '-lrt', '-o', program)
                built.append(program)
            self.run(f'{place}, {column}', old, built)

    def numbers(self, place):
        """Debian's newest kernel headers have all architectures in one
        package; libc's are not there for most."""
        suite.need('clang')
        folder, version = self.cache.deb(self.cache.apt('sid'),
                                         'linux-libc-dev')
        compared = self.build / 'syscalls.c'
        compared.write_text(
            '#include <asm/unistd.h>\n'
            '#define SYS_memfd_create __NR_memfd_create\n' +
            re.sub('#include .*', '',
                   (self.root / 'src/syscalls.h').read_text()) +
            '#ifndef MEMFD_CREATE_NR\n'
            '#error "src/syscalls.h has no number for this architecture"\n'
            '#endif\n')
        for headers, *options in NUMBERS:
            output, status = suite.run(
                ['clang', *options, '-fsyntax-only', '-Dmode_t=int',
                 '-Doff_t=long long', '-Dsize_t=long', '-Dssize_t=long',
                 '-nostdinc',
                 '-isystem', folder / 'usr/lib/linux/uapi' / headers,
                 '-isystem', folder / 'usr/include', compared])
            name = options[0].partition('=')[2] or headers
            suite.result(f'{name}: the number of Linux {version}', status,
                         output)


def main():
    try:
        arches = Arches(*sys.argv[1:3], sys.argv[3:])
    except suite.Unavailable as error:
        tap.missing('cmocka', error)
        tap.finish()
    for cpu, *machine in CROSS:
        arches.attempt(cpu, arches.cross, *machine)
    arches.attempt('x86_64, musl', arches.musl)
    for cpu, *machine in OLD:
        arches.attempt(f'{cpu}, glibc 2.17', arches.old, cpu, *machine)
    arches.attempt('numbers', arches.numbers)
    arches.finish()


main()
