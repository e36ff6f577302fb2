#!/usr/bin/env bash
# What a denoiser's error is read against (gyre eval --bounds). Samples are single Gaussian numbers at
# a single time, so that the best denoiser of all is linear and a convolution of one weight can be it:
# the network, the best linear denoiser, and the one that knows 20,000 training samples by heart must
# agree; network and by heart do so on 48 draws only where they are given the same noise.
set -u
. "$(dirname "$0")/lib/common.sh"
/usr/bin/python3 - "$T" <<'PYTHON'
import json, sys
import h5py, numpy as np
folder = sys.argv[1]
draw = np.random.RandomState(1)
parts = {"train": draw.normal(1, 2, 20000), "test": draw.normal(1, 2, 12), "validation": draw.normal(1, 2, 4000)}
with h5py.File(f"{folder}/numbers.h5", "w") as f:
    for part, x in parts.items():
        f[f"{part}/arrays"] = x.astype("f4").reshape(-1, 1, 1, 1)
        f[f"{part}/labels"] = (np.arange(len(x)) % 2).astype("<i4")
kept = 0.7 * 0.5  # alpha_bar of the second of two times, with beta 0.3 and 0.5
x = parts["train"].astype("f4").astype("f8")
weight = np.sqrt(1 - kept) / (kept * x.var() + 1 - kept)
with h5py.File(f"{folder}/best.h5", "w") as f:
    f["parameters/out.weight"] = np.full((1, 1, 1, 1), weight, "f4")
    f["parameters/out.bias"] = np.full(1, -weight * np.sqrt(kept) * x.mean(), "f4")
config = {"data": {"path": f"{folder}/numbers.h5", "augment": {"normalize": "raw"}},
          "model": {"loss": "denoise", "layers": [
              {"name": "noised", "type": "diffuse", "steps": 2, "beta_start": 0.3, "beta_end": 0.5, "from": 1},
              {"name": "out", "type": "conv", "channels": 1, "size": 1}]},
          "batch": {"size": 4}, "length": {"steps": 2}, "evaluate": {"pairs": 4},
          "schedule": {"policy": "constant", "base_lr": 0.001}}
json.dump(config, open(f"{folder}/config.json", "w"))
PYTHON
cd "$T" || exit 1

bounds() { # output file, part, more
    "$GYRE" eval best.h5 --model config.json --part "$2" --bounds "${@:3}" >"$1" 2>err.txt || fail "eval: $(cat err.txt)"
}
bounds few.txt test
bounds many.txt validation
/usr/bin/python3 - few.txt many.txt <<'PYTHON' || fail "the three denoisers do not agree"
import sys
row = lambda path: [float(x) for x in next(l for l in open(path) if "all times" in l).split()[2:]]
network, linear, heart = row(sys.argv[1])
assert abs(heart - network) < 0.03 * network, "48 draws of one noise"
network, linear, heart = row(sys.argv[2])
assert abs(heart - network) < 0.03 * network and abs(linear - network) < 0.05 * network, "16,000 draws: sd 1.1 %"
PYTHON
grep -q 'mean of the 20000 training images' few.txt || fail "the number of training images is not told"
mpirun -q -np 2 "$GYRE" eval best.h5 --model config.json --part test --bounds >two.txt 2>/dev/null || fail "two ranks"
cmp -s few.txt two.txt || fail "two ranks find other bounds"

if command -v gnuplot >/dev/null; then
    bounds plotted.txt test --plot bounds.svg
    grep -q 'by heart' bounds.svg || fail "the figure lacks a line"
    refused 3 'bounds.svg' "$GYRE" eval best.h5 --model config.json --bounds --plot nowhere/bounds.svg
fi
refused 2 'give both' "$GYRE" eval best.h5 --model config.json --plot bounds.svg
cp numbers.h5 others.h5
/usr/bin/python3 -c 'import h5py; h5py.File("others.h5", "a")["train/arrays"][0] = 7'
ends 2 "$GYRE" eval best.h5 --model config.json --data others.h5 --bounds
grep -q "the run's own dataset" "$T/err" || fail "another dataset: $(cat "$T/err")"
/usr/bin/python3 - <<'PYTHON'
import json
c = json.load(open("config.json"))
c["model"] = {"name": "lenet"}
c["data"]["path"] = "images.h5"
json.dump(c, open("lenet.json", "w"))
PYTHON
make_dataset images.h5 40 8 28 1
ends 0 "$GYRE" train lenet.json --out lenet --quiet
refused 2 'whose loss is denoise, found cross_entropy' "$GYRE" eval lenet --bounds
