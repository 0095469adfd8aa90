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
import operator
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
    return _file("r+", "memfd_new", _name(name), _bits("flag", flags))


def new_sized(name, size, seals=0, flags=0):
    """Create a memfd of size zero bytes, and add seals."""
    bits = _bits("flag", flags), _number(size, c_size_t), _bits("seal", seals)
    return _file("r+", "memfd_new_sized", _name(name), *bits)


def new_sealed(name, data, flags=0):
    """Create a memfd with the bytes of data, which can never change."""
    data = data if isinstance(data, bytes) else bytes(memoryview(data))
    content = c_char_p(data), c_size_t(len(data))
    bits = _bits("flag", flags)
    return _file("r", "memfd_new_sealed", _name(name), bits, *content)


def new_sealed_copy(name, file, max=None, flags=0):
    """Create a memfd with a copy of a file, which can never change.

    More than max bytes are EFBIG; set it if the file comes from somebody else.
    """
    max = c_size_t(-1) if max is None else _number(max, c_size_t)
    bits = _bits("flag", flags)
    return _file("r", "memfd_new_sealed_copy", _name(name), bits, _fd(file), max)


def seal(file, seals):
    """Add seals: all of them or, on error, none."""
    _call("memfd_seal", _fd(file), _bits("seal", seals))


def get_seals(file):
    """Return the seals. To verify a file that you received, use check_seals."""
    return Seal(_call("memfd_get_seals", _fd(file)))


def check_seals(file, seals):
    """Raise OSError unless all the given seals are set; others may be, too."""
    _call("memfd_check_seals", _fd(file), _bits("seal", seals))


def parse_flags(names):
    """Convert names to a Flag."""
    return Flag(_parse("flag", names))


def parse_seals(names):
    """Convert names to a Seal; no name is no seal."""
    return Seal(_parse("seal", names))


def format_seals(seals):
    """Convert a Seal to names, for example "shrink,grow"."""
    text = ctypes.create_string_buffer(128)
    _call("memfd_format_seals", _number(seals), text, c_size_t(len(text)))
    return text.value.decode()


def _call(function, *arguments):
    result = getattr(_lib, function)(*arguments)
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def _file(mode, function, *arguments):
    # ctypes makes the file: no exception of a signal handler comes in between.
    call = _lib[function]
    call.restype = functools.partial(io.FileIO, mode=mode)
    try:
        return call(*arguments)
    except ValueError:  # of FileIO, that -1 is negative
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno)) from None


def _name(name):
    if b"\0" in os.fsencode(name):
        raise ValueError("embedded null byte")
    return c_char_p(os.fsencode(name))


def _number(value, ctype=c_uint):
    number = ctype(operator.index(value))
    if number.value != value:
        raise OverflowError(f"{value} does not fit {ctype.__name__}")
    return number


def _fd(file):
    return _number(file.fileno() if hasattr(file, "fileno") else file, c_int)


def _bits(kind, value):
    if not isinstance(value, str):
        return _number(value)
    number = _parse(kind, value)
    if kind == "seal" and not number and "0" not in value:
        raise ValueError("no seal is named")
    return c_uint(number)


def _parse(kind, names):
    names, number, stop = _name(names), c_uint(), c_size_t()
    parse = getattr(_lib, f"memfd_parse_{kind}s")
    if parse(names, byref(number), byref(stop)) < 0:
        word = re.match(rb"[^,|\s]*", names.value[stop.value :])[0]
        raise ValueError(f"invalid {kind}: {os.fsdecode(word)}")
    return number.value
