#!/usr/bin/env bash
# Random resized crops from outside: the same run on one rank and on two, evaluation of the middle,
# a model of the crops' size, and what does not go together.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset data.h5 120 40 14 3
cat >config.json <<'JSON'
{
    "data": {"path": "data.h5", "augment": {"mirror": true, "resized_crop": {"size": 8}}},
    "model": {"name": "small_cnn"}, "batch": {"size": 16, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"epochs": 2}
}
JSON
ends 0 "$GYRE" train config.json --out one
ends 0 mpirun -q -np 2 "$GYRE" train config.json --out two
same_tables one two || fail "two ranks train another run"
grep -q '"resized_crop"' one/config.json || fail "the crop is not written out"
/usr/bin/python3 - <<'P' || fail "evaluation is another one than the run's"
import glob, h5py, subprocess, os, re
gyre = os.environ["GYRE"]
text = subprocess.run([gyre, "eval", "one", "--part", "test"], capture_output=True, text=True).stdout
with h5py.File("one/metrics.h5") as f:
    loss = f["validation"]["loss"][-1]
found = float(re.search(r"loss\s+([0-9.]+)", text).group(1))
with h5py.File(sorted(glob.glob("one/checkpoints/step-*.h5"))[-1]) as f:
    assert f["state/input/mean"].shape == (8, 8, 3), f["state/input/mean"].shape
assert abs(found - loss) < 1e-3, (found, loss)
P
# Away from its run a checkpoint knows of crops by the config that it holds.
cp "$(ls one/checkpoints/step-*.h5 | tail -n 1)" moved.h5
ends 0 "$GYRE" eval one
grep 'accuracy' out >own
ends 0 "$GYRE" eval moved.h5 --data data.h5
grep -q "whole images" "$T/err" && fail "it does not know its config"
grep 'accuracy' out | cmp - own || fail "a checkpoint away from its run: $(cat out own)"
ends 0 "$GYRE" eval moved.h5 --data data.h5 --model one/config.json
grep 'accuracy' out | cmp - own || fail "$(cat out own)"
ends 0 "$GYRE" train config.json --out other --set data.augment.resized_crop.min_scale=0.5
same_tables one other >/dev/null && fail "min_scale changes nothing"
refused 2 "min_scale 0.9 is above max_scale 0.5" "$GYRE" train config.json --out bad \
    --set data.augment.resized_crop.min_scale=0.9 --set data.augment.resized_crop.max_scale=0.5
refused 2 "take one of them" "$GYRE" train config.json --out bad --set data.augment.crop=2
refused 2 "there is no mean image" "$GYRE" train config.json --out bad --set data.augment.normalize=mean_image
refused 2 "data.augment.resized_crop.size" "$GYRE" train config.json --out bad --set data.augment.resized_crop.siez=8
[ ! -e bad ] || fail "a run folder was made"
exit 0
