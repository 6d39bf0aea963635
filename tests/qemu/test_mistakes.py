# SPDX-License-Identifier: MIT
"""build/muntin in the hands of somebody who mistypes, forgets a word or names the wrong file: what
is said, and that nothing is lost by it. No QEMU is needed.
"""

import subprocess

import pytest
from test_tool import BOARD, kernel, tool, write  # noqa: F401 (a fixture)


@pytest.mark.parametrize("args", [["help"], ["--help"], ["-h"], ["check", "--help"]])
def test_help(tool, args):
    code, out, err = tool(*args)
    assert code == 0 and err == ""
    assert "usage: muntin check" in out and "Exit status: 0 fine" in out


def test_what_was_read_is_not_overwritten(tool):
    write(tool.path, a="system a ram 16M load Image set fdt-dump-file ./Image")
    (tool.path / "fw.bin").write_bytes(kernel())
    for args in (
        ["pack", "-o", "Image", "a.qvmconf"],
        ["pack", "-o", "./fw.bin", "--append", "fw.bin", "a.qvmconf"],
        ["dtb", "-o", "Image", "a.qvmconf"],
        ["check", "a.qvmconf"],
    ):
        code, _, err = tool(*args)
        assert code == 73 and "was read: it's not overwritten" in err, args
        assert (tool.path / "Image").read_bytes() == kernel()
        assert (tool.path / "fw.bin").read_bytes() == kernel()


def test_a_bundle_has_the_vms_that_were_packed(tool):
    """A VM is a file called *.qvmconf on the board, whatever the command line calls one."""
    (tool.path / "a.conf").write_text("system a ram 16M load Image")
    assert tool("check", "a.conf")[0] == 0
    code, _, err = tool("pack", "-o", "x.cpio", "a.conf")
    assert code == 65 and "a.conf: the VMs of a bundle are its files called *.qvmconf" in err
    assert not (tool.path / "x.cpio").exists()


def test_what_is_no_config_is_one_error(tool):
    """A binary file, and quickly: the walk over its bytes looked for a bracket behind each."""
    (tool.path / "kernel").write_bytes(b"system \0" + b"\n} $x" * 1000000)
    code, out, err = tool("check", "kernel")
    assert code == 65 and out == "kernel: not started: 2 errors\n"
    assert err.startswith("kernel:1:1: error: this is no text: byte 7 is 0")
    assert len(err.splitlines()) == 3
    (tool.path / "long").write_text("#" * 8000000)
    assert tool("check", "long")[0] == 65


def test_a_file_too_large_for_a_bundle(tool):
    with open(tool.path / "disk.img", "wb") as disk:
        disk.truncate(1 << 32)
    write(tool.path, a="system a ram 16M load Image vdev virtio-blk hostdev disk.img")
    code, _, err = tool("check", "a.qvmconf")
    assert code == 66 and err == "muntin: disk.img: File too large\n"


def test_ram_that_the_board_does_not_have(tool):
    memory = 'memory@80000000 { device_type = "memory"; reg = <0 0x80000000 0 0x4000000>; };'
    tree = BOARD.replace("cpus {", memory + " cpus {", 1)
    path = tool.path / "board.dtb"
    subprocess.run(["dtc", "-q", "-o", path, "-"], input=tree.encode(), check=True)
    write(
        tool.path,
        a="system a ram 48M load Image",
        b="system b ram 17M load Image",
        c="system c ram 16M load Image",
    )
    code, _, err = tool("check", "--board", path, "a.qvmconf", "b.qvmconf", "c.qvmconf")
    assert code == 0
    assert err == (
        "b.qvmconf:1:1: warning: its RAM, 17 MiB, is not there: the board's tree has 64 MiB, "
        "of which VMs before it take 48\n"
    )
