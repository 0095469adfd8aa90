#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""blobs.py PROGRAM: the server that is installed as an example, with thirty
clients at once, each of them honest and hostile by turns: whatever they do, it
answers the others, and in the end has no descriptor, mapping or memory more than
before.
"""

import atexit
import errno
import multiprocessing
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from fcntl import (F_ADD_SEALS, F_GET_SEALS, F_SEAL_GROW, F_SEAL_SHRINK,
                   F_SEAL_WRITE, fcntl)
from pathlib import Path

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(str(Path(__file__).resolve().parent.parent / 'shared'))
import tap  # noqa: E402

CLIENTS = 30
ROUNDS = 1000
MAX_BLOB = 1 << 20
MAX_BLOBS = 64

IMMUTABLE = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
HUGE_2MB = os.MFD_HUGETLB | os.MFD_HUGE_2MB


def memfd(size, seals=IMMUTABLE, flags=0, data=b''):
    fd = os.memfd_create('x', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING | flags)
    if data:
        os.write(fd, data)
    os.ftruncate(fd, size)
    fcntl(fd, F_ADD_SEALS, seals)
    return fd


def connected():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Far more than an answer takes, and less than the server's patience.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                    struct.pack('ll', 20, 0))
    sock.connect(address)
    return sock


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f'{got}, wanted {wanted}')


class Client:
    def __init__(self, name, cut=None):
        self.name = name.encode()
        self.sock = connected()
        self.stalled = None
        # A file that another process cuts and extends all the time.
        self.cut = cut

    def request(self, verb):
        return struct.pack('c31s', verb, self.name)

    def ask(self, verb, *fds):
        """The errno that is the answer, and a list of descriptors."""
        socket.send_fds(self.sock, [self.request(verb)], fds)
        answer, blobs, _, _ = socket.recv_fds(self.sock, 4, 1)
        return struct.unpack('i', answer)[0], blobs

    def put(self, fd):
        answer, _ = self.ask(b'p', fd)
        os.close(fd)
        return answer

    def get(self, *fds):
        """The content of a blob, which has no more memory than that takes, and
        is immutable and on ordinary pages."""
        answer, (fd,) = self.ask(b'g', *fds)
        same(answer, 0)
        same(fcntl(fd, F_GET_SEALS) & IMMUTABLE, IMMUTABLE)
        same(os.fstatvfs(fd).f_bsize, os.sysconf('SC_PAGESIZE'))
        same(os.fstat(fd).st_blocks <= MAX_BLOB // 512, True)
        # Not from its offset, which all of them share.
        data = os.pread(fd, MAX_BLOB, 0)
        same(os.fstat(fd).st_size, len(data))
        os.close(fd)
        return data

    def is_given_up(self, request, *fds):
        """The server closes the connection of who sends that."""
        socket.send_fds(self.sock, [request], fds)
        try:
            same(self.sock.recv(1), b'')
        except ConnectionResetError:
            pass
        self.connect_again()

    def connect_again(self):
        self.sock.close()
        self.sock = connected()

    # The following are what a client does by turns.

    def puts_and_gets(self):
        data = os.urandom(1)
        same(self.put(memfd(1, data=data)), 0)
        same(self.get(), data)
        same(self.put(memfd(0)), 0)
        same(self.get(), b'')

    def writes_afterwards(self):
        fd = memfd(4097, F_SEAL_GROW)
        same(self.ask(b'p', fd), (0, []))
        os.pwrite(fd, b'!', 0)
        os.close(fd)
        same(self.get(), bytes(4097))

    def cuts_meanwhile(self):
        same(self.ask(b'p', self.cut), (0, []))
        same(self.get().strip(b'\0'), b'')

    def puts_huge_pages(self):
        try:
            large = memfd(2 << 20, flags=HUGE_2MB)
        except OSError:
            return
        same(self.put(large), errno.EFBIG)
        same(self.put(memfd(0, flags=HUGE_2MB)), 0)
        same(self.get(), b'')

    def puts_memory_beyond_the_end(self):
        fd = memfd(0, 0)
        os.posix_fallocate(fd, 0, 2 << 20)
        os.ftruncate(fd, 1)
        fcntl(fd, F_ADD_SEALS, IMMUTABLE)
        same(self.put(fd), 0)
        same(self.get(), b'\0')

    def puts_what_is_refused(self):
        end, other_end = os.pipe()
        os.close(other_end)
        for fd, answer in ((memfd(1 << 40), errno.EFBIG),
                           (os.open('/dev/zero', os.O_RDONLY), errno.EFBIG),
                           (os.open('/dev/null', os.O_WRONLY), errno.EBADF),
                           (os.open('/', os.O_PATH), errno.EBADF),
                           (end, errno.ESPIPE)):
            same(self.put(fd), answer)

    def sends_too_few_or_too_many(self):
        same(self.ask(b'p'), (errno.EBADF, []))
        sock = self.sock.fileno()
        same(self.ask(b'?', sock), (errno.EINVAL, []))
        same(self.put(memfd(0)), 0)
        same(self.get(sock), b'')

    def sends_two_descriptors(self):
        sock = self.sock.fileno()
        self.is_given_up(self.request(b'p'), sock, sock)

    def sends_half_a_request(self):
        self.is_given_up(self.request(b'p')[:16], self.sock.fileno())

    def reads_no_answer_and_stays(self):
        if self.stalled:
            self.stalled.close()
        self.stalled = connected()
        try:
            for _ in range(200):
                self.stalled.send(self.request(b'g'), socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

    def goes_before_the_answer(self):
        self.sock.send(self.request(b'g'))
        self.connect_again()

    turns = (puts_and_gets, writes_afterwards, cuts_meanwhile, puts_huge_pages,
             puts_memory_beyond_the_end, puts_what_is_refused,
             sends_too_few_or_too_many, sends_two_descriptors,
             sends_half_a_request, reads_no_answer_and_stays,
             goes_before_the_answer)


def serve_well(number, rounds, cut):
    client = Client(f'client {number}', cut)
    for turn in range(number, number + rounds):
        client.turns[turn % len(client.turns)](client)


def cut_and_extend(fd):
    while True:
        os.ftruncate(fd, 1)
        os.ftruncate(fd, MAX_BLOB)


def clients(rounds):
    """Thirty at once, and how many of them were not served well."""
    cut = memfd(MAX_BLOB, 0)
    cutter = fork(target=cut_and_extend, args=[cut])
    cutter.start()
    served = [fork(target=serve_well, args=[number, rounds, cut])
              for number in range(CLIENTS)]
    for client in served:
        client.start()
    for client in served:
        client.join()
    cutter.kill()
    cutter.join()
    os.close(cut)
    return sum(client.exitcode != 0 for client in served)


def threads():
    return len(os.listdir(process / 'task'))


def when_quiet():
    """What the server has when nobody is served any more: descriptors, mappings,
    and KiB of memory of its own."""
    for _ in range(600):
        if threads() == 1:
            break
        time.sleep(0.1)
    else:
        raise TimeoutError('the threads of the server do not end')
    return (len(os.listdir(process / 'fd')),
            len((process / 'maps').read_text().splitlines()),
            int(re.search(r'RssAnon:\s*(\d+)',
                          (process / 'status').read_text())[1]))


def unchanged(name, before, after):
    # Some stacks more, of threads that overlap as they begin and end.
    good = (before[0] == after[0] and after[1] - before[1] < CLIENTS and
            after[2] - before[2] < 512)
    tap.result(name, '' if good else f'{after}, before {before}')


def block():
    """A client whose file blocks the server."""
    name = 'a client whose file blocks the server'
    try:
        log = os.open('/dev/kmsg', os.O_RDWR)
    except OSError:
        tap.skip(name, "no right to the kernel's log")
        return
    # Who reads it now waits for the next message.
    os.lseek(log, 0, os.SEEK_END)
    blocking = Client('log')
    socket.send_fds(blocking.sock, [blocking.request(b'p')], [log])
    tap.same(f'{name}: the others are served', clients(50), 0)
    tap.result(f'{name}: it does block', threads() == 1)
    os.set_blocking(log, False)
    os.write(log, b'libmemfd: a test of its examples ends\n')
    os.close(log)
    blocking.sock.close()


fork = multiprocessing.get_context('fork').Process
with tempfile.TemporaryDirectory() as folder:
    address = f'{folder}/socket'
    server = subprocess.Popen([sys.argv[1], address])
    atexit.register(server.kill)
    process = Path(f'/proc/{server.pid}')
    while True:
        try:
            connected().close()
            break
        except OSError:
            time.sleep(0.01)
    tap.same(f'{CLIENTS} clients, honest and hostile', clients(50), 0)
    first = when_quiet()
    tap.same(f'{ROUNDS} rounds of that', clients(ROUNDS), 0)
    unchanged('the server keeps what it had', first, when_quiet())
    block()
    unchanged('and afterwards', first, when_quiet())

    client = Client('')
    answers = set()
    for number in range(3 * MAX_BLOBS):
        client.name = b'blob %d' % number
        answers.add(client.put(memfd(1)))
    tap.same(f'{3 * MAX_BLOBS} blobs', (answers, client.get()), ({0}, b'\0'))
    client.sock.close()
    tap.same(f'of those, it keeps {MAX_BLOBS}',
             when_quiet()[0] - first[0], MAX_BLOBS - CLIENTS)
    tap.same('it has served to the end', server.poll(), None)
tap.finish()
