#!/usr/bin/env bash
# A rank whose state parts from the others' is found before anything is kept: it is named, the run
# ends with 5, and the same command then gives the result of a run that nothing disturbed.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
mpicc -shared -fPIC -o flip.so "$lib/flip.c" || fail "the preload library"
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 4}, "threads": 1,
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 4},
 "length": {"steps": 60}, "evaluate": {"every": {"steps": 7}}, "checkpoint": {"every": {"steps": 10}, "best": true, "keep": 9}}
JSON
ends 0 "$GYRE" train config.json --out whole --quiet
whole=$("$GYRE" inspect whole --hash)

# parts NAME RANKS RANK AT WORDS OPTIONS...: at update AT the rank gets a wrong number.
parts() {
    local name=$1 ranks=$2 rank=$3 at=$4 words=$5 rc=0 newest
    shift 5
    local train=("$GYRE" train config.json --quiet --out "$name" "$@")
    timeout 60 mpirun -q -np "$ranks" -x LD_PRELOAD="$T/flip.so" -x FLIP_AT="$at" -x FLIP_RANK="$rank" "${train[@]}" >"$name.err" 2>&1 || rc=$?
    [ $rc -eq 5 ] || fail "$name: exit $rc ($(cat "$name.err"))"
    grep -qE -- "$words" "$name.err" || fail "$name: $(cat "$name.err")"
    for kept in "$name"/checkpoints/*.h5; do
        [ -e "$kept" ] || continue
        newest=$("$GYRE" inspect "$kept" | sed -n 's/.*after \([0-9]*\) .*/\1/p' | head -1)
        [ "$newest" -lt "$at" ] || fail "$name: $kept is of step $newest, the error of $at"
    done
    timeout 60 mpirun -q -np "$ranks" "$GYRE" train config.json --quiet --out "$name" >"$name.err" 2>&1 || fail "$name, again: $(cat "$name.err")"
    [ "$("$GYRE" inspect "$name" --hash)" = "$whole" ] || fail "$name, again: another result"
}
together=()
at_once() {
    "$@" &
    together+=($!)
}

# Of two ranks both are named, of more the odd one; before a checkpoint, a best one, the end, a stop.
at_once parts two 2 1 36 'rank 0 \(.*\), rank 1 \(.*\) hold different parameters after 40 steps'
at_once parts first 4 0 36 'rank 0 \(.*\) holds other parameters after 40 steps than the 3 other ranks'
at_once parts best 4 2 26 'rank 2 \(.*\) holds other parameters after 28 steps than the 3 other ranks' --set verify_replicas=0
at_once parts end 4 3 58 'rank 3 \(.*\) holds other parameters after 60 steps' --set verify_replicas=0
at_once parts stop 2 0 13 'hold different parameters after 13 steps' --stop-after 13 --set verify_replicas=0 --set checkpoint.every.steps=50
# A number that is none ends one rank's training alone.
export FLIP_NAN=1
at_once parts alone 2 1 36 'diverged on some ranks and not on others at step 37'
at_once parts nan 4 1 41 'rank 1 \(.*\) holds other parameters after 42 steps'
unset FLIP_NAN
for p in "${together[@]}"; do wait "$p" || exit 1; done

# A range test on parted ranks suggests nothing.
ends 5 mpirun -q -np 4 -x LD_PRELOAD="$T/flip.so" -x FLIP_AT=30 -x FLIP_RANK=2 "$GYRE" find config.json --steps 100 --every 50 --quiet --out range
grep -q 'rank 2 (.*) holds other parameters after 50 steps than the 3 other ranks' err || fail "$(cat err)"
[ ! -e range/find.h5 ] || fail "a result of parted ranks"
