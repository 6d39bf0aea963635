#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What busybox's udhcpc runs in the Linux guests when it gets, renews or loses a lease: sets the
# address, the default route and the name servers of $interface. Prints "@@ DHCP ..." on the first.

resolv=/etc/resolv.conf

case $1 in
    deconfig)
        ifconfig "$interface" 0.0.0.0 up
        ;;
    bound | renew)
        ifconfig "$interface" "$ip" netmask "${subnet:-255.255.255.0}" up
        for gateway in ${router:-}; do
            route add default gw "$gateway" dev "$interface" 2> /dev/null
        done
        {
            [ -z "$domain" ] || echo "search $domain"
            for server in ${dns:-}; do
                echo "nameserver $server"
            done
        } > $resolv.new
        mv $resolv.new $resolv
        [ "$1" = renew ] || echo "@@ DHCP $interface $ip ${hostname:-}"
        ;;
esac
