# SPDX-License-Identifier: MIT
"""What users get wrong: each mistake gives a clear message that names file and line or the numbers
at fault; VMs without fault run all the same; nothing hangs silently.
"""

import re
import struct
import subprocess
import time

import pytest
from lib import trees, vms
from lib.bundle import write_bundle

GOOD = vms.puppet("good", 1, "off")


@pytest.fixture
def beside_good(machine, bundle, built):
    """Boots bad configs with a good VM, which has to run to its end; gives the console's text.

    files: more files of the bundle, by name.
    """

    def boot(bad, files=None, **options):
        configs = bad if isinstance(bad, dict) else {"bad.qvmconf": bad}
        b = bundle(
            {**configs, "good.qvmconf": GOOD, **vms.files(built, "puppet.img"), **(files or {})}
        )
        m = machine(bundle=b, **{"smp": 2, "mem": 512, **options})
        vms.expect_puppet(m, 1, "UP ")
        m.expect_exit()
        assert not m.seen("PANIC"), m.tail()
        return m.text

    return boot


def errors(text):
    """(file, line, column, message) of each error with a place."""
    found = re.findall(r"^muntin: ([^\s:]+):(\d+):(\d+): error: (.*)$", text, re.M)
    return [(f, int(line), int(col), message) for f, line, col, message in found]


def one_error(text, line, words, file="bad.qvmconf", col=None):
    """There is one error; it is in this line and has all these words. The VM is said not to run."""
    found = errors(text)
    assert len(found) == 1, found or text
    assert found[0][:2] == (file, line), found
    assert col is None or found[0][2] == col, found
    for word in words:
        assert word in found[0][3], (word, found[0][3])
    assert re.search(r"^muntin: .*\bbad\b.*not started", text, re.M), text


def config(*lines):
    """Line 1 is the system, line 2 the RAM, line 3 the kernel; lines follow from 4 on."""
    return vms.system("bad", "ram 16M", "load puppet.img", *lines)


# --- the bundle -----------------------------------------------------------------------------------


def halted_with(m, pattern):
    m.expect(pattern)
    m.expect(r"^muntin: .*halted$")
    time.sleep(0.3)
    m.quiet(1, ".")
    assert m.process.poll() is None


@pytest.mark.parametrize("how", ["bios", "kernel"])
def test_no_bundle(machine, how):
    m = machine(how=how, smp=1, mem=512)
    halted_with(m, r"^muntin: error: no bundle: .*muntin pack")


@pytest.mark.parametrize("how", ["bios", "kernel", "uboot"])
def test_bundle_that_is_none(machine, tmp_path, how):
    path = tmp_path / "bundle"
    path.write_bytes(b"this is no archive\n" * 10)
    m = machine(how=how, bundle=path, smp=1, mem=512)
    if how == "uboot":
        m.boot_from_uboot()
    halted_with(m, r"^muntin: error: the bundle .* no good: .*cpio")


def test_empty_bundle(machine, tmp_path):
    path = tmp_path / "bundle"
    path.write_bytes(b"")
    m = machine(how="bios", bundle=path, smp=1, mem=512)
    halted_with(m, r"^muntin: error: .*bundle")


def test_bundle_without_config(machine, bundle, built):
    m = machine(bundle=bundle(vms.files(built, "puppet.img")), smp=1, mem=512)
    halted_with(m, r"^muntin: error: .*no config.*\.qvmconf")


@pytest.mark.parametrize("how", ["bios", "kernel"])
@pytest.mark.parametrize("cut", [50, 400, 20_000])
def test_truncated_bundle(machine, bundle, built, how, cut):
    path = bundle({"good.qvmconf": GOOD, **vms.files(built, "puppet.img")})
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    m = machine(how=how, bundle=path, smp=1, mem=512)
    halted_with(m, r"^muntin: error: .*truncated.*\d+ bytes")


def test_bundle_larger_than_ram(machine, built, tmp_path):
    path = tmp_path / "bundle"
    write_bundle(path, {"good.qvmconf": GOOD, "big": b""})
    with open(path, "r+b") as f:
        f.truncate(300 << 20)
    m = machine(how="bios", bundle=path, smp=1, mem=256)
    halted_with(m, r"^muntin: error: the bundle has \d+ KiB, .*\d+")


# --- configs --------------------------------------------------------------------------------------


def test_all_errors_with_their_places(beside_good):
    text = beside_good(
        "system bad\n"
        "ram 16Q\n"
        "load puppet.img\n"
        "vdev virtio-net lock 0x1b018000 intr gic:31\n"
        "  mac 01:02:03:04:05:06\n"
        "sytem x\n"
        "cpu sched abc\n"
    )
    found = errors(text)
    places = {(line, col) for file, line, col, _ in found if file == "bad.qvmconf"}
    assert {(2, 5), (4, 17), (5, 7), (6, 1)} <= places, found
    assert any(line == 7 for line, _ in places), found
    assert any("loc" in message for _, line, _, message in found if line == 4), found
    assert any("system" in message for _, line, _, message in found if line == 6), found
    assert re.search(r"^muntin: .*\bbad\b.*not started", text, re.M)


@pytest.mark.parametrize(
    "lines, line, words",
    [
        (["vdev virtio-net loc 0x1b018000 intr gic:31"], 4, ["gic:31", "PPI"]),
        (["vdev virtio-nett"], 4, ["virtio-nett", "virtio-net"]),
        (["vdev virtio-sound hostdev x"], 4, ["virtio-sound", "not supported"]),
        (["vdev virtio-blk hostdev <nowhere.img"], 4, ["nowhere.img", "not found"]),
        (["cmdline"], 4, ["cmdline"]),
        (['cmdline "never closed'], 4, ["quote"]),
        (["@nowhere.qvmconf"], 4, ["nowhere.qvmconf", "not found"]),
        (["ram 0x40800000,16M"], 4, ["0x40800000", "0x40000000", "overlap"]),
        (
            ["reserve loc 0x09000000,0x1000", "vdev pl011 loc 0x09000000"],
            5,
            ["0x9000000", "overlap"],
        ),
        (["vdev pl011 loc 0x08000000 intr gic:40"], 4, ["0x8000000", "overlap"]),
        (["vdev pl011 intr gic:40", "vdev virtio-net intr gic:40"], 5, ["gic:40", "line 4"]),
        (["vdev pl011 name e", "vdev virtio-net name e"], 5, ["'e'", "line 4"]),
        (["vdev pl011 loc 0x123"], 4, ["0x123", "4 KiB"]),
        (
            ["data load 0x40800000,puppet.img", "data load 0x40801000,puppet.img"],
            5,
            ["puppet.img", "0x40801000", "overlap"],
        ),
        (["data load 0x90000000,puppet.img"], 4, ["puppet.img", "0x90000000", "no memory"]),
        (["data load 0x40fff000,puppet.img"], 4, ["puppet.img", "too small"]),
        (["cpu runmask 7"], 4, ["runmask", "0..1"]),
        (["vdev virtio-net mac ff:ff:ff:ff:ff:ff"], 4, ["ff:ff:ff:ff:ff:ff"]),
        (["vdev virtio-net mtu 9"], 4, ["mtu", "9"]),
    ],
)
def test_config_error(beside_good, lines, line, words):
    one_error(beside_good(config(*lines)), line, words)


def test_more_vcpus_than_supported(beside_good):
    one_error(beside_good(config(*["cpu"] * 9)), 12, ["8"])


def test_system_must_come_first(beside_good):
    text = beside_good("ram 16M\nsystem bad\nload puppet.img\n")
    one_error(text, 1, ["ram", "system"])


def test_error_in_an_included_file(beside_good):
    text = beside_good(config("@part.qvmconf"), {"part.qvmconf": "vdev pl011\n\n  vdev nothing\n"})
    one_error(text, 3, ["nothing"], file="part.qvmconf", col=8)


def test_binary_config(beside_good):
    text = beside_good({"bad.qvmconf": bytes(range(256)) * 8})
    found = errors(text)
    assert found and all(file == "bad.qvmconf" for file, *_ in found), text
    assert len(text) < 60_000


def test_twenty_errors_do_not_hide_the_rest(beside_good):
    text = beside_good(config(*[f"wrong{i} x" for i in range(20)]))
    assert [e[1] for e in errors(text)] == list(range(4, 24))


# --- between VMs ----------------------------------------------------------------------------------


def test_duplicate_mac_refuses_both(beside_good):
    mac = "vdev virtio-net peer /dev/vdevpeer/lan mac 02:00:00:00:00:07"
    text = beside_good(
        {
            "x.qvmconf": vms.puppet("x", 2, extra=[mac]),
            "y.qvmconf": vms.puppet("y", 3, extra=["", mac]),
        }
    )
    found = errors(text)
    assert {(f, line) for f, line, *_ in found} == {("x.qvmconf", 7), ("y.qvmconf", 8)}, found
    by_file = {f: message for f, _, _, message in found}
    assert "y.qvmconf:8" in by_file["x.qvmconf"] and "x.qvmconf:7" in by_file["y.qvmconf"]
    assert "02:00:00:00:00:07" in by_file["x.qvmconf"]
    assert "@@ 2 UP" not in text and "@@ 3 UP" not in text


def test_duplicate_name_refuses_both(beside_good):
    text = beside_good(
        {"x.qvmconf": vms.puppet("same", 2), "y.qvmconf": vms.puppet("same", 3)}
    )
    assert {f for f, *_ in errors(text)} == {"x.qvmconf", "y.qvmconf"}
    assert all("same" in message for *_, message in errors(text))
    assert "@@ 2 UP" not in text and "@@ 3 UP" not in text


def test_peer_that_does_not_exist(beside_good):
    """The link stays down, with a warning; the VM runs."""
    far = "vdev virtio-net name eth peer /dev/qvm/nobody/eth"
    text = beside_good(
        {"x.qvmconf": vms.puppet("x", 2, "off", extra=[far])},
    )
    assert re.search(r"^muntin: x\.qvmconf:7:\d+: warning: .*nobody.*down", text, re.M), text
    assert "@@ 2 UP" in text


def test_peer_that_does_not_name_us_back(beside_good):
    text = beside_good(
        {
            "bad.qvmconf": config("vdev virtio-net name a peer /dev/qvm/other/b"),
            "other.qvmconf": vms.puppet(
                "other", 2, "off", extra=["vdev virtio-net name b peer /dev/vdevpeer/lan"]
            ),
        }
    )
    one_error(text, 4, ["/dev/qvm/bad/a", "other.qvmconf:7"])
    assert "@@ 2 UP" in text


# --- kernels --------------------------------------------------------------------------------------


def linux_header(image_size, text_offset=0):
    head = struct.pack("<IIQQQ", 0x14000000, 0, text_offset, image_size, 0xA)
    return head + bytes(24) + b"ARM\x64" + bytes(4)


@pytest.mark.parametrize(
    "content, words",
    [
        (None, ["kernel", "not found"]),
        (b"", ["kernel", "empty"]),
        (b"hello, I am a text file\n" * 40, ["kernel", "no kernel"]),
        (b"\x1f\x8b" + bytes(1000), ["kernel", "gzip"]),
        (b"\x7fELF" + bytes(1000), ["kernel"]),
        (b"\x7fELF", ["kernel"]),
        (linux_header(64 << 20) + bytes(4096), ["kernel", "65536 KiB"]),
        (linux_header(1 << 60) + bytes(4096), ["kernel", "malformed"]),
        (bytes(20 << 20), ["kernel"]),
    ],
    ids=[
        "missing",
        "empty",
        "text",
        "gzip",
        "elf-of-zeros",
        "elf-of-4-bytes",
        "image-too-large",
        "image-malformed",
        "zeros",
    ],
)
def test_kernel(beside_good, content, words):
    files = {} if content is None else {"kernel": content}
    text = beside_good(vms.system("bad", "ram 16M", "load kernel"), files)
    one_error(text, 3, words)


def test_kernel_larger_than_ram(beside_good, built):
    """Debian's kernel in 16 MiB: the numbers say how much is missing."""
    text = beside_good(vms.system("bad", "ram 16M", "load d12c.Image"), vms.files(built, "d12c"))
    one_error(text, 3, ["d12c.Image", "KiB"])


def test_initrd_too_large(beside_good):
    text = beside_good(config("initrd load big"), {"big": bytes(24 << 20)})
    one_error(text, 4, ["big", f"{24 << 10} KiB"])


# --- more than there is ---------------------------------------------------------------------------


def test_more_ram_than_there_is(beside_good):
    """The numbers: what is asked for, what is free. The VM after it still fits."""
    text = beside_good(vms.puppet("bad", 2, ram="1G"))
    line = re.search(r"^muntin: error: bad: .*$", text, re.M)
    assert line, text
    numbers = [int(n) for n in re.findall(r"\d+", line.group(0))]
    assert 1024 * 1024 in numbers, line.group(0)
    assert any(100 * 1024 < n < 512 * 1024 for n in numbers), line.group(0)
    assert "@@ 2 UP" not in text


def test_shortage_refuses_the_later_vm(beside_good):
    text = beside_good(
        {
            "first.qvmconf": vms.puppet("first", 2, "off", ram="300M"),
            "second.qvmconf": vms.puppet("second", 3, "off", ram="300M"),
        }
    )
    assert re.search(r"^muntin: error: second: .*307200 KiB", text, re.M), text
    assert "@@ 2 UP" in text and "@@ 3 UP" not in text


def test_33_vms(machine, bundle, built):
    """One more than Muntin takes: it says so, and the others run."""
    configs = {
        f"vm{i:02}.qvmconf": vms.puppet(f"vm{i:02}", i, "off", ram="4M") for i in range(1, 34)
    }
    m = machine(bundle=bundle({**configs, **vms.files(built, "puppet.img")}), smp=2, mem=512)
    m.expect(r"^muntin: error: .*33 VMs.*32")
    m.expect_exit(timeout=120)
    for i in range(1, 33):
        assert m.seen(rf"@@ {i} UP"), m.tail()
    assert not m.seen("@@ 33 UP")


# --- device trees ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tree",
    [
        b"this is no device tree" * 10,
        b"\xd0\x0d\xfe\xed" + b"\xff" * 200,
        b"\xd0\x0d\xfe\xed" + bytes(36),
        b"\xd0\x0d\xfe\xed",
    ],
    ids=["text", "ones", "zeros", "4-bytes"],
)
def test_guest_tree_with_nonsense(beside_good, tree):
    text = beside_good(config("vdev pl011", "fdt load tree.dtb"), {"tree.dtb": tree})
    one_error(text, 5, ["tree.dtb"])


def test_guest_tree_that_is_truncated(beside_good, tmp_path):
    out = tmp_path / "t.dtb"
    source = b'/dts-v1/; / { compatible = "x"; a { b = "' + b"y" * 500 + b'"; }; };'
    subprocess.run(["dtc", "-q", "-o", out, "-"], input=source, check=True)
    text = beside_good(config("fdt load tree.dtb"), {"tree.dtb": out.read_bytes()[:300]})
    one_error(text, 4, ["tree.dtb"])


def test_vm_on_a_cpu_that_is_not_up(machine, bundle, built, tmp_path):
    """It is refused at boot, and by the prompt for the same reason; its neighbour runs."""
    tree = trees.board(tmp_path, smp=2, mem=512)
    trees.edit(
        tree, lambda s: re.sub(r"(cpu@1 \{.*?)reg = <0x01>;", r"\1reg = <0x105>;", s, flags=re.S)
    )
    configs = {
        "bad.qvmconf": vms.puppet("bad", 1, cpus=[1]),
        "good.qvmconf": vms.puppet("good", 2, cpus=[0]),
    }
    b = bundle({**configs, **vms.files(built, "puppet.img")})
    m = machine(how="kernel", dtb=tree, bundle=b, smp=2, mem=512)
    why = "vCPU 0 is pinned to CPU 1, which is not up"
    m.expect(rf"^muntin: error: bad: not started: {why}$")
    vms.expect_puppet(m, 2, "UP ")
    vms.focus(m, 0)
    for command in ("vm start bad", "vm reset bad"):
        m.line(command)
        m.expect(rf"^bad can't be started: {why}$")
    m.line("vm list")
    m.expect(rf"^ *bad +stopped .*refused: {why}$")
    m.expect(r"^ *good +running")
