#!/usr/bin/env bash
# Means of the weights, swa and minima: of the members that schedule and config name, with running statistics made of
# the run's first batches; any number of ranks, threads and launches gives the same bits, whichever of the averages is
# taken; training is left as it is; before the first member an average is the last weights.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 400 100 10
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5", "augment": {"mirror": true}}, "model": {"name": "small_cnn"},
    "batch": {"size": 32, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.1, "stepsize": {"steps": 5}},
    "average": {"kind": "minima", "statistics": 70, "beside": {"ema": true, "swa": true},
        "start": {"steps": 26}, "every": {"steps": 7}, "first_minimum": 1},
    "length": {"steps": 44}, "evaluate": {"every": {"steps": 8}, "batch": 25},
    "checkpoint": {"every": {"steps": 1}, "keep": 100}
}
JSON
train=("$GYRE" train config.json --quiet --out)
hashes_of() { "$GYRE" inspect "$1" --hash=average && "$GYRE" inspect "$1" --hash=state || fail "inspect $1"; }

ends 0 "${train[@]}" alone
expected=$(hashes_of alone)
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
ends 0 mpirun -q -np 2 "${train[@]}" stopped --stop-after 6
ends 0 "${train[@]}" stopped --stop-after 23
ends 0 mpirun -q -np 4 "${train[@]}" stopped --stop-after 33
ends 0 "${train[@]}" stopped
same stopped

# Whichever is taken, the averages and the training are the same.
ends 0 "${train[@]}" swa --set average.kind=swa --set average.beside.minima=true
ends 0 "${train[@]}" beside --set average.kind=none --set average.beside.minima=true
ends 0 "${train[@]}" plain --set average=null
cat >formula.py <<'P'
import h5py, numpy as np
def step(run, completed):
    return h5py.File(f"{run}/checkpoints/step-{completed:09d}.h5")
def weights(f):
    return {n: f[g][n][()] for g in ("parameters", "state/buffers") for n in f[g]}
def same(a, b, what):
    assert set(a) == set(b), (what, set(a) ^ set(b))
    for n in a:
        assert (np.asarray(a[n]) == np.asarray(b[n])).all(), (what, n)
groups = {"minima": ("average", "averages/minima", "averages/minima"),
          "swa": ("averages/swa", "average", "averages/swa"),
          "ema": ("averages/ema", "averages/ema", "averages/ema")}
members = {"minima": [10, 20, 30, 40], "swa": [26, 33, 40]}
for completed in range(1, 45):
    runs = [step(r, completed) for r in ("alone", "swa", "beside", "plain")]
    for f in runs[:-1]:
        same(weights(f), weights(runs[-1]), completed)
    assert "average" not in runs[2] and "averages" not in runs[3]
    for kind, places in groups.items():
        found = [{n: f[p][n][()] for n in f[p]} for f, p in zip(runs, places)]
        same(found[0], found[1], (completed, kind))
        same(found[0], found[2], (completed, kind))
        if kind == "ema":
            continue
        taken = [s for s in members[kind] if s <= completed]
        if not taken:
            same(found[0], weights(runs[-1]), (completed, kind))
            continue
        mean = {}
        for i, s in enumerate(taken):
            for n, w in weights(step("plain", s)).items():
                before = mean.get(n, np.zeros_like(w))
                mean[n] = before + np.float32(1 / (i + 1)) * (w - before)
        for n in mean:
            if "running" in n:
                assert not (found[0][n] == mean[n]).all(), (completed, kind, n)
            else:
                assert (found[0][n] == mean[n]).all(), (completed, kind, n)
P
/usr/bin/python3 formula.py || fail "not the means of their members"

# Each evaluation scores them all, the one that is taken as /validation has it.
ends 0 "$GYRE" export csv alone
head -n 1 alone/csv/averages.csv | grep -qx "step,loss_last,loss_ema,loss_swa,loss_minima,loss_schedule_free,metric_last,metric_ema,metric_swa,metric_minima,metric_schedule_free" ||
    fail "$(head -n 1 alone/csv/averages.csv)"
ends 0 "$GYRE" export csv plain
[ ! -e plain/csv/averages.csv ] || fail "a run without an average has scores of them"
/usr/bin/python3 - <<'P' || fail "not their scores"
import csv, h5py, numpy as np
files = {run: h5py.File(f"{run}/metrics.h5") for run in ("alone", "swa", "beside", "plain")}
table = files["alone"]["averages"][()]
assert len(table) == 9 and "averages" not in files["plain"], table["step"]  # 8, 10, 16, 20, ... 40, 44
for run, kind in ("alone", "minima"), ("swa", "swa"), ("beside", "last"), ("plain", "last"):
    rows = files[run]["validation"][()]
    other = table if run == "plain" else files[run]["averages"][()]
    assert all(np.array_equal(other[n], table[n], equal_nan=True) for n in table.dtype.names), run
    for ours, theirs in ("loss", "loss"), ("accuracy", "metric"):
        assert (rows[ours] == table[f"{theirs}_{kind}"]).all(), (run, ours)
assert len({tuple(table[f"loss_{k}"]) for k in ("last", "ema", "swa", "minima")}) == 4
early = table["step"] < 10
assert (table["loss_minima"][early] == table["loss_last"][early]).all()
with open("alone/csv/averages.csv") as f:
    for row, found in zip(csv.DictReader(f), table, strict=True):
        assert all(float(row[n]) == found[n] for n in table.dtype.names if "schedule_free" not in n), row
        assert np.isnan(found["loss_schedule_free"])
P

# Any of them is taken by name, as where it is the one that is taken.
score() { ends 0 "$GYRE" eval "$@" && head -n 1 out; }
last=$T/alone/checkpoints/step-000000044.h5
for kind in swa minima; do
    run=alone && [ $kind = swa ] && run=swa
    want=$(score $run)
    [ "$(score beside --weights $kind)" = "$want" ] || fail "--weights $kind"
    [ "$(score alone --weights $kind)" = "$want" ] || fail "--weights $kind of one that is taken or beside"
    [ "$(score "$last" --model config.json --weights $kind)" = "$want" ] || fail "eval --model --weights $kind"
done
grep -q "running statistics of the average from" err || fail "$(cat err)"
[ "$(score beside)" = "$(score plain)" ] || fail "beside: not the last weights"
[ "$(score alone)" != "$(score swa)" ] || fail "swa and minima score alike"
refused 3 "/averages/swa" "$GYRE" eval plain --weights swa
refused 3 "has no average swa of its weights" "$GYRE" eval plain/checkpoints/step-000000044.h5 --model config.json --weights swa

# Running statistics: of the first batches in file order, each as the mean of its shards.
order=(--set data.order=sequential --set data.augment=null --set checkpoint.every.steps=44 --set evaluate.every.steps=44)
made() { /usr/bin/python3 "$lib/update_bn.py" "$1/checkpoints/step-000000044.h5" "$2" images.h5 32 "${@:3}" 2>err; }
ends 0 "${train[@]}" statistics "${order[@]}"
made statistics average 4 3 || fail "not their statistics: $(cat err)"
ends 0 "${train[@]}" whole "${order[@]}" --set average.statistics=100000 --set batch.shards=1
made whole averages/swa 1 12 || fail "not the statistics of an epoch: $(cat err)"
made whole averages/swa 1 11 && fail "other batches have the same statistics"
grep -q "bn1.running_mean" err || fail "$(cat err)"

# Without lengths: the run's end, and epochs (of 12 steps) back from there in its last quarter.
ends 0 "${train[@]}" lengths --set average.kind=swa --set average.start=null --set average.every=null --set length.steps=100
/usr/bin/python3 - <<'P' || fail "$(grep -A 9 average lengths/config.json)"
import json
a = json.load(open("lengths/config.json"))["average"]
assert a["start"] == {"steps": 76} and a["every"] == {"steps": 12}, a
P
ends 0 "${train[@]}" halves --set average.first_minimum=null --set length.steps=60 --set average.beside=null
grep -q '"first_minimum":.3,' halves/config.json || fail "$(grep -A 9 average halves/config.json)"
/usr/bin/python3 - <<'P' || fail "a minimum of the first half is in it, or one of the second is not"
import h5py, numpy as np
def step(completed):
    return h5py.File(f"halves/checkpoints/step-{completed:09d}.h5")
for n in step(60)["parameters"]:
    mean = np.float32(0)
    for i, s in enumerate((30, 40, 50, 60)):
        w = step(s)["parameters"][n][()]
        mean = mean + np.float32(1 / (i + 1)) * (w - mean)
    assert (mean == step(60)["average"][n][()]).all(), n
P

# Where there is nothing to make, or no member.
ends 0 "${train[@]}" frozen --set model.batch_norm=frozen --set model.init_from="$T/plain/checkpoints/step-000000044.h5"
/usr/bin/python3 - <<'P' || fail "frozen statistics are not the weights'"
import h5py
f = h5py.File("frozen/checkpoints/step-000000044.h5")
for n in f["state/buffers"]:
    assert (f["state/buffers"][n][()] == f["average"][n][()]).all(), n
P
ends 0 "${train[@]}" constant --set schedule.policy=constant --set schedule.stepsize=null --set schedule.max_lr=null
grep -q "warning: average minima: the rate has no minimum in this run that it takes" err || fail "$(cat err)"
refused 2 "average.start: expected at most the run's 44 steps, found 45" "${train[@]}" no --set average.start.steps=45
refused 2 "average.statistics: run has 70, config has 71" "${train[@]}" alone --set average.statistics=71
ends 0 "$GYRE" train config.json --quiet --set average.beside=null --set length.steps=4 --out unread
grep -q "^gyre: warning: without effect without an average of kind swa: average.start, average.every$" err || fail "$(cat err)"
exit 0
