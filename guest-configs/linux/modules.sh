#!/bin/bash
# SPDX-License-Identifier: MIT
#
# modules.sh KERNEL_TREE MODULE... : prints the files of these modules and of all that they need,
# each after those that it needs. Reads the modules themselves, so neither kmod nor depmod (which
# run only when a kernel is installed) are needed. A module that is not there is built in, or not
# configured in this kernel: it is passed over.
set -euo pipefail
export LC_ALL=C

tree=$1
shift

declare -A file_of seen
while read -r path; do
    name=${path##*/}
    name=${name%%.ko*}
    file_of[${name//-/_}]=$path
done < <(find "$tree" -name '*.ko' -o -name '*.ko.xz')

needs_of() {
    case $1 in
        *.xz) xz -dc "$1" ;;
        *) cat "$1" ;;
    esac | tr '\0' '\n' | sed -n 's/^depends=//p'
}

add() {
    local name=${1//-/_} needed
    if [ -n "${seen[$name]:-}" ] || [ -z "${file_of[$name]:-}" ]; then
        return 0
    fi
    seen[$name]=1
    for needed in $(needs_of "${file_of[$name]}" | tr ',' ' '); do
        add "$needed"
    done
    echo "${file_of[$name]}"
}

for module; do
    add "$module"
done
