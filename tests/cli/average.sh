#!/usr/bin/env bash
# Averages of the weights: any number of ranks, threads and launches gives the same bits; they are what their formula
# makes of the weights of each step, and leave training as it is; evaluations, predictions, exports and init_from take
# them unless they are told otherwise, and say so.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 400 100 10
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 32, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.1, "cycles": 1.5},
    "average": {"kind": "ema", "decay": 0.9}, "length": {"steps": 40}, "evaluate": {"every": {"steps": 20}, "batch": 25},
    "checkpoint": {"every": {"steps": 1}, "keep": 100}
}
JSON
train=("$GYRE" train config.json --quiet --out)
hashes_of() { "$GYRE" inspect "$1" --hash=average && "$GYRE" inspect "$1" --hash=state || fail "inspect $1"; }

ends 0 "${train[@]}" alone
expected=$(hashes_of alone)
[[ $expected =~ ^[0-9a-f]{16}.[0-9a-f]{16}$ ]] || fail "no hashes: $expected"
same() { # run folder
    [ "$(hashes_of "$1")" = "$expected" ] || fail "$1 has other hashes"
    same_tables alone "$1" || fail "the tables of $1 differ"
}
for n in 2 4; do
    ends 0 mpirun -q -np $n "${train[@]}" np$n
    same np$n
done
ends 0 "${train[@]}" threads --set threads=3
same threads
ends 0 mpirun -q -np 2 "${train[@]}" stopped --stop-after 17
ends 0 mpirun -q -np 4 "${train[@]}" stopped --stop-after 18
ends 0 "${train[@]}" stopped
same stopped
last=alone/checkpoints/step-000000040.h5
ends 0 "$GYRE" inspect alone
grep -q "^  average      ${expected%%$'\n'*}, ema$" out || fail "$(cat out)"

# The weights are those of a run without.
ends 0 "${train[@]}" plain --set average=null
[ "$("$GYRE" inspect plain --hash)" = "$("$GYRE" inspect alone --hash)" ] || fail "an average changes the training"
[ "$("$GYRE" inspect plain --hash=state)" != "${expected##*$'\n'}" ] || fail "the state is without its averages"
grep -q average plain/config.json && fail "a config without an average has one"

# Of every parameter and running statistic, in the order of f32 that gyre has.
ends 0 "${train[@]}" cold --set average.warmup=false --set length.steps=10
cat >formula.py <<'P'
import sys, h5py, numpy as np
run, steps, share = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
averages = {}
for k in range(steps):
    with h5py.File(f"{run}/checkpoints/step-{k + 1:09d}.h5") as f:
        weights = {n: f[g][n][()] for g in ("parameters", "state/buffers") for n in f[g]}
        for n, w in weights.items():
            before = averages.get(n, np.zeros_like(w))
            averages[n] = before + np.float32(1 if k == 0 else share(k)) * (w - before)
        assert set(averages) == set(f["average"]), sorted(f["average"])
        for n, a in averages.items():
            assert a.shape == f["average"][n].shape and (a == f["average"][n][()]).all(), (k, n)
P
/usr/bin/python3 formula.py alone 40 'lambda k: max(1 - 0.9, 1 / (np.sqrt(k + 1.0) * np.sqrt(np.sqrt(k + 1.0))))' || fail "not the formula with a warm-up"
/usr/bin/python3 formula.py cold 10 'lambda k: 1 - 0.9' || fail "not the formula without a warm-up"

# Scores: of the average, as of a file with these numbers; of the last weights, as of the run without.
/usr/bin/python3 - $last <<'P' || fail "no weights"
import sys, h5py
with h5py.File(sys.argv[1]) as f, h5py.File("byhand.h5", "w") as out:
    for n in f["average"]:
        out["parameters/" + n] = f["average"][n][()]
P
score() { # ARGUMENTS...: one line of its output, once stderr has WORDS
    ends 0 "$GYRE" eval "$@"
    [ -z "$words" ] || grep -qF -- "$words" err || fail "no '$words' in $(cat err)"
    head -n 1 out
}
words=""
byhand=$(score byhand.h5 --model config.json)
plain=$(score plain)
[ "$byhand" != "$plain" ] || fail "the average scores as the last weights do: $plain"
for weights in "" "--weights average"; do
    words=", after step 40, the average of its weights"
    # shellcheck disable=SC2086 # two words
    [ "$(score alone $weights)" = "$byhand" ] || fail "eval $weights: not the average"
    words="running statistics of the average from '$last'"
    # shellcheck disable=SC2086
    [ "$(score $last --model config.json $weights)" = "$byhand" ] || fail "eval --model $weights: not the average"
done
words=", after step 40, its last weights"
[ "$(score alone --weights last)" = "$plain" ] || fail "eval --weights last"
words="running statistics from '$last'"
[ "$(score $last --model config.json --weights last)" = "$plain" ] || fail "eval --model --weights last"
ends 0 mpirun -q -np 2 "$GYRE" eval alone
[ "$(head -n 1 out)" = "$byhand" ] || fail "eval on two ranks"
/usr/bin/python3 - "$byhand" <<'P' || fail "the last row of metrics.h5 is not the average's"
import h5py, sys
row = h5py.File("alone/metrics.h5")["validation"][-1]
assert sys.argv[1] == f"test: 100 samples, loss {row['loss']:.4f}, accuracy {100 * row['accuracy']:.2f} %", sys.argv[1]
P
ends 0 "$GYRE" eval alone --predictions average.csv
ends 0 "$GYRE" eval alone --weights last --predictions last.csv
ends 0 "$GYRE" eval plain --predictions plain.csv
cmp -s last.csv plain.csv && ! cmp -s average.csv last.csv || fail "predictions are of other weights"

# Exports.
for format in safetensors onnx; do
    ends 0 "$GYRE" export $format alone -o average.$format
    grep -q ", the average of its weights$" err || fail "$(cat err)"
    ends 0 "$GYRE" export $format alone --weights last -o last.$format
    grep -q ", its last weights$" err || fail "$(cat err)"
    ends 0 "$GYRE" export $format plain -o plain.$format
    grep -q weights err && fail "$(cat err)"
done
words=""
[ "$(score average.safetensors --model config.json)" = "$byhand" ] || fail "safetensors: not the average"
[ "$(score last.safetensors --model config.json)" = "$plain" ] || fail "safetensors: not the last weights"

# A run that begins from them; its one step moves nothing but running statistics.
begin=("$GYRE" train config.json --quiet --set average=null --set length.steps=1 --set schedule.policy=constant
    --set schedule.base_lr=1e-30 --set model.init_from=$last --out)
ends 0 "${begin[@]}" from_average
grep -q "of the average from '$T/$last'" err || fail "$(cat err)"
grep -q '"taken":"[^"]* of the average"' from_average/log.jsonl || fail "$(grep init_from from_average/log.jsonl)"
ends 0 "${begin[@]}" from_last --set model.init_weights=last
/usr/bin/python3 - $last <<'P' || fail "a run began from other weights"
import h5py, sys
f = h5py.File(sys.argv[1])
for run, group in ("from_average", "average"), ("from_last", "parameters"):
    begun = h5py.File(f"{run}/checkpoints/step-000000001.h5")["parameters"]
    for n in begun:
        assert (begun[n][()] == f[group][n][()]).all(), (run, n)
P

# What does not go.
none="'plain/checkpoints/step-000000040.h5' has no average of its weights"
refused 3 "$none" "$GYRE" eval plain --weights average
refused 3 "$none" "$GYRE" export onnx plain --weights average -o no.onnx
refused 3 "has no average of its weights" "${begin[@]}" no --set model.init_from=plain/checkpoints/step-000000040.h5 --set model.init_weights=average
refused 2 "--weights best: average, last, ema, swa or minima was expected" "$GYRE" eval alone --weights best
ends 2 "$GYRE" export csv alone --weights last
refused 3 "has no average of its weights" "$GYRE" inspect plain --hash=average
refused 2 "average.decay: run has 0.9, config has 0.99" "${train[@]}" alone --set average.decay=0.99
refused 2 'average.kind: run has "none", config has "ema"' "${train[@]}" plain
refused 2 "average.decay: expected number 0..0.9999999, found 1" "${train[@]}" no --set average.decay=1
refused 2 "for a single value take average.kind" "${train[@]}" no --set average=1
ends 0 "$GYRE" train config.json --quiet --set average.kind=none --set length.steps=4 --out unread
grep -q "^gyre: warning: without effect without an average of kind ema: average.decay$" err || fail "$(cat err)"
exit 0
