# SPDX-License-Identifier: MIT
"""What memfd.py promises, and the transcript in ../expected."""

import errno
import os
import pathlib
import re
import signal
import socket
import unittest
from concurrent.futures import ThreadPoolExecutor

import memfd
from memfd import Flag, Seal

FFI = pathlib.Path(__file__).resolve().parents[1]


def reason(action, *arguments):
    """What went wrong, without the errno."""
    try:
        action(*arguments)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", str(error))
    raise AssertionError("should have been refused")


def descriptors():
    return os.listdir("/proc/self/fd")


def transcript():
    with memfd.new("buf", Flag.ALLOW_SEALING) as buf:
        yield f"wrote: {buf.write(b'hello')} bytes"
        yield f"unsealed: {reason(memfd.check_seals, buf, 'immutable')}"
        memfd.seal(buf, "seal,immutable")
        # Linux 6.3 and later add Seal.EXEC by themselves.
        seals = memfd.get_seals(buf) & ~Seal.EXEC
        yield f"seals: {memfd.format_seals(seals)}"
        memfd.check_seals(buf, Seal.IMMUTABLE)
        yield "immutable: yes"
        yield f"write: {reason(buf.write, b'again')}"
        yield f"new: {reason(memfd.new, 'buf', 'allow-sealing,sparkling')}"
        yield f"seal: {reason(memfd.seal, buf, 'write|frozen')}"
    yield f"stdin: {reason(memfd.check_seals, 0, 'immutable')}"
    with memfd.new_sealed("greeting", b"hello, world") as greeting:
        yield f"sealed: {greeting.read().decode()}"


class MemfdTest(unittest.TestCase):
    def test_transcript(self):
        expected = (FFI / "expected").read_text().splitlines()
        self.assertEqual(list(transcript()), expected)

    def test_constants_are_those_of_the_library(self):
        for flag in Flag.__members__:
            self.assertEqual(memfd.parse_flags(flag), Flag[flag])
        for seal in Seal.__members__:
            self.assertEqual(memfd.parse_seals(seal), Seal[seal])

    def test_what_the_transcript_leaves_out(self):
        memfd.new_sized("name", 1, "0").close()
        with memfd.new_sized(b"name", 5, "grow", "exec|inherit") as file:
            self.assertTrue(os.get_inheritable(file.fileno()))
            self.assertEqual(os.fstat(file.fileno()).st_mode & 0o777, 0o777)
            memfd.seal(file.fileno(), Seal.SHRINK)
            memfd.check_seals(file.fileno(), Seal.GROW | Seal.SHRINK)
            for limit in None, 5:
                with memfd.new_sealed_copy("name", file, limit) as copy:
                    memfd.check_seals(copy, "immutable")
                    self.assertEqual(copy.read(), bytes(5))
            refused = reason(memfd.new_sealed_copy, "name", file, 4)
            self.assertEqual(refused, "File too large")
        for data in b"a\0b", bytearray(b"a\0b"), memoryview(b"b\0a")[::-1]:
            with memfd.new_sealed("name", data) as file:
                self.assertEqual(file.read(), b"a\0b")
        self.assertEqual(memfd.parse_seals(""), 0)
        self.assertEqual(memfd.format_seals(0x48), "write,0x40")

    def test_refused_before_the_library_is_called(self):
        with memfd.new("name") as closed:
            pass
        self.addCleanup(setattr, memfd, "_call", memfd._call)
        memfd._call = lambda *_, **restype: self.fail()
        for error, function, *arguments in (
            (ValueError, memfd.get_seals, closed),  # from file.fileno()
            (TypeError, memfd.new_sealed, "name", "text"),
            (TypeError, memfd.new_sealed, "name", None),
            (TypeError, memfd.new_sealed, "name", 5),
            (TypeError, memfd.new, 5),
            (TypeError, memfd.new, "name", 1.0),
            (TypeError, memfd.seal, 0, None),
            (TypeError, memfd.seal, "0", "write"),
            (TypeError, memfd.new_sized, "name", "5"),
            (ValueError, memfd.new, "a\0b"),
            (ValueError, memfd.new, "name", "exec\0x"),
            (ValueError, memfd.seal, 0, ", "),
            (ValueError, memfd.check_seals, 0, ""),
            (OverflowError, memfd.new, "name", 1 << 32),
            (OverflowError, memfd.seal, 0, -1),
            (OverflowError, memfd.seal, 1 << 32, 8),
            (OverflowError, memfd.format_seals, 1 << 32),
            (OverflowError, memfd.new_sized, "name", -1),
            (OverflowError, memfd.new_sized, "name", 1 << 64),
            (OverflowError, memfd.new_sealed_copy, "name", 0, -1),
        ):
            with self.subTest(function.__name__, arguments=arguments):
                self.assertRaises(error, function, *arguments)
        refused = reason(memfd.new, "name", "exec|spärkling exec")
        self.assertEqual(refused, "invalid flag: spärkling")

    def test_errors_leave_nothing_open_and_each_thread_has_its_own(self):
        def fail(number, function, *arguments):
            for _ in range(1000):
                with self.assertRaises(OSError) as error, function(*arguments):
                    os.stat("/nonexistent")
                self.assertEqual(error.exception.errno, number)

        reader, writer = os.pipe()
        before = descriptors()
        with ThreadPoolExecutor() as pool:
            threads = [
                pool.submit(fail, errno.EINVAL, memfd.new, "x" * 250),
                pool.submit(fail, errno.EINVAL, memfd.new_sized, "", 1, 1 << 30),
                pool.submit(fail, errno.EINVAL, memfd.new_sealed, "", b"", "hugetlb"),
                pool.submit(fail, errno.ESPIPE, memfd.new_sealed_copy, "", reader),
                pool.submit(fail, errno.EBADF, memfd.get_seals, -1),
                pool.submit(fail, errno.ENOENT, memfd.new, "name"),
            ]
        for thread in threads:
            thread.result()
        self.assertEqual(descriptors(), before)
        os.close(reader)
        os.close(writer)

    def test_a_signal_handler_that_raises_leaves_nothing_open(self):
        def interrupt(*_):
            raise ValueError

        old = signal.signal(signal.SIGALRM, interrupt)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        before = descriptors()
        for i in range(2000):
            with self.assertRaises(ValueError):
                signal.setitimer(signal.ITIMER_REAL, (20 + i % 50) / 1e6)
                while True:
                    with memfd.new("name"):
                        pass
        self.assertEqual(descriptors(), before)

    def test_receiver_of_the_readme(self):
        readme = (FFI / "README.md").read_text()
        code = re.search(r"```python\n(import.*?)```", readme, re.S)[1]
        exec(code, names := {})
        ours, theirs = socket.socketpair()
        before = descriptors()

        def receive(*files):
            socket.send_fds(theirs, [b"x"], [file.fileno() for file in files])
            return names["receive_message"](ours, 5)

        with memfd.new("name") as file:
            self.assertEqual(reason(receive, file), "Operation not permitted")
        with memfd.new_sealed("name", b"longer") as file:
            self.assertEqual(reason(receive, file), "too large")
        with memfd.new_sealed("name", b"hello") as file:
            file.seek(3)
            self.assertEqual(receive(file), b"hello")
            self.assertEqual(receive(file, theirs), b"hello")
        self.assertEqual(reason(receive), "no descriptor")
        self.assertEqual(descriptors(), before)
        ours.close()
        theirs.close()


if __name__ == "__main__":
    unittest.main()
