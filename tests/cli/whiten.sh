#!/usr/bin/env bash
# Filters that whiten patches of the training images: those that numpy finds, the same on any number
# of ranks and for any seed, held in training, kept by a resume; and where they cannot be.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset data.h5 160 40 12 3
cat >config.json <<'JSON'
{
    "data": {"path": "data.h5", "augment": {"mirror": true, "crop": 2}},
    "model": {"layers": [
        {"name": "white", "type": "conv", "channels": 24, "size": 2, "init": "whiten", "lr_mult": {"weight": 0}},
        {"name": "gelu", "type": "gelu"},
        {"name": "fc", "type": "linear", "out": "classes"}]},
    "batch": {"size": 16, "shards": 4}, "checkpoint": {"every": {"steps": 4}},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 8}, "evaluate": {"every": {"steps": 8}}
}
JSON
ends 0 "$GYRE" train config.json --out one --quiet
ends 0 mpirun -q -np 2 "$GYRE" train config.json --out two --quiet
same_tables one two || fail "two ranks train another run"
rm -f two/checkpoints/step-*8.h5
ends 0 "$GYRE" train config.json --out two --quiet
same_tables one two || fail "a resumed run is another"
ends 0 "$GYRE" train config.json --out other --quiet --set seed=2
/usr/bin/python3 - <<'P' || fail "other filters than numpy's"
import glob, h5py, numpy as np
def read(run, step):
    with h5py.File(f"{run}/checkpoints/step-00000000{step}.h5") as f:
        return f["parameters/white.weight"][:], f["parameters/white.bias"][:]
with h5py.File("data.h5") as f:
    x = f["train/images"][:].astype(float)
x = (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))
p = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2))  # n y x c r s
p = p.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 12)
l, v = np.linalg.eigh(p.T @ p / len(p))
v = v[:, ::-1].T
v *= np.sign(v[np.arange(12), np.abs(v).argmax(1)])[:, None]
want = v / np.sqrt(l[::-1, None] + 5e-4)
got, bias = read("one", 8)
got = got.reshape(24, 12)
assert np.abs(got[:12] - want).max() < 1e-3 * np.abs(want).max(), np.abs(got[:12] - want).max()
assert (got[12:] == -got[:12]).all() and np.abs(bias).max() > 0
for run, step in [("one", 4), ("two", 8), ("other", 8)]:
    assert (read(run, step)[0].reshape(24, 12) == got).all(), run
P
refused 2 "an even number of channels, at most 24 for patches of 2 x 2 x 3, found 25" \
    "$GYRE" model config.json --set 'model.layers=[{"name": "a", "type": "conv", "channels": 25, "size": 2, "init": "whiten"}, {"name": "fc", "type": "linear", "out": "classes"}]'
refused 2 "in a convolution of one group that reads the images" \
    "$GYRE" model config.json --set 'model.layers={"init": "whiten", "nodes": [{"name": "a", "type": "relu"}, {"name": "fc", "type": "linear", "out": "classes"}]}'
exit 0
