#!/bin/bash
# SPDX-License-Identifier: MIT
#
# firmware.sh: Debian's U-Boot for QEMU's virt board as build/guests/u-boot.bin (B=... moves
# it). Muntin is started from it in a test, and it is a guest that is no Linux. Kept in build/cache
# like the packages of make.sh.
set -euo pipefail

B=${B:-$(dirname "$0")/../../build}
if [ -e "$B/guests/u-boot.bin" ]; then
    exit 0
fi

. "$(dirname "$0")/../../tests/apt.sh"
debs=$CACHE/debs/bookworm-firmware
if [ -z "$(compgen -G "$debs/*.deb")" ]; then
    apt_private bookworm arm64
    apt_fetch "$debs" u-boot-qemu
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dpkg-deb -x "$debs"/u-boot-qemu_*.deb "$work"
mkdir -p "$B/guests"
cp "$work/usr/lib/u-boot/qemu_arm64/u-boot.bin" "$B/guests/u-boot.bin"
say "U-Boot: $B/guests/u-boot.bin"
