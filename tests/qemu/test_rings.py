# SPDX-License-Identifier: MIT
"""Stock Linux drivers on each form of virtio's rings and registers, against one on the default."""

import re

from lib import net
from lib.net import Guest


def check_sizes(m, sizes):
    for guest, size in sizes.items():
        text = net.run(m, guest, "ethtool -g eth0")
        assert set(re.findall(r"^[RT]X:\s+(\d+)$", text, re.M)) == {str(size)}, (guest.name, text)


def test_forms_of_rings(machine, bundle, built):
    plain = Guest(1, "plain", "d13c")
    packed = Guest(2, "packed", "d13c", "packed")
    odd = Guest(3, "odd", "d12c", "packed qsize 100")
    legacy = Guest(4, "legacy", "d12c", "legacy")
    large = Guest(5, "large", "d13c", "qsize 1024")
    guests = [plain, packed, odd, legacy, large]
    m = net.boot(machine, bundle, built, guests)
    check_sizes(m, dict(zip(guests, (256, 256, 100, 256, 1024))))
    for guest in guests:
        assert bool(guest.bits & net.RING_PACKED) == (guest in (packed, odd)), hex(guest.bits)
        assert bool(guest.bits & net.VERSION_1) == (guest != legacy), hex(guest.bits)
    for guest in guests[1:]:
        net.transfer(m, plain, guest)
        net.transfer(m, guest, plain)
    net.transfer(m, packed, legacy)
    for guest in (packed, legacy):
        again = "rmmod virtio_net && insmod /modules/virtio_net.ko && ifconfig eth0 {} up"
        for _ in range(3):
            net.run(m, guest, again.format(guest.hosts()[0]))
            assert net.pings(m, guest, plain.hosts()[0]), m.output


def test_small_rings(machine, bundle, built):
    """Linux keeps room for a frame in 19 pieces: with less than 32 entries it never sends again."""
    plain, small = Guest(1, "plain", "d13c"), Guest(2, "small", "d13c", "qsize 32")
    m = net.boot(machine, bundle, built, [plain, small])
    check_sizes(m, {plain: 256, small: 32})
    net.transfer(m, plain, small, raw=False)
    net.transfer(m, small, plain)
