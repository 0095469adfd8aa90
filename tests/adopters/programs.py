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
from suite import call

HERE = Path(__file__).parent


def visible(libmemfd, link):
    """What can be seen of a memfd that a process has."""
    fdinfo = (link.parents[1] / 'fdinfo' / link.name).read_text()
    flags = int(re.search(r'^flags:\s*(\d+)', fdinfo, re.M)[1], 8)
    seals = ctypes.create_string_buffer(128)
    with link.open('rb') as file:
        if libmemfd.memfd_get_seals_str(file.fileno(), seals, 128) < 0:
            raise OSError(f'{link} has no seals')
    return {'mode': f'{stat.S_IMODE(link.stat().st_mode):04o}',
            'seals': seals.value.decode() or 'none',
            'close-on-exec': 'yes' if flags & os.O_CLOEXEC else 'no'}


class Program:
    """A source tree, as it is or ported to the libmemfd installed in `prefix`,
    and its build in it."""

    # The release of Debian that has the source.
    release = 'trixie'
    # Where it is built, the file over memfd.h belongs, and what must link
    # libmemfd.so.1 then.
    folder = 'build'
    ours = linked = None
    # How many of its tests pass at least as it is, or else too little was run.
    passes = 1
    options = ()

    def __init__(self, tree, prefix):
        self.tree, self.prefix = Path(tree), Path(prefix)
        self.build = self.tree / self.folder
        # Nothing that the caller has set for another build.
        self.env = {'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8',
                    'PKG_CONFIG_PATH': f'{prefix}/lib/pkgconfig',
                    'LDFLAGS': f'-Wl,-rpath,{prefix}/lib'}

    def port(self):
        shutil.copy(HERE / f'{self.name}.c', self.tree / self.ours)
        self.edit()

    def edited(self, path):
        return Edited(self.tree / path)

    def call(self, *command):
        return call(*command, cwd=self.tree, env=self.env)

    def test(self):
        """Which of its own tests pass, where they reach what is replaced."""
        return {}

    def look(self):
        """What it makes: what can be seen of that, by a description."""
        return {}

    def worse(self, old, new):
        """What a file must not lose, and what none should have."""
        return (int(new['mode'], 8) & 0o111 or new['close-on-exec'] == 'no' or
                set(old['seals'].split(',')) -
                {'none', *new['seals'].split(',')})

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
            limit = threading.Timer(600, process.kill)
            limit.start()
            try:
                output = ''
                for line in process.stdout:
                    output += line
                    if until in line:
                        break
                else:
                    raise subprocess.CalledProcessError(
                        process.wait(), command, output)
                return [
                    visible(libmemfd, link) for link in sorted(
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
                  f'-L{self.prefix}/lib', '-lmemfd', self.env['LDFLAGS'])
        return self.files(name, program, until='ready')


class Meson(Program):
    def compile(self):
        self.call('meson', 'setup', self.build, '--wrap-mode=nodownload',
                  *self.options)
        self.call('ninja', '-C', self.build)

    def test(self):
        """Whether each test passed, or each part that it counts in TAP; None
        for what it skipped."""
        with tempfile.TemporaryDirectory() as home:
            # Sockets need a short path, and the user's own files stay as they
            # are.
            subprocess.run(
                ['meson', 'test', '-C', self.build, '--no-rebuild',
                 '--timeout-multiplier=20'],
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
                f'{name}: {part.partition("#")[0].strip()}':
                None if '# SKIP' in part else not bad
                for bad, part in re.findall(
                    r'^(not )?ok \d+ (.*)', test.get('stdout', ''), re.M)}
            passed = {'OK': True, 'SKIP': None}.get(test['result'], False)
            if not parts or passed is False and all(parts.values()):
                parts[name] = passed
            results.update(parts)
        return results


class DbusBroker(Meson):
    name = 'dbus-broker'
    ours = 'src/util/memfd.c'
    linked = ('src/dbus-broker', 'src/dbus-broker-launch')
    passes = 40

    def edit(self):
        self.edited('src/util/misc.c').take_out(
            'misc_memfd', 'misc_memfd_add_seals', 'misc_memfd_get_seals')
        meson = self.edited('src/meson.build')
        meson.insert("'util/misc.c',", "\n'util/memfd.c',")
        meson.insert(r'^deps_bus = \[', " dependency('libmemfd'),")


class Wayland(Meson):
    name = 'wayland'
    options = ('-Ddocumentation=false', '-Ddtd_validation=false')
    ours = 'cursor/memfd.c'
    linked = ('cursor/libwayland-cursor.so.0',)
    passes = 20

    def edit(self):
        file = self.edited('cursor/os-compatibility.c')
        file.unifdef('-UHAVE_MEMFD_CREATE', '-DMFD_NOEXEC_SEAL')
        file.insert(r'^os_create_anonymous_file\b', '_without_memfd')
        meson = self.edited('cursor/meson.build')
        meson.insert("'os-compatibility.c',", "\n'memfd.c',")
        meson.insert(r'dependencies: \[', " dependency('libmemfd'),")

    def look(self):
        # os-compatibility and, where it is ported, memfd.
        objects = self.build.glob('cursor/*cursor*.p/[om]*.c.o')
        file, = self.anonymous('wayland-cursor', *objects)
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
    release = 'bookworm'
    ours = 'shared/memfd.c'
    linked = ('libweston/libweston-*.so.0', 'clients/weston-desktop-shell')
    passes = 100

    def edit(self):
        file = self.edited('shared/os-compatibility.c')
        file.take_out(
            'READONLY_SEALS', 'ro_anonymous_file',
            'os_ro_anonymous_file_create', 'os_ro_anonymous_file_destroy',
            'os_ro_anonymous_file_size', 'os_ro_anonymous_file_get_fd',
            'os_ro_anonymous_file_put_fd')
        file.unifdef('-UHAVE_MEMFD_CREATE')
        file.insert(r'^os_create_anonymous_file\b', '_without_memfd')
        meson = self.edited('shared/meson.build')
        meson.insert("'os-compatibility.c',", "\n'memfd.c',")
        meson.insert(r'^deps_libshared =.*',
                     "\ndeps_libshared += dependency('libmemfd')")

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
        file = self.edited('src/pulsecore/shm.c')
        file.unifdef('-UHAVE_MEMFD', inside='sharedmem_create')
        file.insert(r'^int pa_shm_create_rw\b', '_without_memfd')
        file.replace(r'.*/memfd-wrappers\.h>\n', '')
        (self.tree / 'src/pulsecore/memfd-wrappers.h').unlink()
        meson = self.edited('src/meson.build')
        meson.insert("'pulsecore/shm.c',", "\n'pulsecore/memfd.c',")
        meson.insert(r'^ *libm_dep, thread_dep, dl_dep, shm_dep, iconv_dep.*',
                     "\ndependency('libmemfd'),")

    def look(self):
        files = self.files(
            'pulseaudio', self.build / 'src/daemon/pulseaudio', '-n', '-vvv',
            '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1',
            '-p', self.build / 'src/modules', '-L', 'module-null-sink',
            until='Daemon startup complete')
        return {'memory of the daemon': files[0]}


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
    folder = '.'
    ours = 'src/libcrun/memfd.c'
    linked = ('crun',)
    # As root, its tests mount the executable read-only and do not copy it.
    passes = 0

    def edit(self):
        file = self.edited('src/libcrun/cloned_binary.c')
        file.take_out('memfd_create', 'make_execfd', 'seal_execfd', 'fd_to_fd',
                      'CRUN_MEMFD_COMMENT', 'clone_binary')
        file.unifdef('-DSYS_memfd_create', '-DMFD_CLOEXEC')
        file.insert(r'^#include "linux.h"', '\nint clone_binary(void);')
        # For the file that stands in for their caller.
        for function in 'try_bindfd_mount_api', 'try_bindfd':
            file.replace(rf'^static (int {function})\b', r'\1')
        self.edited('Makefile.am').insert(
            r'src/libcrun/cloned_binary\.c \\$', '\nsrc/libcrun/memfd.c \\')
        self.edited('configure.ac').insert(
            r'^AM_CONDITIONAL\(\[DYNLOAD_LIBCRUN\].*',
            '\nPKG_CHECK_MODULES([MEMFD], [libmemfd])\n'
            'CPPFLAGS="$MEMFD_CFLAGS $CPPFLAGS"\nLIBS="$MEMFD_LIBS $LIBS"')

    def compile(self):
        self.call('autoreconf', '-fi')
        self.call('./configure', *self.options)
        self.call('make', f'-j{os.cpu_count()}')
        # What runs in its tests' containers, and in ours.
        self.call('make', 'tests/init')

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
            for name in 'rootfs/dev', 'rootfs/proc', 'rootfs/sys', 'state':
                (folder / name).mkdir(parents=True)
            (folder / 'state').chmod(0o777)
            shutil.copy(self.tree / 'tests/init', folder / 'rootfs')
            (folder / 'config.json').write_text(json.dumps(CONTAINER))
            found = {}
            # A namespace can only have a higher value than the machine.
            for value in range(int(sysctl.read_text()), 2):
                output = subprocess.run(
                    ['unshare', '--mount', '--cgroup', '--pid', '--fork',
                     '--mount-proc', 'sh', '-ec',
                     f"""umount -R /sys/fs/cgroup 2>/dev/null || :
                     mount -t cgroup2 none /sys/fs/cgroup
                     echo {value} >/proc/sys/vm/memfd_noexec
                     exec setpriv --reuid={USER} --regid={USER} \\
                         --clear-groups --bounding-set=-all --inh-caps=-all \\
                         env -i LD_LIBRARY_PATH=. XDG_RUNTIME_DIR=$PWD/state \\
                         ./crun --cgroup-manager=disabled run \\
                         -f config.json {self.name}"""],
                    cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    text=True, check=False).stdout
                says = (output.splitlines() or ['nothing'])[0]
                if not found and says != 'hello':
                    # Not everywhere may ordinary users run containers, for
                    # example not in a chroot.
                    break
                found["an ordinary user's container, "
                      f'vm.memfd_noexec {value}'] = {'says': f'"{says}"'}
            return found

    def worse(self, old, new):
        return new['says'] != '"hello"'


PROGRAMS = (DbusBroker, Wayland, Crun, Weston, PulseAudio)
