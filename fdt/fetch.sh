#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fetch.sh OUTDIR: puts the source of libfdt into OUTDIR/libfdt. Pinned by version and hash; the
# download is kept in $CACHE (default build/cache). Nothing happens when it is already there.
# A file put into $CACHE/files by hand does as well.
#
# When the pool of the distribution no longer has this version: look the new one up in the signed
# index (apt-get source --print-uris device-tree-compiler), read what changed, then change both
# lines below.
set -euo pipefail

POOL=pool/main/d/device-tree-compiler/device-tree-compiler_1.7.2.orig.tar.xz
SHA256=92d8ca769805ae1f176204230438fe52808f4e1c7944053c9eec0e649b237539

out=${1:?usage: fetch.sh OUTDIR}
stamp=$out/libfdt/.muntin-$SHA256
if [ -e "$stamp" ]; then
    exit 0
fi

. "$(dirname "$0")/../tests/apt.sh"
fetch_file "$POOL" "$SHA256"
mkdir -p "$out"
rm -rf "$out/libfdt" "$out/.libfdt.new"
mkdir "$out/.libfdt.new"
tar -xJf "$CACHE/files/${POOL##*/}" -C "$out/.libfdt.new" --strip-components=2 --wildcards '*/libfdt/*'
touch "$out/.libfdt.new/${stamp##*/}"
mv "$out/.libfdt.new" "$out/libfdt"
say "libfdt is in $out/libfdt"
