#!/bin/bash
# SPDX-License-Identifier: MIT
#
# layers.sh BUILD...: who may know whom. core knows nobody; arch, vdev and fdt know core and never
# each other; only fdt includes libfdt.h, only core/random.c BearSSL's headers; core/main.c, the
# composition root, may know all. Checked twice: the include lines of the sources, and the symbols
# that the objects in BUILD (build/arm64, build/arm) refer to. Also: every header compiles alone, for
# each of these architectures.
set -u
cd "$(dirname "$0")/../.." || exit 1
fail=0
complain() { echo "layers: $*"; fail=1; }

# layer_of FILE-OR-INCLUDE: its layer; arch/arm64 and arch/arm-common are one
layer_of() { case $1 in */*) echo "${1%%/*}" ;; *) echo other ;; esac; }
allowed() { # FROM TO
    case $1:$2 in
        core:core | arch:core | vdev:core | fdt:core | arch:arch | vdev:vdev | fdt:fdt) return 0 ;;
    esac
    return 1
}

while IFS=: read -r file include; do
    case $file in core/main.c | arch/host/tool*.c) continue ;; esac # composition roots
    allowed "$(layer_of "$file")" "$(layer_of "$include")" || complain "$file includes $include"
done < <(grep -rHoE '^#include "[^"]+/[^"]+"' core vdev fdt arch --include='*.[chS]' |
    sed -E 's/#include "([^"]+)"/\1/')

while IFS=: read -r file _; do
    case $file in fdt/*) ;; *) complain "$file includes libfdt.h" ;; esac
done < <(grep -rH 'include.*libfdt.h' core vdev fdt arch --include='*.[ch]')
while IFS=: read -r file _; do
    case $file in core/random.c) ;; *) complain "$file includes a header of BearSSL" ;; esac
done < <(grep -rH 'include.*bearssl' core vdev fdt arch --include='*.[ch]')

# Symbols: what each layer's objects need must be defined in a layer that they may know.
check_symbols() { # OBJECTS PREFIX
    local objects=$1 prefix=$2 table o layer symbol from object to
    table=$(find "$objects" -name '*.c.o' -o -name '*.S.o' | while read -r o; do
        layer=$(layer_of "${o#"$objects"/}")
        [ "${o#"$objects"/}" = core/main.c.o ] && layer=root
        "${prefix}gcc-nm" -g "$o" | awk -v l="$layer" -v o="${o#"$objects"/}" '
            $1 == "U" { print "U", $2, l, o; next } { print "D", $3, l, o }'
    done)
    while read -r symbol from object to; do
        case $from:$to in
            root:* | deps:* | fdt:deps | arch:core) continue ;;
            core:deps) # the generators of random bytes
                [ "$object" = core/random.c.o ] || complain "$object needs $symbol of a library" ;;
            arch:root) # the way in
                grep -qE "\b$symbol\b" core/main.h || complain "$object needs $symbol of core/main.c" ;;
            core:arch | vdev:arch | fdt:arch) # the seam: declared in core/arch.h, defined by arch
                grep -qE "\b$symbol\b" core/arch.h || complain "$object needs $symbol of arch" ;;
            *) allowed "$from" "$to" || complain "$object needs $symbol of $to" ;;
        esac
    done < <(awk '$1 == "D" { where[$2] = $3; next } { need[$2 " " $3 " " $4] = 1 }
        END { for (n in need) { split(n, f, " "); if (f[1] in where) print n, where[f[1]] } }' <<< "$table")
}

check_headers() { # BUILD PREFIX
    local arch=${1##*/} h
    for h in $(find core vdev fdt arch/arm-common "arch/$arch" -name '*.h' -not -path '*/lib/*'); do
        "${2}gcc" -std=gnu11 -ffreestanding -I. -Icore/lib/include "-Iarch/$arch" \
            -isystem "${1%/*}/deps/libfdt" -Wall -Wextra -Werror -fsyntax-only -x c - \
            <<< "#include \"$h\"" || complain "$h does not compile alone"
    done
}

for build; do
    case ${build##*/} in
        arm64) prefix=aarch64-linux-gnu- ;;
        arm) prefix=arm-none-eabi- ;;
        *) complain "$build: of which architecture?" && continue ;;
    esac
    check_symbols "$build" $prefix
    check_headers "$build" $prefix
done
exit $fail
