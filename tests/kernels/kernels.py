#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kernels.py SOURCE BUILD PROGRAM...: the unit tests on other kernels.

Builds the programs statically and runs them on the kernel of this machine; in
virtual machines, on the kernel for clouds of each release of Debian, and on one
whose pages have 64 KiB; and in gVisor. MEMFD_CACHE is where packages are kept.
"""
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'shared'))
import suite  # noqa: E402
from suite import tap  # noqa: E402

# They ask the kernel for nothing, or a made-up one: on the host alone.
ANYWHERE = 'test-calls', 'test-generic', 'test-names'
# Takes minutes for gigabytes that no kernel treats otherwise, but for the size
# of its pages.
LARGE = 'test-large'
# What only Linux is to be like; a seccomp filter is the same in gVisor.
LINUX_ONLY = 'test-files', 'test-fuse'


class Machine:
    """A virtual machine, and which of Debian's kernels runs there."""

    def __init__(self, architecture, flavour, target, emulator, console,
                 memory=1024, levels='0 1 2', large=False, only='', note=''):
        self.architecture, self.target, self.note = architecture, target, note
        self.kernel = re.compile(rf'Depends: linux-image-(\S+-{flavour})$',
                                 re.M)
        self.package = f'linux-image-{flavour}'
        self.emulator, self.console, self.memory = emulator, console, memory
        self.levels, self.large, self.only = levels, large, only

    def command(self, image, archive, programs):
        # Time passes with the instructions that are run: on a busy host, a
        # kernel whose time was the host's panicked for want of a timer
        # interrupt. The kernel hands "levels" to init as a variable.
        return [*self.emulator, '-accel', 'tcg',
                '-icount', 'shift=3,sleep=off', '-m', self.memory,
                '-display', 'none', '-monitor', 'none', '-serial', 'stdio',
                '-no-reboot', '-net', 'none', '-kernel', image,
                '-initrd', archive, '-append', ' '.join([
                    f'console={self.console} quiet loglevel=1 panic=-1',
                    f'levels="{self.levels}" --',
                    *(f'/tests/{program.name}' for program in programs)])]


STATIC = suite.Target('static', 'gcc', link_args=['-static'])
CLOUD = Machine('amd64', 'cloud-amd64', STATIC,
                ['qemu-system-x86_64', '-cpu', 'max'], 'ttyS0')
POWER = Machine('ppc64el', 'powerpc64le-64k',
                suite.Target('static-ppc64le', 'powerpc64le-linux-gnu-gcc',
                             'ppc64', wrapper=['qemu-ppc64le'],
                             link_args=['-static']),
                ['qemu-system-ppc64', '-machine', 'pseries,x-vof=on'], 'hvc0',
                memory=4096, levels='0', large=True,
                note=', ppc64le, pages of 64 KiB')
# hugetlbfs is there, and no page to be had of it.
NO_HUGE_PAGES = Machine('amd64', 'cloud-amd64', STATIC,
                        ['qemu-system-x86_64', '-cpu', 'max,-pse,-pdpe1gb'],
                        'ttyS0', levels='0', only='test-hugetlb',
                        note=', no huge pages')
KERNELS = ((CLOUD, 'bullseye'), (CLOUD, 'bookworm'), (CLOUD, 'trixie'),
           (CLOUD, 'sid'), (CLOUD, 'trixie-backports'), (POWER, 'sid'),
           (NO_HUGE_PAGES, 'bullseye'))
# The tests that do not pass in gVisor, and what it does otherwise.
SEALS = 'any seal can be set, whether gVisor knows it or not'
HUGE = 'there are no huge pages: MFD_HUGETLB is EINVAL'
OTHERWISE = {
    'cancelled_thread_returns_from_each_function': SEALS,
    'unknown_seal_is_einval_and_sets_none': SEALS,
    'exec_on_an_executable_file_seals_its_bytes_too':
        'the seal exec is stored, and has no effect',
    'every_set_of_seals_forbids_what_the_manual_says':
        'fallocate(2) punches no holes in a memfd, and the seal future-write '
        'is stored and has no effect',
    'name_of_249_bytes_is_the_longest':
        'a name has 248 bytes at most, and a longer one is ENAMETOOLONG',
    'no_room_for_a_descriptor_is_an_error':
        'descriptors that find no room are lost without MSG_CTRUNC',
    'pipe_socket_and_terminal_are_espipe': 'pread(2) of a terminal is EINVAL',
    'write_with_io_in_flight_is_ebusy': 'there is no vmsplice(2)',
    'each_size_is_a_file_or_enodev': HUGE,
    'exec_seal_is_reported_but_not_enforced': HUGE,
    'sized_in_whole_pages_only': HUGE,
}
# Where the kernel and its modules are: since 7.2 no longer in the image; and a
# new one may be there before it is signed.
NAMES = (('linux-image-{}',), ('linux-binary-{}', 'linux-modules-{}'),
         ('linux-image-{}-unsigned',),
         ('linux-binary-unsigned-{}', 'linux-modules-{}'))
# What a kernel does not have built in, each after those that it needs.
MODULES = ('fuse', 'overlay', 'loop', 'squashfs', 'crc16', 'mbcache', 'jbd2',
           'ext4', 'fat', 'vfat', 'nls_cp437', 'nls_ascii', 'libcrc32c',
           'libblake2b', 'zstd_compress', 'xor', 'raid6_pq', 'btrfs')
# The file systems to mount: how each is made in a file of this size. (XFS takes
# half a minute to load, for the number of its trace points.)
SIZE = 16 << 20
IMAGES = {
    'ext4': ['mke2fs', '-q', '-F', '-t', 'ext4'],
    'vfat': ['mkfs.vfat'],
    'btrfs': ['mkfs.btrfs', '-q', '--mixed'],
}
TOOLS = {'cpio', 'dpkg-deb', 'mksquashfs',
         *(command[0] for command in IMAGES.values()),
         *(machine.emulator[0] for machine, _ in KERNELS),
         *(machine.target.cc for machine, _ in KERNELS)}


def kernel(cache, machine, release):
    """The current kernel of a release, its modules, and its package's
    version."""
    apt = cache.apt(release, architecture=machine.architecture)
    found = machine.kernel.search(apt('cache', 'depends', machine.package))
    for names in NAMES if found else ():
        package, *needs = [name.format(found[1]) for name in names]
        try:
            folder, version = cache.deb(
                apt, package, ('*/vmlinu[xz]*', '*.ko', '*.ko.xz'), needs)
            image, = folder.glob('**/vmlinu[xz]*')
        except (suite.Unavailable, ValueError):
            continue
        modules = {path.name.partition('.')[0]: path
                   for path in folder.glob('**/*.ko*')}
        return image, [modules[name] for name in MODULES if name in modules], \
            version
    raise suite.Unavailable('no kernel on the mirror')


def images(folder, busybox):
    """The file systems in the files of this folder. The one that cannot be
    written has something to read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, command in IMAGES.items():
        image = folder / name
        image.touch()
        os.truncate(image, SIZE)
        suite.call(*command, image)
    suite.call('mksquashfs', busybox, folder / 'squashfs', '-quiet',
               '-noappend')
    return sorted(folder.iterdir())


def initramfs(path, files):
    """An archive that every kernel unpacks: files, each by its name there."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for name, file in files.items():
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            data = file.read_bytes()
            copy.write_bytes(
                lzma.decompress(data) if file.suffix == '.xz' else data)
            copy.chmod(0o755)
        suite.call('sh', '-c', 'find . | cpio -o -H newc -R 0:0 >"$0"', path,
                   cwd=folder)


def report(row, output, programs, values='0 1 2'):
    """What init printed, by the value of vm.memfd_noexec. Returns which side of
    that (Linux 6.3) the kernel is on."""
    found = {}
    for level, name, text, status in re.findall(
            r'^@begin (\S+) (\S+)\n(.*?)^@end (\d+)', output, re.M | re.S):
        found.setdefault(level, []).append(
            suite.Result(name, text, int(status)))
    for level, results in found.items():
        suite.report(row if level == '-' else f'{row}, vm.memfd_noexec {level}',
                     results)
    # What was not reached has no results; that it was not is one failure.
    ran = [len(results) for results in found.values()]
    if ran != [len(programs)] * (
            1 if '-' in found else len(values.split())):
        last = output.rpartition('@begin ')[2]
        suite.result(f'{row}: ends in {last.partition(chr(10))[0]}', True, last)
    return 'before' if '-' in found else 'after'


def without(names, *those):
    return [name for name in names if name.rpartition('/')[2] not in those]


class Kernels:
    def __init__(self, root, build, names):
        self.root, self.build, self.names = root, build, names
        self.cache = suite.Cache(build.parent / 'cache')
        self.init = root / 'tests/kernels/init.sh'
        self.built = {}

    def programs(self, target, names):
        """Built once for each target, all of them."""
        if target not in self.built:
            cmocka = target.cmocka(self.cache.cmocka_source(), self.build)
            self.built[target] = target.build(
                self.root, self.build, cmocka, ['default_library=static'],
                self.names)
        return [path for path, name in zip(self.built[target], self.names)
                if name in names]

    def busybox(self, architecture):
        apt = self.cache.apt(None, architecture=architecture)
        return self.cache.deb(apt, f'busybox-static:{architecture}',
                              ['./bin/busybox'])[0] / 'bin/busybox'

    def prepare(self, machine, release, disks):
        """What to run for a machine, and what report() wants to know of it."""
        names = without(self.names, *ANYWHERE,
                        *(() if machine.large else (LARGE,)))
        if machine.only:
            names = [name for name in names if name.endswith(machine.only)]
        programs = self.programs(machine.target, names)
        image, modules, version = kernel(self.cache, machine, release)
        files = {'init': self.init,
                 'bin/busybox': self.busybox(machine.architecture)}
        for folder, paths in ('tests', programs), ('images', disks):
            files.update({f'{folder}/{path.name}': path for path in paths})
        files.update({f'modules/{n:02}': path
                      for n, path in enumerate(modules)})
        name = release + machine.note
        archive = self.build / re.sub(r'\W+', '-', f'initramfs {name}')
        initramfs(archive, files)
        return (machine.command(image, archive, programs),
                f'Linux {version} ({name})', programs, machine.levels)

    def linux(self):
        """All of them, as many at a time as there are processors: none of them
        looks at the clock of this machine."""
        programs = self.programs(STATIC, without(self.names, LARGE))
        runs = [(['sh', self.init, *programs],
                 f'Linux {os.uname().release} (the host)', programs)]
        disks = images(self.build / 'images', self.busybox('amd64'))
        for machine, release in KERNELS:
            try:
                runs.append(self.prepare(machine, release, disks))
            except suite.Unavailable as error:
                tap.skip(release + machine.note, error)
        with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            outputs = pool.map(lambda run: suite.run(run[0])[0], runs)
            sides = [report(row, output, *rest)
                     for (_, row, *rest), output in zip(runs, outputs)]
        for side in 'before', 'after':
            tap.result(f'a kernel from {side} Linux 6.3 was tested',
                       side not in sides)

    def gvisor(self):
        """Those tests pass in gVisor that are not listed, and no others."""
        folder, version = self.cache.deb(self.cache.apt('trixie'), 'runsc',
                                         ['./usr/bin/runsc'])
        row = f'gVisor {version}'
        results = suite.Target('gvisor', 'gcc', wrapper=[
            folder / 'usr/bin/runsc', f'--root={self.build}/runsc', '--platform=ptrace',
            '--network=none', '--ignore-cgroups', 'do', '--',
        ]).run(self.programs(STATIC, without(
            self.names, *ANYWHERE, LARGE, *LINUX_ONLY)))
        bad = [result for result in results if not result.whole or
               result.named - OTHERWISE.keys()]
        for result in results:
            suite.result(f'{row}: {result}', result in bad, result.output)
        others = set.union(*(result.named for result in results))
        for test, reason in OTHERWISE.items():
            tap.result(f'{row}: {test}: {reason}', test not in others)


def main():
    root, build, *names = sys.argv[1:]
    root, build = Path(root), Path(build)
    # Those that make file systems are not in everybody's.
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    kernels = Kernels(root, build, names)
    for what, run in ('kernels', kernels.linux), ('gVisor', kernels.gvisor):
        try:
            for tool in TOOLS:
                suite.need(tool)
            run()
        except suite.Unavailable as error:
            tap.missing(what, error)
        except subprocess.CalledProcessError as error:
            suite.result(f'{what}: the programs can be built', True,
                         error.stdout + error.stderr)
    tap.finish()


main()
