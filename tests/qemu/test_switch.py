# SPDX-License-Identifier: MIT
"""What a switch lets through between stock Linux VMs, and what not: VLANs, isolated and monitoring
ports, addresses, limits.
"""

import re

from lib import net
from lib.net import Guest

UNKNOWN = "02:00:00:00:99:99"
BEHIND = "02:00:00:00:77:77"


def seen(m, sender, words, receiver, options=""):
    """How many test frames reach the receiver."""
    return net.frames_seen(m, sender, words, receiver, options)["test"]


def test_vlans(machine, bundle, built):
    ten = Guest(1, "ten", options="vlan access:10")
    twenty = Guest(2, "twenty", options="vlan access:20")
    native = Guest(3, "native", options="vlan access:30")
    trunk = Guest(4, "trunk", options="vlan trunk:10,20-29,native:30")
    none = Guest(5, "none")
    m = net.boot(machine, bundle, built, [ten, twenty, native, trunk, none])
    net.run(m, trunk, "modprobe 8021q")
    for vlan, guest in ((10, ten), (20, twenty)):
        net.run(m, guest, f"ip addr add 10.0.{vlan}.{guest.number}/24 dev eth0")
        net.run(m, trunk, f"ip link add link eth0 name eth0.{vlan} type vlan id {vlan} && "
                f"ifconfig eth0.{vlan} 10.0.{vlan}.4 netmask 255.255.255.0 up")  # fmt: skip
    for host in ("10.0.10.1", "10.0.20.2", "10.0.0.3"):
        assert net.pings(m, trunk, host), host
    for guest, hosts in ((ten, (2, 3, 4, 5)), (trunk, (5,)), (none, (1, 2, 3, 4))):
        for host in hosts:
            assert not net.pings(m, guest, f"10.0.0.{host}", 1), (guest.name, host)

    # Super-frames with tags and without.
    ways = ((trunk, ten, "10.0.10.1", 0), (ten, trunk, "10.0.10.4", 10))
    for sender, receiver, host, tci in ways:
        net.watch(m, receiver, net.allowed(receiver), f"gtool sink {net.SINK}", "SINK-READY")
        net.run(m, sender, f"gtool send {host} {net.SINK} 300000")
        found = net.check(net.watched(m, receiver))
        assert found["tci"] == tci, found["line"]
        assert found["tagged"] == (found["frames"] if tci else 0), found["line"]

    # No tag that a guest writes itself gets it elsewhere.
    assert seen(m, ten, f"dst={trunk.mac} src={ten.mac}", trunk) == 1
    for words in ("tags=8100:20", "tags=8100:10,8100:20", "tags=88a8:10,8100:20", "tags=8100:4095"):
        assert seen(m, ten, f"{words} dst={twenty.mac}", twenty, "promisc") == 0, words
    assert seen(m, trunk, f"tags=8100:20 dst={twenty.mac}", twenty) == 1
    assert seen(m, trunk, f"tags=8100:10,8100:20 dst={twenty.mac}", twenty, "promisc") == 0
    assert seen(m, trunk, f"tags=8100:40 dst={none.mac}", none, "promisc") == 0


def test_isolated_and_monitor(machine, bundle, built):
    one, other = Guest(1, "one", options="isolate"), Guest(2, "other", options="isolate")
    server, monitor = Guest(3, "server", "d13c"), Guest(4, "monitor", "d13c", "monitor")
    m = net.boot(machine, bundle, built, [one, other, server, monitor])
    assert not net.pings(m, one, "10.0.0.2", 1)
    assert seen(m, one, f"dst={other.mac}", other, "promisc") == 0
    assert seen(m, one, "dst=ff:ff:ff:ff:ff:ff", other, "promisc") == 0
    assert net.pings(m, one, "10.0.0.3")
    assert net.pings(m, other, "10.0.0.3")

    # It sees what others say to each other, as its own driver wants it, and says nothing.
    done = "sh -c 'until test -e /tmp/done; do usleep 50000; done'"
    net.watch(m, monitor, "promisc " + net.allowed(monitor), done)
    frames = net.transfer(m, one, server)
    net.focus(m, monitor)
    m.run("touch /tmp/done")
    found = net.watched(m, monitor)
    assert found["right"] and found["test-bytes"] == frames["test-bytes"], found["line"]
    assert found["foreign"] > frames["frames"] / 2, found["line"]
    assert seen(m, monitor, f"dst={server.mac}", server, "promisc") == 0
    assert not net.pings(m, monitor, "10.0.0.3", 1)


def test_addresses(machine, bundle, built):
    left = Guest(1, "left", "d13c", f"static {BEHIND}")
    right, third = Guest(2, "right", "d12c"), Guest(3, "third", "d12c")
    m = net.boot(machine, bundle, built, [left, right, third])

    # Only one's own addresses, and those that the config gives, may send.
    assert seen(m, left, f"dst={right.mac}", right) == 1
    assert seen(m, left, f"src={BEHIND} dst={right.mac}", right) == 1
    assert seen(m, left, f"src={UNKNOWN} dst={right.mac}", right) == 0
    assert seen(m, right, f"src={BEHIND} dst={third.mac}", third) == 0
    assert seen(m, right, f"src={left.mac} dst={third.mac}", third) == 0

    # Frames to a static address go to its port only, as those to any NIC; unknown ones to all.
    assert seen(m, right, f"dst={BEHIND}", left, "promisc") == 1
    assert seen(m, right, f"dst={BEHIND}", third, "promisc") == 0
    assert seen(m, left, f"dst={right.mac}", third, "promisc") == 0
    assert seen(m, left, f"dst={UNKNOWN}", third, "promisc") == 1

    # Truncated frames end here or in the receiver's stack; nobody stumbles.
    for cut in (14, 15, 20, 33, 34, 40, 60):
        net.run(m, left, f"netcheck send eth0 kind=tcp4 dst={right.mac} cut={cut}")
    assert net.pings(m, left, right.hosts()[0])


def test_limits(machine, bundle, built):
    slow = Guest(1, "slow", options="rate 200K")
    few = Guest(2, "few", options="rate-packets 400")
    noisy = Guest(3, "noisy", options="storm 100")
    plain = Guest(4, "plain", "d13c")
    m = net.boot(machine, bundle, built, [slow, few, noisy, plain], icount=True)
    net.run(m, plain, "(netcheck count 97 > /dev/null &)")

    # Bytes: TCP finds the rate, not much below it and never above, but for the first burst.
    net.run(m, plain, f"(gtool sink {net.SINK} > /dev/null &)")
    text = net.run(m, slow, f"gtool send {plain.hosts()[0]} {net.SINK} 800000")
    seconds = int(re.search(r"ms=(\d+)", text)[1]) / 1000
    assert 2 < seconds < 10, text

    # Packets: whether those above the limit wait or are dropped, no more than so many come a second.
    net.focus(m, few)
    m.run(f"netcheck blast {plain.hosts()[0]} 97 2000 rate=2000")
    assert 300 < int(re.search(r"got-pps=(\d+)", m.output)[1]) < 500, m.output

    # Frames to all: of a thousand in half a second or more few pass, and others still do.
    watch = "sh -c 'until test -e /tmp/done; do usleep 50000; done'"
    net.watch(m, plain, "", watch)
    start = "cut -d' ' -f1 /proc/uptime"
    before = float(net.run(m, noisy, start))
    net.run(m, noisy, "netcheck send eth0 count=1000 gap=500")
    seconds = float(net.run(m, noisy, start)) - before
    net.focus(m, plain)
    m.run("touch /tmp/done")
    found = net.watched(m, plain)
    assert 50 <= found["test"] <= 100 * (seconds + 2), (seconds, found["line"])
    net.focus(m, noisy)
    m.run(f"netcheck blast {plain.hosts()[0]} 97 300 rate=500")
    assert int(re.search(r"lost=(\d+)", m.output)[1]) < 50, m.output
