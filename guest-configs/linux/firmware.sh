#!/bin/bash
# SPDX-License-Identifier: MIT
#
# firmware.sh u-boot|u-boot32|u-boot-sunxi|bl31-rpi4|installer: guests and boot loaders that Debian has as files in a package,
# put into build/guests as they are (B=... moves it). Kept in build/cache like the packages of make.sh.
#
#   u-boot      u-boot.bin: U-Boot for QEMU's virt board. Muntin is started from it in a test, too
#   u-boot32    u-boot32.bin: the same for 32 bits
#   u-boot-sunxi  u-boot-sunxi.bin: U-Boot for boards with Allwinner's H3, as an SD card has it at 8 KiB
#   bl31-rpi4   bl31-rpi4.bin: Trusted Firmware-A of the Raspberry Pi 4, which stays at EL3
#   installer   installer.Image and installer.initrd: the installer's kernel and RAM disk (130 MB)
#
# apt checks the packages by the archive's signed indexes, which covers what is in them.
set -euo pipefail

what=${1:?usage: firmware.sh u-boot|u-boot32|u-boot-sunxi|bl31-rpi4|installer}
B=${B:-$(dirname "$0")/../../build}

case $what in
    u-boot)
        package=u-boot-qemu cached=bookworm-firmware
        dir=usr/lib/u-boot/qemu_arm64
        files=(u-boot.bin:u-boot.bin)
        ;;
    u-boot32)
        package=u-boot-qemu cached=bookworm-firmware
        dir=usr/lib/u-boot/qemu_arm
        files=(u-boot.bin:u-boot32.bin)
        ;;
    installer)
        package=debian-installer-12-netboot-arm64 cached=bookworm-installer
        dir=usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64
        files=(initrd.gz:installer.initrd linux:installer.Image)
        ;;
    u-boot-sunxi)
        package=u-boot-sunxi cached=bookworm-u-boot-sunxi arch=armhf
        dir=usr/lib/u-boot/orangepi_plus
        files=(u-boot-sunxi-with-spl.bin:u-boot-sunxi.bin)
        ;;
    bl31-rpi4)
        package=arm-trusted-firmware cached=bookworm-bl31
        dir=usr/lib/arm-trusted-firmware/rpi4
        files=(bl31.bin:bl31-rpi4.bin)
        ;;
    *)
        echo "firmware.sh: unknown '$what'" >&2
        exit 1
        ;;
esac

. "$(dirname "$0")/../../tests/apt.sh"
debs=$CACHE/debs/$cached
mkdir -p "$B/guests"
exec 9> "$B/guests/.$cached.lock"
flock 9 # two files of a package at a time: the second finds what the first has fetched
if [ -z "$(compgen -G "$debs/*.deb")" ]; then
    apt_private bookworm "${arch:-arm64}"
    apt_fetch "$debs" $package
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dpkg-deb --fsys-tarfile "$debs/${package}"_*.deb | tar -xC "$work" "./$dir"
for file in "${files[@]}"; do
    mv "$work/$dir/${file%:*}" "$B/guests/${file#*:}"
    touch "$B/guests/${file#*:}"
    say "$package: $B/guests/${file#*:}"
done
