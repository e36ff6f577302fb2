#!/usr/bin/env bash
# The windows of PyTorch's adaptive pools follow the size of the example that a file was exported with. Where the file
# tells that a pool is one, it is a number of bins, or images of another size are refused; else a line tells.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
cd "$T" || exit 1
for side in 8 10; do /usr/bin/python3 "$lib/onnx_data.py" d$side.h5 3 $side $side; done
PYTHONPATH=$lib /usr/bin/python3 - <<'P' || fail "no files"
from onnx_wire import *

def pool(name, module, op, size, **more):
    told = chunk(9, chunk(1, "pkg.torch.onnx.class_hierarchy") + chunk(2, f"['torch.nn.modules.pooling.{module}', 'x']"))
    made = node(op, ["stem"], ["body"], "pool", kernel_shape=[size] * 2, strides=[more.get("stride", size)] * 2)
    open(name + ".onnx", "wb").write(around([made + told if module else made]))

pool("untold", None, "AveragePool", 2)
pool("untold_max", None, "MaxPool", 2)
pool("overlapping", None, "AveragePool", 3, stride=1)
pool("whole", None, "AveragePool", 8)
pool("plain", "AvgPool2d", "AveragePool", 2)
pool("adaptive", "AdaptiveAvgPool2d", "AveragePool", 2)
pool("single", None, "AveragePool", 1)
pool("largest", "AdaptiveMaxPool2d", "MaxPool", 2)
P
cat >config.json <<'END'
{"data": {"path": "d10.h5", "augment": {"normalize": "raw"}}, "batch": {"size": 8}, "length": {"steps": 1},
 "schedule": {"policy": "constant", "base_lr": 1e-40}}
END
train() { # NAME SIDE STATUS
    sed 's/"batch"/"model": {"file": "'$1'.onnx"}, "batch"/; s/d10/d'$2'/' config.json >$1.json
    rm -rf run
    ends $3 "$gyre" train $1.json --out run --quiet
}
line="was exported for images of 8 x 8, and those here are of 10 x 10: pools as body keep their windows"
for name in untold untold_max overlapping whole plain adaptive single largest; do
    train $name 8 0
    ! grep -q "exported for" err || fail "$name: $(cat err)"
    [ $name = largest ] && continue
    train $name 10 0
    case $name in
    untold*) grep -q "$line" err || fail "$name: $(cat err)" ;;
    *) ! grep -q "exported for" err || fail "$name: $(cat err)" ;;
    esac
done
train largest 10 2
grep -q "body is an adaptive pool, and the file has its windows for images of 8 x 8, not of 10 x 10 as here" err || fail "$(cat err)"
for name in adaptive:4 single:8; do
    ends 0 "$gyre" model ${name%:*}.onnx --json
    grep -q '"type": "adaptive_average_pool", "bins": '${name#*:}'}' out || fail "$name: $(cat out)"
done
exit 0
