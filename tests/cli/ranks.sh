#!/usr/bin/env bash
# Slow.
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
same() { # run folder [the one to be like]
    local like=${2:-alone}
    [ "$(hash_of "$1")" = "$(hash_of "$like")" ] || fail "$1 has another hash than $like"
    same_tables "$T/$like" "$T/$1" || fail "the tables of $1 differ"
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

# In bf16 likewise, where there are kernels for it.
bf16=(--set precision=bf16)
if "${train[@]}" "$T/bf16" "${bf16[@]}" 2>"$T/err"; then
    [ "$(hash_of bf16)" != "$expected" ] || fail "the precision is not used"
    ends 0 mpirun -q -np 4 "${train[@]}" "$T/bf16-np4" "${bf16[@]}"
    ends 0 "${train[@]}" "$T/bf16-threads" "${bf16[@]}" --set threads=3
    ends 0 mpirun -q -np 2 "${train[@]}" "$T/bf16-stop" "${bf16[@]}" --stop-after 66
    ends 0 "${train[@]}" "$T/bf16-stop" "${bf16[@]}"
    for run in np4 threads stop; do same bf16-$run bf16; done
else
    grep -q "no bf16 kernels" "$T/err" || fail "in bf16: $(cat "$T/err")"
fi

# Whoever changes the arithmetic gets another run.
ends 0 "${train[@]}" "$T/other" --set seed=2
[ "$(hash_of other)" != "$expected" ] || fail "the seed is not used"
