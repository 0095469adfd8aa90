# SPDX-License-Identifier: MIT
"""libmemfd 1.0.0 for Python: memory files with safe defaults, and their seals.

Copy this file into your project. It needs libmemfd.so.1 and nothing else.

>>> import memfd
>>> with memfd.new_sealed("greeting", b"hello, world") as file:
...     memfd.check_seals(file, "immutable")
...     file.read()
b'hello, world'

Functions that create a memfd return an io.FileIO, which closes it. The others
take whatever has a fileno(), or a descriptor. Flags and seals are members of
Flag and Seal joined by |, or names: "allow-sealing,huge-2mb".

Every function raises OSError with the errno of libmemfd, which the manual page
of the C function explains; ValueError for an unknown name, or a null byte in a
string; OverflowError for a number that is negative or too large; and TypeError
for what is of the wrong type, for example str where bytes are due.
"""

import ctypes
import enum
import functools
import io
import os
import re
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint

try:
    _lib = ctypes.CDLL("libmemfd.so.1", use_errno=True)
except OSError as error:
    raise ImportError(
        f"{error}: install libmemfd, or add its folder to LD_LIBRARY_PATH"
    ) from None


class Flag(enum.IntFlag):
    """Flags for a new memfd; see memfd_new(3)."""

    CLOEXEC, ALLOW_SEALING, HUGETLB = 0x0001, 0x0002, 0x0004
    NOEXEC_SEAL, EXEC, INHERIT = 0x0008, 0x0010, 0x02000000
    HUGE_64KB, HUGE_512KB, HUGE_1MB = 0x40000004, 0x4C000004, 0x50000004
    HUGE_2MB, HUGE_8MB, HUGE_16MB = 0x54000004, 0x5C000004, 0x60000004
    HUGE_32MB, HUGE_256MB, HUGE_512MB = 0x64000004, 0x70000004, 0x74000004
    HUGE_1GB, HUGE_2GB, HUGE_16GB = 0x78000004, 0x7C000004, 0x88000004


class Seal(enum.IntFlag):
    """Seals of a memfd; see memfd_seal(3)."""

    SEAL, SHRINK, GROW, WRITE = 0x01, 0x02, 0x04, 0x08
    FUTURE_WRITE, EXEC, IMMUTABLE = 0x10, 0x20, 0x0E


def new(name, flags=0):
    """Create an empty memfd."""
    return _file("r+", "new", name, flags)


def new_sized(name, size, seals=0, flags=0):
    """Create a memfd of size zero bytes, and add seals."""
    size = _number(size, c_size_t)
    return _file("r+", "new_sized", name, flags, size, _bits(Seal, seals))


def new_sealed(name, data, flags=0):
    """Create a memfd with the bytes of data, which can never change."""
    data = data if isinstance(data, bytes) else bytes(memoryview(data))
    size = c_size_t(len(data))
    return _file("r", "new_sealed", name, flags, c_char_p(data), size)


def new_sealed_copy(name, file, max=None, flags=0):
    """Create a memfd with a copy of a file, which can never change.

    More than max bytes are EFBIG; set it if the file comes from somebody else.
    """
    max = c_size_t(-1) if max is None else _number(max, c_size_t)
    return _file("r", "new_sealed_copy", name, flags, _fd(file), max)


def seal(file, seals):
    """Add seals: all of them or, on error, none."""
    _call("seal", _fd(file), _bits(Seal, seals))


def get_seals(file):
    """Return the seals. To verify a file that you received, use check_seals."""
    return Seal(_call("get_seals", _fd(file)))


def check_seals(file, seals):
    """Raise OSError unless all the given seals are set; others may be, too."""
    _call("check_seals", _fd(file), _bits(Seal, seals))


def parse_flags(names):
    """Convert names to a Flag."""
    return _parse(Flag, names)


def parse_seals(names):
    """Convert names to a Seal; no name is no seal."""
    return _parse(Seal, names)


def format_seals(seals):
    """Convert a Seal to names, for example "shrink,grow"."""
    text = ctypes.create_string_buffer(128)
    _call("format_seals", _number(seals), text, c_size_t(len(text)))
    return text.value.decode()


def _call(function, *arguments, restype=c_int):
    call = _lib[f"memfd_{function}"]
    call.restype = restype
    ctypes.set_errno(0)
    try:
        result = call(*arguments)
    except ValueError:  # of FileIO, that -1 is negative
        result = -1
        if not ctypes.get_errno():  # of a signal handler
            raise
    if result == -1:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def _file(mode, function, name, flags, *arguments):
    # ctypes makes the file: no exception of a signal handler comes in between.
    restype = functools.partial(io.FileIO, mode=mode)
    arguments = _text(name), _bits(Flag, flags), *arguments
    return _call(function, *arguments, restype=restype)


def _text(text):
    if b"\0" in os.fsencode(text):
        raise ValueError("embedded null byte")
    return c_char_p(os.fsencode(text))


def _number(value, ctype=c_uint):
    number = ctype(value)  # TypeError unless it is an integer
    if number.value != value:
        raise OverflowError(f"{value} does not fit {ctype.__name__}")
    return number


def _fd(file):
    return _number(file.fileno() if hasattr(file, "fileno") else file, c_int)


def _bits(kind, value):
    if not isinstance(value, str):
        return _number(value)
    number = _parse(kind, value)
    if kind is Seal and not number and "0" not in value:
        raise ValueError("no seal is named")
    return c_uint(number)


def _parse(kind, names):
    text, number, stop = _text(names), c_uint(), c_size_t()
    name = kind.__name__.lower()
    if _lib[f"memfd_parse_{name}s"](text, byref(number), byref(stop)) < 0:
        word = re.match(rb"[^,|\s]*", text.value[stop.value :])[0]
        raise ValueError(f"invalid {name}: {os.fsdecode(word)}")
    return kind(number.value)
