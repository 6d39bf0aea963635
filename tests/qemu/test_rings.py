# SPDX-License-Identifier: MIT
"""Stock Linux drivers on rings of other sizes and forms, against one on the default."""

import re

from lib import net
from lib.net import Guest


def check_sizes(m, sizes):
    for guest, size in sizes.items():
        text = net.run(m, guest, "ethtool -g eth0")
        assert set(re.findall(r"^[RT]X:\s+(\d+)$", text, re.M)) == {str(size)}, (guest.name, text)


def test_small_rings(machine, bundle, built):
    """Linux keeps room for a frame in 19 pieces: with less than 32 entries it never sends again."""
    plain, small = Guest(1, "plain", "d13c"), Guest(2, "small", "d13c", "qsize 32")
    m = net.boot(machine, bundle, built, [plain, small])
    check_sizes(m, {plain: 256, small: 32})
    net.transfer(m, plain, small, raw=False)
    net.transfer(m, small, plain)
