#!/usr/bin/env bash
# make deb: the package holds a program that runs, says what it depends on, and is the same when it is
# made again; lintian finds nothing where it is there.
set -u
. "$(dirname "$0")/lib/common.sh"
for program in dpkg-deb dpkg-shlibdeps dpkg-parsechangelog; do
    [ -n "$(command -v $program)" ] || { echo "no $program: apt-get install dpkg-dev"; exit 77; }
done
make -n deb O=build/x | grep -q "O='build/x' packaging/deb.sh" || fail "make deb"
dpkg-query -W libdnnl-dev >/dev/null 2>&1 || { echo "oneDNN is not Debian's: no package to depend on"; exit 77; }

mkdir "$T/build" && cp "$GYRE" "$T/build/gyre"
version=$("$GYRE" --version | cut -d ' ' -f 2)
package() { DEBFULLNAME="A Person" DEBEMAIL=person@debian.org O=$T/build packaging/deb.sh >"$T/out" 2>"$T/err" || fail "$(cat "$T/err")"; }
package
deb=$T/build/gyre_${version}_$(dpkg --print-architecture).deb
[ "$(cat "$T/out")" = "$deb" ] && [ -f "$deb" ] || fail "no $deb: $(cat "$T/out")"
for field in "Version: $version" "Maintainer: A Person <person@debian.org>"; do
    dpkg-deb -I "$deb" | grep -qF " $field" || fail "no $field"
done
for library in libdnnl libhdf5 libcjson libopenmpi openmpi-bin; do
    dpkg-deb -f "$deb" Depends | grep -q "$library" || fail "it does not depend on $library"
done
dpkg-deb -c "$deb" >"$T/listed"
! grep -v ' root/root ' "$T/listed" || fail "files of others than root"
! grep -E 'share/gyre/installed|LICENSE|site-functions' "$T/listed" || fail "files that are not for a package"
for file in usr/bin/gyre usr/share/man/man1/gyre-train.1.gz usr/share/doc/gyre/copyright usr/share/doc/gyre/changelog.gz \
    usr/share/zsh/vendor-completions/_gyre usr/share/gyre/slurm/study.sh; do
    grep -q " ./$file\$" "$T/listed" || fail "no $file"
done
dpkg-deb -x "$deb" "$T/root" || fail "dpkg-deb -x"
(cd "$T/root" && dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums | md5sum --quiet -c) || fail "md5sums"
[ "$("$T/root/usr/bin/gyre" --version)" = "gyre $version" ] || fail "the program of the package"
grep -q '^Copyright: 20[0-9][0-9] ' "$T/root/usr/share/doc/gyre/copyright" && grep -q '^ Permission is hereby granted' "$T/root/usr/share/doc/gyre/copyright" ||
    fail "$(cat "$T/root/usr/share/doc/gyre/copyright")"

cp "$deb" "$T/first.deb"
package
cmp "$deb" "$T/first.deb" || fail "made again, the package is another"
DEBEMAIL='a&b' O=$T/build packaging/deb.sh >"$T/out" 2>&1 && fail "a name that sed would take apart"
grep -q "DEBFULLNAME and DEBEMAIL cannot hold" "$T/out" || fail "$(cat "$T/out")"
if [ -n "$(command -v lintian)" ]; then
    lintian --allow-root "$deb" >"$T/out" 2>&1
    ! grep '^[EW]:' "$T/out" || fail "lintian"
fi
exit 0
