#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fetch.sh OUTDIR: puts the source of lwIP into OUTDIR/lwip. Pinned by version and hash; the download
# is kept in $CACHE (default build/cache). Nothing happens when it is already there. A file put into
# $CACHE/files by hand does as well.
#
# When the archive no longer has this version: look the new one up in the signed index (apt-get
# source --print-uris lwip), read what changed, then change both lines below.
set -euo pipefail

POOL=pool/main/l/lwip/lwip_2.2.1+dfsg1.orig.tar.xz
SHA256=83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1

out=${1:?usage: fetch.sh OUTDIR}
stamp=$out/lwip/.muntin-$SHA256
if [ -e "$stamp" ]; then
    exit 0
fi

. "$(dirname "$0")/../../tests/apt.sh"
DEBIAN_MIRROR=$(debian_mirror) # other distributions have this version elsewhere, or not at all
fetch_file "$POOL" "$SHA256"
mkdir -p "$out"
rm -rf "$out/lwip" "$out/.lwip.new"
mkdir "$out/.lwip.new"
tar -xJf "$CACHE/files/${POOL##*/}" -C "$out/.lwip.new" --strip-components=1 --wildcards '*/src/*' '*/COPYING'
touch "$out/.lwip.new/${stamp##*/}"
mv "$out/.lwip.new" "$out/lwip"
say "lwIP is in $out/lwip"
