#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""uimage.py SCRIPT OUT: wraps a text for U-Boot's command `source`, as its mkimage -T script does: a
header of 64 bytes with two CRCs, the length of the text and a 0 in big-endian words, the text.
"""

import pathlib
import struct
import sys
import zlib

MAGIC, LINUX, ARM64, SCRIPT = 0x27051956, 5, 22, 6


def header(data, crc):
    fields = (MAGIC, crc, 0, len(data), 0, 0, zlib.crc32(data), LINUX, ARM64, SCRIPT, 0, b"script")
    return struct.pack(">7I4B32s", *fields)


def main():
    text = pathlib.Path(sys.argv[1]).read_bytes()
    data = struct.pack(">2I", len(text), 0) + text
    pathlib.Path(sys.argv[2]).write_bytes(header(data, zlib.crc32(header(data, 0))) + data)


main()
