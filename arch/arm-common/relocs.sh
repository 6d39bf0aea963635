#!/bin/bash
# SPDX-License-Identifier: MIT
#
# relocs.sh PREFIX ELF: the places of ELF's pointers as assembler, a bit for each 8 bytes from
# __pointers on. Start-up code adds the load address to them (head.S); ld's own table, 24 bytes for
# each pointer, stays out of the image. PREFIX: of the cross tools' names.
set -euo pipefail
prefix=$1 elf=$2
base=$((16#$("${prefix}nm" "$elf" | awk '$3 == "__pointers" { print $1 }')))
words=()

while read -r offset _ type _; do
    case $type in R_AARCH64_RELATIVE) ;; R_AARCH64_NONE) continue ;; *) type=bad ;; esac
    place=$((16#$offset - base))
    if [ $type = bad ] || ((place < 0 || place % 8 != 0)); then
        echo "relocs.sh: $elf needs a relocation that start-up code can't do, at 0x$offset" >&2
        exit 1
    fi
    i=$((place / 512))
    words[i]=$((${words[i]:-0} | 1 << place / 8 % 64))
done < <("${prefix}readelf" -rW "$elf" | grep R_AARCH64)

echo '.section .relocs, "a"'
last=-1
for i in "${!words[@]}"; do # in order; without an entry: 0
    printf '.fill %d, 8, 0\n.quad %#x\n' $((i - last - 1)) "${words[i]}"
    last=$i
done
