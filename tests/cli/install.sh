#!/usr/bin/env bash
# make install, make uninstall: an installation is complete, works after a move, shows its manual pages,
# and goes without a trace. What is not its own is neither replaced nor removed.
set -u
. "$(dirname "$0")/lib/common.sh"
build=${GYRE%/gyre}
P=$T/root/usr

# packaging NAME CODE WORDS: `make NAME` with this DESTDIR, and what it says.
packaging() {
    local code=0
    O=$build PREFIX=/usr DESTDIR=$T/root packaging/install.sh "$1" >"$T/out" 2>&1 || code=$?
    [ $code -eq "$2" ] || fail "$1: exit $code instead of $2: $(cat "$T/out")"
    grep -qF -- "$3" "$T/out" || fail "$1: no '$3' in: $(cat "$T/out")"
}
files_of() { (cd "$1" && find . | sort); }

# make itself gives the script its variables.
make -n install O="$build" PREFIX=/opt/gyre DESTDIR=/d | grep -q "O='$build' PREFIX='/opt/gyre' DESTDIR='/d' packaging/install.sh install" || fail "make install"
make -n uninstall | grep -q "PREFIX='/usr/local' DESTDIR='' packaging/install.sh uninstall" || fail "make uninstall"
make -n install PREFIX="/o/it's" | grep -qF "PREFIX='/o/it'\''s' " || fail "make install with a quote in PREFIX: $(make -n install PREFIX="/o/it's")"

packaging install 0 "gyre $("$GYRE" --version | cut -d ' ' -f 2) is in $P: "
for file in bin/gyre share/gyre/configs/demo.json share/gyre/slurm/study.sh share/doc/gyre/LICENSE share/doc/gyre/README.md \
    share/doc/gyre/docs/config.md share/gyre/python/pyproject.toml share/doc/gyre/python/README.md share/man/man1/gyre.1 share/man/man1/gyre-train.1 share/man/man5/gyre-config.5 \
    share/bash-completion/completions/gyre share/zsh/site-functions/_gyre; do
    [ -f "$P/$file" ] || fail "no $file"
done
[ -x "$P/share/gyre/slurm/study.sh" ] && [ ! -x "$P/share/doc/gyre/LICENSE" ] || fail "modes"
[ -z "$(find "$T/root" -type f -perm /022)" ] || fail "files that others may write"
# All that the repository has of configs, docs and scripts is there: no suffix was forgotten.
if git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git ls-files configs slurm python >"$T/tracked"
    (cd "$P/share/gyre" && xargs ls) <"$T/tracked" >/dev/null || fail "files of configs or slurm are missing"
    git ls-files docs benchmarks/results >"$T/tracked"
    (cd "$P/share/doc/gyre" && xargs ls) <"$T/tracked" >/dev/null || fail "files of docs are missing"
fi

# Every link of the docs leads to a file, and so does every file that messages and pages name.
python3 - "$P/share/doc/gyre" <<'PY' || fail "links of the installed docs"
import pathlib, re, sys
root = pathlib.Path(sys.argv[1])
pages = sorted(root.rglob("*.md"))
assert len(pages) > 20
missing = [f"{page}: {link}" for page in pages for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
           if not link.startswith(("http:", "https:", "mailto:")) and not (page.parent / link).exists()]
assert not missing, missing
PY
for file in $(grep -rhoE '"[^"]*\b(docs|slurm)/[a-zA-Z_/-]+\.(md|sh|sbatch|json)\b' src include | grep -oE '(docs|slurm)/[a-zA-Z_/-]+\.(md|sh|sbatch|json)' | sort -u); do
    [ -f "$P/share/doc/gyre/$file" ] || fail "a message names $file, which is not installed"
done

# The manual pages, in words and without a complaint.
for page in "$P"/share/man/man*/*; do
    if [ -n "$(command -v groff)" ]; then
        groff -man -ww -K utf8 -Tutf8 "$page" 2>&1 >"$T/page" | tee "$T/err" | grep . && fail "$page: $(cat "$T/err")"
        [ "$(wc -l <"$T/page")" -ge 20 ] || fail "$page is empty"
    fi
done
grep -q '^\\fB\\-\\-stop\\-after N\\fR$' "$P/share/man/man1/gyre-train.1" || fail "gyre-train.1 has no --stop-after"
for key in optimizer.momentum schedule.policy; do
    grep -qF "\\fB$key *\\fR" "$P/share/man/man5/gyre-config.5" || fail "gyre-config.5 has no $key"
done

# Moved as a whole it works, from any folder, for one who may not write there.
cp -a "$P" "$T/moved" && chmod -R a-w "$T/moved"
make_dataset "$T/images.h5" 400 100
(cd / && env -i HOME=/ TMPDIR="$T" PATH="$T/moved/bin:/usr/bin:/bin" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    gyre train "$T/moved/share/gyre/configs/demo.json" --set data.path="$T/images.h5" --set length.epochs=2 \
    --set batch.size=40 --out "$T/run" -q) >"$T/out" 2>&1 || fail "a moved program: $(cat "$T/out")"
"$T/moved/bin/gyre" help >"$T/out"
for line in "Docs are in $T/moved/share/doc/gyre/docs" "Example configs are in $T/moved/share/gyre/configs" \
    "Batch scripts are in $T/moved/share/gyre/slurm"; do
    grep -qxF "$line" "$T/out" || fail "no '$line' in: $(cat "$T/out")"
done
# The batch scripts find the program beside them.
[ "$(bash -c ". $T/moved/share/gyre/slurm/launch.sh; GYRE_HOME=$T/moved/share/gyre; \$(gyre_program) --version")" = "$("$GYRE" --version)" ] ||
    fail "slurm/launch.sh"
chmod -R u+w "$T/moved"

# Once more, and over an earlier version: what it had and this one has not, goes.
files_of "$T/root" >"$T/before"
packaging install 0 "is in $P"
echo old >"$P/share/gyre/old" && echo "file $(sha256sum <"$P/share/gyre/old" | cut -d ' ' -f 1) share/gyre/old" >>"$P/share/gyre/installed"
packaging install 0 "is in $P"
files_of "$T/root" | cmp - "$T/before" || fail "installed again: other files"

# A file of somebody else is not replaced, nor one that was changed, nor one beside whose name is nearly that.
for name in share/gyre/installed share/gyre/configs/demo.json bin/gyre; do
    for suffix in new tmp bak old part; do echo mine >"$P/$name.$suffix"; done
done
packaging install 0 "is in $P"
for name in share/gyre/installed share/gyre/configs/demo.json bin/gyre; do
    for suffix in new tmp bak old part; do
        [ "$(cat "$P/$name.$suffix")" = mine ] && rm "$P/$name.$suffix" || fail "$name.$suffix was replaced"
    done
done
files_of "$T/root" | cmp - "$T/before" || fail "installed again: other files"
echo mine >"$P/share/gyre/configs/demo.json"
packaging install 1 "'$P/share/gyre/configs/demo.json' is there, and is not what \`make install\` put there"
echo "a note" >"$P/share/gyre/note"
packaging uninstall 0 "kept '$P/share/gyre/configs/demo.json': it was changed"
[ "$(cd "$T/root" && find . ! -type d | sort)" = "./usr/share/gyre/configs/demo.json
./usr/share/gyre/note" ] || fail "uninstall left $(files_of "$T/root")"
packaging uninstall 1 "nothing to remove: no '$P/share/gyre/installed'"
rm -r "$T/root"

# Folders that were there stay, and those that were made go.
mkdir -p "$P/bin" "$P/share/man" && files_of "$T/root" >"$T/before"
packaging install 0 "is in $P"
packaging uninstall 0 "gyre is gone from $P"
files_of "$T/root" | cmp - "$T/before" || fail "uninstall left other files: $(files_of "$T/root")"
rm -r "$T/root"
packaging install 0 "is in $P"
echo "file 0 ../../etc/passwd" >>"$P/share/gyre/installed"
packaging uninstall 1 "is damaged: '../../etc/passwd' is no place below the prefix"
sed -i '$d' "$P/share/gyre/installed" && rm "$P/bin/gyre"
packaging uninstall 0 "gyre is gone"
[ ! -e "$T/root" ] || fail "uninstall left $(files_of "$T/root")"

# Folders above the prefix that were made go, too, unless something else is in them.
mkdir "$T/root" && P=$T/root/opt/a/b
one() { O=$build PREFIX=$P packaging/install.sh "$1" >"$T/out" 2>&1 || fail "$1: $(cat "$T/out")"; }
one install
one install
one uninstall
[ -d "$T/root" ] && [ -z "$(ls -A "$T/root")" ] || fail "uninstall left $(files_of "$T/root")"
one install
touch "$T/root/opt/other"
one uninstall
[ "$(files_of "$T/root" | tr '\n' ' ')" = ". ./opt ./opt/other " ] || fail "uninstall left $(files_of "$T/root")"
one install
mkdir "$T/root/new" && mv "$P" "$T/root/new/b" && P=$T/root/new/b # the folder above it is not the one that was made
one uninstall
[ -d "$T/root/new" ] && [ ! -e "$P" ] || fail "uninstall of a moved folder left $(files_of "$T/root")"

# Places that cannot be.
refused() { # WORDS VARIABLE...
    env O="$build" TMPDIR=/tmp "${@:2}" packaging/install.sh install >"$T/out" 2>&1 && fail "${*:2}"
    [ "$(wc -l <"$T/out")" -eq 1 ] && grep -qF -- "$1" "$T/out" || fail "${*:2}: $(cat "$T/out")"
}
refused "PREFIX is 'here': an absolute path was expected" PREFIX=here
refused "PREFIX is '': an absolute path was expected" PREFIX=
refused "DESTDIR is 'here': an absolute path was expected, as \`make install DESTDIR=\$PWD/here\`" DESTDIR=here PREFIX=/usr
refused "'$T/out' is no folder, where '$T/out/a/bin' is to be" PREFIX="$T/out/a"
mkdir "$T/closed" && chmod a-w "$T/closed" && chmod a+x "$T"
person=() # root may write everywhere
[ ! -w "$T/closed" ] || person=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if "${person[@]}" test -x "$T/closed" -a -x "$GYRE" -a -x "$PWD/packaging/install.sh" 2>/dev/null; then
    refused "nothing can be written in '$T/closed'; be root, as by sudo, or name another place" PREFIX="$T/closed/a/b" "${person[@]}"
fi
O=$T/none DESTDIR=$T/root packaging/install.sh install >"$T/out" 2>&1 && fail "no build"
grep -q "type \`make\` first" "$T/out" || fail "$(cat "$T/out")"
exit 0
