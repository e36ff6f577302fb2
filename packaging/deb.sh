#!/usr/bin/env bash
# Makes a package for the Debian release that it runs on: `make deb`. As an ordinary user, without a
# network. What the program depends on is read from its libraries.
#
# O                      the build folder, where the package goes, too (default build/cpu)
# DEBFULLNAME, DEBEMAIL  who answers for it
set -eu
export LC_ALL=C
umask 022
cd "$(dirname "$0")/.."

die() {
    echo "gyre: error: $*" >&2
    exit 1
}

build=${O:-build/cpu}
case $build in /*) ;; *) build=$PWD/$build ;; esac
[[ ${DEBFULLNAME:-}${DEBEMAIL:-} != *[/\&]* ]] || die "DEBFULLNAME and DEBEMAIL cannot hold / \\ or &"
for program in dpkg-deb dpkg-shlibdeps dpkg-parsechangelog strip; do
    [ -n "$(command -v $program)" ] || die "$program is not there: apt-get install dpkg-dev binutils"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree

O=$build PREFIX=/usr DESTDIR=$tree packaging/install.sh install >/dev/null
version=$("$build/gyre" --version | cut -d ' ' -f 2)
maintainer="${DEBFULLNAME:-The gyre authors} <${DEBEMAIL:-gyre@localhost}>"
fill() { # file of packaging/debian, expression of sed...
    local file=$1
    shift
    sed -e "s/@VERSION@/$version/" -e "s/@MAINTAINER@/$maintainer/" "$@" "packaging/debian/$file"
}

# What Debian has in other places, or keeps itself.
rm -r "$tree/usr/share/gyre/installed" "$tree/usr/share/doc/gyre/LICENSE" "$tree/usr/share/gyre/modulefiles"
mkdir -p "$tree/usr/share/zsh/vendor-completions"
mv "$tree/usr/share/zsh/site-functions/_gyre" "$tree/usr/share/zsh/vendor-completions/"
rmdir "$tree/usr/share/zsh/site-functions"
install -D -m 644 packaging/debian/lintian-overrides "$tree/usr/share/lintian/overrides/gyre"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/gyre"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
{
    echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
    echo "Upstream-Name: gyre"
    echo
    echo "Files: *"
    sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
    echo "License: Expat"
    sed -e '1,/^Copyright/d' LICENSE | sed -e '/./,$!d' -e 's/^$/./' -e 's/^/ /'
} >"$tree/usr/share/doc/gyre/copyright"
fill changelog >"$scratch/changelog"
gzip -9n <"$scratch/changelog" >"$tree/usr/share/doc/gyre/changelog.gz"

mkdir "$scratch/debian" "$tree/DEBIAN"
printf 'Source: gyre\n\nPackage: gyre\nArchitecture: any\n' >"$scratch/debian/control"
depends=$(cd "$scratch" && dpkg-shlibdeps -O tree/usr/bin/gyre) || die "the libraries of the program belong to no packages"
depends=${depends#shlibs:Depends=}
architecture=$(dpkg --print-architecture)
size=$(du -k --apparent-size -s "$tree/usr" | cut -f 1)
fill control -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" -e "s/@DEPENDS@/$depends/" >"$tree/DEBIAN/control"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"

# The times of files are the changelog's, so that the same build gives the same package on any day.
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$scratch/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$build/gyre_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
echo "${package#"$PWD/"}"
