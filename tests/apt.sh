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

# The identity of the distribution ("debian", "ubuntu") and its code name, without a subshell per use.
os_id=$(. /etc/os-release && echo "${ID:-unknown}")
os_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")

# Prints the archive that the machine's own sources name: $(REPO_URI) of its main suite. A machine
# that is no Debian has none; python-apt's templates, which every relative of Debian has, know it.
debian_mirror() {
    local uri release
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "${DEBIAN_MIRROR%/}"
        return
    fi
    if [ "$os_id" = debian ]; then
        while read -r uri release; do
            case $uri in *security*) continue ;; esac
            case $release in "$os_codename" | stable | oldstable | testing | sid | unstable)
                echo "${uri%/}"
                return ;;
            esac
        done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
    fi
    uri=$(sed -n 's/^BaseURI: *//p' /usr/share/python-apt/templates/Debian.info 2>/dev/null | head -n 1)
    [ -n "$uri" ] || die "which Debian archive? set DEBIAN_MIRROR=URL (apt's sources name none, and python-apt-common is not installed)"
    echo "${uri%/}"
}

# The archive of the machine's own distribution (for a Debian, the same as above).
own_mirror() {
    if [ "$os_id" = debian ]; then
        debian_mirror
        return
    fi
    local uri
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    echo "${uri%/}"
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

# fetch_file PATH-IN-POOL SHA256 : the verified file in $CACHE/files; no network when it is there.
# A broken-off transfer is taken up again; the hash is the only thing that is trusted.
fetch_file() {
    local pool=$1 sha=$2 dest=$CACHE/files/${1##*/} mirror
    if [ -e "$dest" ] && echo "$sha  $dest" | sha256sum --check --status; then
        return
    fi
    mkdir -p "$CACHE/files"
    mirror=$(own_mirror) || return 1
    say "fetching ${pool##*/} from $mirror"
    if ! /usr/lib/apt/apt-helper -o APT::Sandbox::User= download-file "$mirror/$pool" "$dest.part" "SHA256:$sha" >&2; then
        say "$pool could not be fetched, or is not the file with SHA256 $sha"
        return 1
    fi
    echo "$sha  $dest.part" | sha256sum --check --status || die "$dest.part: wrong SHA256"
    mv "$dest.part" "$dest"
}

# apt_private SUITE ARCH : prepares $CACHE/apt/SUITE-ARCH and exports APT_CONFIG, so that apt-get
# and apt-cache afterwards see only that suite and that architecture. Lists are fetched once a day.
apt_private() {
    local suite=$1 arch=$2 dir=$CACHE/apt/$1-$2 mirror keyring
    mirror=$(debian_mirror) || exit 1
    keyring=$(debian_keyring) || exit 1
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
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
}

# apt_fetch DIR PACKAGE... : downloads packages of the suite chosen by apt_private into DIR. apt
# checks the chain of signature, index and hash; a broken-off transfer is taken up again.
apt_fetch() {
    local dir=$1
    shift
    mkdir -p "$dir"
    say "fetching $*"
    (cd "$dir" && apt-get "${APT_OPTS[@]}" download "$@" >&2) || die "download failed: $*"
}
