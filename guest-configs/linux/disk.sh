#!/bin/bash
# SPDX-License-Identifier: MIT
#
# disk.sh: a small root file system out of Debian's packages, as the ext4 image
# build/guests/debian.ext4 (B=... moves it): a guest's disk. Nothing of the packages is configured;
# there is a shell, and what is needed to work with files. The packages are kept in build/cache like
# those of make.sh.
set -euo pipefail
export LC_ALL=C
umask 022

PACKAGES="base-files base-passwd bash busybox-static coreutils dash diffutils e2fsprogs findutils grep gzip hostname
    libacl1 libattr1 libblkid1 libc6 libcom-err2 libext2fs2 libgcc-s1 libgmp10 libmount1
    libpcre2-8-0 libselinux1 libsmartcols1 libss2 libtinfo6 libuuid1 mount ncurses-base sed tar
    util-linux zlib1g"
SIZE=64M
# What any mke2fs of the last ten years knows and any kernel likewise.
FEATURES=none,has_journal,ext_attr,dir_index,filetype,extent,64bit,sparse_super,large_file,metadata_csum

B=${B:-$(dirname "$0")/../../build}
image=$B/guests/debian.ext4
if [ "$image" -nt "$0" ]; then
    exit 0
fi

. "$(dirname "$0")/../../tests/apt.sh"
image=$B/guests/debian.ext4
debs=$CACHE/debs/bookworm-root
if [ "$(cat "$debs/.complete" 2> /dev/null)" != "$PACKAGES" ]; then
    apt_private bookworm arm64
    # shellcheck disable=SC2086
    apt_fetch "$debs" $PACKAGES
    echo "$PACKAGES" > "$debs/.complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
for deb in "$debs"/*.deb; do
    dpkg-deb -x "$deb" "$root"
done
rm -rf "$root"/usr/share/{doc,man,info,locale,bug,lintian,bash-completion}
mkdir -p "$root"/{dev,proc,sys,run,tmp}
[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
for applet in poweroff reboot halt ip ping vi; do
    ln -s ../bin/busybox "$root/sbin/$applet"
done
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
echo 'set enable-bracketed-paste off' > "$root/root/.inputrc"

PATH=$PATH:/usr/sbin:/sbin
truncate -s "$SIZE" "$work/image"
mke2fs -q -t ext4 -b 4096 -O "$FEATURES" -E root_owner=0:0 -L root -d "$root" "$work/image"
mkdir -p "$B/guests"
mv "$work/image" "$image"
say "root file system of Debian 12: $image"
