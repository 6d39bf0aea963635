# SPDX-License-Identifier: MIT
"""Random bytes on the target: a stock Linux reads them from virtio-rng, no two VMs and no two
starts get the same, a board without entropy says so. The board's source is its tree's rng-seed, or
RNDR of the CPU `max`.
"""

import math
import re

import pytest
from lib import vms

BOOT = vms.BOOT_TIMEOUT
RNG = "vdev virtio-rng"


def rng_vm(name):
    return vms.linux(name, None, extra=[RNG], ram="96M")


def hexdump(m, path, size):
    """Bytes of a file in the guest in focus."""
    command = f"dd if={path} bs=64 count={size // 64} 2>/dev/null | od -An -v -tx1"
    assert m.run(command, timeout=90) == 0, m.output
    return bytes.fromhex("".join(m.output.split()))


def assert_random(data):
    """FIPS 140-2's monobit and poker tests, for as many bits as there are, within 6 sigma."""
    bits = len(data) * 8
    ones = sum(byte.bit_count() for byte in data)
    assert abs(ones - bits / 2) < 6 * math.sqrt(bits) / 2, ones
    counts = [0] * 16
    for byte in data:
        counts[byte & 15] += 1
        counts[byte >> 4] += 1
    mean = len(data) * 2 / 16
    chi = sum((n - mean) ** 2 / mean for n in counts)
    assert chi < 15 + 6 * math.sqrt(30), counts


def pieces(data):
    """All of its 8-byte pieces: in good randomness none is ever seen twice."""
    return [data[i : i + 8] for i in range(0, len(data), 8)]


def shell(m, number, name):
    vms.focus(m, number, name)
    m.line("")
    m.expect(rf"^{name}:/root# ", timeout=BOOT)


@pytest.mark.parametrize("cpu, source", [("cortex-a57", "the board's rng-seed"), ("max", "hardware")])
def test_linux_reads_it(machine, bundle, built, cpu, source):
    b = bundle({"a.qvmconf": rng_vm("a"), "b.qvmconf": rng_vm("b"), **vms.files(built, "d12c")})
    m = machine(bundle=b, smp=2, mem=512, cpu=cpu)
    m.expect(f"^muntin: entropy: {source}$")
    vms.expect_all(m, [vms.any_vm("@@ SHELL")], timeout=BOOT)
    got = []
    for number, name in ((1, "a"), (2, "b"), (2, "b")):
        shell(m, number, name)
        assert m.run("cat /sys/class/misc/hw_random/rng_current") == 0
        assert m.output.startswith("virtio_rng."), m.output
        got.append(hexdump(m, "/dev/hwrng", 2048))
        assert_random(got[-1])
        if len(got) == 2:
            m.line("reboot")
            m.expect(r"@@ SHELL", timeout=BOOT)
    together = pieces(b"".join(got))
    assert len(set(together)) == len(together)
    vms.focus(m, 0)
    m.line("vm status b")
    m.expect(r"virtio-rng at 0x\w+: \d{4,} bytes in \d+ requests")


def test_other_boot_other_bytes(machine, bundle, built):
    """The same board is started twice; only its rng-seed differs."""
    b = bundle({"a.qvmconf": rng_vm("a"), **vms.files(built, "d12c")})
    got = b""
    for _ in range(2):
        m = machine(bundle=b, smp=1, mem=512)
        m.expect("@@ SHELL", timeout=BOOT)
        shell(m, 1, "a")
        got += hexdump(m, "/dev/hwrng", 1024)
        m.close()
    assert len(set(pieces(got))) == len(got) // 8


def test_board_without_entropy(machine, bundle, built):
    """Its first screen says so, virtio-rng is refused with the line, others start without a seed."""
    b = bundle(
        {
            "a.qvmconf": rng_vm("a"),
            "b.qvmconf": vms.linux("b", None, ram="96M"),
            **vms.files(built, "d12c"),
        }
    )
    m = machine(bundle=b, smp=1, mem=512, extra=("-M", "dtb-randomness=off"))
    m.expect(r"^muntin: entropy: none")
    refusal = m.expect(r"^muntin: a\.qvmconf:(\d+):\d+: error: virtio-rng needs real entropy")
    assert rng_vm("a").splitlines()[int(refusal[1]) - 1] == RNG
    m.expect("^muntin: error: a: not started")
    m.expect("@@ SHELL", timeout=BOOT)
    shell(m, 1, "b")
    assert m.run("ls /sys/firmware/devicetree/base/chosen") == 0
    assert not re.search("rng-seed", m.output), m.output
