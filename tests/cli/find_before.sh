#!/usr/bin/env bash
# gyre find, and "find" as a rate in gyre train: what cannot be used or written is said before the
# sweeps, what is not needed is not asked for, and --write makes a config that runs of any that was read.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 600 100
cat >"$T/config.json" <<'J'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2}, "length": {"steps": 100}}
J
quick=(--quick --quiet --steps 80 --repeats 2 --every 4 --from 1e-6)
find_of() { ends 0 "$GYRE" find "$T/$1.json" "${quick[@]}" --out "$T/$1-range" "${@:2}"; }

files() { find "$T" ! -path "$T/out" ! -path "$T/err" | sort; }

# early CODE WORDS COMMAND...: refused without a sweep, and no file or folder is made.
early() {
    local before
    before=$(files)
    refused "$@" --quiet
    [ ! -s "$T/out" ] || fail "after the search: $*"
    [ "$(files)" = "$before" ] || fail "$* left $(ls "$T")"
}

# ---- --out and --write
touch "$T/file"
mkdir "$T/folder"
touch "$T/folder/other"
long=(--steps 100000 --repeats 3)
early 3 "--out: cannot make folder '/proc/range'" "$GYRE" find "$T/config.json" "${long[@]}" --out /proc/range
early 3 "--out: cannot use '$T/file': Not a directory" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/file"
early 3 "--out: cannot use '$T/file/range'" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/file/range"
early 3 "--write: '$T/config.json' exists" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --write "$T/config.json"
early 3 "--write: '$T/folder' exists" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --write "$T/folder"
early 3 "--write: '$T/x' exists" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --write "$T/x"
early 3 "--write: cannot write '/proc/new.json'" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --write /proc/new.json
early 2 "is the name of a result" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --write "$T/x/find.h5"
early 2 "the config has no model.name" "$GYRE" find "$T/config.json" "${long[@]}" --out "$T/x" --set model.name=null

# ---- a config without what a sweep does not need; the result has the stepsize, and asks for a length
sed 's/"shards": 2},/"shards": 2}}/; /"schedule"/d' "$T/config.json" >"$T/bare.json"
find_of bare --write "$T/bare-new.json"
grep -q "^gyre: warning: --write: the config has no length" "$T/err" || fail "no word of the length: $(cat "$T/err")"
grep -qF '"stepsize": {"steps": 108}' "$T/bare-new.json" || fail "no stepsize: $(cat "$T/bare-new.json")"
ends 0 "$GYRE" schedule "$T/bare-new.json" --set 'length={"cycles": 2}'
grep -q '^432 steps' "$T/out" || fail "not two cycles of 216 steps: $(cat "$T/out")"

# ---- any spelling: edited in place, and where that cannot be every field is written out
printf '\357\273\277' | cat - "$T/config.json" >"$T/bom.json"
sed 's/"schedule": {[^}]*}/"schedule.max_lr": 0.02, "schedule.base_lr": 0.001, "schedule.cycles": 2/; 1s/$/ \/\/ kept/' "$T/config.json" >"$T/dotted.json"
sed 's/"max_lr"/"ma\\u0078_lr"/' "$T/config.json" >"$T/escaped.json"
sed 's/"schedule": {[^}]*}/"schedule": null/' "$T/config.json" >"$T/null.json"
for c in bom dotted escaped null; do
    find_of "$c" --write "$T/$c-new.json"
    [ $c != escaped ] || grep -q "warning: --write: the text of .*escaped.json' cannot be edited in place" "$T/err" || fail "$(cat "$T/err")"
    [ $c != null ] || grep -q "warning: --write: the run ends inside its first cycle" "$T/err" || fail "no word of the stepsize found: $(cat "$T/err")"
    [ $c = escaped ] || [ $c = null ] || [ ! -s "$T/err" ] || fail "$c: $(cat "$T/err")"
    max=$(sed -n 's/^suggested: .*max_lr \([^,]*\),.*/\1/p' "$T/out")
    ends 0 "$GYRE" schedule "$T/$c-new.json" --csv --set 'length={"steps": 500}'
    awk -F, -v m="$max" 'NR > 1 && $2 > h { h = $2 } END { exit !(h > m * 0.98 && h < m * 1.001) }' "$T/out" || fail "$c: not $max"
    [ -s "$T/$c-range/find.h5" ] || fail "$c: no find.h5"
done
[ "$(head -c 3 "$T/bom-new.json" | od -An -tx1)" = " ef bb bf" ] || fail "the mark is gone"
grep -q '// kept' "$T/dotted-new.json" || fail "dotted keys were not edited in place: $(cat "$T/dotted-new.json")"

# ---- "find" in a config: what the run would be refused for
found=(--set schedule.base_lr=find --set schedule.max_lr=find)
early 2 'triangular needs "cycles": 5' "$GYRE" train "$T/config.json" --out "$T/x" "${found[@]}" --set schedule.cycles=null
early 2 "the config has no length" "$GYRE" train "$T/config.json" --out "$T/x" "${found[@]}" --set length=null
early 3 "'$T/folder' is not empty and holds no run" "$GYRE" train "$T/config.json" --out "$T/folder" "${found[@]}"
early 3 "cannot make folder '/proc/run'" "$GYRE" train "$T/config.json" --out /proc/run "${found[@]}"
early 2 'too low for the only rate of constant; give a number' "$GYRE" train "$T/config.json" --out "$T/x" "${found[@]}" \
    --set schedule.policy=constant --set schedule.cycles=null
early 2 'too low for the only rate of multistep' "$GYRE" train "$T/config.json" --out "$T/x" --set \
    'schedule={"stages": [{"length": {"steps": 50}, "base_lr": 0.1, "max_lr": 0.2, "cycles": 1}, {"length": {"steps": 50}, "policy": "multistep", "base_lr": "find", "gamma": 0.1, "milestones": {"steps": [20]}}]}' --set length=null

# ---- --write of such a policy says that its rate is to be set
sed 's/"policy": "triangular"/"policy": "constant"/; s/, "cycles": 2//' "$T/config.json" >"$T/single.json"
find_of single --write "$T/single-new.json"
grep -q "^gyre: warning: --write: constant has one rate, schedule.base_lr, which gets the lower bound" "$T/err" || fail "$(cat "$T/err")"
exit 0
