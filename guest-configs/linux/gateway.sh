#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `gateway`, in the Linux guest that has a board's Ethernet controller: br0 of all NICs, so that the
# VMs on the switch are on the board's network, and an address from that network's DHCP server.
# Prints "@@ BRIDGE br0" once that is up.

tries=0
while
    set -- /sys/class/net/eth*
    [ $# -lt 2 ] && [ $tries -lt 50 ]
do
    tries=$((tries + 1))
    usleep 100000
done

brctl addbr br0
for nic; do
    brctl addif br0 "${nic##*/}"
    ip link set "${nic##*/}" up
done
ip link set br0 up
echo "@@ BRIDGE br0"
udhcpc -i br0 -s /etc/udhcpc.sh -x "hostname:$(hostname)" -b -t 8 -T 1 -A 1
