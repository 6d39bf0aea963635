# SPDX-License-Identifier: MIT
"""Cores of guests: out of a VM over the console, through `muntin gcore`, into an ELF file."""

import re
import struct
import subprocess

from lib import vms
from test_guests import vm

BOOT = vms.BOOT_TIMEOUT
VIRTUAL, PHYSICAL = 3, 4  # which address of a program header
MARK = 0x6E697461746E754D
PUPPET = 0x40200000  # where its image is loaded
PLACE = 0x402F0008  # in the puppet's RAM, behind all that it uses itself


class Core:
    """An ELF64 core: its threads' registers, and memory by guest-physical or virtual address."""

    def __init__(self, path):
        self.data = path.read_bytes()
        assert self.data[:7] == b"\x7fELF\2\1\1"
        kind, machine = struct.unpack_from("<HH", self.data, 16)
        assert (kind, machine) == (4, 183)
        start, size, count = struct.unpack_from("<Q14xHH", self.data, 32)
        assert size == 56
        headers = [struct.unpack_from("<IIQQQQQQ", self.data, start + 56 * i) for i in range(count)]
        self.loads = [h for h in headers if h[0] == 1]
        (notes,) = [h for h in headers if h[0] == 4]
        self.threads = []
        at = notes[2]
        while at < notes[2] + notes[5]:
            name, length, note = struct.unpack_from("<III", self.data, at)
            at += 12 + (name + 3 & ~3)
            if note == 1:
                pid = struct.unpack_from("<I", self.data, at + 32)[0]
                x = struct.unpack_from("<34Q", self.data, at + 112)
                self.threads.append({"id": pid, "x": x[:31], "sp": x[31], "pc": x[32]})
            at += length + 3 & ~3

    def _load(self, address, length, column):
        for h in self.loads:
            if h[column] <= address and address + length <= h[column] + h[5]:
                return h
        raise AssertionError(f"{address:#x} is not in the core")

    def read(self, address, length, column=PHYSICAL):
        h = self._load(address, length, column)
        return self.data[h[2] + address - h[column] :][:length]

    def find(self, data):
        """The physical address of data, which is there once or more."""
        (first, *_) = [h for h in self.loads if h[PHYSICAL] == h[VIRTUAL]]
        return self.data.index(data, first[2]) - first[2] + first[PHYSICAL]

    def physical(self, address):
        h = self._load(address, 1, VIRTUAL)
        return address - h[VIRTUAL] + h[PHYSICAL]


def extract(m, built, path, begin, code=0):
    (path / "log").write_text(m.text[begin:])
    done = subprocess.run(
        [built("muntin"), "gcore", "-o", "out.gcore", "log"],
        cwd=path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    print(done.stdout)
    return Core(path / "out.gcore")


def test_crash(machine, bundle, built, tmp_path):
    """A VM does what its config forbids: its core comes out before it restarts, and its neighbour
    on the same CPU doesn't notice."""
    puppet = vms.puppet(
        "crasher",
        ram="4M",
        run=f"poke {PLACE} 8 {MARK}",
        extra=["unsupported reference abort", "on-crash dump,restart", "dump /var/crash"],
    )
    victim = vm("victim", [0], "rounds=0 tick-ms=20 late-ms=60000 lost=1000000 size-mib=1")
    m = machine(
        bundle=bundle(
            {
                "a.qvmconf": puppet,
                "b.qvmconf": victim,
                "puppet.img": built("guests/puppet.img"),
                "victim.img": built("guests/victim.img"),
            }
        ),
        smp=1,
        mem=512,
    )
    vms.expect_puppet(m, 1, "PROBE poke", 20)
    m.expect(r"@@ victim ok \d+, ")
    vms.focus(m, 0)
    m.line("vm core crasher")  # it runs on after that
    m.expect(r"^muntin: crasher: its core is out: \d+ pages, \d+ lines$")
    vms.focus(m, 1)
    m.line("echo alive")
    vms.expect_puppet(m, 1, "ECHO alive", 20)
    begin = m.mark()
    m.line("peek 4096 4")
    m.expect(r"^muntin: crasher: registers of vCPU 0:$")
    m.expect(r"^muntin: crasher:   0x40000000, 4096 KiB: at 0x[0-9a-f]+ of the board$")
    first = m.mark()
    m.expect(r"^muntin: crasher: its core is out: \d+ pages, \d+ lines$")
    assert re.search(r"MCORE1(.*\n)+.*@@ victim ok \d+, (.*\n)+.*MCORE1", m.text[first : m.mark()])
    m.expect(r"crasher: restarts: ")
    vms.expect_puppet(m, 1, "PROBE poke", 20)
    assert not re.search(r"@@ victim .*(FAIL|BAD|PANIC)", m.text)

    core = extract(m, built, tmp_path, begin)
    assert core.read(PLACE, 8) == struct.pack("<Q", MARK)
    (thread,) = core.threads
    assert thread["id"] == 1
    image, at = built("guests/puppet.img").read_bytes(), thread["pc"] - PUPPET
    assert 0 <= at < len(image) and core.read(thread["pc"], 4) == image[at : at + 4]


def test_linux(machine, bundle, built, tmp_path):
    """A Linux that is stopped early in its boot, by its own words: its core has the kernel at the
    kernel's own addresses, too, and what comes then comes after it."""
    linux = vms.system(
        "linux",
        "cpu",
        "cpu",
        "ram 16M",
        "load small.Image",
        'cmdline "earlycon=pl011,0x0a7f0000"',
        "unsupported reference abort",
        "on-crash dump,halt",
        'dump "|gzip > core.gz"',
    )
    files = vms.files(built, "small.Image")
    # To a file: a pipe that is read as the bytes come is slower.
    m = machine(
        bundle=bundle({"linux.qvmconf": linux, **files}), smp=2, mem=512, serial_file=True
    )
    m.expect(r"^muntin: linux: its core comes out here", 30)
    begin = m.mark()
    m.expect_exit(timeout=120)
    assert re.search(
        r"^muntin: linux: its core is out: \d+ pages.*\n"
        r"muntin: linux: stopped: it did what its config forbids \(exit code 5\)",
        m.text,
        re.M,
    ), m.tail()
    core = extract(m, built, tmp_path, begin)

    image, banner = files["small.Image"].read_bytes(), b"Linux version "
    start = core.find(banner) - image.index(banner)  # where the kernel was loaded
    assert [t["id"] for t in core.threads] == [1, 2]
    first = core.threads[0]
    at = core.physical(first["pc"]) - start
    assert 0 < at < len(image) and core.read(first["pc"], 4, VIRTUAL) == image[at : at + 4]
    assert len(core.read(first["sp"], 16, VIRTUAL)) == 16
    text = first["pc"] - at
    assert core.read(text + image.index(banner), len(banner), VIRTUAL) == banner
