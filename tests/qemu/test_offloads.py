# SPDX-License-Identifier: MIT
"""Offloads between VMs: whatever each side has switched on or off, or was never offered, what comes
out of the receiver's NIC is right, and no more than it has asked for. netcheck reads it there.
"""

import itertools
import re

import pytest
from lib import net, vms
from lib.machine import ROOT

BYTES = 300_000

# Test frames of netcheck: (words, how much data they carry, super-frames of TCP, those with ECN)
FRAMES = [
    ("kind=tcp4 data=1000", 1000, 1, 0),
    ("kind=udp4 data=1001 csum=partial", 1001, 0, 0),
    ("kind=tcp6 data=777 csum=partial", 777, 1, 0),
    ("kind=tcp4 data=65000 gso=1460 csum=partial seq=0xffff8000", 65000, 1, 0),
    ("kind=tcp4 data=9001 gso=1448 csum=partial ecn seq=7", 9001, 1, 1),
    ("kind=tcp6 data=30001 gso=1440 csum=partial", 30001, 1, 0),
    ("kind=tcp6 data=5000 gso=536 csum=partial ecn", 5000, 1, 1),
]
# Linux takes them since 6.2.
USO_FRAMES = [
    ("kind=udp4 data=32000 gso=1472 csum=partial", 32000, 0, 0),
    ("kind=udp6 data=10001 gso=1200 csum=partial", 10001, 0, 0),
]
PARTIAL = sum("csum=partial" in f[0] for f in FRAMES)


class Guest:
    """A Linux VM: its console as (number, name), its kernel, its NIC's options; when it is booted,
    the feature bits that it has negotiated."""

    def __init__(self, number, name, kernel="d12c", options=""):
        self.console = (number, name)
        self.number, self.kernel, self.options = number, kernel, options
        self.bits = 0

    def config(self):
        return net.vm(self.console[1], self.number, self.kernel, self.options)


def boot(machine, bundle, built, guests):
    configs = {f"{g.number}.qvmconf": g.config() for g in guests}
    b = bundle({**configs, **net.files(built, *(g.kernel for g in guests))})
    m = machine(bundle=b, smp=2, mem=512 + 192 * len(guests))
    net.start(m, [g.console for g in guests])
    for guest in guests:
        vms.focus(m, *guest.console)
        assert m.run("(gtool echo 98 > /dev/null &)") == 0
        guest.bits = net.negotiated(m, guest.console)
    return m


def transfer(m, sender, receiver, gro_hw=True):
    """Sends all kinds of traffic, checks what comes, and gives netcheck's counters. gro_hw: has the
    receiver left that switched on?"""
    frames = FRAMES + (USO_FRAMES if sender.kernel == "d13c" else [])
    hosts = [f"10.0.0.{receiver.number}", f"fd00::{receiver.number}"]
    mac = vms.mac_of(receiver.number)
    command = [f"netcheck send eth0 dst={mac} {words}" for words, *_ in frames]
    command += [f"gtool rtt {host} 98 3 8000" for host in hosts]
    command += [f"gtool send {host} {net.PORT} {BYTES}" for host in hosts]

    words = net.allowed(receiver.bits, gro_hw)
    net.watch(m, receiver.console, words, f"gtool sink {net.PORT} 2", "SINK-READY")
    vms.focus(m, *sender.console)
    assert m.run("(" + " && ".join(command) + ")", timeout=60) == 0, m.output
    found = net.check(net.watched(m, receiver.console))
    assert found["test-bytes"] == sum(f[1] for f in frames), found["line"]
    assert found["test-psh"] == sum(f[2] for f in frames), found["line"]
    assert found["test-cwr"] == sum(f[3] for f in frames), found["line"]
    assert found["fragments"] >= 2 * 3 * 6 and found["tcp"] > 10, found["line"]
    return found


@pytest.mark.parametrize("kernels", ["d12c-d13c", "d13c-d12c"])
def test_every_combination(machine, bundle, built, kernels):
    """All of `ethtool -K` that matters, on the sender and on the receiver."""
    left, right = (Guest(n + 1, f"vm{n + 1}", k) for n, k in enumerate(kernels.split("-")))
    m = boot(machine, bundle, built, [left, right])
    for tx, tso, gso in itertools.product((True, False), repeat=3):
        sends = net.set_features(
            m, left.console, tx=tx, sg=True, tso=tso, gso=gso, rx_gro_hw=gso,
            tx_udp_segmentation=tso,
        )  # fmt: skip
        for gro_hw in (True, False):
            on = net.set_features(m, right.console, rx_gro_hw=gro_hw)
            found = transfer(m, left, right, on["rx-gro-hw"])
            if sends["tcp-segmentation-offload"] and on["rx-gro-hw"]:
                assert found["gso"] > 4, f"super-frames do not pass whole: {found['line']}"
            if sends["tx-checksumming"] and right.bits & net.GUEST_CSUM:
                assert found["partial"] >= PARTIAL, f"checksums are made early: {found['line']}"


def test_what_was_never_offered(machine, bundle, built):
    """`peerfeats` bounds what a NIC offers: each mix has to be converted on the way."""
    tso4 = net.CSUM | net.GUEST_CSUM | net.HOST_TSO4 | net.GUEST_TSO4
    offered = {"full": None, "none": 0, "sums": net.CSUM | net.GUEST_CSUM, "some": tso4}
    guests = [
        Guest(n, name, ("d12c", "d13c")[n % 2], "" if mask is None else f"peerfeats {mask:#x}")
        for n, (name, mask) in enumerate(offered.items(), 1)
    ]
    m = boot(machine, bundle, built, guests)
    for guest in guests[1:]:
        assert guest.bits & net.OFFLOADS & ~offered[guest.console[1]] == 0
    for sender, receiver in itertools.permutations(guests, 2):
        transfer(m, sender, receiver)


def test_uboot_gets_a_file_from_linux(machine, bundle, built):
    """A driver without offloads and with queues of its own size, between firmware and Linux."""
    linux = Guest(1, "linux", "d13c")
    uboot = (ROOT / "guest-configs/uboot/uboot.qvmconf").read_text()
    configs = {"1.qvmconf": linux.config(), "2.qvmconf": uboot}
    b = bundle({**configs, **net.files(built, "d13c"), **vms.files(built, "u-boot.bin")})
    m = machine(bundle=b, smp=2, mem=768)
    m.expect("^muntin: console of linux")
    vms.focus(m, 2, "uboot")
    m.expect("Hit any key")
    m.line("")
    net.start(m, [linux.console])
    size = 100_001
    words = net.allowed(net.negotiated(m, linux.console), True)
    net.watch(m, linux.console, words, f"netcheck tftp {size}", "TFTP-READY")
    assert m.run("cat /tmp/watch") == 0
    crc = re.search(r"crc32=(\w+)", m.output)[1]
    vms.focus(m, 2, "uboot")
    m.line("")
    m.expect("^=> ")
    m.line("setenv ipaddr 10.0.0.2; setenv netmask 255.255.255.0; tftpboot 0x42000000 10.0.0.1:any")
    m.expect(rf"^Bytes transferred = {size} ")
    m.line(f"crc32 0x42000000 {size:#x}")
    m.expect(rf"==> {crc}$")
    found = net.check(net.watched(m, linux.console))
    assert found["udp"] >= size // 512, found["line"]
