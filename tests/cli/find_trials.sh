#!/usr/bin/env bash
# The trials of gyre find: the same bits on any number of ranks and after a kill, the config that is
# written trains, and options that cannot be are refused before anything is trained.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 900 230 10
LIMIT=${LIMIT:-240} # ranks that spin on a busy machine
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"},
    "model": {"name": "mlp"},
    "batch": {"size": 60, "shards": 4},
    "schedule": {"cycles": 2, "shape": "cosine"},
    "length": {"epochs": 40}
}
JSON
find=("$GYRE" find "$T/config.json" --steps 200 --from 1e-5)

# ---- one result on any number of ranks, workers, and after a kill
ends 0 "${find[@]}" --out "$T/whole" --write "$T/new.json"
cp "$T/out" "$T/said"
grep -q "^at most 824 steps" "$T/err" || fail "no budget: $(cat "$T/err")"
[ ! -e "$T/whole/find.partial.h5" ] || fail "what is kept of a search outlives it"
for n in 2 4; do
    ends 0 mpirun -q -np $n "${find[@]}" --quiet --out "$T/np$n"
    cmp "$T/whole/find.h5" "$T/np$n/find.h5" || fail "$n ranks find another range"
done
# Killed after the fifth trial, while what is kept of it waits for its name.
make_fault
ends 137 env LD_PRELOAD="$T/fault.so" FAULT_PATH=/find.partial.h5 FAULT=kill FAULT_AT=30 "${find[@]}" --out "$T/left" --set threads=2
grep -q "trial 5:" "$T/err" && ! grep -q "trial 6:" "$T/err" || fail "killed elsewhere: $(cat "$T/err")"
[ "$(ls "$T/left" | wc -l)" = 2 ] || fail "not in the middle of a file: $(ls "$T/left")"
[ -s "$T/left/find.partial.h5" ] || fail "nothing is kept"
ends 0 "$GYRE" inspect "$T/left/find.partial.h5"
grep -q "^no range yet" "$T/out" || fail "a range of a part: $(cat "$T/out")"
ends 0 mpirun -q -np 2 "${find[@]}" --out "$T/left"
grep -q "going on with what '$T/left/find.partial.h5' holds" "$T/err" || fail "$(cat "$T/err")"
! grep -q "trial [1-4]:" "$T/err" || fail "trials were made twice"
cmp "$T/whole/find.h5" "$T/left/find.h5" || fail "a search that was killed finds another range"
[ "$(ls "$T/left")" = "$(printf 'find.dat\nfind.gp\nfind.h5\nfind.svg')" ] || fail "$(ls "$T/left")"

# ---- what it says, and what it wrote
/usr/bin/python3 - "$T/whole/find.h5" <<'PYTHON' || fail "the tables"
import sys, h5py
f = h5py.File(sys.argv[1])
ladder, search, chosen = f["ladder"][:], f["search"][0], f["range"][0]
steps = sorted(set(ladder["steps"]))
assert len(steps) == 3 and [s / steps[0] for s in steps] == [1, 2, 4], steps
assert ladder["steps"].sum() + len(f["sweep"]) <= search["budget"] == 824
assert (ladder["completed"] <= ladder["steps"]).all() and search["scored"] == 90
last = ladder[ladder["rung"] == 2]
best = last[last["accuracy"].argmax()]
assert chosen["max_lr"] in last["max_lr"] and best["accuracy"] == last[last["max_lr"] == chosen["max_lr"]]["accuracy"].max()
assert chosen["plateau_low"] <= chosen["max_lr"] <= chosen["plateau_high"] and chosen["outcome"] == 1
PYTHON
"$GYRE" inspect "$T/whole/find.h5" | tail -n +2 >"$T/again" || fail "inspect"
grep -vF "$T" "$T/said" | diff - "$T/again" || fail "a file read back says something else"
base=$(sed -n 's/^suggested: base_lr \([^,]*\), max_lr \([^,]*\),.*/\1/p' "$T/said")
max=$(sed -n 's/^suggested: base_lr \([^,]*\), max_lr \([^,]*\),.*/\2/p' "$T/said")
grep -qF "\"base_lr\": $base, \"max_lr\": $max" "$T/new.json" || fail "$(cat "$T/new.json")"
ends 0 "$GYRE" train "$T/new.json" --quiet --out "$T/run"

# ---- lengths: no trial is longer than a cycle of the run
ends 0 "${find[@]}" --quiet --out "$T/short" --for-length "96 steps"
/usr/bin/python3 - "$T/short/find.h5" <<'PYTHON' || fail "trials of a short run"
import sys, h5py
f = h5py.File(sys.argv[1])
assert f["search"]["run_steps"][0] == 96 and f["ladder"]["steps"].max() == 48, f["ladder"]["steps"]
PYTHON

# ---- refused before anything is trained
refused 2 "--budget 500: 824 steps or more were expected" "${find[@]}" --out "$T/x" --budget 500
refused 2 "--quick makes no trials, which --budget and --for-length are for" "${find[@]}" --out "$T/x" --quick --budget 5000
refused 2 "--verify makes no trials" "${find[@]}" --out "$T/x" --verify --for-length 5epochs
refused 2 "--for-length: expected '4000 steps' or '20 epochs', found '4 weeks'" "${find[@]}" --out "$T/x" --for-length "4 weeks"
refused 2 "found '-3'" "${find[@]}" --out "$T/x" --for-length=-3
refused 2 "found '1.5'" "${find[@]}" --out "$T/x" --for-length 1.5
mkdir "$T/other"
cp "$T/whole/find.h5" "$T/other/find.partial.h5"
refused 2 "left by a range test of another config or with other options" "${find[@]}" --quiet --out "$T/other" --budget 900
cmp "$T/whole/find.h5" "$T/other/find.partial.h5" || fail "what another search left was changed"
echo "no HDF5" >"$T/other/find.partial.h5"
refused 3 "not readable as HDF5" "${find[@]}" --quiet --out "$T/other"

# ---- no range: nothing learns, or all is alike
none() { # words, arguments...
    local words=$1
    shift
    ends 0 "${find[@]}" --quiet --out "$T/none" "$@"
    grep -q "^no range: .*$words" "$T/out" || fail "not '$words': $(cat "$T/out")"
    rm -r "$T/none"
}
none "scores better than the network does without training" --set optimizer.clip_norm=1e-30
ends 2 "${find[@]}" --quiet --out "$T/none" --write "$T/none.json" --set optimizer.clip_norm=1e-30
[ ! -e "$T/none.json" ] || fail "a config without bounds was written"
exit 0
