# SPDX-License-Identifier: MIT
"""Writes a boot bundle: a plain newc cpio with the configs first, then the files that they load.
`muntin pack` is the user's tool for it; the tests write their own because they also need bundles
that pack would refuse.
"""

import pathlib


def _entry(number, name, mode, data):
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % f for f in fields)
    return _pad(header + name) + _pad(data)


def _pad(data):
    return data + bytes(-len(data) % 4)


def write_bundle(path, files):
    """files: pairs or a dict of name and contents, which are bytes, text, or the Path of a file."""
    items = files.items() if hasattr(files, "items") else files
    with open(path, "wb") as out:
        for number, (name, content) in enumerate(items, 1):
            if isinstance(content, pathlib.Path):
                content = content.read_bytes()
            elif isinstance(content, str):
                content = content.encode()
            out.write(_entry(number, name, 0o100644, content))
        out.write(_entry(0, "TRAILER!!!", 0, b""))
    return pathlib.Path(path)
