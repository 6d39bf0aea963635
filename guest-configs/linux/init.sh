#!/bin/sh
# SPDX-License-Identifier: MIT
#
# /init of the 32-bit Linux guests, for which there's no compiler: init.c as a script of busybox,
# with the same words on the kernel's command line (name, mods, net0 ..., run, then) and the same
# lines on the console, without the counter. See there.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
echo "@@ INIT"

export PATH=/bin HOME=/root PS1='\h:\w# '
hostname "${name:-linux}"
cd /root || exit

load_modules() {
    local module
    while read -r module; do
        case ,${mods:-$module}, in
            *,$module,*) insmod "/modules/$module.ko" || echo "@@ MODULE-FAILED $module" ;;
        esac
    done < /modules/order
}

set_address() {
    case $2 in
        dhcp) udhcpc -i "$1" -s /etc/udhcpc.sh -x "hostname:${name:-linux}" -b -t 8 -T 1 -A 1 ;;
        *) ip addr add "$2" dev "$1" && ip link set "$1" up ;;
    esac || echo "@@ NET-FAILED $1 $2"
}

load_modules
echo "@@ MODS"
ip addr add 127.0.0.1/8 dev lo
ip link set lo up
for i in 0 1 2 3 4 5 6 7; do
    eval "how=\${net$i:-}"
    [ -z "$how" ] || set_address "eth$i" "$how"
done
echo "@@ SHELL"

# A terminal that Ctrl-C works on: not /dev/console, but the device behind it, which the kernel
# names last.
read -r active < /sys/class/tty/console/active
tty=/dev/${active##* }
if [ -n "${run:-}" ]; then
    setsid sh -c "$run" < "$tty" > "$tty" 2>&1
    echo "@@ RUN-END rc=$?"
    then=${then:-poweroff}
fi
case ${then:-sh} in
    poweroff | reboot) "$then" -f ;;
esac

# As process 1 it is sent the signals of busybox's poweroff, reboot and halt.
trap 'poweroff -f' USR2
trap 'reboot -f' TERM
trap 'halt -f' USR1
while :; do
    setsid -c sh < "$tty" > "$tty" 2>&1 &
    shell=$!
    while kill -0 $shell 2> /dev/null; do
        wait $shell
    done
    echo "@@ SHELL-END"
    sleep 1
done
