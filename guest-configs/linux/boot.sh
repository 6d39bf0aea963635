#!/bin/bash
# SPDX-License-Identifier: MIT
#
# boot.sh disk|disk32|net: what a boot loader finds Debian's cloud kernel on, made of d12c.Image and
# d12c.cpio in build/guests (B=... moves it):
#
#   disk   boot.img: a disk with one bootable ext4 partition, whose extlinux.conf U-Boot looks for
#   disk32 boot32.img: the same with the 32-bit kernel, d12v7.zImage and d12v7.cpio
#   net    boot.cpio: the files that netsvc serves, with a boot.scr.uimg that U-Boot's `dhcp` asks for
#
# The same bytes from the same files.
set -euo pipefail
export LC_ALL=C
umask 022

what=${1:?usage: boot.sh disk|disk32|net}
here=$(cd "$(dirname "$0")" && pwd -P)
B=${B:-${here%/*/*}/build}
WORDS="console=ttyAMA0 quiet cryptomgr.notests"
# What U-Boot's ext4 can read.
FEATURES=none,filetype,extent,sparse_super,large_file
START=2048 # of the partition, in sectors of 512 bytes

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"

# le N VALUE : N bytes of it, the lowest first.
le() {
    local i
    for ((i = 0; i < $1; i++)); do
        printf '%b' "\\x$(printf %02x $(($2 >> 8 * i & 255)))"
    done
}

# A master boot record: one bootable partition of type Linux that has all the rest.
put_table() {
    local image=$1 sectors=$2
    {
        le 1 0x80
        le 3 0
        le 1 0x83
        le 3 0
        le 4 $START
        le 4 $((sectors - START))
    } | dd of="$image" bs=1 seek=446 conv=notrunc status=none
    le 2 0xaa55 | dd of="$image" bs=1 seek=510 conv=notrunc status=none
}

# KERNEL INITRAMFS: of build/guests.
put_files() {
    cp "$B/guests/$1" "$root/Image"
    cp "$B/guests/$2" "$root/initrd"
}

# make_disk NAME
make_disk() {
    local kib image=$work/image
    mkdir "$root/extlinux"
    cat > "$root/extlinux/extlinux.conf" <<CONF
default linux
label linux
    kernel /Image
    initrd /initrd
    append $WORDS name=disk
CONF
    find "$root" -exec touch -h -d @0 {} +
    kib=$(($(du -sk --apparent-size "$root" | cut -f 1) * 105 / 100 / 4 * 4 + 2048))
    truncate -s $((kib * 1024 + START * 512)) "$image"
    put_table "$image" $((kib * 2 + START))
    PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -b 4096 -O $FEATURES -U clear -m 0 -d "$root" \
        -E offset=$((START * 512)),root_owner=0:0,hash_seed=00000000-0000-4000-8000-000000000000 \
        "$image" ${kib}K
    mv "$image" "$B/guests/$1"
    say "a disk to boot from: $B/guests/$1"
}

# A packet is on its way for each block of 1.4 KiB: compressed, there are three times fewer. U-Boot
# unpacks the kernel, the kernel the initramfs.
make_net() {
    gzip -9n "$root/Image" "$root/initrd"
    cat > "$work/script" <<SCRIPT
tftpboot \${kernel_addr_r} Image.gz && tftpboot \${ramdisk_addr_r} initrd.gz || exit
setenv kernel_comp_addr_r 0x48000000
setenv kernel_comp_size 0x2000000
setenv bootargs $WORDS name=net net0=dhcp
booti \${kernel_addr_r} \${ramdisk_addr_r}:\${filesize} \${fdtcontroladdr}
SCRIPT
    /usr/bin/python3 "$here/uimage.py" "$work/script" "$root/boot.scr.uimg"
    find "$root" -exec touch -h -d @0 {} +
    (cd "$root" && find . -type f | sort | cpio --quiet --reproducible -o -H newc -R 0:0) > "$work/cpio"
    mv "$work/cpio" "$B/guests/boot.cpio"
    say "files to boot from by TFTP: $B/guests/boot.cpio"
}

say() { printf 'muntin: %s\n' "$*" >&2; }

case $what in
    disk)
        put_files d12c.Image d12c.cpio
        make_disk boot.img
        ;;
    disk32)
        put_files d12v7.zImage d12v7.cpio
        make_disk boot32.img
        ;;
    net)
        put_files d12c.Image d12c.cpio
        make_net
        ;;
    *)
        say "boot.sh: unknown '$what'"
        exit 1
        ;;
esac
