# SPDX-License-Identifier: MIT
"""Linux VMs with the test image on one switch: what their NICs can do (ethtool), and what really
comes out of them (netcheck, guest-configs/linux/netcheck).

The functions leave the VM that they concern, of several the receiver, in focus.
"""

import re

from . import vms

SINK, ECHO = 99, 98  # ports of gtool

# Virtio-net's offloads as bits of `peerfeats`, and features of any device.
CSUM, GUEST_CSUM = 1 << 0, 1 << 1
GUEST_TSO4, GUEST_TSO6, GUEST_ECN = 1 << 7, 1 << 8, 1 << 9
HOST_TSO4, HOST_TSO6, HOST_ECN = 1 << 11, 1 << 12, 1 << 13
GUEST_USO4, GUEST_USO6, HOST_USO = 1 << 54, 1 << 55, 1 << 56
OFFLOADS = (
    CSUM | GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | HOST_TSO4 | HOST_TSO6 | HOST_ECN
    | GUEST_USO4 | GUEST_USO6 | HOST_USO
)  # fmt: skip
CTRL_VQ, MQ, VERSION_1, RING_PACKED, NOTF_COAL = 1 << 17, 1 << 22, 1 << 32, 1 << 34, 1 << 53


class Guest:
    """A Linux VM with the addresses 10.0.0.NUMBER and fd00::NUMBER; number is also that of its
    console. bits are the features that its NIC has negotiated, once it is booted."""

    def __init__(self, number, name, kernel="d12c", options="", peer=None, **more):
        self.number, self.name, self.kernel = number, name, kernel
        self.options, self.more = options, {"ram": "160M", **more}
        self.peer = peer or "/dev/vdevpeer/lan"
        self.mac = vms.mac_of(number)
        self.bits = 0

    def config(self):
        nics = [f"{vms.nic(self.number, self.peer)} {self.options}".rstrip()]
        initrd = f"{self.kernel}-test.cpio"
        return vms.linux(
            self.name, self.number, kernel=self.kernel, initrd=initrd, extra=nics, **self.more
        )

    def hosts(self):
        return [f"10.0.0.{self.number}", f"fd00::{self.number}"]


def focus(m, guest):
    vms.focus(m, guest.number, guest.name)


def run(m, guest, command, timeout=60):
    """What the command, which has to succeed, prints."""
    focus(m, guest)
    assert m.run(command, timeout) == 0, m.output
    return m.output


def files(built, guests):
    names = [k + end for k in {g.kernel: 0 for g in guests} for end in (".Image", "-test.cpio")]
    return vms.files(built, *names)


def boot(machine, bundle, built, guests, **options):
    """Boots them all; gives the machine."""
    configs = {f"{g.number}.qvmconf": g.config() for g in guests}
    options = {"smp": 2, "mem": 512 + 192 * len(guests), **options}
    m = machine(bundle=bundle({**configs, **files(built, guests)}), **options)
    start(m, guests)
    return m


def start(m, guests):
    """Waits for the shells and sets the NICs up. The kernel's merging of what comes is off, as
    netcheck wants it; gtool's echo runs."""
    vms.expect_all(m, [vms.any_vm("@@ SHELL")], timeout=vms.BOOT_TIMEOUT)
    for guest in guests:
        focus(m, guest)
        m.line("")
        m.expect(rf"^{guest.name}:/root# ", timeout=vms.BOOT_TIMEOUT)
        command = (
            "ifconfig eth0 down; echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; "
            f"ifconfig eth0 up && ip -6 addr add {guest.hosts()[1]}/64 dev eth0 && "
            f"ethtool -K eth0 gro off; (gtool echo {ECHO} > /dev/null &); "
            "cat /sys/class/net/eth0/device/features"
        )
        bits = re.search(r"^[01]{64}$", run(m, guest, command), re.M)[0]
        guest.bits = int(bits[::-1], 2)


def pings(m, guest, host, count=2):
    """Does the host answer? Give count 1 for one that should not: it has a second."""
    focus(m, guest)
    patience = 1 if count == 1 else 20
    return m.run(f"ping -c {count} -i 0.2 -W {patience} {host} > /dev/null", timeout=30) == 0


def features(m, guest):
    """{name: on?} of `ethtool -k`, and the set of those that cannot be changed."""
    text = run(m, guest, "ethtool -k eth0")
    rows = re.findall(r"^\s*([\w-]+): (on|off)(?: \[(.*)\])?$", text, re.M)
    assert len(rows) > 20, text
    return {r[0]: r[1] == "on" for r in rows}, {r[0] for r in rows if r[2] == "fixed"}


def set_features(m, guest, **wanted):
    """Switches features by the names of `ethtool -K`, with _ for -, as far as they can be; gives
    what is on then."""
    words = " ".join(f"{k.replace('_', '-')} {'on' if v else 'off'}" for k, v in wanted.items())
    run(m, guest, f"ethtool -K eth0 {words} > /dev/null 2>&1 || true")
    return features(m, guest)[0]


def allowed(guest, gro_hw=True):
    """The words for netcheck: what the guest has asked for, while ethtool says this of its
    rx-gro-hw. (Linux says rx-checksumming in any case: only the bits tell of GUEST_CSUM.)"""
    kinds = {"gso4": GUEST_TSO4, "gso6": GUEST_TSO6, "gso-ecn": GUEST_ECN}
    words = ["csum"] if guest.bits & GUEST_CSUM else []
    if gro_hw:
        words += [word for word, bit in kinds.items() if guest.bits & bit]
        words += ["gso-udp"] if guest.bits & GUEST_USO4 and guest.bits & GUEST_USO6 else []
    return " ".join(words)


def watch(m, guest, words, command, ready="WATCH-READY"):
    """Starts netcheck around the command, and waits until it is ready to receive."""
    run(
        m,
        guest,
        f"netcheck watch eth0 {words} -- {command} > /tmp/watch 2>&1 & "
        f"until grep -q {ready} /tmp/watch; do usleep 10000; done",
    )


def watched(m, guest, timeout=60):
    """Waits for netcheck's end; gives its counters, and its verdict as ["right"]."""
    text = run(m, guest, "wait; cat /tmp/watch", timeout)
    line = re.search(r"@@ WATCH (.*) (right|WRONG)$", text, re.M)
    assert line, text
    found = {k: int(v) for k, v in re.findall(r"([\w-]+)=(\d+)", line[1])}
    return {**found, "right": line[2] == "right", "line": line[0]}


def check(found):
    """Nothing came that should not have, and nothing escaped netcheck."""
    assert found["right"] and found["lost"] == 0 and found["command"] == 0, found["line"]
    return found


def frames_seen(m, sender, words, receiver, options="", seconds=0.3):
    """Sends test frames; gives what netcheck sees of them, and of others, at the receiver."""
    watch(m, receiver, options, "sh -c 'until test -e /tmp/done; do usleep 50000; done'")
    run(m, sender, f"netcheck send eth0 {words}; sleep {seconds}")
    focus(m, receiver)
    m.run("touch /tmp/done")
    found = watched(m, receiver)
    m.run("rm /tmp/done")
    return found


# Test frames: (words of netcheck, how much data they carry, super-frames of TCP, those with ECN)
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


def transfer(m, sender, receiver, gro_hw=True, datagram=8000, raw=True):
    """Sends all kinds of traffic, checks what comes, and gives netcheck's counters. gro_hw: has the
    receiver left that switched on? raw: test frames, too, more than 100 at a time."""
    frames = (FRAMES + (USO_FRAMES if sender.kernel == "d13c" else [])) if raw else []
    command = [f"netcheck send eth0 dst={receiver.mac} {words}" for words, *_ in frames]
    command += [f"gtool rtt {host} {ECHO} 3 {datagram}" for host in receiver.hosts()]
    command += [f"gtool send {host} {SINK} 300000" for host in receiver.hosts()]
    watch(m, receiver, allowed(receiver, gro_hw), f"gtool sink {SINK} 2", "SINK-READY")
    run(m, sender, "(" + " && ".join(command) + ")")
    found = check(watched(m, receiver))
    assert found["test-bytes"] == sum(f[1] for f in frames), found["line"]
    assert found["test-psh"] == sum(f[2] for f in frames), found["line"]
    assert found["test-cwr"] == sum(f[3] for f in frames), found["line"]
    assert found["tcp"] > 10, found["line"]
    return found
