#!/bin/bash
# SPDX-License-Identifier: MIT
#
# setup.sh [GROUP...]: installs the packages that these groups need and the machine has not got,
# after showing the command. Groups: build arm tool host arm32 qemu guest (default: all). Without
# root it goes through sudo; where there is none it prints the command and fails. It asks for the
# programs and files themselves, not for packages, so tools that the user built count as well, and
# calls apt only when something is missing. Of several calls at a time one installs, the others wait.
#
# MUNTIN_SETUP=no: only say what is missing. QEMU_MIN=N.N: accept an older QEMU at your own risk.
set -euo pipefail
export LC_ALL=C

QEMU_MIN=${QEMU_MIN:-10.0}
say() { printf 'muntin: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need PACKAGE FILE-OR-COMMAND... : PACKAGE is missing unless one of these is there. A word with a
# slash is a pattern of files, any other a command.
need() {
    local package=$1 what
    shift
    for what; do
        case $what in
            */*) compgen -G "$what" > /dev/null && return 0 ;;
            *) command -v "$what" > /dev/null && return 0 ;;
        esac
    done
    missing+=("$package")
}

group_build() {
    need gcc gcc
    need libc6-dev '/usr/include/*/sys/types.h' /usr/include/sys/types.h
    need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
    need make make
    need xz-utils xz
    need ca-certificates /etc/ssl/certs/ca-certificates.crt
}

group_arm() {
    need gcc-arm-none-eabi arm-none-eabi-gcc
}

group_tool() {
    need gcc gcc
    need libc6-dev '/usr/include/*/sys/types.h' /usr/include/sys/types.h
    need make make
}

# The tests run under Debian's python, whose pytest is a package, whatever "python3" is.
group_host() {
    group_tool
    need libcmocka-dev '/usr/include/cmocka.h' '/usr/local/include/cmocka.h'
    need clang clang
    need libclang-rt-dev '/usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer*.a' \
        '/usr/lib/clang/*/lib/*/libclang_rt.fuzzer*.a'
    need clang-format clang-format
    need device-tree-compiler dtc
    need python3 /usr/bin/python3
    need python3-pytest '/usr/lib/python3/dist-packages/pytest/__init__.py'
    need python3-pytest-xdist '/usr/lib/python3/dist-packages/xdist/__init__.py'
}

# Unit tests of 32 bits.
group_arm32() {
    group_host
    need gcc-arm-linux-gnueabihf arm-linux-gnueabihf-gcc
    need libc6-dev-armhf-cross /usr/arm-linux-gnueabihf/lib/libc.a
    need qemu-user qemu-arm qemu-arm-static
}

group_guest() {
    group_tool
    need cpio cpio
    need python3 /usr/bin/python3
    need e2fsprogs /usr/sbin/mke2fs /sbin/mke2fs
    need xz-utils xz
    need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
    need libc6-dev-arm64-cross '/usr/aarch64-linux-gnu/lib/libc.a'
    need device-tree-compiler dtc
    need flex flex
    need bison bison
    need bc bc
    need debian-archive-keyring '/usr/share/keyrings/debian-archive-keyring.*'
    if [ "$(os_value ID)" != debian ] && [ -z "${DEBIAN_MIRROR:-}" ]; then
        need python-apt-common '/usr/share/python-apt/templates/Debian.info'
    fi
}

group_qemu() {
    local version
    need python3 /usr/bin/python3
    version=$(qemu-system-aarch64 --version 2>/dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p') || true
    if ! at_least "${version:-0}" "$QEMU_MIN"; then
        say "QEMU ${version:-is not installed}${version:+ is too old}: $QEMU_MIN or newer is needed"
        need_qemu=yes
    fi
}

os_value() { sed -n "s/^$1=//p" /etc/os-release | tr -d '"'; }

# at_least VERSION MINIMUM
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Shows the command, then runs it as root.
as_root() {
    if [ "$(id -u)" != 0 ]; then
        set -- sudo "$@"
    fi
    echo "+ $*" >&2
    if [ "${MUNTIN_SETUP:-}" = no ]; then
        die "not done, as MUNTIN_SETUP=no says"
    fi
    if [ "$1" = sudo ] && ! command -v sudo > /dev/null; then
        die "there is no sudo here: please run the command above as root (without its first word)"
    fi
    "$@" 9>&- # services that it starts must not keep our lock
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

candidate() {
    apt-cache "${@:2}" policy "$1" | sed -n 's/^ *Candidate: //p' | grep -v '(none)' || true
}

# Lists are read anew only if apt does not know what is wanted, or if it fails to get it.
apt_update_unless_known() {
    local package
    for package; do
        if [ -z "$(candidate "$package")" ]; then
            as_root apt-get update
            return
        fi
    done
}

# Older distributions have clang's runtime only under the name of one version.
resolve_clang_rt() {
    local i version
    for i in "${!missing[@]}"; do
        if [ "${missing[i]}" = libclang-rt-dev ] && [ -z "$(candidate libclang-rt-dev)" ]; then
            version=$(apt-cache depends clang | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
            missing[i]=libclang-rt-$version-dev
            if [ -z "$(candidate "${missing[i]}")" ]; then
                missing[i]=libclang-common-$version-dev
            fi
        fi
    done
}

install_missing() {
    say "missing on this machine: ${missing[*]}"
    apt_update_unless_known gcc clang "${missing[@]/libclang-rt-dev/clang}"
    resolve_clang_rt
    if ! apt_install "${missing[@]}"; then
        say "perhaps the package lists are out of date"
        as_root apt-get update
        apt_install "${missing[@]}"
    fi
}

# Debian 12 has a new enough QEMU in its backports. They are read through a list of sources and a
# folder of our own, so that the machine's apt does not know them afterwards.
install_qemu_from_backports() {
    local suite=$1 dir mirror
    . "$(dirname "$0")/apt.sh"
    mirror=$(debian_mirror) || exit 1
    dir=$(mktemp -d)
    # shellcheck disable=SC2064 # the name is gone when the trap runs
    trap "rm -rf '$dir' 2> /dev/null || sudo -n rm -rf '$dir' || :" EXIT # apt's files are root's
    chmod 755 "$dir"
    mkdir -p "$dir/lists/partial"
    printf '%s\n' "deb [signed-by=$(debian_keyring)] $mirror $suite main" \
        "deb [signed-by=$(debian_keyring)] $mirror $suite-backports main" > "$dir/sources.list"
    say "QEMU comes from $suite-backports, with this list of sources for the two calls below:"
    cat "$dir/sources.list" >&2
    local opts=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o "Dir::Etc::sourceparts=-"
        -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=")
    as_root apt-get "${opts[@]}" update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${opts[@]}" install -y \
        --no-install-recommends -t "$suite-backports" qemu-system-arm qemu-system-data
}

install_qemu() {
    local version
    apt_update_unless_known qemu-system-arm
    version=$(candidate qemu-system-arm | sed 's/^[0-9]*://')
    if at_least "${version:-0}" "$QEMU_MIN"; then
        apt_install qemu-system-arm
    elif [ "$(os_value ID)" = debian ]; then
        install_qemu_from_backports "$(os_value VERSION_CODENAME)"
    else
        die "this distribution has QEMU ${version:-nowhere}; install $QEMU_MIN or newer (its source builds with
    ./configure --target-list=aarch64-softmmu && make install), or try QEMU_MIN=8.2 make run"
    fi
    need_qemu=
    group_qemu
    [ -z "$need_qemu" ] || die "QEMU is still too old; which qemu-system-aarch64 comes first in PATH?"
}

# Fills in what is missing.
look() {
    local group name
    missing=()
    need_qemu=
    for group in "${@:-build arm tool host arm32 qemu guest}"; do
        for name in $group; do
            case $name in
                build | arm | tool | host | arm32 | qemu | guest) "group_$name" ;;
                *) die "unknown group '$name' (known: build arm tool host arm32 qemu guest)" ;;
            esac
        done
    done
}

found_all() { [ ${#missing[@]} = 0 ] && [ -z "$need_qemu" ]; }

look "$@"
if found_all; then
    exit 0
fi
B=${B:-$(dirname "$0")/../build}
mkdir -p "$B"
exec 9> "$B/.setup.lock"
if ! flock -n 9; then
    flock 9
    look "$@"
    if found_all; then
        exit 0
    fi
fi
command -v apt-get > /dev/null || die "no apt here; please install: ${missing[*]} ${need_qemu:+qemu-system-aarch64 >= $QEMU_MIN}"
if [ ${#missing[@]} != 0 ]; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    install_missing
fi
if [ -n "$need_qemu" ]; then
    install_qemu
fi
say "all that ${*:-Muntin} needs is installed"
