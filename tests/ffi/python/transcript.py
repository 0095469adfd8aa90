# SPDX-License-Identifier: MIT
"""The transcript in ../expected, from Python."""

import os

import memfd
from memfd import Flag, Seal


def reason(action, *arguments):
    """What went wrong, without the errno."""
    try:
        action(*arguments)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", error)
    raise AssertionError("should have been refused")


with memfd.new("buf", Flag.ALLOW_SEALING) as buf:
    print("wrote:", buf.write(b"hello"), "bytes")
    memfd.seal(buf, "seal,immutable")
    # Linux 6.3 and later add Seal.EXEC by themselves.
    print("seals:", memfd.format_seals(memfd.get_seals(buf) & ~Seal.EXEC))
    memfd.check_seals(buf, Seal.IMMUTABLE)
    print("immutable: yes")
    print("write:", reason(buf.write, b"again"))
    print("new:", reason(memfd.new, "buf", "allow-sealing,sparkling"))
    print("seal:", reason(memfd.seal, buf, "write|frozen"))

reader, writer = os.pipe()
print("pipe:", reason(memfd.check_seals, reader, "immutable"))
os.close(reader)
os.close(writer)

with memfd.new("unsealed") as unsealed:
    print("unsealed:", reason(memfd.check_seals, unsealed, "immutable"))

with memfd.new_sealed("greeting", b"hello, world") as greeting:
    print("sealed:", greeting.read().decode())
