# SPDX-License-Identifier: MIT
"""The filters of a NIC, as stock Linux sets them."""

from lib import net
from lib.net import Guest

UNKNOWN = "02:00:00:00:99:99"


def seen(m, sender, words, receiver, options=""):
    """How many test frames reach the receiver."""
    return net.frames_seen(m, sender, words, receiver, options)["test"]


def test_filters(machine, bundle, built):
    """What the driver does not want, the device does not deliver."""
    left, right = Guest(1, "left", "d13c"), Guest(2, "right", "d12c")
    m = net.boot(machine, bundle, built, [left, right])
    assert seen(m, left, f"dst={UNKNOWN}", right, "promisc") == 1
    assert seen(m, left, f"dst={UNKNOWN}", right) == 0
    assert seen(m, left, "dst=01:00:5e:01:02:03", right) == 0
    assert seen(m, left, "dst=ff:ff:ff:ff:ff:ff", right) == 1

    # VLANs: none as long as there is none.
    add = "ip link add link eth0 name eth0.5 type vlan id 5 && ifconfig eth0.5 up"
    net.run(m, right, f"modprobe 8021q && {add}")
    assert seen(m, left, f"tags=8100:5 dst={right.mac}", right) == 1
    assert seen(m, left, f"tags=8100:6 dst={right.mac}", right) == 0
    net.run(m, right, "ip link del eth0.5")
    assert seen(m, left, f"tags=8100:5 dst={right.mac}", right) == 0
