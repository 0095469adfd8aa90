#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kernels.py SOURCE BUILD PROGRAM...: the unit tests on other kernels.

Builds the programs statically and runs them on the kernel of this machine and,
in a virtual machine, on the kernel for clouds of each release of Debian; at each
value of vm.memfd_noexec. MEMFD_CACHE is where packages are kept.
"""
import lzma
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'shared'))
import suite  # noqa: E402

RELEASES = 'bullseye', 'bookworm', 'trixie', 'sid', 'trixie-backports'
PACKAGE = re.compile(r'Depends: linux-image-(\S+-cloud-amd64)')
# Where the kernel and its modules are: since 7.2 no longer in the image; and a
# new one may be there before it is signed.
NAMES = (('linux-image-{}',), ('linux-binary-{}', 'linux-modules-{}'),
         ('linux-image-{}-unsigned',),
         ('linux-binary-unsigned-{}', 'linux-modules-{}'))
# What a kernel does not have built in, each after those that it needs.
MODULES = ('libcrc32c', 'fuse', 'overlay', 'loop', 'squashfs', 'fat', 'vfat',
           'nls_cp437', 'nls_ascii', 'xfs')
# The file systems to mount: how each is made in a file of this size. Of the
# options, those of XFS are for one this small.
SIZE = 16 << 20
IMAGES = {
    'ext4': ['mke2fs', '-q', '-F', '-t', 'ext4'],
    'vfat': ['mkfs.vfat'],
    'xfs': ['mkfs.xfs', '-q', '--unsupported'],
}


def kernel(cache, release):
    """The current kernel of a release, its modules by name, and its package's
    version."""
    apt = cache.apt(release)
    found = PACKAGE.search(apt('cache', 'depends', 'linux-image-cloud-amd64'))
    for names in NAMES if found else ():
        package, *needs = [name.format(found[1]) for name in names]
        try:
            folder, version = cache.deb(
                apt, package, ('*/vmlinuz*', '*.ko', '*.ko.xz'), needs)
            image, = folder.glob('**/vmlinuz*')
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
    folder.mkdir(exist_ok=True)
    for name, command in IMAGES.items():
        image = folder / name
        image.write_bytes(b'')
        os.truncate(image, SIZE)
        suite.call(*command, image)
    suite.call('mksquashfs', busybox, folder / 'squashfs', '-quiet',
               '-noappend')
    return sorted(folder.iterdir())


def initramfs(path, files):
    """A cpio archive of the "newc" kind, which every kernel unpacks: files,
    each by its name there."""
    with open(path, 'wb') as archive:
        def put(name, mode, data=b''):
            name = name.encode() + b'\0'
            fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
            archive.write(b'070701' + b''.join(b'%08x' % f for f in fields))
            for part in name, data:
                archive.write(part)
                archive.write(bytes(-archive.tell() % 4))

        for folder in sorted({name.rpartition('/')[0] for name in files} - {''}):
            put(folder, 0o040755)
        for name, file in files.items():
            data = file.read_bytes()
            put(name, 0o100755,
                lzma.decompress(data) if file.suffix == '.xz' else data)
        put('TRAILER!!!', 0)


def virtual_machine(image, archive, programs):
    # Time passes with the instructions that are run: on a busy host, a kernel
    # whose time was the host's panicked for want of a timer interrupt.
    return ['qemu-system-x86_64', '-accel', 'tcg',
            '-icount', 'shift=3,sleep=off', '-cpu', 'max', '-m', '1024',
            '-display', 'none', '-monitor', 'none', '-serial', 'stdio',
            '-no-reboot', '-net', 'none', '-kernel', image, '-initrd', archive,
            '-append', 'console=ttyS0 quiet loglevel=1 panic=-1 -- ' +
            ' '.join(f'/tests/{program.name}' for program in programs)]


def levels(output):
    """The results in what init printed, by the value of the sysctl."""
    found = {}
    for level, name, text, status in re.findall(
            r'^@begin (\S+) (\S+)\n(.*?)^@end (\d+)', output, re.M | re.S):
        found.setdefault(level, []).append(
            suite.Result(name, text, int(status)))
    return found


def measure(tap, name, command, programs, version=None):
    """Which side of vm.memfd_noexec (Linux 6.3) the kernel is on."""
    output, _ = suite.run(command)
    about = re.search(r'^@kernel (\S+)', output, re.M)
    # Of the host's own name for it, the number.
    number = version or (about and about[1].partition('-')[0])
    row = f'Linux {number} ({name})'
    found = levels(output)
    for level, results in found.items():
        tap.programs(row, '' if level == '-' else f'vm.memfd_noexec {level}',
                     results)
    # What was not reached has no results; that it was not is one failure.
    ran = [len(results) for results in found.values()]
    if ran != [len(programs)] * (1 if '-' in found else 3):
        last = output.rpartition('@begin ')[2]
        tap.line(False, f'{row}: ends in {last.partition(chr(10))[0]}')
        suite.comment(last)
        tap.cell(f'{row}, to its end', '', [])
    return 'before' if '-' in found else 'after'


def main():
    root, build, *names = sys.argv[1:]
    root, build = Path(root), Path(build)
    # Takes minutes for gigabytes that no kernel treats otherwise.
    names = [name for name in names if not name.endswith('test-large')]
    tap = suite.Tap('kernels', build)
    cache = suite.Cache(build.parent / 'cache')
    static = suite.Target('static', 'gcc', link_args=['-static'])
    # Those that make file systems are not in everybody's.
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    try:
        for tool in ('gcc', 'qemu-system-x86_64', 'dpkg-deb', 'mksquashfs',
                     *(command[0] for command in IMAGES.values())):
            suite.need(tool)
        programs = static.build(
            root, build, static.cmocka(cache.cmocka_source(), build),
            ['default_library=static'], names)
        busybox = cache.deb(cache.apt(None), 'busybox-static',
                            ['./bin/busybox'])[0] / 'bin/busybox'
    except suite.Unavailable as error:
        tap.missing('kernels', error)
        tap.end()
    except subprocess.CalledProcessError as error:
        tap.line(False, 'the unit tests can be built statically')
        suite.comment(error.stdout + error.stderr)
        tap.end()
    archive = build / 'initramfs'
    init = root / 'tests/kernels/init.sh'
    files = {'init': init, 'bin/busybox': busybox}
    for folder, paths in (('tests', programs),
                          ('images', images(build / 'images', busybox))):
        files.update({f'{folder}/{path.name}': path for path in paths})

    sides = [measure(tap, 'the host', ['sh', init, *programs], programs)]
    for release in RELEASES:
        try:
            image, modules, version = kernel(cache, release)
        except suite.Unavailable as error:
            tap.skip(release, error)
            tap.cells.append({'row': f'Linux of {release}: {error}'})
            continue
        initramfs(archive, files | {f'modules/{n:02}': path for n, path
                                    in enumerate(modules)})
        sides.append(measure(
            tap, release, virtual_machine(image, archive, programs), programs,
            version))
    for side in 'before', 'after':
        tap.line(side in sides, f'a kernel from {side} Linux 6.3 was tested')
    tap.end()


main()
