#!/usr/bin/env bash
# data.augment.normalize {"mean": ..., "std": ...}: the network sees (pixel / 255 - mean) / std, in training,
# evaluation, range test, study and `gyre eval`; a forward pass by hand gives the same loss.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 60 4 3
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}},
    "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 20}
}
JSON
ends 0 "$GYRE" train config.json --out run
said=$(sed -n 's/^step 20: test //p' err)
ends 0 "$GYRE" eval run
[ "$(head -n 1 out)" = "test: 60 samples, $said" ] || fail "eval and the run differ: $(cat out) $said"
/usr/bin/python3 - "$(head -n 1 out)" <<'P' || fail "the input is not (pixel / 255 - mean) / std"
import json, re, sys
import h5py, numpy as np
mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
with h5py.File("images.h5") as f, h5py.File("run/checkpoints/step-000000020.h5") as c:
    images, labels = f["test/images"][:], f["test/labels"][:]
    p = {k: v[:].astype("f8") for k, v in c["parameters"].items()}
    m, s = c["state/input/mean"][:], c["state/input/scale"][:]
    model = c["state"].attrs["model"]
# 255 * 0.485 = 123.675 and 1 / (255 * 0.229) = 0.0171247...: by hand, to the last bit of an f32
assert (m == np.float32([123.675, 116.28, 103.53])).all() and m.shape == (4, 4, 3), m
assert np.abs(s - [0.017124753831663668, 0.01750700280112045, 0.017429193899782137]).max() < 1e-9, s
x = ((images / 255 - mean) / std).reshape(len(images), -1)
for i in (1, 2, 3):
    x = x @ p[f"fc{i}.weight"].T + p[f"fc{i}.bias"]
    if i < 3: x = np.maximum(x, 0)
loss = (np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), labels]).mean()
right = 100 * (x.argmax(1) == labels).mean()
said = [float(v) for v in re.findall(r"loss ([\d.]+), accuracy ([\d.]+)", sys.argv[1])[0]]
assert abs(said[0] - loss) <= 1e-4 and abs(said[1] - right) <= 0.006, (said, loss, right)
echo = json.load(open("run/config.json"))["data"]["augment"]["normalize"]
assert echo == {"mean": mean, "std": std}, echo
P

# The resolved config is the same run; it is refused when the numbers change, and on images of other channels.
ends 0 "$GYRE" train run/config.json --out again --quiet
cmp run/checkpoints/step-000000020.h5 again/checkpoints/step-000000020.h5 || fail "config.json is another run"
other='data.augment.normalize={"mean": [0.5, 0.5, 0.5], "std": [0.229, 0.224, 0.225]}'
refused 2 "data.augment.normalize: run has " "$GYRE" train config.json --out run --set "$other"
one='data.augment.normalize={"mean": [0.5], "std": [0.25]}'
refused 2 "mean and std of 1 channel, but the images have 3" "$GYRE" train config.json --out one --set "$one"
pixels='data.augment.normalize={"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}'
refused 2 "mean 123.7 and std 58.4 of channel 0; of pixels, mean and std are those of pixel / 255" \
    "$GYRE" train config.json --out one --set "$pixels"
refused 2 "mean and std of 1 channel, but the images have 3" "$GYRE" find config.json --set "$one"

# Range test and study take it too: other numbers, other losses.
find=("$GYRE" find config.json --steps 60 --repeats 1 --from 1e-4 --to 1e-1 --quiet)
ends 0 "${find[@]}" --out f1
ends 0 "${find[@]}" --out f2 --set "$other"
cat >study.json <<'JSON'
{
    "base": {"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 1},
             "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 20}},
    "seeds": [1], "controls": false,
    "arms": [{"name": "given", "set": {"data.augment.normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}},
             {"name": "own", "set": {}}]
}
JSON
ends 0 "$GYRE" study study.json --out study --quiet
/usr/bin/python3 - <<'P' || fail "find or study do not see the numbers"
import glob, h5py, numpy as np
a, b = [h5py.File(f"f{i}/find.h5")["sweep"]["loss"] for i in (1, 2)]
assert a[0] != b[0], (a[0], b[0])
inputs = {h5py.File(c)["state/input/mean"][0, 0, 0] for c in glob.glob("study/**/step-*.h5", recursive=True)}
assert np.float32(123.675) in inputs and len(inputs) == 2, inputs
P
