#!/usr/bin/env bash
# A linear layer may read a picture as rows (c, h, w) or (h, w, c), and a module's own matrix may be (in, out): what came
# from PyTorch by ONNX goes back by safetensors and from_gyre as it was, bit by bit, and comes in again by
# model.init_from, also for a network that reads the rows in another order.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
export PYTHONPATH=$PWD/python:$lib
order() { /usr/bin/python3 "$lib/onnx_order.py" "$@"; }
order files "$T" || fail "no files"
cd "$T" || exit 1
/usr/bin/python3 "$lib/onnx_data.py" d.h5 3 8 8
cat >config.json <<'END'
{"data": {"path": "d.h5", "augment": {"normalize": "raw"}}, "batch": {"size": 8}, "length": {"steps": 1},
 "schedule": {"policy": "constant", "base_lr": 1e-40}}
END
# json NAME WORDS...: the network of NAME.onnx has each of them
json() {
    ends 0 "$gyre" model "$1.onnx" --json
    for words in "${@:2}"; do
        grep -qF "$words" out || fail "$1: no $words in $(cat out)"
    done
}
json hwc '"name": "fc", "type": "linear", "out": "classes", "order": "hwc"}'
json hwc_norm '"type": "linear", "out": "classes", "order": "hwc"}'
json chw '"type": "flatten", "order": "chw"}' '"type": "linear", "out": "classes"}'
json rows_transposed '"name": "mix", "type": "linear", "out": 4, "transposed": true}'
json pixels_transposed '"name": "mix", "type": "conv", "channels": 4, "size": 1, "dense": true, "transposed": true}'
json pixels '"name": "mix", "type": "conv", "channels": 4, "size": 1, "dense": true}'

# scores FILE CONFIG TABLE
scores() {
    ends 0 "$gyre" eval "$1" --model "$2" --data d.h5 --predictions "$3"
    ! grep -q "drawn\|not of\|axes" err || fail "$1: $(cat err)"
}
near() { # TABLE TABLE: but for the sums' order
    /usr/bin/python3 - "$@" <<'P' || fail "$*: other predictions"
import csv, sys
import numpy as np
a, b = [np.array([[float(v) for v in r[3:]] for r in list(csv.reader(open(t)))[1:]]) for t in sys.argv[1:]]
off = np.abs(a - b).max() / np.abs(a).max()
assert off <= 1e-5, off
P
}
for name in chw hwc hwc_dropout hwc_norm rows_transposed pixels_transposed pixels places two_orders two_orders_hwc shared_factor; do
    sed 's/"batch"/"model": {"file": "'$name'.onnx"}, "batch"/' config.json >$name.json
    ends 0 "$gyre" train $name.json --out $name --quiet
    ends 0 "$gyre" export safetensors $name -o $name.safetensors
    order same $name || fail "$name: other weights went back"
    # in again, as the state_dict, and by gyre's own ONNX
    ends 0 "$gyre" eval $name --predictions own.csv
    scores $name.safetensors $name.json back.csv
    cmp own.csv back.csv || fail "$name: other weights came in by safetensors"
    ends 0 "$gyre" export onnx $name -o out.onnx
    scores out.onnx $name.json out.csv
    cmp own.csv out.csv || fail "$name: other weights came in by gyre's ONNX"
    sed 's/"batch"/"model": {"file": "out.onnx"}, "batch"/' config.json >out.json
    scores out.onnx out.json out.csv
    near own.csv out.csv
    ends 0 "$gyre" model out.onnx --json
    grep -o '"order": "hwc"\|"transposed": true' out >marks
    ends 0 "$gyre" model $name.onnx --json
    grep -o '"order": "hwc"\|"transposed": true' out | cmp - marks || fail "$name: $(cat marks) came back"
done

# A network that reads the picture as it lies takes weights of either order by ONNX; by safetensors the one that it names.
net() { # RELU ORDER
    cat <<END
{"nodes": [{"name": "stem", "type": "conv", "channels": 4, "size": 3, "pad": 1, "relu": $1},
    {"name": "fc", "type": "linear", "out": "classes", $2}]}
END
}
sed 's/"batch"/"model": {"file": "net.json"}, "batch"/' config.json >own.json
for name in chw hwc; do
    ends 0 "$gyre" eval $name --predictions want.csv
    for by in chw hwc; do
        net "$([ $name = chw ] && echo true || echo false)" '"order": "'$by'"' >net.json
        scores $name.onnx own.json found.csv
        near want.csv found.csv
        [ $by = $name ] || continue
        scores $name.safetensors own.json found.csv
        near want.csv found.csv
    done
done
net false '"transposed": true' >net.json
refused 2 'node fc: "transposed": expected with "order": "hwc" where a layer reads a picture of 8 x 8 with 4 channels' \
    "$gyre" train own.json --out no
net '1, "transposed": true' '"order": "hwc"' | sed 's/"relu": 1, //' >net.json
refused 2 'node stem: "transposed": expected with "dense": true' "$gyre" train own.json --out no
exit 0
