# SPDX-License-Identifier: MIT
"""libmemfd from Python with cffi, which reads the installed header."""

import os
import shlex
import subprocess

from cffi import FFI


def header():
    """memfd.h after the preprocessor, as it is installed."""
    cflags = subprocess.check_output(["pkg-config", "--cflags", "libmemfd"])
    # gcc's stddef.h has attributes, which cffi does not read.
    command = ["cc", "-E", "-P", "-D__attribute__(x)=", "-xc", "-"]
    command += shlex.split(cflags.decode())
    return subprocess.check_output(command, input=b"#include <memfd.h>\n").decode()


ffi = FFI()
ffi.cdef(header())
lib = ffi.dlopen("libmemfd.so.1")


def call(function, *arguments):
    result = function(*arguments)
    if result < 0:
        raise OSError(ffi.errno, os.strerror(ffi.errno))
    return result


data = b"hello, world"
fd = call(lib.memfd_new_sealed, b"greeting", 0, data, len(data))
call(lib.memfd_check_seals, fd, lib.MEMFD_SEAL_IMMUTABLE)
text = ffi.new("char[]", lib.MEMFD_SEALS_STRLEN)
call(lib.memfd_get_seals_str, fd, text, len(text))
# Linux 6.3 and later add "exec" by themselves.
assert ffi.string(text).removesuffix(b",exec") == b"seal,shrink,grow,write"
assert os.read(fd, 64) == data
try:
    call(lib.memfd_seal, fd, lib.MEMFD_SEAL_GROW)
except PermissionError:
    os.close(fd)
else:
    raise AssertionError("a sealed file can be sealed")
