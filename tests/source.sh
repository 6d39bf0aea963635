#!/bin/bash
# SPDX-License-Identifier: MIT
#
# source.sh NAME OUTDIR: puts the source of that library into OUTDIR/NAME. Pinned by version and
# hash; the download is kept in $CACHE (default build/cache). Nothing happens when it is already
# there. A file put into $CACHE/files by hand does as well.
#
# When the archive no longer has a version: look the new one up in the signed index (apt-get source
# --print-uris PACKAGE), read what changed, then change pool= and sha256= below.
set -euo pipefail

usage='usage: source.sh libfdt|bearssl|lwip|cmocka OUTDIR'
name=${1:?$usage}
out=${2:?$usage}
only_debian=false

case $name in
libfdt)
    pool=pool/main/d/device-tree-compiler/device-tree-compiler_1.7.2.orig.tar.xz
    sha256=92d8ca769805ae1f176204230438fe52808f4e1c7944053c9eec0e649b237539
    strip=2
    members=('*/libfdt/*')
    ;;
bearssl)
    pool=pool/main/b/bearssl/bearssl_0.6+dfsg.1.orig.tar.xz
    sha256=102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
    strip=1
    members=('*/inc/*' '*/src/*' '*/LICENSE.txt')
    only_debian=true
    ;;
lwip)
    pool=pool/main/l/lwip/lwip_2.2.1+dfsg1.orig.tar.xz
    sha256=83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1
    strip=1
    members=('*/src/*' '*/COPYING')
    only_debian=true # other distributions have this version elsewhere, or not at all
    ;;
cmocka)
    pool=pool/main/c/cmocka/cmocka_1.1.7.orig.tar.xz
    sha256=810570eb0b8d64804331f82b29ff47c790ce9cd6b163e98d47a4807047ecad82
    strip=1
    members=('*/include/*' '*/src/cmocka.c' '*/COPYING')
    only_debian=true
    ;;
*)
    echo "$usage" >&2
    exit 1
    ;;
esac

dest=$out/$name
stamp=$dest/.muntin-$sha256
if [ -e "$stamp" ]; then
    exit 0
fi

. "$(dirname "$0")/apt.sh"
if $only_debian; then
    DEBIAN_MIRROR=$(debian_mirror)
fi
fetch_file "$pool" "$sha256"
mkdir -p "$out"
new=$out/.$name.new
rm -rf "$dest" "$new"
mkdir "$new"
tar -xJf "$CACHE/files/${pool##*/}" -C "$new" --strip-components=$strip --wildcards "${members[@]}"
touch "$new/${stamp##*/}"
mv "$new" "$dest"
say "$name is in $dest"
