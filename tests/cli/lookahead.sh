#!/usr/bin/env bash
# optimizer.lookahead and groups that end: what numpy makes of the weights of each step, the same bits
# on any number of ranks and after a resume, and a run that is extended keeps their ends.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 320 60 10
cd "$T" || exit 1
cat >cnn.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 32, "shards": 4},
 "optimizer": {"name": "sgd", "momentum": 0.8, "weight_decay": 0.001,
               "lookahead": {"every": 3, "decay": 0.6, "power": 2},
               "groups": [{"match": "^fc\\.bias$", "until": {"epochs": 0.5}}]},
 "schedule": {"policy": "constant", "base_lr": 0.02}, "length": {"steps": 11},
 "evaluate": {"every": {"steps": 11}}, "checkpoint": {"every": {"steps": 1}, "keep": 100}}
JSON

# ---- ranks, threads, resumes in between: before and after an end, and between two steps of Lookahead
ends 0 "$GYRE" train cnn.json --quiet --out whole
hash=$("$GYRE" inspect whole --hash=state)
for n in 2 4; do
    ends 0 mpirun -q -np $n "$GYRE" train cnn.json --quiet --out ranks-$n
    [ "$("$GYRE" inspect ranks-$n --hash=state)" = "$hash" ] || fail "other bits on $n ranks"
    same_tables whole ranks-$n || fail "other tables on $n ranks"
done
for step in 4 7; do
    ends 0 "$GYRE" train cnn.json --quiet --out left-$step --stop-after $step
    ends 0 "$GYRE" train cnn.json --quiet --out left-$step --set threads=2
    [ "$("$GYRE" inspect left-$step --hash=state)" = "$hash" ] || fail "other bits after a resume at $step"
    same_tables whole left-$step || fail "other tables after a resume at $step"
done
grep -q '"steps":[[:space:]]*5$' whole/config.json || fail "0.5 epochs of 10 steps are no 5 steps"

# ---- what each step leaves
/usr/bin/python3 - <<'PY' || fail "not what numpy makes of it"
import h5py, numpy as np
def read(step):
    with h5py.File(f"whole/checkpoints/step-{step:09d}.h5") as f:
        fast = {k: v[:].astype("f8") for k, v in f["parameters"].items()}
        fast.update({k: v[:].astype("f8") for k, v in f["state/buffers"].items()})
        return fast, {k: v[:].astype("f8") for k, v in f["lookahead"].items()}, f["optimizer/momentum/fc.bias"][:]
steps = {n: read(n) for n in range(1, 12)}
assert "bn1.running_mean" in steps[1][1], sorted(steps[1][1])
for n, (fast, slow, momentum) in steps.items():
    assert fast.keys() == slow.keys()
    moved = n % 3 == 0
    for k in fast:
        if moved or n == 11:  # the weights are the slow ones, at the last step as well
            assert (fast[k] == slow[k]).all(), (n, k)
        if n > 1 and not moved:
            assert (slow[k] == steps[n - 1][1][k]).all(), (n, k)
    same = (fast["fc.bias"] == steps[max(1, n - 1)][0]["fc.bias"]).all() if n != 1 else False
    # from update 5 on the bias stays; Lookahead alone takes it to the slow one, once
    assert same == (n > 5 and n != 6), (n, same)
    if n > 5:
        assert (momentum == steps[5][2]).all()
PY

# ---- Lookahead beside a run without: the same up to its first step, which has the decay 0.6 (3/11)^2
ends 0 "$GYRE" train cnn.json --quiet --out without --set optimizer.lookahead=null --set length.steps=3
ends 0 "$GYRE" train cnn.json --quiet --out before --set length.steps=3 --set optimizer.lookahead.until.steps=11
/usr/bin/python3 - <<'PY' || fail "not the share that was asked for"
import h5py
def read(run, group):
    with h5py.File(f"{run}/checkpoints/step-000000003.h5") as f:
        return f[group + "/conv1.weight"][:].astype("f8")
with h5py.File("whole/checkpoints/step-000000002.h5") as f:
    first = f["lookahead/conv1.weight"][:].astype("f8")
d = 0.6 * (3 / 11) ** 2
want = d * first + (1 - d) * read("without", "parameters")
assert abs(read("before", "parameters") - want).max() < 2**-24
assert abs(want - read("without", "parameters")).max() > 1e-5
PY

# ---- a longer run keeps both ends, which its config.json has
ends 0 "$GYRE" train whole/config.json --quiet --out whole --extend '{"length": {"steps": 3}, "policy": "constant", "base_lr": 0.01}'
/usr/bin/python3 - <<'PY' || fail "the extended run has other ends"
import h5py
def read(step, name):
    with h5py.File(f"whole/checkpoints/step-{step:09d}.h5") as f:
        return f[name][:]
assert (read(14, "lookahead/conv1.weight") == read(11, "lookahead/conv1.weight")).all()
assert (read(14, "parameters/fc.bias") == read(11, "parameters/fc.bias")).all()
assert (read(14, "parameters/conv1.weight") != read(11, "parameters/conv1.weight")).any()
PY
ends 0 "$GYRE" train whole/config.json --quiet --out anew
[ "$("$GYRE" inspect anew --hash=state)" = "$("$GYRE" inspect whole --hash=state)" ] || fail "config.json is another run"

# ---- steps of Lookahead with half precision: working copies follow the weights
ends 0 "$GYRE" train cnn.json --quiet --out half --set precision=bf16
ends 0 "$GYRE" train cnn.json --quiet --out half-left --set precision=bf16 --stop-after 6
ends 0 "$GYRE" train cnn.json --quiet --out half-left --set precision=bf16
[ "$("$GYRE" inspect half --hash=state)" = "$("$GYRE" inspect half-left --hash=state)" ] || fail "bf16: other bits after a resume"
exit 0
