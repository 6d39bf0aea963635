#!/bin/bash
# SPDX-License-Identifier: MIT
#
# small.sh [--update]: a small Linux, build/guests/small.Image (B=... moves it), built from Debian's
# package of the kernel's source with small.config. It has no modules: any initramfs of make.sh does,
# with mods=none.
#
# That takes two CPUs three minutes and a half, and 1.2 GB of disk meanwhile. So the Image is kept
# in build/cache/kernels (CACHE=...), by the package's version and a hash of what it's made with: it's
# built again only when small.config or the command below is another one, or --update finds a newer
# package. The package is kept, too.
set -euo pipefail
export LC_ALL=C
umask 022

PACKAGE=linux-source-6.1
# Names and times are fixed, so that the same source makes the same Image.
COMMAND="make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- LOCALVERSION= KBUILD_BUILD_VERSION=1
    KBUILD_BUILD_USER=muntin KBUILD_BUILD_HOST=muntin KBUILD_BUILD_TIMESTAMP=@0"
# A quarter of the source, and nothing that this kernel is made of.
UNUSED='*/drivers/gpu/drm/amd/include'

update=${1:-}
here=$(cd "$(dirname "$0")" && pwd -P)
config=$here/small.config
. "$here/../../tests/apt.sh"
image=$B/guests/small.Image
work=$B/guests/work/small
debs=$CACHE/debs/bookworm-source
hash=$(cat "$config" - <<< "$PACKAGE $COMMAND" | sha256sum)
hash=${hash::16}

# Nothing of the environment gets in, such as variables of the make that has called this.
run_make() {
    # shellcheck disable=SC2086
    env -i PATH="$PATH" LC_ALL=C $COMMAND -C "$work/source" "$@" > "$work/log" 2>&1 ||
        die "the small kernel's build failed: $(tail -n 20 "$work/log")"
}

# Sets deb to the package's file, downloaded if need be.
fetch_source() {
    if [ "$update" = --update ] || ! compgen -G "$debs/*.deb" > /dev/null; then
        apt_private bookworm arm64
        apt_fetch "$debs" "$PACKAGE"
    fi
    deb=$(compgen -G "$debs/*.deb")
}

unpack_source() {
    say "unpacking the source of the small kernel"
    rm -rf "$work"
    mkdir -p "$work/source"
    dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$PACKAGE.tar.xz" |
        tar -xJ -C "$work/source" --strip-components=1 --exclude="$UNUSED"
}

# What small.config asks for and Kconfig doesn't grant, as another version's might, is an error.
configure() {
    local refused
    run_make KCONFIG_ALLCONFIG="$config" allnoconfig
    refused=$(grep '^CONFIG' "$config" | grep -vxFf "$work/source/.config") || return 0
    die "$PACKAGE does not do as small.config says: $refused"
}

# build FILE
build() {
    unpack_source
    configure
    say "building the small kernel: some minutes, once (progress: $work/log)"
    run_make -j2 Image
    mkdir -p "${1%/*}"
    cp "$work/source/arch/arm64/boot/Image" "$1.part"
    mv "$1.part" "$1"
    rm -rf "$work"
}

mkdir -p "$B/guests/work"
exec 9> "$B/guests/.small.lock"
flock 9 # two calls at a time: the second finds what the first has made
kept=$(compgen -G "$CACHE/kernels/small-*-$hash.Image" | sort -V | tail -n 1) || true
if [ -z "$kept" ] || [ "$update" = --update ]; then
    fetch_source
    version=${deb##*/"$PACKAGE"_}
    kept=$CACHE/kernels/small-${version%_*}-$hash.Image
    [ -e "$kept" ] || build "$kept"
fi
cp "$kept" "$image.part"
mv "$image.part" "$image"
say "small kernel: $image (${kept##*/})"
