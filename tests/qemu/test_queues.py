# SPDX-License-Identifier: MIT
"""Several pairs of queues in one NIC, interrupts that wait for more, what else ethtool knows."""

import re

from lib import net
from lib.net import Guest


def packets(m, guest):
    """Packets by queue: {("rx", 0): n, ...}."""
    text = net.run(m, guest, "ethtool -S eth0")
    rows = re.findall(r"^\s*([rt]x)_?(?:queue_)?(\d+)_packets: (\d+)$", text, re.M)
    return {(way, int(queue)): int(count) for way, queue, count in rows}


def pairs(m, guest):
    """Pairs of queues that there are at most, and that are in use."""
    text = net.run(m, guest, "ethtool -l eth0")
    return [int(n) for n in re.findall(r"^Combined:\s+(\d+)$", text, re.M)]


def test_queue_pairs(machine, bundle, built):
    """A flow's answers come by the queue of the pair by which it was sent."""
    many = Guest(1, "many", "d12c", cpus=4)  # as many pairs as vCPUs by default
    two = Guest(2, "two", "d13c", "queues 2", cpus=2)
    m = net.boot(machine, bundle, built, [many, two], smp=4)
    assert pairs(m, many) == [4, 4]
    assert pairs(m, two) == [2, 2]
    for count in (2, 1, 4):
        net.run(m, many, f"ethtool -L eth0 combined {count}")
        assert pairs(m, many) == [4, count]
        for cpu in range(4):
            queue = cpu * count // 4  # as Linux deals them out
            before = packets(m, many)
            net.run(m, many, f"taskset {1 << cpu:x} gtool rtt {two.hosts()[0]} {net.ECHO} 50")
            after = packets(m, many)
            gained = {key: after[key] - before[key] for key in after}
            assert gained["tx", queue] >= 50, (count, cpu, gained)
            assert gained["rx", queue] >= 45, (count, cpu, gained)
        net.transfer(m, many, two)
        net.transfer(m, two, many)


def interrupts(m, guest):
    text = net.run(m, guest, "cat /proc/interrupts")
    row = re.search(r"^ *\d+:([ \d]+?) +GIC\S* .*virtio", text, re.M)
    return sum(int(n) for n in row[1].split())


def test_coalescing_loses_nothing(machine, bundle, built):
    """`ethtool -C`: fewer interrupts, none of them lost. By counted instructions."""
    left, right = Guest(1, "left", "d13c"), Guest(2, "right", "d13c")
    m = net.boot(machine, bundle, built, [left, right], icount=True)
    assert right.bits & net.NOTF_COAL, hex(right.bits)
    net.run(m, right, "(netcheck count 97 > /dev/null &)")

    def cost():
        before = interrupts(m, right)
        net.run(m, left, f"netcheck blast {right.hosts()[0]} 97 400 rate=400 || true")
        assert int(re.search(r"lost=(\d+)", m.output)[1]) <= 40, m.output
        return interrupts(m, right) - before

    each = cost()
    net.run(m, right, "ethtool -C eth0 rx-usecs 20000 rx-frames 32")
    net.run(m, right, "ethtool -c eth0")
    assert re.search(r"^rx-usecs:\s+20000$", m.output, re.M), m.output
    some = cost()
    assert some < each / 3, (each, some)
    text = net.run(m, right, f"ping -c 20 -i 0.1 -q {left.hosts()[0]}")
    assert "20 packets received" in text, text
    net.transfer(m, left, right)
    net.run(m, right, "ethtool -C eth0 rx-usecs 0 rx-frames 0")
    assert cost() > each / 2


def test_speed(machine, bundle, built):
    guests = [Guest(1, "left", "d12c"), Guest(2, "right", "d12c", "speed 2500")]
    m = net.boot(machine, bundle, built, guests)
    for guest, speed in zip(guests, (10000, 2500)):
        text = net.run(m, guest, "ethtool eth0")
        assert re.search(rf"Speed: {speed}Mb/s\s+Duplex: Full", text), text


def round_trip(m, guest, other, count=10):
    """Of a packet, in milliseconds: the median."""
    text = net.run(m, guest, f"gtool rtt {other.hosts()[0]} {net.ECHO} {count}")
    return int(re.search(r"\bp50=(\d+)", text)[1]) / 1e6


def test_coalescing_waits(machine, bundle, built):
    """An interrupt waits for so many frames, or so long. By counted instructions."""
    left, right = Guest(1, "left", "d12c"), Guest(2, "right", "d13c")
    m = net.boot(machine, bundle, built, [left, right], icount=True)
    for guest, other in ((left, right), (right, left)):
        assert guest.bits & net.NOTF_COAL
        assert round_trip(m, guest, other) < 100
        # Linux 6.1 takes tx-frames 0 only while the NIC is down.
        net.run(m, guest, "ethtool -C eth0 rx-usecs 200000 rx-frames 64 tx-frames 1")
        assert re.search(r"^rx-usecs:\s+200000$", net.run(m, guest, "ethtool -c eth0"), re.M)
        assert round_trip(m, guest, other) >= 100  # others' frames may have started the wait
        net.transfer(m, other, guest)
        net.run(m, guest, "ethtool -C eth0 rx-usecs 0 rx-frames 0 tx-usecs 100 tx-frames 16")
        assert round_trip(m, guest, other) < 100
        net.transfer(m, guest, other)
