# SPDX-License-Identifier: MIT
"""Large packets between VMs: up to the MTU of the NICs, not a byte above that of the receiver."""

import pytest
from lib import net
from lib.net import Guest


@pytest.mark.parametrize("mtu", [9000, 65535])
def test_mtu(machine, bundle, built, mtu):
    left = Guest(1, "left", "d12c", f"mtu {mtu}")
    right = Guest(2, "right", "d13c", f"mtu {mtu}")
    small = Guest(3, "small")
    m = net.boot(machine, bundle, built, [left, right, small])
    for guest, size in ((left, mtu), (right, mtu), (small, 1500)):
        assert int(net.run(m, guest, "cat /sys/class/net/eth0/mtu")) == size

    ping = f"ping -c 2 -i 0.2 -w 20 -s {mtu - 28} "
    net.watch(m, right, net.allowed(right), "sleep 2")
    net.run(m, left, ping + right.hosts()[0])
    found = net.check(net.watched(m, right))
    assert found["largest"] == mtu + 14 and found["fragments"] == 0, found["line"]
    net.transfer(m, left, right)
    net.transfer(m, right, left)

    # What is too large for one receiver is dropped for that one. Of a super-frame with too large
    # segments the last one, which is shorter, may come.
    most = 1500 - 20 - 20
    for words, passes in (
        (f"data={most}", [most]),
        (f"data={most + 1}", [0]),
        (f"data=20000 csum=partial gso={most}", [20000]),
        (f"data=20000 csum=partial gso={most + 1}", [0, 20000 % (most + 1)]),
    ):
        words = f"kind=tcp4 {words} dst={small.mac}"
        found = net.check(net.frames_seen(m, left, words, small, net.allowed(small)))
        assert found["test-bytes"] in passes, (words, found["line"])
    net.transfer(m, left, small, datagram=1400)
    net.transfer(m, small, left, datagram=1400)
