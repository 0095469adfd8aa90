# SPDX-License-Identifier: MIT
"""libmemfd from Python, with nothing but its standard library."""

import ctypes
import os
import re
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, POINTER

libmemfd = ctypes.CDLL("libmemfd.so.1", use_errno=True)


def declare(name, *argtypes):
    """A function of libmemfd that raises OSError where C has -1 and errno."""

    def check(result, function, arguments):
        if result < 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno))
        return result

    function = libmemfd[name]
    function.argtypes = argtypes
    function.errcheck = check
    return function


new = declare("memfd_new", c_char_p, c_uint)
seal = declare("memfd_seal", c_int, c_uint)
get_seals_str = declare("memfd_get_seals_str", c_int, c_char_p, c_size_t)
check_seals = declare("memfd_check_seals_str", c_int, c_char_p)
new_sealed = declare(
    "memfd_new_sealed_str", c_char_p, c_char_p, c_char_p, c_size_t
)
parse_flags = declare(
    "memfd_parse_flags", c_char_p, POINTER(c_uint), POINTER(c_size_t)
)
parse_seals = declare(
    "memfd_parse_seals", c_char_p, POINTER(c_uint), POINTER(c_size_t)
)


def parse(function, kind, text):
    """The number that text names; ValueError, with the word, if it does not."""
    number, end = c_uint(), c_size_t()
    try:
        function(text.encode(), byref(number), byref(end))
    except OSError:
        word = re.match(r"[^,|\s]*", text[end.value :])[0]
        raise ValueError(f"invalid {kind}: {word}") from None
    return number.value


def get_seals(fd):
    text = ctypes.create_string_buffer(128)
    get_seals_str(fd, text, len(text))
    return text.value.decode().split(",")


if __name__ == "__main__":
    fd = new(b"buf", parse(parse_flags, "flag", "allow-sealing"))
    print("wrote:", os.write(fd, b"hello"), "bytes")
    seal(fd, parse(parse_seals, "seal", "seal,immutable"))
    # Linux 6.3 and later add "exec" by themselves.
    print("seals:", ",".join(s for s in get_seals(fd) if s != "exec"))
    check_seals(fd, b"immutable")
    print("immutable: yes")

    try:
        os.write(fd, b"again")
    except PermissionError as error:
        print("write:", error.strerror)
    try:
        new(b"buf", parse(parse_flags, "flag", "allow-sealing,sparkling"))
    except ValueError as error:
        print("new:", error)
    try:
        seal(fd, parse(parse_seals, "seal", "write|frozen"))
    except ValueError as error:
        print("seal:", error)
    os.close(fd)

    reader, writer = os.pipe()
    try:
        check_seals(reader, b"immutable")
    except OSError as error:
        print("pipe:", error.strerror)
    os.close(reader)
    os.close(writer)

    fd = new(b"unsealed", 0)
    try:
        check_seals(fd, b"immutable")
    except PermissionError as error:
        print("unsealed:", error.strerror)
    os.close(fd)

    data = b"hello, world"
    with open(new_sealed(b"greeting", b"", data, len(data))) as greeting:
        print("sealed:", greeting.read())
