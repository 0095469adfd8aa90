# SPDX-License-Identifier: MIT
"""What is special about each program: where its source is, how it is built and
tested, which of its definitions libmemfd replaces, and what it then makes."""
import ctypes
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

from edit import Edited
from suite import MINUTE, call

HERE = Path(__file__).parent


class File:
    """What can be seen of a memfd that a process has."""

    def __init__(self, libmemfd, link):
        flags = re.search(r'^flags:\s*(\d+)', (
            link.parents[1] / 'fdinfo' / link.name).read_text(), re.M)[1]
        self.mode = stat.S_IMODE(link.stat().st_mode)
        self.cloexec = bool(int(flags, 8) & os.O_CLOEXEC)
        text = ctypes.create_string_buffer(128)
        with link.open('rb') as file:
            if libmemfd.memfd_get_seals_str(file.fileno(), text, 128) < 0:
                raise OSError(f'{link} has no seals')
        self.seals = set(filter(None, text.value.decode().split(',')))
        self.parts = {'mode': f'{self.mode:04o}',
                      'seals': text.value.decode() or 'none',
                      'close-on-exec': 'yes' if self.cloexec else 'no'}

    def __str__(self):
        return ', '.join(map(' '.join, self.parts.items()))

    def worse(self, before):
        """What this one must not lose, and what none should have."""
        return self.mode & 0o111 or not self.cloexec or \
            before.seals - self.seals

    def since(self, before):
        """What is not as it was."""
        return ', '.join(f'{part} {old} → {self.parts[part]}'
                         for part, old in before.parts.items()
                         if old != self.parts[part])


class Said:
    """What a program said that was started in some place, and what it says
    where all is as usual."""

    def __init__(self, status, output, usual=None):
        self.status, self.text = status, (output.splitlines() or ['nothing'])[0]
        self.usual = usual or self

    def __str__(self):
        return f'"{self.text}"'

    def worse(self, before):
        """Ordinary users may not run containers everywhere, in a chroot for
        example: then it has to fail as usual."""
        return self.status and (self.status, self.text) != \
            (before.usual.status, before.usual.text)

    def since(self, before):
        return f'{before} → {self}' if before.text != self.text else ''


class Program:
    """A source tree, as it is or ported to the libmemfd installed in `prefix`,
    and its build in it."""

    # Releases of Debian, in the order in which they are tried.
    releases = ('trixie', 'sid', 'bookworm')
    # Where the file over memfd.h belongs, and what must link libmemfd.so.1.
    ours = linked = None
    # How many of its tests pass at least as it is, or else too little was run.
    passes = 1
    options = ()
    # What the table says where nothing that is looked at has changed.
    same = 'the same files'
    ported = False

    def __init__(self, tree, prefix):
        self.tree, self.prefix = Path(tree), Path(prefix)
        self.build = self.tree / 'build'
        self.env = {**os.environ, 'LC_ALL': 'C.UTF-8'}
        for name in ('CC', 'CFLAGS', 'CPPFLAGS', 'LDFLAGS', 'MAKEFLAGS',
                     'MESON_TESTTHREADS', 'DISPLAY', 'WAYLAND_DISPLAY',
                     'DBUS_SESSION_BUS_ADDRESS', 'NOTIFY_SOCKET',
                     'XDG_RUNTIME_DIR'):
            self.env.pop(name, None)

    def port(self):
        self.ported = True
        self.env['PKG_CONFIG_PATH'] = str(self.prefix / 'lib/pkgconfig')
        self.env['LDFLAGS'] = f'-Wl,-rpath,{self.prefix}/lib'
        shutil.copy(HERE / f'{self.name}.c', self.tree / self.ours)
        self.edit()

    def edited(self, path):
        return Edited(self.tree / path)

    def call(self, *command, **options):
        return call(*command, cwd=self.tree, env=self.env, **options)

    def look(self):
        """What it makes, by a description of that."""
        return {}

    def files(self, name, *command, until):
        """The memfds of that name that a program has once it has said
        something, in the order in which it made them."""
        libmemfd = ctypes.CDLL(self.prefix / 'lib/libmemfd.so.1')
        with tempfile.TemporaryDirectory() as home, subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
                env={**self.env, 'HOME': home, 'XDG_RUNTIME_DIR': home}
        ) as process:
            # A limit for one that hangs; nothing here takes seconds.
            limit = threading.Timer(10 * MINUTE, process.kill)
            limit.start()
            try:
                output = ''
                while until not in output:
                    line = process.stdout.readline()
                    output += line
                    if not line:
                        raise subprocess.CalledProcessError(
                            process.wait(), command, output, '')
                return [
                    File(libmemfd, link) for link in sorted(
                        Path(f'/proc/{process.pid}/fd').iterdir(),
                        key=lambda link: int(link.name))
                    if os.readlink(link) == f'/memfd:{name} (deleted)']
            finally:
                limit.cancel()
                process.kill()

    def anonymous(self, name, *objects):
        """The files that its own functions make."""
        program = self.build / 'anonymous'
        self.call('cc', '-o', program, HERE / 'anonymous.c', *objects,
                  *([f'-L{self.prefix}/lib', '-lmemfd', self.env['LDFLAGS']]
                    if self.ported else []))
        return self.files(name, program, until='ready')


class Meson(Program):
    def compile(self):
        self.call('meson', 'setup', self.build, '--wrap-mode=nodownload',
                  *self.options)
        self.call('ninja', '-C', self.build)

    def test(self, *names):
        """Whether each test passed, or each part that it counts in TAP; None
        for what it skipped."""
        with tempfile.TemporaryDirectory() as home:
            # Sockets need a short path, and the user's own files stay as they
            # are.
            subprocess.run(
                ['meson', 'test', '-C', self.build, '--no-rebuild',
                 '--timeout-multiplier=20', *names],
                env={**self.env, 'HOME': home, 'XDG_RUNTIME_DIR': home},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False)
        results = {}
        log = self.build / 'meson-logs/testlog.json'
        for test in map(json.loads, log.read_text().splitlines()):
            project, _, name = test['name'].rpartition(' / ')
            if project:
                name = f'{project.partition(":")[0]}:{name}'
            parts = {
                (name, part.partition('#')[0].strip()):
                None if '# SKIP' in part else not bad
                for bad, part in re.findall(
                    r'^(not )?ok \d+ (.*)', test.get('stdout', ''), re.M)}
            passed = {'OK': True, 'SKIP': None}.get(test['result'], False)
            if not parts or passed is False and all(parts.values()):
                parts[name, ''] = passed
            results.update(parts)
        return results


class DbusBroker(Meson):
    name = 'dbus-broker'
    ours = 'src/util/memfd.c'
    linked = ('src/dbus-broker', 'src/dbus-broker-launch')
    same = 'the same files: its tests compare their modes and seals'
    passes = 40

    def edit(self):
        with self.edited('src/util/misc.c') as file:
            file.take_out('misc_memfd', 'misc_memfd_add_seals',
                          'misc_memfd_get_seals')
        with self.edited('src/meson.build') as file:
            file.insert("'util/misc.c',", "'util/memfd.c',")
            file.extend(r'^deps_bus = \[', " dependency('libmemfd'),")


class Wayland(Meson):
    name = 'wayland'
    options = ('-Ddocumentation=false', '-Ddtd_validation=false')
    ours = 'cursor/memfd.c'
    linked = ('cursor/libwayland-cursor.so.0',)
    passes = 20

    def edit(self):
        with self.edited('cursor/os-compatibility.c') as file:
            file.unifdef('-UHAVE_MEMFD_CREATE', '-DMFD_NOEXEC_SEAL')
            file.rename('os_create_anonymous_file',
                        'os_create_anonymous_file_without_memfd')
        with self.edited('cursor/meson.build') as file:
            file.insert("'os-compatibility.c',", "'memfd.c',")
            file.extend(r'dependencies: \[', " dependency('libmemfd'),")

    def look(self):
        objects = [self.build.glob(f'cursor/*cursor*.p/{name}.c.o')
                   for name in ('os-compatibility', 'memfd')]
        file, = self.anonymous('wayland-cursor', *sum(map(list, objects), []))
        return {'cursors': file}


class Weston(Meson):
    name = 'weston'
    options = (
        '-Dbackend-drm=false', '-Dbackend-drm-screencast-vaapi=false',
        '-Dbackend-rdp=false', '-Dbackend-wayland=false',
        '-Dbackend-x11=false', '-Dbackend-default=headless',
        '-Drenderer-gl=false', '-Dscreenshare=false', '-Dxwayland=false',
        '-Dsystemd=false', '-Dremoting=false', '-Dpipewire=false',
        '-Dcolor-management-lcms=false', '-Dcolor-management-colord=false',
        '-Dlauncher-logind=false', '-Dimage-jpeg=false', '-Dimage-webp=false',
        '-Dtools=', '-Dsimple-clients=', '-Ddemo-clients=false',
        '-Dwcap-decode=false', '-Dshell-ivi=false', '-Dshell-fullscreen=false',
        '-Dtest-gl-renderer=false', '-Dtest-junit-xml=false')
    # Later ones need more than bookworm has.
    releases = ('bookworm',)
    ours = 'shared/memfd.c'
    linked = ('libweston/libweston-*.so.0', 'clients/weston-desktop-shell')
    passes = 100

    def edit(self):
        with self.edited('shared/os-compatibility.c') as file:
            file.unifdef('-UHAVE_MEMFD_CREATE',
                         inside='os_create_anonymous_file')
            file.rename('os_create_anonymous_file',
                        'os_create_anonymous_file_without_memfd')
            file.take_out(
                'READONLY_SEALS', 'ro_anonymous_file',
                'os_ro_anonymous_file_create', 'os_ro_anonymous_file_destroy',
                'os_ro_anonymous_file_size', 'os_ro_anonymous_file_get_fd',
                'os_ro_anonymous_file_put_fd')
        with self.edited('shared/meson.build') as file:
            file.insert("'os-compatibility.c',", "'memfd.c',")
            file.insert(r'^deps_libshared =',
                        "deps_libshared += dependency('libmemfd')")

    def look(self):
        buffer, keymap = self.anonymous(
            'weston-shared', self.build / 'shared/libshared.a')
        return {'buffers': buffer, 'keymaps': keymap}


class PulseAudio(Meson):
    name = 'pulseaudio'
    options = (
        '--auto-features=disabled', '-Dman=false', '-Ddoxygen=false',
        '-Ddatabase=simple', '-Dbluez5-gstreamer=disabled',
        '-Dconsolekit=disabled', '-Dwebrtc-aec=disabled')
    ours = 'src/pulsecore/memfd.c'
    linked = ('src/libpulsecommon-*.so',)
    passes = 30

    def edit(self):
        with self.edited('src/pulsecore/shm.c') as file:
            file.unifdef('-UHAVE_MEMFD', inside='sharedmem_create')
            file.rename('pa_shm_create_rw', 'pa_shm_create_rw_without_memfd')
            file.drop('memfd-wrappers.h')
        (self.tree / 'src/pulsecore/memfd-wrappers.h').unlink()
        with self.edited('src/meson.build') as file:
            file.insert("'pulsecore/shm.c',", "'pulsecore/memfd.c',")
            file.insert(r'^\s*libm_dep, thread_dep, dl_dep, shm_dep, iconv_dep',
                        "dependency('libmemfd'),")

    def look(self):
        files = self.files(
            'pulseaudio', self.build / 'src/daemon/pulseaudio', '-n', '-vvv',
            '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1',
            '-p', self.build / 'src/modules', '-L', 'module-null-sink',
            until='Daemon startup complete')
        return {'memory of the daemon': files[0]}


# In a mount namespace: version 2 of cgroups, and nothing else.
CGROUP2 = """{ umount -R /sys/fs/cgroup || :; } 2>/dev/null &&
    mount -t cgroup2 none /sys/fs/cgroup"""

# Any that is not root: a container maps it to its own root.
USER = 65534
MAPPING = [{'containerID': 0, 'hostID': USER, 'size': 1}]
CONTAINER = {
    'ociVersion': '1.0.0',
    'process': {
        'user': {'uid': 0, 'gid': 0}, 'cwd': '/', 'env': [],
        'args': ['/init', 'echo', 'hello']},
    'root': {'path': 'rootfs', 'readonly': True},
    'mounts': [
        {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
        {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',
         'options': ['mode=755']}],
    'linux': {
        'namespaces': [{'type': 'mount'}, {'type': 'user'}, {'type': 'pid'}],
        'uidMappings': MAPPING, 'gidMappings': MAPPING}}


class Crun(Program):
    name = 'crun'
    options = ('--disable-systemd', '--disable-criu', '--disable-bpf')
    ours = 'src/libcrun/memfd.c'
    linked = ('crun',)
    passes = 60

    def __init__(self, *places):
        super().__init__(*places)
        self.build = self.tree

    def edit(self):
        with self.edited('src/libcrun/cloned_binary.c') as file:
            file.take_out('memfd_create', 'make_execfd', 'seal_execfd',
                          'fd_to_fd', 'CRUN_MEMFD_COMMENT')
            file.unifdef('-DSYS_memfd_create', '-DMFD_CLOEXEC')
            file.publish('try_bindfd_mount_api', 'try_bindfd')
            file.take_out('clone_binary')
            file.insert(r'^#include "linux.h"', 'int clone_binary(void);')
        with self.edited('Makefile.am') as file:
            file.insert(r'src/libcrun/cloned_binary\.c \\$',
                        'src/libcrun/memfd.c \\')
        with self.edited('configure.ac') as file:
            file.insert(r'^AM_CONDITIONAL\(\[DYNLOAD_LIBCRUN\]',
                        'PKG_CHECK_MODULES([MEMFD], [libmemfd])',
                        'CPPFLAGS="$MEMFD_CFLAGS $CPPFLAGS"',
                        'LIBS="$MEMFD_LIBS $LIBS"')

    def compile(self):
        if self.ported:
            self.call('autoreconf', '-fi')
        self.call('./configure', *self.options)
        self.call('make', f'-j{os.cpu_count()}')

    def test(self, *names):
        """In a cgroup of their own, which is removed with all that they leave,
        and in namespaces where it is the root, of version 2, and alone."""
        tests = [f'TESTS={" ".join(names)}'] if names else []
        subprocess.run(
            # A container that hangs ends with the namespaces, after an hour.
            ['timeout', '-s', 'KILL', '1h', 'unshare', '--mount', '--pid',
             '--fork', '--kill-child', '--mount-proc', 'sh', '-c', f"""
             {CGROUP2} && own=$(mktemp -d /sys/fs/cgroup/adopters.XXXXXX) || exit
             (echo 0 >"$own/cgroup.procs" && exec unshare --mount --cgroup \\
                 sh -c '{CGROUP2} && exec "$@"' sh "$@")
             find "$own" -depth -type d -exec rmdir {{}} +""", 'sh',
             'make', f'-j{os.cpu_count()}', '-k', 'check', *tests],
            cwd=self.tree, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        results = {}
        for trs in self.tree.glob('**/*.trs'):
            log = trs.with_suffix('.log')
            for result, name, what in re.findall(
                    r'^(PASS|FAIL|SKIP|ERROR): (\S+)(?: \d+ - )?(.*)$',
                    log.read_text(errors='replace'), re.M):
                results[name, what.partition('#')[0].strip()] = {
                    'PASS': True, 'SKIP': None}.get(result, False)
            log.unlink()
            trs.unlink()
        return results

    def look(self):
        """A container of an ordinary user, who may not mount and so copies the
        executable, whatever the default of memfd_create(2) is."""
        sysctl = Path('/proc/sys/vm/memfd_noexec')
        if not sysctl.exists():
            return {}
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            folder.chmod(0o755)
            shutil.copy(self.tree / 'crun', folder)
            shutil.copy(self.prefix / 'lib/libmemfd.so.1', folder)
            for name in 'dev', 'proc', 'sys':
                (folder / 'rootfs' / name).mkdir(parents=True)
            shutil.copy(self.tree / 'tests/init', folder / 'rootfs')
            (folder / 'config.json').write_text(json.dumps(CONTAINER))
            (folder / 'state').mkdir()
            (folder / 'state').chmod(0o777)
            said, usual = {}, None
            # A namespace can only have a higher value than the machine.
            for value in range(int(sysctl.read_text()), 2):
                done = subprocess.run(
                    ['unshare', '--mount', '--cgroup', '--pid', '--fork',
                     '--mount-proc', 'sh', '-ec',
                     f"""{CGROUP2}
                     echo {value} >/proc/sys/vm/memfd_noexec
                     exec setpriv --reuid={USER} --regid={USER} \\
                         --clear-groups --bounding-set=-all --inh-caps=-all \\
                         env -i LD_LIBRARY_PATH=. XDG_RUNTIME_DIR=$PWD/state \\
                         ./crun --cgroup-manager=disabled run \\
                         -f config.json {self.name}"""],
                    cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    text=True, check=False)
                result = Said(done.returncode, done.stdout, usual)
                usual = usual or result
                said["an ordinary user's container, "
                     f'vm.memfd_noexec {value}'] = result
            return said


PROGRAMS = (DbusBroker, Wayland, Crun, Weston, PulseAudio)
