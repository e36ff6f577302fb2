#!/usr/bin/env bash
# One config, one run: on 1, 2 and 4 ranks, started in several ways, and stopped at ten steps and
# gone on with on another number of ranks, a batch-norm net has the same parameters and tables.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 900 230 10

# 200 steps of 14 in an epoch; 4 shards; augmented, so that the loader counts too
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5", "augment": {"mirror": true, "crop": 1}},
    "model": {"name": "small_cnn"},
    "batch": {"size": 64, "shards": 4},
    "optimizer": {"nesterov": true, "weight_decay": 1e-4},
    "schedule": {"policy": "triangular2", "base_lr": 0.01, "max_lr": 0.1, "cycles": 3,
                 "momentum": {"min": 0.85, "max": 0.95}},
    "length": {"steps": 200},
    "evaluate": {"every": {"steps": 45}, "batch": 32}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --out)
hash_of() { "$GYRE" inspect "$T/$1" --hash; }

ends 0 "${train[@]}" "$T/alone"
expected=$(hash_of alone)
[[ $expected =~ ^[0-9a-f]{16}$ ]] || fail "no hash: $expected"
same() { # run folder
    [ "$(hash_of "$1")" = "$expected" ] || fail "$1 has $(hash_of "$1") instead of $expected"
    same_tables "$T/alone" "$T/$1" || fail "the tables of $1 differ"
}

for n in 1 2 4; do
    ends 0 mpirun -q -np $n "${train[@]}" "$T/np$n"
    same np$n
    ends 0 mpirun -q -np $n --bind-to none "${train[@]}" "$T/free$n"
    same free$n
done
ends 0 "${train[@]}" "$T/threads" --set threads=3
same threads

# Stopped at steps within epochs, at an epoch's end (14, 28), at a minimum and at evaluations.
ranks=(1 2 4)
i=0
for stop in 1 13 14 28 45 66 67 100 135 199; do
    first=${ranks[i % 3]} second=${ranks[(i + 1) % 3]}
    ends 0 mpirun -q -np "$first" "${train[@]}" "$T/stop$stop" --stop-after $stop
    "$GYRE" inspect "$T/stop$stop" | grep -q "checkpoint after $stop updates" || fail "no checkpoint at $stop"
    ends 0 mpirun -q -np "$second" "${train[@]}" "$T/stop$stop"
    same stop$stop
    i=$((i + 1))
done

# Whoever changes the arithmetic gets another run.
ends 0 "${train[@]}" "$T/other" --set seed=2
[ "$(hash_of other)" != "$expected" ] || fail "the seed is not used"
