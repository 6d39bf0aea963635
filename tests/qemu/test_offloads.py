# SPDX-License-Identifier: MIT
"""Offloads between VMs: whatever each side has switched on or off, or was never offered, what comes
out of the receiver's NIC is right, and no more than it has asked for. netcheck reads it there.
"""

import itertools
import re

import pytest
from lib import net, vms
from lib.machine import ROOT
from lib.net import Guest


@pytest.mark.parametrize("kernels", ["d12c-d13c", "d13c-d12c"])
def test_every_combination(machine, bundle, built, kernels):
    """All of `ethtool -K` that matters, on the sender and on the receiver."""
    left, right = (Guest(n + 1, f"vm{n + 1}", k) for n, k in enumerate(kernels.split("-")))
    m = net.boot(machine, bundle, built, [left, right])
    bad = net.frames_seen(m, left, f"kind=tcp4 csum=bad dst={right.mac}", right)
    assert bad["bad-sum"] == 1 and not bad["right"], f"netcheck is blind: {bad['line']}"
    for tx, tso, gso in itertools.product((True, False), repeat=3):
        sends = net.set_features(
            m, left, tx=tx, sg=True, tso=tso, gso=gso, rx_gro_hw=gso, tx_udp_segmentation=tso
        )
        for gro_hw in (True, False):
            on = net.set_features(m, right, rx_gro_hw=gro_hw)
            found = net.transfer(m, left, right, on["rx-gro-hw"])
            if sends["tcp-segmentation-offload"] and on["rx-gro-hw"]:
                assert found["gso"] > 4, f"super-frames do not pass whole: {found['line']}"
            if sends["tx-checksumming"] and right.bits & net.GUEST_CSUM:
                assert found["partial"] >= net.PARTIAL, f"sums are made early: {found['line']}"


def test_what_was_never_offered(machine, bundle, built):
    """`peerfeats` bounds what a NIC offers: each mix has to be converted on the way."""
    tso4 = net.CSUM | net.GUEST_CSUM | net.HOST_TSO4 | net.GUEST_TSO4
    offered = {"full": None, "none": 0, "sums": net.CSUM | net.GUEST_CSUM, "some": tso4}
    guests = [
        Guest(n, name, ("d12c", "d13c")[n % 2], "" if mask is None else f"peerfeats {mask:#x}")
        for n, (name, mask) in enumerate(offered.items(), 1)
    ]
    m = net.boot(machine, bundle, built, guests)
    for guest in guests[1:]:
        assert guest.bits & net.OFFLOADS & ~offered[guest.name] == 0
    for sender, receiver in itertools.permutations(guests, 2):
        net.transfer(m, sender, receiver)


def test_private_link_converts(machine, bundle, built):
    """A cable between two VMs converts as a switch does."""
    left = Guest(1, "left", "d13c", peer="/dev/qvm/right/eth")
    right = Guest(2, "right", "d12c", "peerfeats 0", peer="/dev/qvm/left/eth")
    m = net.boot(machine, bundle, built, [left, right])
    net.transfer(m, left, right)
    net.transfer(m, right, left)


def test_uboot_gets_a_file_from_linux(machine, bundle, built):
    """A driver without offloads and with queues of its own size, between firmware and Linux."""
    linux = Guest(1, "linux", "d13c")
    uboot = (ROOT / "guest-configs/uboot/uboot.qvmconf").read_text()
    configs = {"1.qvmconf": linux.config(), "2.qvmconf": uboot}
    files = {**net.files(built, [linux]), **vms.files(built, "u-boot.bin")}
    m = machine(bundle=bundle({**configs, **files}), smp=2, mem=768)
    m.expect("^muntin: console of linux")
    vms.focus(m, 2, "uboot")
    m.expect("Hit any key")
    m.line("")
    net.start(m, [linux])
    size = 100_001
    net.watch(m, linux, net.allowed(linux), f"netcheck tftp {size}", "TFTP-READY")
    crc = re.search(r"crc32=(\w+)", net.run(m, linux, "cat /tmp/watch"))[1]
    vms.focus(m, 2, "uboot")
    m.line("")
    m.expect("^=> ")
    m.line("setenv ipaddr 10.0.0.2; setenv netmask 255.255.255.0; tftpboot 0x42000000 10.0.0.1:any")
    m.expect(rf"^Bytes transferred = {size} ")
    m.line(f"crc32 0x42000000 {size:#x}")
    m.expect(rf"==> {crc}$")
    found = net.check(net.watched(m, linux))
    assert found["udp"] >= size // 512, found["line"]


@pytest.mark.parametrize("kernel", ["d12c", "d13c"])
def test_on_by_default(machine, bundle, built, kernel):
    """Nobody has to ask for offloads, and what Linux can switch, it can switch."""
    left, right = Guest(1, "left", kernel), Guest(2, "right", kernel)
    m = net.boot(machine, bundle, built, [left, right])
    uso = net.GUEST_USO4 | net.GUEST_USO6 | net.HOST_USO
    wanted = net.OFFLOADS if kernel == "d13c" else net.OFFLOADS & ~uso
    assert wanted & ~left.bits == 0, f"not offered: {wanted & ~left.bits:#x}"
    on, fixed = net.features(m, left)
    names = [
        "tx-checksum-ip-generic", "scatter-gather", "tx-tcp-segmentation", "tx-tcp-ecn-segmentation",
        "tx-tcp6-segmentation", "generic-segmentation-offload", "rx-gro-hw",
    ]  # fmt: skip
    assert [n for n in names if not on[n]] == []
    names += ["tx-udp-segmentation"] if kernel == "d13c" else []  # off by Linux's own will
    assert [n for n in names if n in fixed] == []
    found = net.transfer(m, right, left)
    assert found["gso"] > 4 and found["partial"] > 4, found["line"]
    assert found["largest"] > 60000, found["line"]
    assert found["frames"] < 200, f"TCP does not come in super-frames: {found['line']}"
