#!/usr/bin/env bash
# Proves that a fresh Debian 12 machine needs only git, make and apt: builds such a root with
# debootstrap, clones the last commit of this repository into it, and types there what the README
# says: `make demo` and `make check` as root, then `make demo` as an ordinary user.
#
#   sudo tools/fresh-root.sh [COMMAND...]    other commands to type instead; "person: COMMAND" is
#                                            typed by the ordinary user
#
# CARRY=FILES   copied to /srv of the root, such as a package that is to be tried there
# MIRROR=URL    Debian mirror; default: the one that this machine's apt uses
# SCRATCH=DIR   where to make the root's folder (2 GB), which is removed at the end; default: TMPDIR
# KEEP=yes      leaves it there
set -eu
cd "$(dirname "$0")/.."

die() {
    echo "fresh-root: $*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || die "building a root needs root"
[ -n "$(command -v debootstrap)" ] || die "no debootstrap: apt-get install debootstrap"
# shellcheck disable=SC2016 # $(REPO_URI) is for apt
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Origin: Debian' 'Codename: bookworm' | head -n 1)}
[ -n "$mirror" ] || die "apt here knows no Debian 12 mirror: give MIRROR=URL"

scratch=$(mktemp -d -p "${SCRATCH:-${TMPDIR:-/tmp}}")
root=$scratch/root
# The mounts live in a namespace of their own and are gone when it ends, so this removes no more
# than what debootstrap and make have written.
if [ "${KEEP:-}" = yes ]; then
    trap 'echo "kept: $root"' EXIT
else
    trap 'rm -rf --one-file-system "$scratch"' EXIT
fi

# How apt gets out of this machine is carried in: proxy settings, name servers, certificates.
packages=git,make
case $mirror in https:*) packages+=,ca-certificates ;; esac
echo "== debootstrap of bookworm with $packages"
debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" \
    >"$scratch/debootstrap.log" 2>&1 || { tail "$scratch/debootstrap.log" && exit 1; }
apt-config dump | grep -iE '^Acquire::(https?|ftp)::(Proxy|CaInfo|Timeout)|^Acquire::Retries' \
    >"$root/etc/apt/apt.conf.d/90host" || true
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
if [ -d "$root/etc/ssl/certs" ] && [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
git bundle create -q "$root/srv/gyre.bundle" HEAD
# shellcheck disable=SC2086 # several files
[ -z "${CARRY:-}" ] || cp $CARRY "$root/srv/"

cat >"$scratch/enter" <<'ENTER'
set -eu
root=$1 user=$2 command=$3
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mkdir -p "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mkdir -p "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
[ -e "$root/dev/ptmx" ] && mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
home=/root
[ "$user" = root ] || home=/home/$user
exec env -i HOME="$home" USER="$user" TERM=dumb LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    $(env | grep -iE '^[a-z]+_proxy=' || true) \
    chroot --userspec="$user" "$root" /bin/sh -ec "cd $home; $command"
ENTER

enter() { # user, command
    unshare --mount --propagation private --pid --fork --kill-child \
        bash "$scratch/enter" "$root" "$1" "$2" </dev/null
}

type_in() { # user, command
    local start=$SECONDS
    echo "== $1: $2"
    enter "$1" "cd gyre; $2" || die "'$2' failed as $1"
    echo "== $1: $2: done in $((SECONDS - start)) s"
}

clone="git clone -q -c advice.detachedHead=false /srv/gyre.bundle gyre"
enter root "$clone"
enter root "useradd -m person"
enter person "$clone"
[ $# -gt 0 ] || set -- "make demo" "make check" "person: make demo"
for command in "$@"; do
    case $command in
    "person: "*) type_in person "${command#person: }" ;;
    *) type_in root "$command" ;;
    esac
done
echo "fresh-root: all passed"
