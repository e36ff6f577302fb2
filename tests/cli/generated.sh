#!/usr/bin/env bash
# What samples of a network are like beside pictures that it never saw: copying and kernel distance
# against numpy, from the samples as numbers; of a checkpoint and of the cells of a study, with its report;
# and what is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset pictures.h5 60 40 8 3
cat >config.json <<'JSON'
{
    "data": {"path": "pictures.h5", "augment": {"normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}},
    "model": {"config": {"_class_name": "UNet2DModel", "block_out_channels": [8, 16], "layers_per_block": 1,
        "norm_num_groups": 4, "down_block_types": ["DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D"]}},
    "denoise": {"noise": "cosine"}, "batch": {"size": 8, "shards": 4}, "optimizer": {"name": "adamw"},
    "schedule": {"policy": "triangular", "base_lr": 0.0005, "max_lr": 0.005, "cycles": 1}, "length": {"steps": 4},
    "evaluate": {"every": {"steps": 4}, "pairs": 2}, "sample": {"every": {"steps": 4}, "steps": 6}
}
JSON
cat >classifier.json <<'JSON'
{
    "data": {"path": "pictures.h5", "augment": {"normalize": {"mean": [0.5, 0.4, 0.5], "std": [0.5, 0.6, 0.5]}}},
    "model": {"layers": [{"name": "features", "type": "linear", "out": 5}, {"name": "out", "type": "linear", "out": 10}]},
    "batch": {"size": 20}, "length": {"steps": 9}, "schedule": {"policy": "constant", "base_lr": 0.001}
}
JSON
ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" train classifier.json --out classifier --quiet
eval=("$GYRE" eval run --samples 7 --features classifier)
ends 0 "${eval[@]}"
cp out one
[ "$(grep -c '7 samples beside 40 pictures\|copying: .* 60 training\|kernel distance by the features of network [0-9a-f]\{16\}: ' one)" -eq 3 ] ||
    fail "$(cat one)"
for n in 2 4; do
    ends 0 mpirun -q -np $n "${eval[@]}"
    cmp out one || fail "$n ranks say something else"
done

# ---- numpy says the same
ends 0 "$GYRE" sample run --seeds 0..6 --steps 6 --latents made.h5
cat >check.py <<'PY'
import re, sys
import h5py, numpy as np
told, made, unit = open(sys.argv[1]).read(), h5py.File(sys.argv[2])["latents"][:].astype("f8"), 127.5
data = h5py.File("pictures.h5")
train, test = [data[f"{p}/images"][:].astype("f8") for p in ("train", "test")]
flat = lambda x: x.reshape(len(x), -1) / unit
nearest = lambda x: np.array([np.sqrt(((flat(train) - y) ** 2).sum(1)).min() for y in flat(x)])
a, b = nearest(made), nearest(test)
nearer = (a[:, None] < b).mean() + (a[:, None] == b).mean() / 2
c = h5py.File("classifier/checkpoints/step-000000009.h5")
mean, scale = c["state/input/mean"][:], c["state/input/scale"][:]
weight, bias = c["parameters/features.weight"][:], c["parameters/features.bias"][:]
def features(x):
    y = (np.round(np.clip(x, 0, 255)) - mean) * scale
    return y.reshape(len(y), -1) @ weight.reshape(5, -1).T + bias
x, y = features(made), features(test)
k = lambda p, q: (p @ q.T / 5 + 1) ** 3
off = lambda m: (m.sum() - np.trace(m)) / (len(m) * (len(m) - 1))
distance = off(k(x, x)) + off(k(y, y)) - 2 * k(x, y).mean()
found = re.search(r"copying\D*\d* training.* in ([\d.]+) % of pairs.*distances (\S+) and (\S+)", told)
said = float(re.search(r"hash|features of .*: (\S+), standard", told).group(1))
assert found and abs(float(found.group(1)) - 100 * nearer) <= 0.051, (found, nearer)
assert abs(float(found.group(2)) / np.median(a) - 1) < 6e-3 and abs(float(found.group(3)) / np.median(b) - 1) < 6e-3, (found, np.median(a), np.median(b))
assert abs(said / distance - 1) < 1e-3, (said, distance)
PY
/usr/bin/python3 check.py one made.h5 || fail "numpy says something else: $(cat one)"

# ---- a study
cat >study.json <<'JSON'
{
    "base": "config.json", "seeds": 2, "samples": 7, "features": "classifier", "validation_split": 0.2,
    "arms": [{"name": "high", "set": {"schedule.max_lr": 0.02}}], "controls": ["midpoint"], "evaluations": 1
}
JSON
ends 0 "$GYRE" study study.json --out study --quiet
grep -q '"samples":7,"copying":[0-9.]*,"copying_p":[0-9.e-]*,"kernel_distance":[-0-9.e]*,"kernel_error":[0-9.e-]*,"features":"network [0-9a-f]\{16\}"' \
    study/cells/high/seed-1/result.json || fail "$(cat study/cells/high/seed-1/result.json)"
for f in pictures nearest; do
    [ -s "study/cells/high/seed-1/samples/$f.h5" ] || fail "the samples are not kept: $f"
done
ends 0 mpirun -q -np 2 "$GYRE" study study.json --out ranks --cell 0 --quiet
result() { sed 's/"seconds":[^,]*//' "$1/cells/high/seed-1/result.json"; }
[ "$(result study)" = "$(result ranks)" ] || fail "the result differs on 2 ranks"
cmp study/cells/high/seed-1/samples/pictures.h5 ranks/cells/high/seed-1/samples/pictures.h5 || fail "samples differ on 2 ranks"
ends 0 "$GYRE" study study.json --out study --quiet # and again: nothing is left to do
ends 0 "$GYRE" report study
[ "$(wc -l <study/report/samples.csv)" -eq 5 ] || fail "samples.csv: $(cat study/report/samples.csv)"
for words in '<h2>Samples</h2>' 'src="data:image/png;base64,iVBOR'; do
    grep -q "$words" study/report/index.html || fail "the page shows no samples"
done
/usr/bin/python3 - <<'PY' || fail "the page's picture is not the file"
import base64, re
page = open("study/report/index.html").read()
assert base64.b64decode(re.search(r"base64,([^\"]*)", page).group(1)) == open("study/report/figures/samples.png", "rb").read()
PY
cp study/report/figures/samples.png first.png
ends 0 "$GYRE" report study
cmp first.png study/report/figures/samples.png || fail "a second report draws another grid"
rm study/cells/high/seed-1/samples/pictures.h5 # the first seed without a gap is shown
ends 0 "$GYRE" report study
grep -q 'of the cells with seed 2' study/report/index.html || fail "a seed that lacks pictures is shown"
sed 's/"samples": 7/"name": "study", "samples": 8/' study.json >changed.json
refused 2 'samples: folder has 7, study file 8' "$GYRE" study changed.json --out study

# ---- refused
refused 2 'expected --samples N beside it' "$GYRE" eval run --features classifier
refused 2 'expected 2 to 100000, found 100001' "$GYRE" eval run --samples 100001
refused 2 '--samples: expected whole number >= 2' "$GYRE" eval run --samples 1
refused 2 'expected a network whose loss is denoise' "$GYRE" eval classifier --samples 4
refused 2 'expected a network that tells a class for each picture' "$GYRE" eval run --samples 4 --features run
refused 3 "'nothing' does not exist" "$GYRE" eval run --samples 4 --features nothing
make_dataset large.h5 40 20 12 3
sed 's/pictures.h5/large.h5/' classifier.json >large.json
ends 0 "$GYRE" train large.json --out large --quiet
refused 2 'expected a network for pictures of 8 x 8 x 3 (height, width, channels), found one for pictures of 12 x 12 x 3' \
    "$GYRE" eval run --samples 4 --features large
sed 's/{"name": "features"[^}]*}, //' classifier.json >single.json
ends 0 "$GYRE" train single.json --out single --quiet
refused 2 'some layers before its last one' "$GYRE" eval run --samples 4 --features single
study() { sed "$1" study.json >bad.json && refused "$2" "$3" "$GYRE" study bad.json --out bad; }
study 's/"samples": 7, //' 2 '"samples" beside it'
study 's/"samples": 7/"samples": 1/' 2 'samples: expected whole number 2..100000'
study 's/"classifier"/"large"/' 2 'features: '
study 's/config.json/classifier.json/; s/"schedule.max_lr": 0.02/"schedule.base_lr": 0.02/; s/\["midpoint"\]/false/; s/, "features": "classifier"//' 2 'samples: expected a network whose loss is denoise'
sed 's/"up_block_types"/"num_class_embeds": 11, &/' config.json >classes.json
study 's/config.json/classes.json/' 2 'sample.class'
[ ! -e bad ] || fail "a folder is left of a study that was refused"
