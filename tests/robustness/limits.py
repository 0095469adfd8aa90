#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""limits.py LIBRARY: there is no more memory, in a cgroup of version 1. Version
2 would kill the process, which says nothing of the library."""
import ctypes
import errno
import os
import signal
import sys
from pathlib import Path

sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

WHAT = 'out of memory: ENOMEM, all is given back, and the next call works'
library = ctypes.CDLL(sys.argv[1], use_errno=True)
# Charged to us, not to the cgroup, which has room for a quarter of it.
data = b'x' * (64 << 20)


def sealed(size):
    return library.memfd_new_sealed(b'limits', 0, data, ctypes.c_size_t(size))


def out_of_memory(cgroup):
    """In a process of its own; the status is 0 if all is right."""
    # Who faults where there is no killer waits for ever.
    signal.alarm(60)
    (cgroup / 'cgroup.procs').write_text('0')
    before = os.listdir('/proc/self/fd')
    if sealed(len(data)) != -1 or \
            ctypes.get_errno() not in (errno.ENOMEM, errno.ENOSPC):
        return 1
    fd = sealed(1 << 20)
    if fd < 0 or os.pread(fd, 2 << 20, 0) != data[:1 << 20]:
        return 2
    os.close(fd)
    return 3 * (os.listdir('/proc/self/fd') != before)


def main():
    paths = [line.split(':', 2)[2] for line in
             Path('/proc/self/cgroup').read_text().splitlines()
             if line.split(':')[1] == 'memory']
    try:
        cgroup = Path(f'/sys/fs/cgroup/memory{paths[0]}/memfd-{os.getpid()}')
        cgroup.mkdir()
    except (IndexError, OSError):
        tap.skip(WHAT, 'no memory cgroup of version 1')
        tap.finish()
    (cgroup / 'memory.limit_in_bytes').write_text('16M')
    (cgroup / 'memory.oom_control').write_text('1')
    child = os.fork()
    if not child:
        os._exit(out_of_memory(cgroup))
    _, status = os.waitpid(child, 0)
    tap.result(WHAT, status and f'status {status}')
    cgroup.rmdir()
    tap.finish()


main()
