#!/usr/bin/env bash
# Every Python example of docs/formats.md is run, in the order of the page, in one folder; and the weights that
# one of them writes give gyre the network that they were in PyTorch's order of axes.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 100},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 10}
}
JSON
ends 0 "$GYRE" train "$T/config.json" --out "$T/run"
/usr/bin/python3 - "$PWD/docs/formats.md" "$T" <<'P' || fail "an example of docs/formats.md"
import os, re, sys
import numpy as np
text = open(sys.argv[1]).read()
os.chdir(sys.argv[2])
examples = re.findall(r"<!-- test: (\w+) -->\n```python\n(.*?)```", text, re.S)
assert len(examples) == text.count("```python") - text.count("<!-- score.py -->") >= 2, "an example without a test"
for name, code in examples:
    print("--", name)
    names = {}
    exec(compile(code, name, "exec"), names)
    if name == "weights": np.savez("state.npz", **names["state"])
P

# What inspect lists of weights, and of a checkpoint; docs/models.md has every network, in valid Python.
ends 0 "$GYRE" inspect "$T/weights.h5"
grep -q '^.*weights.h5: weights from elsewhere' "$T/out" && grep -q '^  /parameters/conv2.weight  *(32, 3, 3, 16)$' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$GYRE" inspect "$T/run" --names
grep -q '^  /parameters/fc1.weight  *(256, 64)$' "$T/out" && grep -q '^  /optimizer/momentum/fc3.bias ' "$T/out" || fail "$(cat "$T/out")"
/usr/bin/python3 - "$PWD/docs/models.md" "$("$GYRE" help models)" <<'P' || fail "docs/models.md"
import re, sys
text = open(sys.argv[1]).read()
compile(re.search(r"```python\n(.*?)```", text, re.S)[1], "models", "exec")
names = [line.split()[0] for line in sys.argv[2].splitlines() if re.match(r"\w+ {2,}", line)]
assert len(names) >= 12
for name in names:
    assert f"`{name}`" in text or f"`{name[6:]}`" in text, name
P

make_dataset "$T/large.h5" 100 40 16
cat >"$T/small.json" <<'JSON'
{
    "data": {"path": "large.h5", "augment": {"normalize": {"mean": [0.5], "std": [0.25]}}}, "model": {"name": "small_cnn"}
}
JSON
ends 0 "$GYRE" eval "$T/weights.h5" --model "$T/small.json"
grep -q '^fc.weight reads (h, w, c) = (2, 2, 64) as one row; ' "$T/err" || fail "$(cat "$T/err")"
/usr/bin/python3 - "$T" "$(head -n 1 "$T/out")" <<'P' || fail "the weights of docs/formats.md make another network"
import re, sys
import h5py, numpy as np
from numpy.lib.stride_tricks import sliding_window_view as windows
p = dict(np.load(sys.argv[1] + "/state.npz"))
with h5py.File(sys.argv[1] + "/large.h5") as f:
    images, labels = f["test/images"][:], f["test/labels"][:]
x = ((images / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2) # PyTorch's (n, c, h, w) from here on
of_channel = lambda v: v[None, :, None, None]
for i in "123":
    x = windows(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3))
    x = np.einsum("nchwrs,kcrs->nkhw", x, p[f"conv{i}.weight"], optimize=True)
    x = (x - of_channel(p[f"bn{i}.running_mean"])) / np.sqrt(of_channel(p[f"bn{i}.running_var"]) + 1e-5)
    x = np.maximum(x * of_channel(p[f"bn{i}.weight"]) + of_channel(p[f"bn{i}.bias"]), 0)
    n, k, h, w = x.shape
    x = x.reshape(n, k, h // 2, 2, w // 2, 2).max((3, 5))
x = x.reshape(len(x), -1) @ p["fc.weight"].T + p["fc.bias"]
loss = (np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), labels]).mean()
said = [float(v) for v in re.findall(r"loss ([\d.]+), accuracy ([\d.]+)", sys.argv[2])[0]]
assert abs(said[0] - loss) <= 1e-4 * max(1, loss) and abs(said[1] - 100 * (x.argmax(1) == labels).mean()) < 0.01, (said, loss)
P
