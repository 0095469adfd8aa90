# SPDX-License-Identifier: MIT
import ctypes, os
lib = ctypes.CDLL("libmemfd.so.1", use_errno=True)
data = b"hello, world"
fd = lib.memfd_new_sealed_str(b"greeting", b"", data, ctypes.c_size_t(len(data)))
if fd < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

assert os.read(fd, 64) == data
