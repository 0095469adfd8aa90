# SPDX-License-Identifier: MIT
"""What memfd.py promises."""

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


def raised(function, *arguments):
    """The errno of the error."""
    try:
        function(*arguments)
    except OSError as error:
        return error.errno


class Interface(unittest.TestCase):
    def test_constants_are_those_of_the_library(self):
        for flag in Flag.__members__:
            self.assertEqual(memfd.parse_flags(flag), Flag[flag])
        for seal in Seal.__members__:
            self.assertEqual(memfd.parse_seals(seal), Seal[seal])

    def test_new_and_seal(self):
        for flags in Flag.ALLOW_SEALING | Flag.INHERIT, "allow-sealing|inherit":
            with memfd.new("name", flags) as file:
                self.assertTrue(os.get_inheritable(file.fileno()))
                memfd.seal(file, Seal.GROW)
                memfd.seal(file.fileno(), "shrink")
                self.assertEqual(memfd.get_seals(file) & ~Seal.EXEC, 6)
                memfd.check_seals(file, "grow,shrink")
                self.assertRaises(PermissionError, memfd.check_seals, file, 8)

    def test_content(self):
        memfd.new_sized("name", 1, "0").close()
        with memfd.new_sized(b"name", 5, "grow", "exec") as file:
            self.assertEqual(os.fstat(file.fileno()).st_mode & 0o777, 0o777)
            memfd.check_seals(file, Seal.GROW)
            for limit in None, 5:
                with memfd.new_sealed_copy("name", file, limit) as copy:
                    memfd.check_seals(copy, "immutable")
                    self.assertEqual(copy.read(), bytes(5))
            with self.assertRaisesRegex(OSError, os.strerror(errno.EFBIG)):
                memfd.new_sealed_copy("name", file, 4)
        for data in b"a\0b", bytearray(b"a\0b"), memoryview(b"b\0a")[::-1]:
            with memfd.new_sealed("name", data) as file:
                memfd.check_seals(file, Seal.IMMUTABLE | Seal.SEAL)
                self.assertEqual(file.read(), b"a\0b")

    def test_names(self):
        self.assertEqual(memfd.parse_flags("exec, huge-2mb"), 0x54000014)
        self.assertEqual(memfd.parse_seals(""), 0)
        self.assertEqual(memfd.format_seals(0x48), "write,0x40")


class Errors(unittest.TestCase):
    def test_refused_before_the_library_is_called(self):
        self.addCleanup(setattr, memfd, "_call", memfd._call)
        memfd._call = self.fail
        for error, function, *arguments in (
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

    def test_the_refused_word_is_named(self):
        for word, parse, names in (
            ("flag: spärkling", memfd.parse_flags, "exec|spärkling exec"),
            ("flag: huge-1gb", memfd.parse_flags, "huge-2mb,huge-1gb"),
            ("seal: frozen", memfd.parse_seals, "write\tfrozen"),
        ):
            with self.assertRaisesRegex(ValueError, f"^invalid {word}$"):
                parse(names)

    def test_a_file_that_is_closed(self):
        with memfd.new("name") as file:
            fd = file.fileno()
        self.assertRaises(ValueError, memfd.get_seals, file)
        with self.assertRaisesRegex(OSError, os.strerror(errno.EBADF)):
            memfd.get_seals(fd)

    def test_nothing_is_left_open(self):
        reader, writer = os.pipe()
        before = os.listdir("/proc/self/fd")
        for _ in range(1000):
            self.assertRaises(OSError, memfd.new, "x" * 250)
            self.assertRaises(OSError, memfd.new_sized, "name", 1, 1 << 30)
            self.assertRaises(OSError, memfd.new_sealed, "name", b"", "hugetlb")
            self.assertRaises(OSError, memfd.new_sealed_copy, "name", reader)
            with self.assertRaises(ZeroDivisionError), memfd.new("name"):
                1 // 0
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        os.close(reader)
        os.close(writer)

    def test_nothing_is_left_open_by_a_signal_handler(self):
        def interrupt(*_):
            raise InterruptedError

        old = signal.signal(signal.SIGALRM, interrupt)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        before = os.listdir("/proc/self/fd")
        for i in range(2000):
            with self.assertRaises(InterruptedError):
                signal.setitimer(signal.ITIMER_REAL, (20 + i % 50) / 1e6)
                while True:
                    with memfd.new("name"):
                        pass
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_receiver_of_the_readme(self):
        readme = pathlib.Path(__file__).parents[1] / "README.md"
        code = re.search(r"```python\n(import.*?)```", readme.read_text(), re.S)[1]
        exec(code, names := {})
        ours, theirs = socket.socketpair()
        pipe = os.pipe()
        before = os.listdir("/proc/self/fd")

        def received(file, *more):
            socket.send_fds(theirs, [b"x"], [file.fileno(), *more])
            return names["receive_message"](ours, 5)

        with memfd.new_sealed("name", b"hello") as file:
            file.seek(3)
            self.assertEqual(received(file), b"hello")
            self.assertEqual(received(file, pipe[0]), b"hello")
        with memfd.new_sealed("name", b"longer") as file:
            self.assertEqual(raised(received, file), errno.EFBIG)
        with memfd.new("name") as file:
            self.assertEqual(raised(received, file), errno.EPERM)
        theirs.send(b"x")
        self.assertEqual(raised(names["receive_message"], ours, 5), errno.EBADMSG)
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        for fd in (*pipe, ours.detach(), theirs.detach()):
            os.close(fd)

    def test_each_thread_has_its_own_errno(self):
        def errors(function, argument):
            for _ in range(1000):
                try:
                    function(argument)
                except OSError as error:
                    yield error.errno

        with ThreadPoolExecutor() as pool:
            closed = pool.submit(list, errors(memfd.get_seals, -1))
            too_long = pool.submit(list, errors(memfd.new, "x" * 250))
        self.assertEqual(closed.result(), 1000 * [errno.EBADF])
        self.assertEqual(too_long.result(), 1000 * [errno.EINVAL])


if __name__ == "__main__":
    unittest.main()
