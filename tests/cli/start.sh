#!/usr/bin/env bash
# docs/start.md as a new user types it: its commands, in their order, in one shell. The pictures are small
# and learned easily; shorter sweeps, fewer epochs and seeds are all that is changed.
# Slow.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1 HOME=$T
make_dataset "$T/learnable.h5" 600 10 24 3
/usr/bin/python3 "$lib/make_pictures.py" "$T/pictures" "$T/learnable.h5" || fail "no pictures"

sed -n '/^```sh$/,/^```$/{/^```/!p}' docs/start.md |
    sed 's/--steps 300/--steps 80/; s/ *# .*//' >"$T/commands"
grep -q '^gyre report' "$T/commands" || fail "no commands in docs/start.md"
# A shorter run and study.
cat >"$T/begin" <<'END'
sed -i 's/"epochs": 15/"epochs": 5/' config.json
sed -i 's/"seeds": 6/"seeds": 2/' study.json
END
sed "/^cd ~/r $T/begin" "$T/commands" >"$T/script"
sed -i "s|^export PATH=.*|export PATH=\"$(realpath "$(dirname "$GYRE")"):\$PATH\"|" "$T/script"
bash -eu "$T/script" >"$T/said" 2>"$T/err" || fail "docs/start.md: $(tail -3 "$T/err")"
cd "$T/tour" || fail "no ~/tour"
for file in photos.h5 range/find.svg found.json run/config.json run.svg cycles/report/index.html; do
    [ -s $file ] || fail "docs/start.md leaves no $file"
done
grep -q 'in 10 classes' "$T/said" || fail "the import says: $(cat "$T/said")"
[ "$(find cycles -name result.json | wc -l)" -eq 6 ] || fail "not six cells"
exit 0
