# SPDX-License-Identifier: MIT
"""Linux VMs with the test image on one switch: what their NICs can do (ethtool), and what really
comes out of them (netcheck, guest-configs/linux/netcheck).

All functions take the machine and the VM as (number of its console, name), and leave that VM in
focus. The VM with console N has the addresses 10.0.0.N and fd00::N.
"""

import re

from . import vms

PORT = 99  # of gtool's sink

mac_of = vms.mac_of


def vm(name, number, kernel="d12c", options="", **more):
    """A VM of the test image, with these options of its NIC."""
    nic = f"{vms.nic(number)} {options}".rstrip()
    more = {"ram": "160M", "extra": [nic], **more}
    return vms.linux(name, number, kernel=kernel, initrd=f"{kernel}-test.cpio", **more)


def files(built, *kernels):
    return vms.files(built, *(f"{k}{end}" for k in dict.fromkeys(kernels) for end in (".Image", "-test.cpio")))


def start(m, consoles):
    """Waits for the shells and gives eth0 its IPv6 address. The kernel's merging of what comes is
    off, as netcheck wants it."""
    vms.expect_all(m, [vms.any_vm("@@ SHELL")], timeout=vms.BOOT_TIMEOUT)
    for console in consoles:
        vms.focus(m, *console)
        m.line("")
        m.expect(rf"^{console[1]}:/root# ", timeout=vms.BOOT_TIMEOUT)
        command = (
            "ifconfig eth0 down; echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; "
            f"ifconfig eth0 up && ip -6 addr add fd00::{console[0]}/64 dev eth0 && "
            "ethtool -K eth0 gro off"
        )
        assert m.run(command) == 0, m.output


def features(m, console):
    """{name: on?} of `ethtool -k`, and the set of those that cannot be changed."""
    vms.focus(m, *console)
    assert m.run("ethtool -k eth0") == 0, m.output
    rows = re.findall(r"^\s*([\w-]+): (on|off)(?: \[(.*)\])?$", m.output, re.M)
    assert len(rows) > 20, m.output
    return {r[0]: r[1] == "on" for r in rows}, {r[0] for r in rows if r[2] == "fixed"}


def set_features(m, console, **wanted):
    """Switches features by the names of `ethtool -K`, with _ for -, as far as they can be; gives
    what is on then."""
    vms.focus(m, *console)
    words = " ".join(f"{k.replace('_', '-')} {'on' if v else 'off'}" for k, v in wanted.items())
    m.run(f"ethtool -K eth0 {words} > /dev/null 2>&1")
    return features(m, console)[0]


# Virtio-net's offloads as bits of `peerfeats`.
CSUM, GUEST_CSUM = 1 << 0, 1 << 1
GUEST_TSO4, GUEST_TSO6, GUEST_ECN = 1 << 7, 1 << 8, 1 << 9
HOST_TSO4, HOST_TSO6, HOST_ECN = 1 << 11, 1 << 12, 1 << 13
GUEST_USO4, GUEST_USO6, HOST_USO = 1 << 54, 1 << 55, 1 << 56
OFFLOADS = (
    CSUM | GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | HOST_TSO4 | HOST_TSO6 | HOST_ECN
    | GUEST_USO4 | GUEST_USO6 | HOST_USO
)  # fmt: skip

def negotiated(m, console):
    """The feature bits that the device offers and the driver has taken. (ethtool is no witness of
    GUEST_CSUM: Linux says rx-checksumming in any case.)"""
    vms.focus(m, *console)
    assert m.run("cat /sys/class/net/eth0/device/features") == 0, m.output
    bits = re.search(r"^[01]{64}$", m.output, re.M)[0]
    return int(bits[::-1], 2)


def allowed(bits, gro_hw):
    """The words for netcheck: what a Linux receiver that has negotiated these bits asks for while
    ethtool says this of its rx-gro-hw."""
    kinds = {"gso4": GUEST_TSO4, "gso6": GUEST_TSO6, "gso-ecn": GUEST_ECN}
    words = ["csum"] if bits & GUEST_CSUM else []
    if gro_hw:
        words += [word for word, bit in kinds.items() if bits & bit]
        words += ["gso-udp"] if bits & GUEST_USO4 and bits & GUEST_USO6 else []
    return " ".join(words)


def watch(m, console, words, command, ready="WATCH-READY"):
    """Starts netcheck around the command, and waits until it is ready to receive."""
    vms.focus(m, *console)
    line = (
        f"netcheck watch eth0 {words} -- {command} > /tmp/watch 2>&1 & "
        f"until grep -q {ready} /tmp/watch; do usleep 10000; done"
    )
    assert m.run(line) == 0, m.output


def watched(m, console, timeout=60):
    """Waits for netcheck's end; gives its counters, and its verdict as ["right"]."""
    vms.focus(m, *console)
    assert m.run("wait; cat /tmp/watch", timeout) == 0
    line = re.search(r"@@ WATCH (.*) (right|WRONG)$", m.output, re.M)
    assert line, m.output
    found = {k: int(v) for k, v in re.findall(r"([\w-]+)=(\d+)", line[1])}
    return {**found, "right": line[2] == "right", "line": line[0]}


def check(found):
    """Nothing came that should not have, and nothing escaped netcheck."""
    assert found["right"] and found["lost"] == 0 and found["command"] == 0, found["line"]
    return found
