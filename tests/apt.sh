# SPDX-License-Identifier: MIT
#
# Sourced by the scripts that fetch something. Gets single files and packages out of the Debian
# archive through the machine's own apt transport (mirror, proxy and keys are the machine's), with
# a private apt state, so that the apt of the machine is never touched and no root is needed.
#
# Callers may set: DEBIAN_MIRROR, DEBIAN_KEYRING, CACHE (a folder; default build/cache).
# shellcheck shell=bash disable=SC2016

MUNTIN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
B=${B:-$MUNTIN_ROOT/build}
CACHE=${CACHE:-$B/cache}
case $B in /*) ;; *) B=$PWD/$B ;; esac
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac

say() { printf 'muntin: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

machine_apt_config=${APT_CONFIG:-} # apt_private sets its own

# The identity of the distribution ("debian", "ubuntu") and its code name, without a subshell per use.
os_id=$(. /etc/os-release && echo "${ID:-unknown}")
os_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")

# Prints the archives of the machine's own sources, "URL SUITE" a line. Asked of an update that is
# not done: this works before the first update, too, and needs no rights.
own_archives() {
    (
        unset APT_CONFIG
        [ -z "$machine_apt_config" ] || export APT_CONFIG=$machine_apt_config
        apt-get --print-uris update
    ) 2>/dev/null | sed -n "s,^'\(.*\)/dists/\([^/]*\)/InRelease' .*,\1 \2,p"
}

# The archive of the machine's own distribution.
own_mirror() {
    own_archives | while read -r url suite; do
        case $suite in "$os_codename" | stable | oldstable | testing | sid | unstable)
            echo "$url"
            break ;;
        esac
    done
}

# The Debian archive. A machine that is no Debian has none in its sources; the templates of
# python-apt, which every relative of Debian has, know it.
debian_mirror() {
    local url=${DEBIAN_MIRROR:-}
    if [ -z "$url" ] && [ "$os_id" = debian ]; then
        url=$(own_mirror)
    fi
    if [ -z "$url" ]; then
        url=$(sed -n 's/^BaseURI: *//p' /usr/share/python-apt/templates/Debian.info 2>/dev/null | head -n 1)
    fi
    [ -n "$url" ] || die "which Debian archive? set DEBIAN_MIRROR=URL (apt's sources name none, and python-apt-common is not installed)"
    echo "${url%/}"
}

debian_keyring() {
    local f
    for f in "${DEBIAN_KEYRING:-}" /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        if [ -n "$f" ] && [ -e "$f" ]; then
            echo "$f"
            return
        fi
    done
    die "no Debian keyring: install debian-archive-keyring, or set DEBIAN_KEYRING=FILE"
}

# fetch_url URL DEST HASH : HASH as apt writes it, "SHA256:..."; only a file that has it becomes
# DEST. A broken-off transfer is taken up again where the server can do that.
fetch_url() {
    case $3 in SHA256:* | SHA512:*) ;; *) die "$1: apt knows no safe hash of it" ;; esac
    mkdir -p "${2%/*}"
    /usr/lib/apt/apt-helper -o APT::Sandbox::User= download-file "$1" "$2.part" "$3" >&2 || return 1
    mv "$2.part" "$2"
}

# fetch_file PATH-IN-POOL SHA256 : the verified file in $CACHE/files; no network when it is there.
fetch_file() {
    local dest=$CACHE/files/${1##*/} mirror
    if [ -e "$dest" ] && echo "$2  $dest" | sha256sum --check --status; then
        return
    fi
    mirror=${DEBIAN_MIRROR:-$(own_mirror)}
    mirror=${mirror:-$(debian_mirror)} || return 1
    say "fetching ${1##*/} from $mirror"
    fetch_url "$mirror/$1" "$dest" "SHA256:$2" || die "$1 could not be fetched, or is not the file with SHA256 $2"
}

# apt_private SUITE ARCH : prepares $CACHE/apt/SUITE-ARCH and exports APT_CONFIG, so that apt-get
# and apt-cache afterwards see only that suite and that architecture. Lists are fetched once a day.
# Several callers may do so at a time.
apt_private() {
    local suite=$1 arch=$2 dir=$CACHE/apt/$1-$2 mirror keyring
    mirror=$(debian_mirror) || exit 1
    keyring=$(debian_keyring) || exit 1
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
    exec 8> "$dir/.lock"
    flock 8
    : > "$dir/status"
    # The cache files are named here because images made for containers often empty these settings,
    # and apt then takes seconds for each call.
    cat > "$dir/apt.conf" <<CONF
Dir::State "$dir";
Dir::State::Lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "$dir/none/preferences";
Dir::Etc::preferencesparts "$dir/none";
Dir::Etc::trusted "$dir/none/trusted.gpg";
Dir::Etc::trustedparts "$dir/none";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "";
Acquire::Languages "none";
CONF
    echo "deb [signed-by=$keyring] $mirror $suite main" > "$dir/sources.list"
    export APT_CONFIG=$dir/apt.conf
    APT_OPTS=(-o "Dir::Cache::pkgcache=pkgcache.bin" -o "Dir::Cache::srcpkgcache=srcpkgcache.bin")
    if [ -z "$(find "$dir/lists" -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null)" ]; then
        say "reading the package lists of Debian $suite ($arch) from $mirror"
        apt-get "${APT_OPTS[@]}" update >&2 || die "apt-get update of the private lists failed"
        find "$dir/lists" -maxdepth 1 -type f -exec touch {} +
    fi
    exec 8>&-
}

# apt_fetch DIR PACKAGE... : DIR gets these packages of the suite chosen by apt_private, and no other
# file; what a broken-off call has left there is used. The hashes come from apt's index, whose
# signature it has checked.
apt_fetch() {
    local dir=$1 uris url file hash old
    shift
    say "fetching $*"
    uris=$(cd "${APT_CONFIG%/*}/none" && apt-get "${APT_OPTS[@]}" --print-uris download "$@") ||
        die "apt does not know all of: $*"
    for old in "$dir"/*; do
        case $uris in *" $(basename "${old%.part}") "*) ;; *) rm -f "$old" ;; esac
    done
    while read -r url file _ hash; do
        url=${url#\'}
        [ -e "$dir/$file" ] || fetch_url "${url%\'}" "$dir/$file" "$hash" || die "download failed: $file"
    done <<< "$uris"
}
