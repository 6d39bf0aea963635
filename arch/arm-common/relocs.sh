#!/bin/bash
# SPDX-License-Identifier: MIT
#
# relocs.sh PREFIX ELF: the places of ELF's pointers as assembler, a bit for each word of an address'
# size from __pointers on. Start-up code adds the load address to them (head.S); ld's own table
# stays out of the image. PREFIX: of the cross tools' names.
set -euo pipefail
prefix=$1 elf=$2
base=$((16#$("${prefix}nm" "$elf" | awk '$3 == "__pointers" { print $1 }')))
size=4 # bytes of a pointer
if "${prefix}readelf" -h "$elf" | grep -q ELF64; then
    size=8
fi
bits=$((8 * size))
words=()

while read -r offset _ type _; do
    case $type in R_AARCH64_RELATIVE | R_ARM_RELATIVE) ;; R_AARCH64_NONE | R_ARM_NONE) continue ;; *) type=bad ;; esac
    place=$((16#$offset - base))
    if [ $type = bad ] || ((place < 0 || place % size != 0)); then
        echo "relocs.sh: $elf needs a relocation that start-up code can't do, at 0x$offset" >&2
        exit 1
    fi
    i=$((place / size / bits))
    words[i]=$((${words[i]:-0} | 1 << place / size % bits))
done < <("${prefix}readelf" -rW "$elf" | grep -E 'R_(AARCH64|ARM)_')

echo '.section .pointers, "a"'
last=-1
for i in "${!words[@]}"; do # in order; without an entry: 0
    printf '.fill %d, %d, 0\n.%dbyte %#x\n' $((i - last - 1)) $size $size "${words[i]}"
    last=$i
done
