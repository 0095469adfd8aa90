# SPDX-License-Identifier: MIT
"""libmemfd from Python with cffi, which reads the installed header."""

import os
import re
import shlex
import subprocess

from cffi import FFI


def header():
    """memfd.h after the preprocessor, as it is installed."""
    cflags = subprocess.check_output(["pkg-config", "--cflags", "libmemfd"])
    # gcc's stddef.h has attributes, which cffi does not read.
    command = ["cc", "-E", "-P", "-D__attribute__(x)=", "-xc", "-"]
    command += shlex.split(cflags.decode())
    return subprocess.check_output(
        command, input=b"#include <memfd.h>\n"
    ).decode()


ffi = FFI()
ffi.cdef(header())
lib = ffi.dlopen("libmemfd.so.1")


def call(function, *arguments):
    result = function(*arguments)
    if result < 0:
        raise OSError(ffi.errno, os.strerror(ffi.errno))
    return result


def parse(function, kind, text):
    number, end = ffi.new("unsigned int *"), ffi.new("size_t *")
    if function(text.encode(), number, end) < 0:
        word = re.match(r"[^,|\s]*", text[end[0] :])[0]
        raise ValueError(f"invalid {kind}: {word}")
    return number[0]


def flags(text):
    return parse(lib.memfd_parse_flags, "flag", text)


def seals(text):
    return parse(lib.memfd_parse_seals, "seal", text)


def format_seals(number):
    text = ffi.new("char[128]")
    call(lib.memfd_format_seals, number, text, len(text))
    return ffi.string(text).decode()


if __name__ == "__main__":
    fd = call(lib.memfd_new, b"buf", flags("allow-sealing"))
    print("wrote:", os.write(fd, b"hello"), "bytes")
    call(lib.memfd_seal, fd, lib.MEMFD_SEAL_SEAL | seals("immutable"))
    # Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
    have = call(lib.memfd_get_seals, fd) & ~lib.MEMFD_SEAL_EXEC
    print("seals:", format_seals(have))
    call(lib.memfd_check_seals, fd, lib.MEMFD_SEAL_IMMUTABLE)
    print("immutable: yes")

    try:
        os.write(fd, b"again")
    except PermissionError as error:
        print("write:", error.strerror)
    try:
        call(lib.memfd_new, b"buf", flags("allow-sealing,sparkling"))
    except ValueError as error:
        print("new:", error)
    try:
        call(lib.memfd_seal, fd, seals("write|frozen"))
    except ValueError as error:
        print("seal:", error)
    os.close(fd)

    reader, writer = os.pipe()
    try:
        call(lib.memfd_check_seals, reader, lib.MEMFD_SEAL_IMMUTABLE)
    except OSError as error:
        print("pipe:", error.strerror)
    os.close(reader)
    os.close(writer)

    fd = call(lib.memfd_new, b"unsealed", 0)
    try:
        call(lib.memfd_check_seals, fd, lib.MEMFD_SEAL_IMMUTABLE)
    except PermissionError as error:
        print("unsealed:", error.strerror)
    os.close(fd)

    data = b"hello, world"
    fd = call(lib.memfd_new_sealed, b"greeting", 0, data, len(data))
    with open(fd) as greeting:
        print("sealed:", greeting.read())
