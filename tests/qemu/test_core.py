# SPDX-License-Identifier: MIT
"""Cores of guests: out of a VM over the console, through `muntin gcore`, into an ELF file."""

import re
import struct
import subprocess

from lib import vms
from test_guests import vm

BOOT = vms.BOOT_TIMEOUT
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

    def read(self, address, length, column=4):
        """column 4: address is physical, 3: virtual."""
        for h in self.loads:
            if h[column] <= address and address + length <= h[column] + h[5]:
                return self.data[h[2] + address - h[column] :][:length]
        raise AssertionError(f"{address:#x} is not in the core")


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
