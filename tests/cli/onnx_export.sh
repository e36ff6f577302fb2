#!/usr/bin/env bash
# gyre export onnx: a network with a node of every type, and networks of the zoo under every normalisation, give the
# logits of gyre eval when numpy computes the file; so do samples that are arrays, and targets of each pixel.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
cp "$lib/onnx_run.py" .
make_dataset images.h5 100 30 23 3
make_dataset gray.h5 100 30 16 1
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 20, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 3}
}
JSON
cat >check.py <<'P'
import csv, json, sys
import h5py, numpy as np
from onnx_run import Model

_, run, data, kind = sys.argv
model = Model(run + ".onnx")
with h5py.File(data) as f:
    x = f["test/" + kind][:].astype("f4")
    names = [n.decode() for n in f["names"]] if "names" in f else None
x = (x if x.ndim == 4 else x[:, None, None]).transpose(0, 3, 1, 2)
y = model.run(x)
want = np.array([[float(v or "nan") for v in row] for row in list(csv.reader(open(run + ".csv")))[1:]])
if y.ndim == 4:
    y = y.transpose(0, 2, 3, 1)
y = y.reshape(len(x), -1)
want = want[:, -y.shape[1]:]
off = np.abs(y - want).max() / np.abs(want).max()
assert off <= 2e-5, off  # sums of f32 in another order; the networks are shallow
assert (model.opset, model.inputs, model.outputs) == (17, ["input"], ["logits"])
assert model.metadata["gyre.version"] and len(model.metadata["gyre.config_hash"]) == 16
assert json.loads(model.metadata.get("gyre.class_names", "null")) == names, model.metadata
P
same_logits() { # name, dataset, images or arrays, more of gyre train
    local run=$1 data=$2 kind=$3
    shift 3
    ends 0 "$GYRE" train config.json --quiet --out "$run" --set data.path="$data" "$@"
    ends 0 "$GYRE" export onnx "$run" -o "$run.onnx"
    [ "$(cat out)" = "$run.onnx" ] || fail "$(cat out)"
    ends 0 "$GYRE" eval "$run" --predictions "$run.csv"
    /usr/bin/python3 check.py "$run" "$data" "$kind" || fail "$run: other logits"
}
file=(--set model.name=null --set model.file="$lib/every_node.json")
same_logits every images.h5 images "${file[@]}"
/usr/bin/python3 - "$lib/every_node.json" <<'P' || fail "a type of node is in no test"
import json, re, subprocess, os, sys
page = subprocess.run([os.environ["GYRE"], "help", "nodes", "--markdown"], capture_output=True, text=True).stdout
types = set(re.findall(r"^## (\w+)$", page, re.M))
have = {n["type"] for n in json.load(open(sys.argv[1]))["nodes"]}
refused = {"diffuse", "time", "embedding", "context", "latent"}  # denoise.sh, latents.sh: what draws in evaluation, too
assert len(types) > 25 and types == have | refused, types ^ have
P
same_logits mean images.h5 images --set data.augment.normalize=mean_image --set model.name=mlp
same_logits raw gray.h5 images --set data.augment.normalize=raw --set schedule.base_lr=1e-6
same_logits given images.h5 images --set 'data.augment.normalize={"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]}'
same_logits resnet gray.h5 images --set model.name=resnet20

# Samples that are rows of numbers, with values as targets; a class for each pixel.
/usr/bin/python3 - <<'P' || fail "datasets"
import h5py, numpy as np
r = np.random.RandomState(1)
for name, x, t in (("rows", r.randn(100, 7).astype("f4") * 30, r.randn(100, 2).astype("f4")),
                   ("pixels", r.randn(100, 8, 9, 2).astype("f4"), r.randint(0, 3, (100, 8, 9)).astype("i4"))):
    with h5py.File(name + ".h5", "w") as f:
        for part, rows in (("train", slice(0, 80)), ("test", slice(80, 100))):
            f[part + "/arrays"], f[part + "/targets"] = x[rows], t[rows]
P
cat >pixels.json <<'JSON'
{"nodes": [{"name": "a", "type": "conv", "channels": 5, "size": 3, "pad": 1}, {"name": "b", "type": "tanh"},
           {"name": "c", "type": "conv", "channels": "classes", "size": 1}]}
JSON
same_logits rows rows.h5 arrays --set model.name=mlp --set model.loss=mean_squared_error --set schedule.base_lr=1e-4
same_logits pixels pixels.h5 arrays --set model.name=null --set model.file=pixels.json

# What went out comes back by model.file, with weights and normalisation: the same function. The file that comes of it
# says the same again.
comes_back() { # name, dataset, more of gyre train
    local name=$1 data=$2
    shift 2
    ends 0 "$GYRE" train config.json --quiet --out "$name-back" --set data.path="$data" --set model.name=null "$@" \
        --set model.file="$name.onnx" --set model.batch_norm=frozen --set length.steps=1 --set schedule.base_lr=1e-30
    ends 0 "$GYRE" eval "$name-back" --predictions "$name-back.csv"
    ends 0 "$GYRE" export onnx "$name-back" -o "$name-back.onnx"
    /usr/bin/python3 - "$name" <<'P' || fail "$name: another network came back"
import csv, sys
import numpy as np
from onnx_run import Model

name = sys.argv[1]
a, b = [np.array([[float(v) for v in row[3:]] for row in list(csv.reader(open(f)))[1:]])
        for f in (name + ".csv", name + "-back.csv")]
off = np.abs(a - b).max() / np.abs(a).max()
assert off <= 1e-6, off
out, back = Model(name + ".onnx"), Model(name + "-back.onnx")
weights = {k: v for k, v in out.constants.items() if "/" not in k}
assert all(np.array_equal(v, back.constants[k]) for k, v in weights.items()), (list(weights), list(back.constants))
P
}
comes_back given images.h5
same_logits mlp gray.h5 images --set model.name=mlp
comes_back mlp gray.h5
comes_back resnet gray.h5
comes_back raw gray.h5 # no operator normalises: the metadata tell
tr -d "[:space:]" <raw-back/config.json | grep -q "\"normalize\":\"raw\"" || fail "$(grep normalize raw-back/config.json)"
rm -rf raw-back
comes_back raw gray.h5 --set data.augment.normalize=raw
key=data.augment.normalize
refused 2 "is another than \"raw\", for which the weights of" "$GYRE" train config.json --out no --set data.path=gray.h5 \
    --set model.name=null --set model.file=raw.onnx --set $key=channel
ends 0 "$GYRE" train config.json --quiet --out fresh --set data.path=gray.h5 --set model.name=null --set model.file=raw.onnx \
    --set $key=channel --set model.init=fresh

# A checkpoint by itself, twice the same bytes; nothing of somebody else's is overwritten.
cp "$(echo given/checkpoints/*.h5)" alone.h5
ends 0 "$GYRE" export onnx alone.h5 -o alone.onnx
cmp alone.onnx given.onnx || fail "a checkpoint by itself gives another file"
ends 0 "$GYRE" export onnx alone.h5 -o alone.onnx
refused 2 "needs -o FILE" "$GYRE" export onnx given
echo mine >mine.onnx
refused 3 "'mine.onnx' would be overwritten, but gyre did not write it" "$GYRE" export onnx given -o mine.onnx
refused 3 "is a dataset" "$GYRE" export onnx images.h5 -o x.onnx
refused 3 "does not exist" "$GYRE" export onnx nowhere -o x.onnx
[ ! -e x.onnx ] || fail "something was written"
exit 0
