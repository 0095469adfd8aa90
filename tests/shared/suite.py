# SPDX-License-Identifier: MIT
"""What the suites `kernels` and `arches` share: packages of any Debian release,
the unit tests built for another machine, and what they printed there."""
import fcntl
import os
import re
import shutil
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import tap

# No program takes so long, on a busy machine either: one that does hangs.
LIMIT = '40m'


class Unavailable(Exception):
    """Something that this machine or its mirror does not have."""


def comment(output):
    """The end of what something printed, for who reads why it failed."""
    for line in output.splitlines()[-60:]:
        print(f'#   {line}')


def result(name, bad, output):
    """A line of TAP and, if it is bad, the end of what was printed."""
    tap.result(name, bool(bad))
    if bad:
        comment(output)


class Result:
    """What one cmocka program printed."""

    def __init__(self, name, output, status):
        self.name, self.output = name, output
        self.passed, self.failed, self.skipped = tap.cmocka(output)
        self.reasons = re.findall(
            r'^# ([^\n]*)\n(?:[^[\n][^\n]*\n)*\[  SKIPPED \] \S+$', output,
            re.M)
        self.named = set(re.findall(
            r'^\[  (?:FAILED |ERROR  |SKIPPED) \] (\w+)$', output, re.M))
        groups = re.findall(r'Running (\d+) test', output)
        planned = sum(map(int, groups))
        # To its end, with a verdict on each test.
        self.whole = planned == output.count('[ RUN      ]') > 0 and \
            len(groups) == output.count('[  PASSED  ]')
        # A program that crashed has printed no numbers.
        if not planned or status != self.failed or \
                planned != self.passed + self.failed + self.skipped:
            self.failed += not self.failed
        self.good = not self.failed

    def __str__(self):
        return (f'{self.name}: {self.passed} passed, {self.failed} failed, '
                f'{self.skipped} skipped')


def report(where, programs):
    """A line for each program that ran in one place."""
    for program in programs:
        result(f'{where}: {program}', not program.good, program.output)
        # For .ci/count.py, which knows what may be skipped.
        for reason in program.reasons:
            tap.comment(f'skipped: {reason}')


def write_between(path, name, lines):
    """What a suite found, between the two markers of that name in a file."""
    begin, end = f'<!-- {name}:begin -->', f'<!-- {name}:end -->'
    text = Path(path).read_text()
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        sys.exit(f'{path}: no {begin} and {end}')
    Path(path).write_text('\n'.join([before + begin, *lines, end + after]))


def need(tool):
    if not shutil.which(tool):
        raise Unavailable(f'{tool} is missing')


def call(*command, **options):
    """The output of a command, whose own complaints nobody needs to see."""
    return subprocess.run(list(map(str, command)), check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options).stdout


def run(command):
    """The output and status of a command, which ends with all that it started
    if it reaches the limit."""
    process = subprocess.run(
        ['timeout', '--signal=KILL', LIMIT, *map(str, command)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    # Consoles end lines with both.
    output = re.sub('\r\n?', '\n', process.stdout.decode(errors='replace'))
    return output, process.returncode


class Cache:
    """A folder for all that is downloaded, for several suites at a time."""

    def __init__(self, default):
        self.path = Path(os.environ.get('MEMFD_CACHE') or default).resolve()
        self.path.mkdir(parents=True, exist_ok=True)

    def alone(self, name):
        """Wait while another suite does the same; until it is closed, what is
        returned makes others wait."""
        lock = open(self.path / f'{name}.lock', 'w')
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def apt(self, release, kind='deb', architecture='amd64'):
        """apt for one release of Debian, from the mirror of this machine.

        Its lists and its configuration are in the cache: the machine's own
        know nothing of it.
        """
        need('apt-get')
        targets = call('apt-get', 'indextargets', '--format',
                       '$(ORIGIN) $(RELEASE) $(SITE)').splitlines()
        sites = {}
        for origin, name, site in (t.split() for t in targets):
            if origin == 'Debian' and not name.endswith('-updates'):
                sites.setdefault(name.endswith('-security'), (name, site))
        if False not in sites:
            raise Unavailable('no mirror of Debian is configured')
        release = release or sites[False][0]
        folder = self.path / '-'.join([
            release, kind, *([architecture] * (architecture != 'amd64'))])
        for name in 'lists/partial', 'archives/partial':
            (folder / name).mkdir(parents=True, exist_ok=True)
        sources = f'{kind} {sites[False][1]} {release} main\n'
        # Neither sid nor backports have security updates of their own.
        if True in sites and release != 'sid' and '-' not in release:
            sources += f'{kind} {sites[True][1]} {release}-security main\n'
        (folder / 'sources.list').write_text(sources)
        options = [
            f'Dir::Etc::SourceList={folder}/sources.list',
            'Dir::Etc::SourceParts=-', 'Dir::Etc::Preferences=-',
            'Dir::Etc::PreferencesParts=-', f'Dir::State={folder}',
            'Dir::State::Status=/dev/null', f'Dir::Cache={folder}',
            f'APT::Architecture={architecture}',
            f'APT::Architectures={architecture}', 'APT::Sandbox::User=root']

        def apt(tool, *arguments, **more):
            # Installed where no shell looks for it.
            return call('/usr/lib/apt/apt-helper' if tool == 'helper'
                        else f'apt-{tool}', '-q',
                        *(f'-o{option}' for option in options),
                        *arguments, **more)

        try:
            with self.alone(folder.name):
                apt('get', 'update')
        except subprocess.CalledProcessError as error:
            index = 'Sources' if kind == 'deb-src' else 'Packages'
            if not list((folder / 'lists').glob(f'*_{index}*')):
                missing = re.search(r' 404 |does not have a Release',
                                    error.stderr)
                raise Unavailable('not on the mirror' if missing else
                                  'the mirror cannot be reached') from error
        return apt

    def once(self, name, make):
        """The folder of that name, made once and whole."""
        folder = self.path / name
        with self.alone(name):
            if not folder.exists():
                partial = self.path / f'{name}.partial'
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                try:
                    make(partial)
                except subprocess.CalledProcessError as error:
                    raise Unavailable(
                        f'{name}: {error.stderr[-300:]}') from error
                partial.rename(folder)
        return folder

    def deb(self, apt, package, wanted=(), needs=()):
        """The files of a package, by its version, which is returned too: those
        that a pattern fits, or all. In the same folder, those of the packages
        that it needs.
        """
        try:
            version = re.search(r'^Version: (.*)', apt(
                'cache', 'show', '--no-all-versions', package), re.M)[1]
        except subprocess.CalledProcessError as error:
            raise Unavailable(f'{package} is not on the mirror') from error

        def make(folder):
            apt('get', 'download', package, *needs, cwd=folder)
            for deb in folder.glob('*.deb'):
                # Not each of them has something that each pattern fits.
                call('sh', '-c', 'dpkg-deb --fsys-tarfile "$0" | '
                     'tar -x --wildcards "$@" || test $# -gt 1',
                     deb, *wanted, cwd=folder)
                deb.unlink()

        # A folder with other files of it is another one.
        files = [re.sub(r'\W+', '', pattern) for pattern in wanted]
        return self.once('_'.join([package, version, *files]), make), version

    def source(self, release, package):
        """The upstream source of a package, by its version, which is returned
        too: the release's own archive without Debian's changes, since mirrors
        that lack a source package's small files often have the large one."""
        apt = self.apt(release, 'deb-src')
        try:
            files = re.findall(
                r"^'([^']+)' (\S+)_([^_]+)\.orig\.tar\.\w+ \d+ (\S+)$",
                apt('get', 'source', '--print-uris', '--only-source', package),
                re.M)
            (uri, _, version, digest), = files
        except (subprocess.CalledProcessError, ValueError) as error:
            raise Unavailable('not on the mirror') from error

        def make(folder):
            archive = folder / 'archive'
            try:
                apt('helper', 'download-file', uri, archive, digest)
            except subprocess.CalledProcessError as error:
                reason = error.stderr.partition('\n')[0]
                raise Unavailable(
                    f'{version} is not on the mirror' if ' 404 ' in reason
                    else f'{version}: {reason}') from error
            call('tar', '-x', '-C', folder, '--strip-components=1',
                 '-f', archive)
            archive.unlink()

        return self.once(f'{package}_{version}_source', make), version

    def cmocka_source(self):
        """Debian has no static cmocka, and none for most other machines."""
        return self.source(None, 'cmocka')[0]


class Target:
    """A machine and libc to build for, and how to run there what was built."""

    def __init__(self, name, cc, cpu='x86_64', endian='little', wrapper=(),
                 c_args=(), link_args=()):
        self.name, self.cc = name, cc
        self.cpu, self.endian, self.wrapper = cpu, endian, list(wrapper)
        self.c_args, self.link_args = list(c_args), list(link_args)

    def cmocka(self, source, build):
        folder = build / self.name / 'cmocka'
        if (folder / 'cmocka.pc').exists():
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        have = ('INTTYPES_H', 'MALLOC_H', 'SIGNAL_H', 'STRINGS_H', 'STRSIGNAL',
                'SIGLONGJMP', 'GCC_THREAD_LOCAL_STORAGE')
        call(self.cc, '-O1', '-fPIC', *self.c_args,
             *(f'-DHAVE_{name}' for name in have),
             '-I', source / 'include', '-c', source / 'src/cmocka.c',
             '-o', folder / 'cmocka.o')
        call('ar', 'rcs', folder / 'libcmocka.a', folder / 'cmocka.o')
        (folder / 'cmocka.pc').write_text(
            f'Name: cmocka\nDescription: cmocka\nVersion: 1.1\n'
            f'Cflags: -I{source}/include\nLibs: -L{folder} -lcmocka\n')
        return folder

    def build(self, root, build, cmocka, options, programs,
              tests='enabled'):
        """Build the programs with Meson, as anyone who ports would."""
        build = build / self.name
        text = '\n'.join([
            '[binaries]', f'c = {self.cc!r}', "ar = 'ar'",
            "pkgconfig = 'pkg-config'",
            f'exe_wrapper = {self.wrapper}' if self.wrapper else '',
            '[built-in options]', f'c_args = {self.c_args}',
            f'c_link_args = {self.link_args}',
            '[properties]', f"pkg_config_libdir = '{cmocka}'",
            f'needs_exe_wrapper = {"true" if self.wrapper else "false"}',
            '[host_machine]', "system = 'linux'", f"cpu_family = '{self.cpu}'",
            f"cpu = '{self.cpu}'", f"endian = '{self.endian}'", ''])
        cross = build / 'cross.ini'
        build = build / '-'.join(['build', *options]).replace('=', '-')
        if not (build / 'build.ninja').exists() or \
                not cross.exists() or cross.read_text() != text:
            shutil.rmtree(build, ignore_errors=True)
            cross.parent.mkdir(parents=True, exist_ok=True)
            cross.write_text(text)
            call('meson', 'setup', build, root, '--cross-file', cross,
                 f'-Dtests={tests}', *(f'-D{option}' for option in options))
        call('ninja', '-C', build, *programs)
        return [build / program for program in programs]

    def run(self, programs):
        with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(
                lambda program: Result(program.name,
                                       *run([*self.wrapper, program])),
                programs))
