#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make.sh [KERNEL...]: makes stock Debian Linux guests in build/guests (B=... moves it), for
# each KERNEL of the table below (default: d12c):
#
#   KERNEL.Image      Debian's kernel, unmodified
#   KERNEL.cpio       initramfs: busybox, /init (init.c, button.c), gtool and shm (gtool.c, shm.c), the virtio
#                     modules
#   KERNEL-net.cpio   the same with iperf3, nuttcp and ethtool
#   KERNEL-test.cpio  that with what only tests and bench need: iperf (version 2), netcheck
#                     (netcheck/), and modules that stay unloaded until `modprobe` is asked for
#                     them (8021q, bridge, sp805_wdt)
#   KERNEL-disk.cpio  as KERNEL.cpio, with ext4 and e2fsck: for guests whose root is a disk
#   KERNEL-gateway.cpio  as KERNEL.cpio, with a bridge, drivers of boards' Ethernet controllers and
#                     gateway.sh: of d12 alone, for the kernels for clouds have no such drivers
#
# and, of d12v7, a kernel for 32-bit CPUs, only KERNEL.zImage and KERNEL.cpio, whose /init is a
# script (init.sh) as there's no compiler for it.
#
# From the package of d12 and of d12v7 come also the device trees of the boards that Muntin is
# tested on, for whom there's no loader to hand it one: NAME.dtb; and all there are, as
# KERNEL.trees.tar.
#
# The packages come from the Debian archive with apt's signatures checked and an apt state of our
# own: the machine's is not touched, no root is needed. They are kept in build/cache (CACHE=...):
# a second call needs no network and takes no time. "make.sh --update KERNEL..." looks for newer
# packages. The cpio archives are the same byte for byte from the same packages.
#
# STRIP=0 keeps the signatures of the modules, which cost about 80 million instructions to verify;
# without them the kernel says once that it is tainted.
set -euo pipefail
export LC_ALL=C
umask 022

here=$(cd "$(dirname "$0")" && pwd -P)
B=${B:-${here%/*/*}/build}
STRIP=${STRIP:-1}

# The metapackage, by which the kernel follows the point releases, its suite and architecture.
kernel_source() {
    case $1 in
        d12) echo "linux-image-arm64 bookworm arm64" ;;
        d12c) echo "linux-image-cloud-arm64 bookworm arm64" ;;
        d13) echo "linux-image-arm64 trixie arm64" ;;
        d13c) echo "linux-image-cloud-arm64 trixie arm64" ;;
        d12v7) echo "linux-image-armmp-lpae bookworm armhf" ;;
        *) return 1 ;;
    esac
}

# The device trees of boards that are taken from its package, by their path there.
kernel_trees() {
    case $1 in
        d12) echo "xilinx/zynqmp-zcu102-rev1.0.dtb broadcom/bcm2711-rpi-4-b.dtb freescale/imx8mp-evk.dtb" ;;
        d12v7) echo "vexpress-v2p-ca15-tc1.dtb sun8i-h3-orangepi-pc.dtb" ;;
    esac
}

# The files that are made of a kernel, itself first.
kernel_files() {
    local tree
    case $(kernel_source "$1") in
        *armhf) echo "$1.zImage $1.cpio" ;;
        *) echo "$1.Image $1.cpio $1-net.cpio $1-test.cpio $1-disk.cpio" \
            "$([ "$1" != d12 ] || echo d12-gateway.cpio)" ;;
    esac
    for tree in $(kernel_trees "$1"); do
        echo "${tree##*/}"
    done
    [ -z "$(kernel_trees "$1")" ] || echo "$1.trees.tar"
}

MODULES="virtio_mmio virtio_pci virtio_net virtio_blk virtio_console virtio_rng
    vmw_vsock_virtio_transport virtio_balloon gpio_keys"
USER_SUITE=bookworm
MIN_PACKAGES="busybox-static"
NET_PACKAGES="libc6 iperf3 libiperf0 libssl3 libsctp1 ethtool libmnl0 nuttcp"
NET_PROGRAMS="iperf3 nuttcp ethtool"
NET_LIBRARIES="ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libiperf.so.0 libcrypto.so.3
    libsctp.so.1 libmnl.so.0"
TEST_PACKAGES="iperf libstdc++6 libgcc-s1"
TEST_PROGRAMS="iperf"
TEST_LIBRARIES="libstdc++.so.6 libgcc_s.so.1"
TEST_MODULES="8021q bridge sp805_wdt"
DISK_PACKAGES="libc6 e2fsprogs libext2fs2 libcom-err2 libblkid1 libuuid1"
DISK_PROGRAMS="e2fsck"
DISK_LIBRARIES="ld-linux-aarch64.so.1 libc.so.6 libext2fs.so.2 libe2p.so.2 libcom_err.so.2
    libblkid.so.1 libuuid.so.1"
DISK_MODULES="crc32c_generic ext4"
# Ethernet controllers, and the PHYs that boards have with them.
GATEWAY_MODULES="bridge macb genet fec marvell dp83867 broadcom at803x realtek"
APPLETS="arping ash awk basename brctl cat chmod chrt clear cmp cp cut date dd df diff dirname
    dmesg du echo env expr false find free fuser getty grep gunzip gzip halt head hexdump hostname
    httpd ifconfig insmod ip kill killall less ln login ls lsmod md5sum mkdir mknod modprobe more mount mv nc
    netstat nice nproc od pidof ping ping6 poweroff printf ps pwd reboot renice reset rm rmdir rmmod
    route sed seq setsid sh sha256sum sleep sort stat stty sync sysctl tail tar taskset tee
    telnet test tftp time timeout top touch tr traceroute true tty udhcpc udhcpd umount uname
    uniq unxz uptime usleep vi watch wc wget which xargs xxd yes"

update=0
if [ "${1:-}" = --update ]; then
    update=1
    shift
fi
kernels=${*:-d12c}
guests=$B/guests

# A kernel is up to date when its stamp is newer than everything of ours that goes into it.
is_made() {
    local stamp=$guests/.$1.strip$STRIP f
    # shellcheck disable=SC2046
    for f in $(kernel_files "$1"); do
        [ -e "$guests/$f" ] || return 1
    done
    for f in "$here"/{init.c,button.c,button.h,init.sh,gtool.c,shm.c,shm.h,make.sh,modules.sh,udhcpc.sh,gateway.sh} "$here"/netcheck/*; do
        [ "$stamp" -nt "$f" ] || return 1
    done
}

# Prints those of the kernels that are to be made.
kernels_to_make() {
    local kernel
    for kernel in $kernels; do
        if [ "$update" = 1 ] || ! is_made "$kernel"; then
            echo "$kernel"
        fi
    done
}

[ -n "$(kernels_to_make)" ] || exit 0

. "$here/../../tests/apt.sh"
guests=$B/guests
work=$guests/work
mkdir -p "$work"
exec 9> "$guests/.lock"
flock 9 # two calls at a time: the second finds what the first has made

# packages DIR SUITE ARCH NAME... : $DIR gets the contents of these packages, downloaded if need be.
packages() {
    local dir=$1 suite=$2 arch=$3 debs=$CACHE/debs/$2-${1##*/}
    shift 3
    if [ "$update" = 1 ] || [ "$(cat "$debs/.complete" 2>/dev/null)" != "$*" ]; then
        rm -rf "$debs/.complete" "$dir"
        apt_private "$suite" "$arch"
        apt_fetch "$debs.part" "$@"
        rm -rf "$debs"
        mv "$debs.part" "$debs"
        echo "$*" > "$debs/.complete"
    fi
    if [ ! -e "$dir/.unpacked" ] || [ "$debs/.complete" -nt "$dir/.unpacked" ]; then
        rm -rf "$dir"
        mkdir -p "$dir"
        local deb
        for deb in "$debs"/*.deb; do
            dpkg-deb -x "$deb" "$dir"
        done
        touch "$dir/.unpacked"
    fi
}

# The name of the kernel's package proper. It is kept as long as the package is, so that later calls
# need no apt; without the package it is asked for again, as the archive may have moved on.
kernel_package() {
    local meta=$1 suite=$2 memo=$CACHE/debs/$2-$1.name
    if [ "$update" = 1 ] || [ ! -s "$memo" ] || [ ! -e "$CACHE/debs/$suite-$4/.complete" ]; then
        apt_private "$suite" "$3"
        mkdir -p "${memo%/*}"
        apt-cache "${APT_OPTS[@]}" show "$meta" | sed -n 's/^Depends: \([^ ,]*\).*/\1/p' |
            head -n 1 > "$memo"
    fi
    [ -s "$memo" ] || die "Debian $suite has no package $meta"
    cat "$memo"
}

# compile NAME SOURCE...
compile() {
    local name=$1
    shift
    aarch64-linux-gnu-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -o "$work/$name" "$@"
}

# find_in TREE NAME... : the path of each file, wherever a Debian tree has it.
find_in() {
    local tree=$1 name path dir
    shift
    for name; do
        path=
        for dir in bin sbin usr/bin usr/sbin lib usr/lib lib/aarch64-linux-gnu usr/lib/aarch64-linux-gnu; do
            if [ -e "$tree/$dir/$name" ]; then
                path=$dir/$name
            fi
        done
        [ -n "$path" ] || die "no $name in the packages of Debian $USER_SUITE"
        echo "$path"
    done
}

module_name() {
    local name=${1##*/}
    name=${name%%.ko*}
    echo "${name//-/_}"
}

# add_module ROOT FILE : as $ROOT/modules/NAME.ko
add_module() {
    local ko
    ko=$1/modules/$(module_name "$2").ko
    case $2 in
        *.xz) xz -dc "$2" > "$ko" ;;
        *) cp "$2" "$ko" ;;
    esac
    if [ "$STRIP" = 1 ]; then
        aarch64-linux-gnu-strip --strip-debug "$ko"
    fi
}

# add_modules ROOT KERNEL_TREE MODULE... : those that /init loads.
add_modules() {
    local root=$1 kernel_tree=$2 path
    shift 2
    mkdir -p "$root/modules"
    "$here/modules.sh" "$kernel_tree" "$@" > "$work/modules.list"
    if grep -q gpio_keys "$work/modules.list"; then # keys are of no use without
        "$here/modules.sh" "$kernel_tree" evdev >> "$work/modules.list"
    fi
    while read -r path; do
        add_module "$root" "$path"
        module_name "$path" >> "$root/modules/order"
    done < "$work/modules.list"
    [ -s "$root/modules/order" ] || die "no modules found in $kernel_tree"
}

# The modules that stay unloaded until somebody runs modprobe: it wants to know their needs.
add_test_modules() {
    local root=$1 kernel_tree=$2 dir module path needs
    dir=$(find "$kernel_tree" -path '*/lib/modules/*' -prune)
    dir=$root/lib/modules/${dir##*/}
    mkdir -p "$dir"
    for module in $TEST_MODULES; do
        "$here/modules.sh" "$kernel_tree" "$module" > "$work/modules.list"
        needs=
        while read -r path; do
            [ -e "$root/modules/$(module_name "$path").ko" ] || add_module "$root" "$path"
            path=/modules/$(module_name "$path").ko
            echo "$path:$needs" >> "$dir/modules.dep"
            needs=" $path$needs"
        done < "$work/modules.list"
    done
    sort -u -t: -k1,1 -o "$dir/modules.dep" "$dir/modules.dep"
}

# make_root ROOT ARCH
make_root() {
    local root=$1 arch=$2 applet
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,etc,lib,proc,root,run,sys,tmp}
    cp "$(user_dir "$arch")/bin/busybox" "$root/bin/busybox"
    for applet in $APPLETS; do
        ln -s busybox "$root/bin/$applet"
    done
    echo 'root::0:0:root:/root:/bin/sh' > "$root/etc/passwd"
    echo 'root:x:0:' > "$root/etc/group"
    install -m 755 "$here/udhcpc.sh" "$root/etc/udhcpc.sh"
    if [ "$arch" = armhf ]; then
        install -m 755 "$here/init.sh" "$root/init"
    else
        cp "$work/init" "$root/init"
        cp "$work/gtool" "$root/bin/gtool"
        ln -s gtool "$root/bin/shm"
    fi
}

# add_files ROOT TREE NAME... : these programs and libraries out of a Debian tree.
add_files() {
    local root=$1 tree=$2 path
    shift 2
    for path in $(find_in "$tree" "$@"); do
        case $path in
            */ld-linux*) install -D "$tree/$path" "$root/lib/${path##*/}" ;;
            *.so*) install -D "$tree/$path" "$root/lib/aarch64-linux-gnu/${path##*/}" ;;
            *) install -D "$tree/$path" "$root/bin/${path##*/}" ;;
        esac
    done
}

# Sorted, without owners, times and inode numbers: the same bytes from the same files.
make_cpio() {
    (cd "$1" && find . -exec touch -h -d @0 {} + && find . -mindepth 1 | sort |
        cpio --quiet --reproducible -o -H newc -R 0:0) > "$2.part"
    mv "$2.part" "$2"
}

user_dir() {
    case $1 in
        arm64) echo "$work/user" ;;
        *) echo "$work/user-$1" ;;
    esac
}

# What the bigger archives have besides.
make_more() {
    local kernel=$1 tree=$2 root=$3
    # shellcheck disable=SC2086
    add_files "$root" "$work/net" $NET_PROGRAMS $NET_LIBRARIES
    make_cpio "$root" "$guests/$kernel-net.cpio"
    # shellcheck disable=SC2086
    add_files "$root" "$work/test" $TEST_PROGRAMS $TEST_LIBRARIES
    cp "$work/netcheck" "$root/bin/netcheck"
    add_test_modules "$root" "$tree"
    make_cpio "$root" "$guests/$kernel-test.cpio"
    make_root "$root" arm64
    # shellcheck disable=SC2086
    {
        add_modules "$root" "$tree" $MODULES $DISK_MODULES
        add_files "$root" "$work/disk" $DISK_PROGRAMS $DISK_LIBRARIES
    }
    make_cpio "$root" "$guests/$kernel-disk.cpio"
    if [ "$kernel" = d12 ]; then
        make_gateway "$tree" "$root"
    fi
}

make_gateway() {
    make_root "$2" arm64
    install -m 755 "$here/gateway.sh" "$2/bin/gateway"
    # shellcheck disable=SC2086
    add_modules "$2" "$1" $MODULES $GATEWAY_MODULES
    make_cpio "$2" "$guests/d12-gateway.cpio"
}

make_kernel() {
    local kernel=$1 meta suite arch package files tree dtb root=$work/root
    read -r meta suite arch < <(kernel_source "$kernel")
    package=$(kernel_package "$meta" "$suite" "$arch" "$kernel")
    tree=$work/$kernel
    packages "$tree" "$suite" "$arch" "$package"
    # shellcheck disable=SC2086
    packages "$(user_dir "$arch")" $USER_SUITE "$arch" $MIN_PACKAGES
    make_root "$root" "$arch"
    # shellcheck disable=SC2086
    add_modules "$root" "$tree" $MODULES
    make_cpio "$root" "$guests/$kernel.cpio"
    if [ "$arch" = arm64 ]; then
        make_more "$kernel" "$tree" "$root"
    fi
    for dtb in $(kernel_trees "$kernel"); do
        cp "$tree"/usr/lib/linux-image-*/"$dtb" "$guests/"
    done
    if [ -n "$(kernel_trees "$kernel")" ]; then
        tar -C "$tree"/usr/lib/linux-image-* -cf "$guests/$kernel.trees.tar" .
    fi
    read -ra files <<< "$(kernel_files "$kernel" | tr '\n' ' ')"
    cp "$tree"/boot/vmlinuz-* "$guests/${files[0]}"
    rm -rf "$root"
    rm -f "$guests/.$kernel.strip"*
    touch "$guests/.$kernel.strip$STRIP"
    say "guest $kernel ($package): in $guests: ${files[*]}"
}

for kernel in $kernels; do
    kernel_source "$kernel" > /dev/null || die "unknown kernel $kernel (known: d12 d12c d13 d13c d12v7)"
done
kernels=$(kernels_to_make)
[ -n "$kernels" ] || exit 0
# shellcheck disable=SC2086
{
    packages "$work/net" $USER_SUITE arm64 $NET_PACKAGES
    packages "$work/test" $USER_SUITE arm64 $TEST_PACKAGES
    packages "$work/disk" $USER_SUITE arm64 $DISK_PACKAGES
}
compile init "$here"/{init,button}.c
compile gtool "$here"/{gtool,shm}.c
compile netcheck "$here"/netcheck/*.c
for kernel in $kernels; do
    make_kernel "$kernel"
done
