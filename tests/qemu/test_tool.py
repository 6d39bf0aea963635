# SPDX-License-Identifier: MIT
"""build/muntin, the host tool: its commands, exit codes and files. No QEMU is needed."""

import base64
import os
import pathlib
import shutil
import struct
import subprocess
import zlib

import pytest
from lib.machine import ROOT

FOUNDING_LINE = (
    "vdev vdev-virtio-net.so loc 0x1b018000 intr gic:45 peer /dev/vdevpeer/vp_lv "
    "mac aa:aa:aa:aa:aa:b1 bind-mode 0660 name agl_to_host"
)


def kernel(size=4096, memory=0x100000):
    """An arm64 Image header and nothing behind it."""
    head = struct.pack("<IIQQQQQQ4sI", 0, 0, 0, memory, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return head + bytes(size - len(head))


@pytest.fixture
def tool(built, tmp_path):
    """tool("check", "a.qvmconf") runs it in a folder of its own and gives code, stdout, stderr."""
    binary = built("muntin")
    (tmp_path / "Image").write_bytes(kernel())

    def run(*args, cwd=tmp_path, **env):
        done = subprocess.run(
            [binary, *map(str, args)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **env},
        )
        return done.returncode, done.stdout, done.stderr

    run.path = tmp_path
    return run


def write(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.qvmconf").write_text(text)


def cpio_names(path):
    with open(path, "rb") as archive:
        done = subprocess.run(["cpio", "-it", "--quiet"], stdin=archive, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split()


def dts(path):
    done = subprocess.run(
        ["dtc", "-q", "-I", "dtb", "-O", "dts", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_check_prints_every_place(tool):
    write(tool.path, a=f"system a ram 16M load Image {FOUNDING_LINE} vdev pl011 intr gic:37")
    code, out, err = tool("check", "a.qvmconf")
    assert code == 0, err
    for text in (
        "a: 1 vCPU",
        "0x040000000..0x040ffffff  16384 KiB",
        "gic:45 = <0 13 4>",
        "gic:37 = <0 5 4>",
        "0x01b018000",
        "mac aa:aa:aa:aa:aa:b1",
        "switch vp_lv",
        "0x040200000..0x0402fffff  Image",
    ):
        assert text in out
    assert err == "a.qvmconf:1:29: warning: switch 'vp_lv' has no other port: is its name right?\n"


def test_check_prints_networks(tool):
    write(
        tool.path,
        a="system a ram 16M load Image cpu cpu\n"
        "vdev virtio-net switch lan vlan trunk:1-10,12,native:5 rate 10M static 020000000009\n"
        "vdev virtio-net switch lan monitor capture 64K\n"
        "switch lan { age 20 poll 3 storm 7 unknown drop }\n",
        b="system b ram 16M load Image vdev virtio-net switch lan packed qsize 9 queues 3 mtu 9000\n"
        "isolate storm 0 vdev virtio-net switch lan vlan access:8 mac-spoof allow",
        c="system c ram 16M lod Image vdev virtio-net switch wan",
    )
    code, out, err = tool("check", "--cpus", 4, "a.qvmconf", "b.qvmconf", "c.qvmconf")
    assert code == 65 and err.splitlines()[0].startswith("c.qvmconf:1:18: error: unknown word 'lod'")
    for text in (
        "2 queue pairs of 256  VLANs: tagged 1-4,6-10,12, untagged 5\n",
        "at most 7 group and unknown frames/s, 10485760 bytes/s, also from 02:00:00:00:00:09\n",
        "2 queue pairs of 256, 64 KiB for captures\n",
        "sees all frames of its switch, sends none\n",
        "3 queue pairs of 9, packed rings, MTU 9000\n",
        "group frames without limit, isolated\n",
        "1 queue pair of 256  VLAN 8\n",
        "at most 7 group and unknown frames/s, from any address\n",
        "switch lan: 4 NICs, forgets addresses after 20 s, drops frames to unknown ones, CPU 3 polls",
    ):
        assert text in out
    assert "switch wan" not in out
    assert "runs on CPU 3" not in out


def test_check_reports_all_errors_of_all_files(tool):
    write(
        tool.path,
        a="system a\nrma 16M\nload Image\nvdev pl011 intr gic:31\n",
        b="system b\nram 16M\nload nothere\n",
        c="system c ram 16M load Image",
    )
    code, out, err = tool("check", "a.qvmconf", "b.qvmconf", "c.qvmconf")
    assert code == 65
    lines = err.splitlines()
    assert lines[0].startswith("a.qvmconf:2:1: error: unknown word 'rma'")
    assert "did you mean 'ram'?" in lines[0]
    assert lines[1].startswith("a.qvmconf:4:12: error: gic:31 is a PPI")
    assert lines[2] == "b.qvmconf:3:1: error: file 'nothere' not found"
    assert lines[3] == "muntin: 3 errors"
    assert "a: not started: 2 errors" in out and "b: not started: 1 error" in out
    assert "c: 1 vCPU" in out


@pytest.mark.parametrize(
    "args, words",
    [
        ([], "usage:"),
        (["frob"], "unknown command frob"),
        (["check"], "check needs the config of a VM"),
        (["pack", "a.qvmconf"], "pack needs -o"),
        (["dtb", "a.qvmconf"], "dtb needs -o"),
        (["check", "--cpus", "x", "a.qvmconf"], "--cpus needs a number from 1 to 16, not x"),
        (["check", "--gic", "4", "a.qvmconf"], "--gic needs a number from 2 to 3, not 4"),
        (["pack", "-o", "a.qvmconf", "b.qvmconf"], "-o needs the file to be written"),
        (["check", "--frob", "1", "a.qvmconf"], "unknown option --frob"),
        (["check", "a.qvmconf", "-o"], "unknown option, or nothing behind it: -o"),
        (["manual", "x"], "manual takes no arguments"),
        (["board"], "board needs a BOARD.dtb"),
    ],
)
def test_wrong_usage_is_64(tool, args, words):
    write(tool.path, a="system a ram 16M load Image")
    code, out, err = tool(*args)
    assert code == 64 and out == ""
    assert words in err and "muntin check" in err


def test_at_file_adds_to_the_vm_before_it(tool):
    (tool.path / "sub").mkdir()
    write(tool.path / "sub", a="system a load Image cpu", common="ram 16M", uart="vdev pl011")
    write(tool.path, b="system b ram 16M load Image")
    code, out, err = tool("check", "sub/a.qvmconf", "@common.qvmconf", "@uart.qvmconf", "b.qvmconf")
    assert code == 0, err
    assert "vdev pl011" in out.split("b: ")[0]
    code, out, err = tool(
        "pack", "-o", "x.cpio", "sub/a.qvmconf", "@common.qvmconf", "@uart.qvmconf", "b.qvmconf"
    )
    assert code == 0, err
    assert cpio_names(tool.path / "x.cpio") == [
        "a.qvmconf",
        "common.qvmconf",
        "uart.qvmconf",
        "b.qvmconf",
        "Image",
    ]
    code, out, err = tool("check", "x.cpio")
    assert code == 0, err
    assert [line for line in out.splitlines() if "vCPU" in line] == ["a: 1 vCPU", "b: 1 vCPU"]
    assert "vdev pl011" in out.split("b: ")[0]


def test_files_are_found_beside_the_config_then_here_then_in_folders(tool):
    for folder in ("sub", "more"):
        (tool.path / folder).mkdir()
    (tool.path / "sub/rd").write_bytes(b"s" * 5000)
    (tool.path / "rd").write_bytes(b"x" * 100)
    (tool.path / "more/extra").write_bytes(b"m")
    write(tool.path / "sub", a="system a ram 16M load Image initrd load rd data load 0x40f00000,extra")
    code, _, err = tool("check", "sub/a.qvmconf")
    assert code == 65 and "file 'extra' not found" in err
    code, out, err = tool("check", "-I", "more", "sub/a.qvmconf")
    assert code == 0, err
    assert "0x040300000..0x040301387  rd" in out


def test_files_of_disks_are_packed(tool):
    (tool.path / "images").mkdir()
    (tool.path / "images/root.ext4").write_bytes(bytes(4096))
    (tool.path / "data.img").write_bytes(bytes(1024))
    write(
        tool.path,
        a="system a ram 16M load Image\nvdev virtio-blk hostdev <images/root.ext4\n"
        "vdev virtio-blk hostdev data.img cow 4K",
    )
    code, out, err = tool("pack", "-o", "x.cpio", "a.qvmconf")
    assert code == 0, err
    assert cpio_names(tool.path / "x.cpio") == [
        "a.qvmconf",
        "Image",
        "images/root.ext4",
        "data.img",
    ]
    assert tool("check", "x.cpio")[0] == 0
    (tool.path / "data.img").unlink()
    code, _, err = tool("check", "a.qvmconf")
    assert code == 65 and err.startswith("a.qvmconf:3:25: error: file 'data.img' not found\n")


def test_one_name_for_two_files_is_refused(tool):
    for folder in ("one", "two"):
        (tool.path / folder).mkdir()
        (tool.path / folder / "rd").write_text(folder)
        write(tool.path / folder, **{folder: f"system {folder} ram 16M load Image initrd load rd"})
    code, _, err = tool("pack", "-o", "x.cpio", "one/one.qvmconf", "two/two.qvmconf")
    assert code == 65
    assert "two files for the name 'rd' in the bundle: one/rd and two/rd" in err
    assert not (tool.path / "x.cpio").exists()


def test_pack_is_what_cpio_reads_and_the_same_each_time(tool):
    write(tool.path, b="system b ram 16M load Image", a="system a ram 16M load Image")
    for name in ("x.cpio", "y.cpio"):
        assert tool("pack", "-o", name, "b.qvmconf", "a.qvmconf")[0] == 0
    assert (tool.path / "x.cpio").read_bytes() == (tool.path / "y.cpio").read_bytes()
    assert cpio_names(tool.path / "x.cpio") == ["b.qvmconf", "a.qvmconf", "Image"]
    (tool.path / "out").mkdir()
    with open(tool.path / "x.cpio", "rb") as archive:
        subprocess.run(["cpio", "-i", "--quiet"], stdin=archive, cwd=tool.path / "out", check=True)
    assert (tool.path / "out/Image").read_bytes() == kernel()


def test_a_bundle_made_by_cpio_is_read(tool):
    write(tool.path, a="system a ram 16M load Image")
    done = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        input=b"./a.qvmconf\nImage\n",
        capture_output=True,
        cwd=tool.path,
        check=True,
    )
    (tool.path / "made.cpio").write_bytes(done.stdout)
    code, out, err = tool("check", "made.cpio")
    assert code == 0, err
    assert "a: 1 vCPU" in out


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "it is empty (0 bytes)"),
        (b"\x1f\x8b" + bytes(200), "not a cpio archive of format newc"),
        (b"070701", "truncated in 'its header': needs 110 bytes, 6 are there"),
    ],
)
def test_a_bad_bundle_is_one_clear_line(tool, content, words):
    (tool.path / "bad.cpio").write_bytes(content)
    code, out, err = tool("check", "bad.cpio")
    assert code == 65 and out == ""
    assert err.startswith("muntin: bad.cpio: ") and words in err and err.count("\n") == 1


def test_a_bundle_without_configs(tool, bundle):
    code, _, err = tool("check", bundle({"Image": kernel()}))
    assert code == 65
    assert "0 VMs" in err


def test_pack_refuses_errors_but_for_force(tool):
    write(tool.path, a="system a ram 16M load Image vdev frob")
    code, _, err = tool("pack", "-o", "x.cpio", "a.qvmconf")
    assert code == 65 and "unknown vdev 'frob'" in err
    assert not (tool.path / "x.cpio").exists()
    assert tool("pack", "-f", "-o", "x.cpio", "a.qvmconf")[0] == 0
    assert cpio_names(tool.path / "x.cpio") == ["a.qvmconf", "Image"]


def zimage(size, memory):
    """The header of arch/arm's image and nothing behind it."""
    head = struct.pack("<9I4I", *[0] * 9, 0x016F2818, 0, memory, 0x04030201)
    return head + bytes(size - len(head))


@pytest.mark.parametrize("header, at, width", [(kernel, 16, "<Q"), (zimage, 0x2C, "<I")])
def test_append_puts_the_bundle_behind_bss(tool, header, at, width):
    write(tool.path, a="system a ram 16M load Image")
    image = header(5000, 0x3210)
    (tool.path / "muntin.bin").write_bytes(image)
    assert tool("pack", "-o", "x.cpio", "a.qvmconf")[0] == 0
    code, _, err = tool("pack", "--append", "muntin.bin", "-o", "fw.bin", "a.qvmconf")
    assert code == 0, err
    firmware = (tool.path / "fw.bin").read_bytes()
    archive = (tool.path / "x.cpio").read_bytes()
    behind = at + struct.calcsize(width)
    assert firmware[:at] == image[:at] and firmware[behind:5000] == image[behind:]
    assert firmware[5000:0x4000] == bytes(0x4000 - 5000)
    assert firmware[0x4000 : 0x4000 + len(archive)] == archive
    assert struct.unpack_from(width, firmware, at)[0] == len(firmware)
    assert len(firmware) % 4096 == 0
    code, _, err = tool("pack", "--append", "fw.bin", "-o", "fw2.bin", "a.qvmconf")
    assert code == 65 and "appended to it already?" in err
    code, _, err = tool("pack", "--append", "x.cpio", "-o", "fw2.bin", "a.qvmconf")
    assert code == 65 and "neither an arm64 Image's header nor a zImage's" in err


def test_dtb_has_the_config_and_the_board(tool):
    write(
        tool.path,
        a="system a cpu cpu ram 16M load Image cmdline \"a b\" vdev pl011 loc 0x1c090000 intr gic:37",
    )
    code, _, err = tool("dtb", "-o", "a.dtb", "a.qvmconf")
    assert code == 0, err
    text = dts(tool.path / "a.dtb")
    assert 'bootargs = "a b"' in text and "pl011@1c090000" in text and "arm,gic-v3" in text
    assert "interrupts = <0x00 0x05 0x04>" in text and "cpu@1" in text
    assert tool("dtb", "--gic", "2", "-o", "a.dtb", "a.qvmconf")[0] == 0
    assert "arm,cortex-a15-gic" in dts(tool.path / "a.dtb")
    shutil.copy(tool.path / "a.dtb", tool.path / "board.dtb")
    assert tool("dtb", "--board", "board.dtb", "-o", "b.dtb", "a.qvmconf")[0] == 0
    assert "arm,cortex-a15-gic" in dts(tool.path / "b.dtb")
    code, _, err = tool("dtb", "--board", "Image", "-o", "b.dtb", "a.qvmconf")
    assert code == 65 and "Image is not a device tree" in err


BOARD = """/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
    cpus { #address-cells = <1>; #size-cells = <0>;
        cpu@0 { device_type = "cpu"; compatible = "arm,cortex-a53"; reg = <0>; };
        cpu@1 { device_type = "cpu"; compatible = "arm,cortex-a72"; reg = <1>; }; };
    reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
        shared@90000000 { reg = <0 0x90000000 0 0x400000>; }; }; };"""


@pytest.fixture
def board(tmp_path):
    path = tmp_path / "board.dtb"
    subprocess.run(["dtc", "-q", "-o", path, "-"], input=BOARD.encode(), check=True)
    return path


def test_environment_is_replaced_before_words_are_split(tool):
    (tool.path / "sub").mkdir()
    write(
        tool.path / "sub",
        a="# $env{NOT_SET} in a comment\nsystem $env{NAME}\n$env{MORE} load $env{IMAGE}\n"
        'cmdline "root=$env{ROOT}" # $env{NOT_SET}\n@$env{PART}.qvmconf\n',
        part="vdev pl011 name $env{NAME}_uart",
    )
    values = {
        "NAME": "box", "MORE": "cpu cpu ram 16M", "IMAGE": "Image", "ROOT": "a # b", "PART": "part"
    }  # fmt: skip
    code, out, err = tool("check", "sub/a.qvmconf", **values)
    assert code == 0 and err == "", err
    assert "box: 2 vCPUs" in out and "box_uart" in out
    code, _, err = tool("pack", "-o", "x.cpio", "sub/a.qvmconf", **values)
    assert code == 0, err
    packed = (tool.path / "x.cpio").read_bytes()
    assert b"system box\ncpu cpu ram 16M load Image\ncmdline \"root=a # b\"" in packed
    assert b"vdev pl011 name box_uart" in packed and b"$env{NOT_SET} in a comment" in packed
    code, out, err = tool("check", "x.cpio")  # without the environment
    assert code == 0 and "box: 2 vCPUs" in out, err


@pytest.mark.parametrize(
    "text, col, words",
    [
        ("cmdline \"a $env{NOT_SET}\"", 12, "$env{NOT_SET}: the environment has no NOT_SET"),
        ("cmdline $env{LINES}", 9, "$env{LINES}: its value has a control byte 0x0a"),
        ("ram $asinfo_length{x}", 5, "needs the board's device tree: --board BOARD.dtb"),
        ("cmdline $evn{HOME}", 9, "unknown $evn{...}: there are $env{NAME}, $asinfo_start{NAME}"),
    ],
)
def test_what_cannot_be_replaced(tool, text, col, words):
    write(tool.path, a=f"system a ram 16M load Image\n{text}\n")
    code, _, err = tool("check", "a.qvmconf", LINES="a\nb")
    assert code == 65
    assert err.startswith(f"a.qvmconf:2:{col}: error: ") and words in err.splitlines()[0], err
    assert tool("pack", "-o", "x.cpio", "a.qvmconf", LINES="a\nb")[0] == 65
    assert not (tool.path / "x.cpio").exists()


def test_on_a_board_nothing_is_replaced(tool, bundle):
    path = bundle({"a.qvmconf": "system a ram 16M load Image cmdline $env{HOME}", "Image": kernel()})
    code, _, err = tool("check", path, HOME="x")
    assert code == 65 and "only `muntin check` and `muntin pack` replace $env{NAME}" in err


def test_reserved_memory_of_the_board(tool, board):
    write(
        tool.path,
        a="system a ram 16M load Image\n"
        "ram $asinfo_start{shared},$asinfo_length{shared} cpu cluster cortex-a72",
    )
    code, out, err = tool("check", "--board", board, "a.qvmconf")
    assert code == 0, err
    assert "0x090000000..0x0903fffff" in out and "runs on CPU 1" in out
    write(tool.path, b="system b ram 16M load Image\nram $asinfo_start{ram},1M\ncpu cluster big")
    code, out, err = tool("check", "--board", board, "b.qvmconf")
    assert code == 65
    assert "b.qvmconf:2:5: error: the board's tree has no reserved memory 'ram', but: shared" in err
    assert "no cluster 'big', only _all, _cpu-N and: cortex-a53 cortex-a72" in err


def test_words_behind_two_dashes_add_to_the_last_vm(tool):
    write(tool.path, a="system a ram 16M load Image", b="system b ram 16M load Image")
    words = ["--", "dryrun", "set", "fdt-dump-file", "x.dtb", "cmdline", "a # b", "@cpus.qvmconf"]
    write(tool.path, cpus="cpu cpu")
    code, out, err = tool("check", "a.qvmconf", "b.qvmconf", *words)
    assert code == 0, err
    assert "a: 1 vCPU\n" in out and "b: 2 vCPUs, not to be started (dryrun)" in out
    assert 'bootargs = "a # b"' in dts(tool.path / "x.dtb")


def test_fdt_dump_file(tool):
    write(tool.path, a="system a ram 16M load Image set fdt-dump-file dump.dtb dryrun")
    code, out, err = tool("check", "a.qvmconf")
    assert code == 0, err
    assert "not to be started (dryrun)" in out
    assert "memory@40000000" in dts(tool.path / "dump.dtb")


def test_a_bad_user_tree_is_an_error_with_its_line(tool):
    (tool.path / "bad.dtb").write_bytes(b"\xd0\x0d\xfe\xed" + bytes(60))
    write(tool.path, a="system a ram 16M load Image\nfdt load bad.dtb")
    code, _, err = tool("check", "a.qvmconf")
    assert code == 65
    assert err.startswith("a.qvmconf:2:5: error: ")


def test_board_tells_cpus(tool):
    write(tool.path, a="system a ram 16M load Image cpu runmask 3")
    assert tool("check", "a.qvmconf")[0] == 0
    code, _, err = tool("check", "--cpus", "2", "a.qvmconf")
    assert code == 65 and "runmask names no CPU of this board, which has 0..1" in err


def test_manual_is_in_the_docs(tool):
    code, out, err = tool("manual")
    assert code == 0 and err == ""
    assert "### vdev virtio-net" in out and "`load [ADDRESS,]PATH`" in out
    assert out in (ROOT / "docs/config.md").read_text(), "run: make docs"


def ready_made():
    """The systems under guest-configs, of each that has folders for boards one with each."""
    for path in sorted((ROOT / "guest-configs").rglob("*.qvmconf")):
        folder = path.parent.relative_to(ROOT / "guest-configs")
        if not list(path.parent.glob("*/*.qvmconf")):
            yield str(folder)


@pytest.mark.parametrize("folder", sorted(set(ready_made())))
def test_ready_made_systems_are_fine(tool, folder):
    """With stand-ins for the files that they load."""
    system = ROOT / "guest-configs" / folder.split("/")[0]
    folders = {ROOT / "guest-configs" / folder, system}
    for part in (part for f in folders for part in f.glob("*.*conf")):
        words = part.read_text().split()
        for verb, path in zip(words, words[1:]):
            name = pathlib.Path(path.split(",")[-1].lstrip("<>"))
            if verb in ("load", "hostdev") and not (tool.path / name).exists() and name.name:
                (tool.path / name).parent.mkdir(parents=True, exist_ok=True)
                (tool.path / name).write_bytes(b"\0" if name.suffix == ".bin" else kernel())
    configs = sorted(path for f in folders for path in f.glob("*.qvmconf"))
    code, _, err = tool("check", "--cpus", "4", *configs)
    assert code == 0, err
    lines = [line for line in err.splitlines() if ": warning: ram identity: " not in line]
    assert not any(": error: " in line or ": warning: " in line for line in lines), err


def test_unreadable_files(tool):
    code, _, err = tool("check", "nothere.qvmconf")
    assert code == 66 and "nothere.qvmconf: No such file" in err
    write(tool.path, a="system a ram 16M load Image")
    code, _, err = tool("pack", "-o", "no/such/folder", "a.qvmconf")
    assert code == 73 and os.strerror(2) in err


# --- pcap ----------------------------------------------------------------------------------------


def dump_lines(name, frames):
    """What `net capture NAME dump` prints; frames are (ns, bytes, length on the wire)."""
    pieces = [("b", struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1) + name.encode())]
    for ns, data, length in frames:
        record = struct.pack("<IIII", *divmod(ns, 10**9), len(data), length) + data
        kinds = ["r"] + ["m"] * (len(record) // 144)
        pieces += [(k, record[i * 144 :][:144]) for i, k in enumerate(kinds) if record[i * 144 :]]
    pieces.append(("e", struct.pack("<I", len(frames))))
    lines = []
    for seq, (kind, data) in enumerate(pieces):
        text = f"MPCAP1 {kind} {seq:08x} {base64.b64encode(data).decode()}"
        lines.append(f"{text} {zlib.crc32(text.encode()):08x}")
    return lines


def read_pcap(path):
    """The frames of a classic pcap file, as above."""
    data = path.read_bytes()
    assert struct.unpack("<IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    frames, at = [], 24
    while at < len(data):
        seconds, ns, kept, length = struct.unpack("<IIII", data[at : at + 16])
        frames.append((seconds * 10**9 + ns, data[at + 16 : at + 16 + kept], length))
        assert at + 16 + kept <= len(data)
        at += 16 + kept
    return frames


FRAMES = [
    (5 * 10**9 + i, bytes((i * 3 + k) % 256 for k in range(n)), n)
    for i, n in enumerate([14, 60, 127, 128, 129, 272, 273, 1514, 9014])
] + [(6 * 10**9, b"x" * 65535, 65550)]


def test_pcap_of_a_plain_log(tool):
    (tool.path / "log").write_text("\n".join(dump_lines("alpha/eth", FRAMES)) + "\n")
    code, out, err = tool("pcap", "log")
    assert (code, err) == (0, "")
    assert out == f"alpha-eth.pcap: {len(FRAMES)} frames of alpha/eth\n"
    assert read_pcap(tool.path / "alpha-eth.pcap") == FRAMES


def test_pcap_among_other_things(tool):
    """Prefixes, CR LF, other consoles' lines, a prompt in front, lines shown twice, two captures."""
    noise = ["[beta] MPCAP1 is not for me", "[alpha] login:", "", "muntin: 3 MPCAP1 r 00000001"]
    log = []
    for i, line in enumerate(dump_lines("alpha/eth", FRAMES)):
        log += [noise[i % 4], ["", "[muntin] ", "muntin> net sho"][i % 3] + line]
        if i % 5 == 0:
            log += [line[: i % 200], line]
    log += [*dump_lines("alpha/eth", []), *dump_lines("beta/e", FRAMES[:2])]
    (tool.path / "log").write_bytes("\r\n".join(log).encode() + b"\xff\0\x80")
    code, out, err = tool("pcap", "-o", "x.pcap", "log")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"x.pcap: {len(FRAMES)} frames of alpha/eth",
        "x-2.pcap: 0 frames of alpha/eth",
        "x-3.pcap: 2 frames of beta/e",
    ]
    assert read_pcap(tool.path / "x.pcap") == FRAMES
    assert read_pcap(tool.path / "x-2.pcap") == []
    assert read_pcap(tool.path / "x-3.pcap") == FRAMES[:2]


@pytest.mark.parametrize("damage", [lambda s: [], lambda s: [s[:30] + "#" + s[31:]]])
def test_pcap_loses_only_what_is_lost(tool, damage):
    """Whichever line is lost or torn: one frame is missing, the others are there."""
    frames = FRAMES[:7]
    lines = dump_lines("a/b", frames)
    owner, current = {}, -1
    for i, line in enumerate(lines):
        current += line[7] == "r"
        owner[i] = current
    for i in range(1, len(lines) - 1):
        (tool.path / "log").write_text("\n".join(lines[:i] + damage(lines[i]) + lines[i + 1 :]))
        code, out, err = tool("pcap", "-o", "x.pcap", "log")
        assert code == 65 and err.startswith("muntin: parts are missing")
        assert out == "x.pcap: 6 frames of a/b; there were 7: 1 lines are missing\n"
        assert read_pcap(tool.path / "x.pcap") == frames[: owner[i]] + frames[owner[i] + 1 :]


def test_pcap_without_end_or_capture(tool):
    lines = dump_lines("a/../b", FRAMES[:3])
    (tool.path / "log").write_text("\n".join(lines[:-1]))
    code, out, err = tool("pcap", "log")
    assert (code, out) == (65, "a-..-b.pcap: 3 frames of a/../b; its end is missing\n")
    assert read_pcap(tool.path / "a-..-b.pcap") == FRAMES[:3]
    (tool.path / "log").write_text("\n".join(lines[1:]))
    assert tool("pcap", "log") == (65, "", "muntin: no capture in log\n")
    assert tool("pcap", "log", "log")[0] == 64
    assert tool("pcap", "nothing")[0] == 66


def test_pcap_does_not_believe_lengths(tool):
    """Sound lines with senseless records: none is written, nothing breaks."""
    record = struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 14) + bytes(14)
    short = struct.pack("<IIII", 0, 0, 4, 4) + bytes(20)
    lines = []
    for seq, (kind, data) in enumerate(
        [("b", bytes(24) + b"n"), ("r", record), ("m", bytes(100)), ("r", short), ("r", b"abc")]
        + [("m", bytes(144)), ("z", b"?"), ("e", bytes(3)), ("e", bytes(4))]
    ):
        text = f"MPCAP1 {kind} {seq:08x} {base64.b64encode(data).decode()}"
        lines.append(f"{text} {zlib.crc32(text.encode()):08x}")
    (tool.path / "log").write_text("\n".join(lines))
    code, out, err = tool("pcap", "log")
    assert (code, out) == (0, "n.pcap: 0 frames of n\n")
    assert (tool.path / "n.pcap").stat().st_size == 24


DESK = """/dts-v1/;
/ {
    #address-cells = <1>; #size-cells = <1>; model = "A board"; interrupt-parent = <&gic>;
    cpus { #address-cells = <1>; #size-cells = <0>;
        cpu@0 { device_type = "cpu"; reg = <0>; }; cpu@1 { device_type = "cpu"; reg = <0x100>; }; };
    gic: gic { compatible = "arm,gic-v3"; #interrupt-cells = <3>; reg = <0x1000 0x1000 0x40000 0x40000>;
        interrupts = <1 9 4>; };
    timer: timer { compatible = "arm,armv8-timer"; interrupts = <1 13 4 1 14 4 1 11 4 1 10 4>; };
};
"""
DESK_REST = """
/ { chosen { stdout-path = "/serial:115200"; }; psci { compatible = "arm,psci-1.0"; method = "smc"; };
    serial { compatible = "ti,am654-uart"; reg = <0x2000 0x100>; interrupts = <0 5 4>; };
    memory { device_type = "memory"; reg = <0x40000000 0x1000000>; }; };
"""


def board_dtb(folder, text):
    made = subprocess.run(
        ["dtc", "-q", "-O", "dtb", "-o", folder / "b.dtb"], input=text, text=True, capture_output=True
    )
    assert made.returncode == 0, made.stderr
    return "b.dtb"


def test_board_that_has_all(tool):
    code, out, err = tool("board", board_dtb(tool.path, DESK + DESK_REST))
    assert (code, err) == (0, "")
    assert out == """muntin: device tree: A board
muntin:   firmware: PSCI by SMC
muntin:   CPU      0x0
muntin:   CPU      0x100
muntin:   RAM      0x40000000 to 0x40ffffff
muntin:   UART     OMAP, interrupt 37
muntin:   UART     0x2000 to 0x20ff
muntin:   GICv3    maintenance interrupt 25, timers' 29 30 27 26
muntin:   GICD     0x1000 to 0x1fff
muntin:   GICR     0x40000 to 0x7ffff
muntin: VMs can start on it
"""


def test_board_that_waits_for_its_boot_loader(tool):
    """What a boot loader adds is no error, a console's driver a warning; each thing has its line."""
    code, out, err = tool("board", board_dtb(tool.path, DESK))
    assert (code, err) == (0, "")
    assert out.endswith("""muntin: no memory is named: the boot loader has to
muntin: warning: no UART that has a driver: nothing would be shown
muntin: no PSCI is named: the boot loader may (U-Boot does, where it provides it); without it \
nothing can switch the board off
muntin: warning: the board's device tree has neither PSCI by SMC nor a spin-table for 1 CPUs: \
they stay off
muntin: VMs can start on it
""")
    other = DESK_REST.replace("/serial:", "/uart:").replace("interrupts = <0 5 4>;", "")
    code, out, err = tool("board", board_dtb(tool.path, DESK + other))
    assert "warning: no stdout-path, or to a UART that has no driver" in out
    assert "no interrupt of the GIC's: a timer looks at it" in out and code == 0


@pytest.mark.parametrize(
    "change, why",
    [
        (("arm,gic-v3", "arm,gic-v1"), "has no GICv2 or GICv3"),
        (("arm,gic-v3", "arm,gic-400"), "has no virtualization frames (GICH, GICV)"),
        ((" 0x40000 0x40000>", ">"), "where the distributor and the redistributors"),
        (("1 10 4>", ">"), "lacks the interrupt of the hypervisor timer"),
        (("arm,armv8", "arm,armv6"), "lacks the interrupt of the hypervisor timer"),
        (("<1 9 4>", "<0 9 4>"), "lacks the interrupt of the GIC's virtual interface"),
    ],
)
def test_board_without_vms(tool, change, why):
    """The error, and exit code 65, even if the next board has none."""
    bad = board_dtb(tool.path, (DESK + DESK_REST).replace(*change))
    shutil.copy(tool.path / bad, tool.path / "bad.dtb")
    good = board_dtb(tool.path, DESK + DESK_REST)
    code, out, err = tool("board", "bad.dtb", good)
    first, second = out.split("b.dtb:\n")
    assert (code, err) == (65, "") and first.startswith("bad.dtb:\n")
    assert "error: the board's " in first and why in first
    assert first.endswith("no VM can start on it\n") and "error" not in second


def test_board_that_is_none(tool):
    (tool.path / "x.dtb").write_bytes(b"\xd0\x0d\xfe\xed" + bytes(60))
    assert tool("board", "x.dtb") == (65, "", "muntin: x.dtb is not a device tree\n")
    assert tool("board", "nothing.dtb")[0] == 66
