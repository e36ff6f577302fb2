#!/usr/bin/env bash
# Networks of gyre's own nodes in places where exporters do not put them go out by gyre export onnx and come back by
# model.file as the same function: activations and norms behind numbers, causal attention, gated GELU, x and -x.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
cd "$T" || exit 1
/usr/bin/python3 "$lib/onnx_data.py" d.h5 3 8 8
/usr/bin/python3 - <<'P' || fail "no networks"
import json

half, less = {"type": "affine", "factor": 0.5}, {"type": "affine", "factor": -1.5, "shift": 0.25}
one = {"type": "scale", "by_channel": False, "initial": 0.7}
conv, end = {"type": "conv", "channels": 8, "size": 3, "pad": 1}, [{"type": "average_pool", "global": True}, {"type": "linear", "out": "classes"}]
acts = [{"type": t} for t in ("gelu", "gelu_tanh", "silu", "mish", "hardswish", "hardsigmoid", "layer_norm", "tanh")]
acts += [{"type": "lrn", "size": 3}, {"type": "channel_lrn", "size": 4}, {"type": "group_norm", "groups": 2, "silu": True}]
numbers = [half, less, one]
nets = {"numbers": [conv, *(n for i, a in enumerate(acts) for n in (numbers[i % 3], a, {"type": "affine", "factor": 3})), *end],
        "single": [half, less, one, {"type": "gelu"}, conv, *end],
        "gated": [conv, half, {"type": "geglu"}, less, *end],
        "causal": [conv, {"name": "q", **less}, {"type": "attention", "inputs": ["q", "q", "n0"], "heads": 2, "causal": True}, *end],
        "minus": [{"name": "m", "type": "affine", "factor": -1, "input": "images"},
                  {"type": "concat", "inputs": ["images", "m"]}, conv, *end],
        "turned": [{"type": "affine", "factor": -1}, conv, *end]}
for name, nodes in nets.items():
    json.dump({"nodes": [{"name": f"n{i}", **n} for i, n in enumerate(nodes)]}, open(name + ".json", "w"))
P
cat >near.py <<'P'
import csv, sys
import numpy as np
a, b = [np.array([[float(v) for v in r[3:]] for r in list(csv.reader(open(t)))[1:]]) for t in sys.argv[1:]]
off = np.abs(a - b).max() / np.abs(a).max()
assert a.std(0).min() > 0 and off <= 1e-6, off
P
for name in numbers single gated causal minus turned; do
    echo '{"data": {"path": "d.h5"}, "model": {"file": "'$name'.json"}, "batch": {"size": 8}, "length": {"steps": 2},
 "schedule": {"policy": "constant", "base_lr": 0.001}}' >config.json
    rm -rf run
    ends 0 "$gyre" train config.json --out run --quiet
    ends 0 "$gyre" eval run --predictions there.csv
    ends 0 "$gyre" export onnx run -o net.onnx
    echo '{"model": {"file": "net.onnx"}}' >back.json
    ends 0 "$gyre" eval net.onnx --model back.json --data d.h5 --predictions back.csv
    /usr/bin/python3 near.py there.csv back.csv 2>off || fail "$name: $(tail -1 off)"
done
exit 0
