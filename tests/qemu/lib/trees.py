# SPDX-License-Identifier: MIT
"""Device trees for cases: the board's own with changes, and overlays for guests."""

import subprocess

from lib import qemu


def _dtc(*words, **options):
    return subprocess.run(["dtc", "-q", *words], check=True, **options)


def board(folder, **options):
    """The tree that QEMU makes for a machine, as a file in `folder`."""
    out = folder / "board.dtb"
    command = qemu.command([], how="none", kernel="/dev/null", **options)
    command[command.index("-M") + 1] += f",dumpdtb={out}"
    at = command.index("-kernel")
    del command[at : at + 2]
    subprocess.run(command, check=True, capture_output=True)
    return out


def edit(path, change):
    """change() gets the tree as text, and returns another."""
    source = _dtc("-I", "dtb", "-O", "dts", path, capture_output=True, text=True).stdout
    changed = change(source)
    assert changed != source
    _dtc("-I", "dts", "-O", "dtb", "-o", path, input=changed.encode())


def overlay(source, folder):
    """The overlay in the file `source`, compiled as `fdt load` wants it."""
    out = folder / f"{source.stem}.dtbo"
    _dtc("-@", "-O", "dtb", "-o", out, source)
    return out
