# SPDX-License-Identifier: MIT
"""Configs as users of QNX's hypervisor write them (tests/qemu/qnx): each works as it is, or gets
errors that say what to write instead. The host tool reads them with the code of the target.
"""

import os
import pathlib
import struct
import subprocess

import pytest

QNX = pathlib.Path(__file__).parent / "qnx"
ENVIRONMENT = {"GUEST_RAM": "256M", "IMAGES": "/vm/images", "LEFT_NAME": "left one"}
BOARD = """/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
    cpus { #address-cells = <1>; #size-cells = <0>;
        cpu@0 { device_type = "cpu"; compatible = "arm,cortex-a53"; reg = <0>; };
        cpu@1 { device_type = "cpu"; compatible = "arm,cortex-a53"; reg = <1>; };
        cpu@2 { device_type = "cpu"; compatible = "arm,cortex-a72"; reg = <0x100>; };
        cpu@3 { device_type = "cpu"; compatible = "arm,cortex-a72"; reg = <0x101>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 1 0>; };
    reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
        frames@70000000 { reg = <0 0x70000000 0 0x400000>; no-map; }; };
    gic: interrupt-controller@8000000 { compatible = "arm,gic-v3"; interrupt-controller;
        #interrupt-cells = <3>; reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x80000>; };
    chosen { stdout-path = "/serial@9000000"; };
    serial@9000000 { compatible = "arm,pl011", "arm,primecell"; reg = <0 0x9000000 0 0x1000>;
        interrupts = <0 1 4>; };
    serial@9040000 { compatible = "arm,pl011", "arm,primecell"; reg = <0 0x9040000 0 0x1000>;
        interrupts = <0 8 4>; }; };"""
NO_EFFECT = "is accepted, but has no effect in Muntin"


def kernel():
    """An arm64 Image header and nothing behind it."""
    head = struct.pack("<IIQQQQQQ4sI", 0, 0, 0, 0x100000, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return head + bytes(4096 - len(head))


@pytest.fixture
def check(built, tmp_path):
    """check(names) runs `muntin check` on a board with four CPUs, and gives code, stdout and the
    lines of stderr. The files that the configs load are below tmp_path as below QNX's root."""
    binary = built("muntin")
    images = tmp_path / "vm/images"
    images.mkdir(parents=True)
    (images / "Image").write_bytes(kernel())
    for name in ("ivi.cpio.gz", "rootfs.ext4", "data.ext4", "vectors.bin", "boot.bin"):
        (images / name).write_bytes(bytes(8192))
    board = tmp_path / "board.dtb"
    subprocess.run(["dtc", "-q", "-o", board, "-"], input=BOARD.encode(), check=True)

    def run(*names):
        paths = []
        for path in QNX.iterdir():
            text = path.read_text().replace("/vm/images/", "vm/images/")
            (tmp_path / path.name).write_text(text)
        paths = [f"{name}.qvmconf" for name in names]
        done = subprocess.run(
            [binary, "check", "--board", board, *paths],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, **ENVIRONMENT, "IMAGES": "vm/images"},
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr.splitlines()

    return run


def matches(lines, expected):
    """Each line has the place and the words that are expected of it, in any order, and no other."""
    rest = list(lines)
    for place, words in expected:
        found = [x for x in rest if x.startswith(f"{place}: ") and words in x]
        assert found, f"no message {place}: ... {words}\n" + "\n".join(lines)
        rest.remove(found[0])
    assert not rest, "\n".join(rest)


WORKS = [
    (
        ["ivi-linux"],
        [
            "ivi: 2 vCPUs",
            "runs on CPU 1, priority 10",
            "runs on CPU 2, priority 10",
            "gic:37 = <0 5 4>",
            "gic:40 = <0 8 4>  ivi_to_host  mac 02:00:00:00:20:01  switch vp0",
            "starts at          0x080200000",
        ],
        [
            ("ivi-linux.qvmconf:17:5", "'batch' " + NO_EFFECT),
            ("ivi-linux.qvmconf:26:5", "'sched' " + NO_EFFECT),
            ("ivi-linux.qvmconf:19:1", "warning: switch 'vp0' has no other port"),
        ],
    ),
    (
        ["root-disk"],
        ["telematics: 2 vCPUs", "vdev virtio-blk", "0x01c0b0000  gic:39 = <0 7 4>  root", "vdev virtio-rng"],
        [
            ("root-disk.qvmconf:6:65", "'delayed' " + NO_EFFECT),
            ("root-disk.qvmconf:7:85", "'threads' " + NO_EFFECT),
            ("root-disk.qvmconf:7:95", "'dio' " + NO_EFFECT),
            ("root-disk.qvmconf:7:106", "'sched' " + NO_EFFECT),
            ("root-disk.qvmconf:9:48", "'hostdev' " + NO_EFFECT),
        ],
    ),
    (
        ["strict"],
        ["cluster: 2 vCPUs", "rom                0x000000000..0x00000ffff", "priority 63"],
        [
            ("strict.qvmconf:4:5", "'safety' " + NO_EFFECT),
            ("strict.qvmconf:5:5", "'user' " + NO_EFFECT),
            ("strict.qvmconf:10:5", "'partition' " + NO_EFFECT),
            ("strict.qvmconf:10:28", "the vCPU always has priority 63"),
            ("strict.qvmconf:21:5", "'grow-heap' " + NO_EFFECT),
            ("strict.qvmconf:22:5", "'slog-buffer' " + NO_EFFECT),
            ("strict.qvmconf:23:5", "'message-block-timeout' " + NO_EFFECT),
            ("strict.qvmconf:25:5", "'host-paddr-gicd' " + NO_EFFECT),
        ],
    ),
    (
        ["link-left", "link-right"],
        ["left: 1 vCPU", "right: 1 vCPU", "link to eth of right", "link to eth of left", "262144 KiB"],
        [],
    ),
    (
        ["passthrough"],
        [
            "camera: 1 vCPU",
            "0x009040000..0x009040fff  device rw  0x009040000 of the board",
            "0x070000000..0x0703fffff  memory rw  0x070000000 of the board",
            "gic:150 = <0 118 4>, INTID 40 of the board",
        ],
        [],
    ),
    (
        ["legacy"],
        ["old314: 1 vCPU", "legacy", "starts at          0x080008000"],
        [
            ("legacy.qvmconf:7:50", "'batch' " + NO_EFFECT),
            ("legacy.qvmconf:8:87", "'tapdev' " + NO_EFFECT),
            ("legacy.qvmconf:8:1", "warning: switch 'vp0' has no other port"),
        ],
    ),
]


@pytest.mark.parametrize("names, shown, said", WORKS, ids=[w[0][0] for w in WORKS])
def test_works_as_it_is(check, names, shown, said):
    code, out, err = check(*names)
    matches(err, said)
    assert code == 0
    for words in shown:
        assert words in out, out


REFUSED = [
    (
        "x86",
        [
            ("x86.qvmconf:8:1", "'acpi load' is for x86 guests"),
            ("x86.qvmconf:9:6", "vdev 'ioapic' exists on x86 only"),
            ("x86.qvmconf:10:6", "vdev 'ser8250' exists on x86 only"),
            ("x86.qvmconf:11:6", "vdev 'timer8254' exists on x86 only"),
            ("x86.qvmconf:12:6", "vdev 'mc146818' exists on x86 only"),
            ("x86.qvmconf:13:1", "warning: switch 'vp0' has no other port"),
            ("x86.qvmconf:13:37", "'myioapic:10': an interrupt is gic:N with N the GIC's INTID"),
        ],
    ),
    (
        "graphics",
        [
            ("graphics.qvmconf:8:6", "'virtio-gpu' is not supported: give it a display of the board"),
            ("graphics.qvmconf:9:6", "'virtio-input' is not supported: a keyboard is the VM's console"),
            ("graphics.qvmconf:10:6", "'virtio-snd' is not supported: give it a sound card"),
            ("graphics.qvmconf:11:6", "'smmu' is not supported: a guest needs none"),
            ("graphics.qvmconf:12:6", "'virtio-video' is not supported: give it a codec of the board"),
        ],
    ),
    (
        "mistakes",
        [
            ("mistakes.qvmconf:5:1", "runmask names no CPU of this board, which has 0..3"),
            ("mistakes.qvmconf:6:13", "no cluster 'big', only _all, _cpu-N and: cortex-a53 cortex-a72"),
            ("mistakes.qvmconf:11:10", "this board has a GICv3"),
            ("mistakes.qvmconf:12:27", "gic:5 is an SGI"),
            ("mistakes.qvmconf:13:17", "overlaps vdev pl011 at 0x1c090000..0x1c090fff of line 12"),
            ("mistakes.qvmconf:14:32", "gic:37 is the interrupt of the virtio-net of line 13, too"),
            ("mistakes.qvmconf:14:1", "the device of line 13 has the name 'net', too"),
            ("mistakes.qvmconf:15:17", "overlaps ram at 0x80000000..0x87ffffff of line 4"),
            ("mistakes.qvmconf:15:32", "gic:400 is beyond the virtual GIC"),
            ("mistakes.qvmconf:15:1", "warning: switch 'vp1' has no other port"),
        ],
    ),
]


@pytest.mark.parametrize("name, said", REFUSED, ids=[r[0] for r in REFUSED])
def test_says_what_to_write_instead(check, name, said):
    code, _, err = check(name)
    errors = sum(": error: " in line for line in err)
    matches(err, [*said, ("muntin", f"{errors} errors")])
    assert code == 65


def test_images_once_the_rest_is_right(check, tmp_path):
    """What is wrong with images is told when memory and devices are as they should be."""
    path = QNX / "mistakes.qvmconf"
    wrong = [5, 6, 11, 12, 13, 14, 15]
    lines = path.read_text().splitlines()
    text = "\n".join("" if n in wrong else line for n, line in enumerate(lines, 1))
    path = tmp_path / "images.qvmconf"
    path.write_text(text.replace("/vm/", "vm/") + "\nrom 0x1000,4K\n")
    code, _, err = check("images")
    matches(
        err,
        [
            ("images.qvmconf:7:1", "has to lie at a multiple of 2 MiB + 0x0, not at 0x80100000"),
            ("images.qvmconf:8:6", "'vm/images/vectors.bin' goes to 0x9f000000"),
            ("muntin", "2 errors"),
        ],
    )
    path.write_text(path.read_text().replace("0x80100000,vm/images/Im", "0x80000000,vm/images/Im"))
    path.write_text(path.read_text().replace("0x9f000000", "0x87000000"))
    code, _, err = check("images")
    matches(
        err,
        [
            ("images.qvmconf:10:1", "entry 0x7ffffffc is outside of RAM and ROM"),
            ("muntin", "1 error"),
        ],
    )
    path.write_text(path.read_text().replace("initrd load 0x80100000", "initrd load 0x80001000"))
    code, _, err = check("images")
    matches(
        err,
        [
            ("images.qvmconf:9:8", "overlaps 'vm/images/Image' of line 7"),
            ("muntin", "1 error"),
        ],
    )
    assert code == 65
