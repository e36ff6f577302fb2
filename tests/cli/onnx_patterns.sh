#!/usr/bin/env bash
# What exporters write for one node of gyre, by older and newer operators, becomes that node.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
/usr/bin/python3 "$lib/onnx_file.py" "$T" || fail "no files"

count=0
while IFS=$'\t' read -r name types; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    found=$(sed -nE 's/.*"type": "([a-z0-9_]+)".*/\1/p' "$T/out" | tr '\n' ' ')
    case $name in
    joined) expected="conv $types conv average_pool linear " ;;
    dead | pad_nothing) expected="conv average_pool linear " ;; # the ReLU is the convolution's own
    *) expected="conv $types average_pool linear " ;;
    esac
    [ "$found" = "$expected" ] || fail "$name: $found instead of $expected: $(cat "$T/out")"
    count=$((count + 1))
done <"$T/patterns.txt"
[ $count -ge 28 ] || fail "$count patterns"

ends 0 "$gyre" model "$T/stochastic_depth.onnx" --json
grep -q '"p": 0.25' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/padded.onnx" --json
grep -q '"pad": \[1, 2, 1, 0\]' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/layer_norm.onnx" --json
grep -q '"name": "norm", "type": "layer_norm", "eps": 1e-06' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/group_norm.onnx" --json
grep -q '"name": "norm", "type": "group_norm", "groups": 2' "$T/out" || fail "$(cat "$T/out")"
for name in shared equal partly turned factor_and_bias; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    tied=$(grep -c '"parameters": "next"' "$T/out")
    [ $name:"$tied" = shared:1 ] || [ "$tied" -eq 0 ] || fail "$name: $(cat "$T/out")"
    told=$(grep -c "two nodes share .*, but not all of their weights, or .* each has a copy" "$T/err")
    case $name in
    partly | turned | factor_and_bias) [ "$told" -eq 1 ] || fail "$name: $(cat "$T/err")" ;;
    *) [ "$told" -eq 0 ] || fail "$name: $(cat "$T/err")" ;;
    esac
done
ends 0 "$gyre" model "$T/equal.onnx" --json
grep -q '"name": "last"' "$T/out" || fail "$(cat "$T/out")"
for name in counted zeros; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    grep -q '"pad": 1, "count_pad": true' "$T/out" || fail "$name: $(cat "$T/out")"
done
ends 0 "$gyre" model "$T/end_pads.onnx" --json
grep -q '"size": 3, "stride": 2, "ceil": true' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/within.onnx" --json
grep -q '"type": "lrn", "size": 3, "alpha": 0.5' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/question.onnx" --json
grep -q '"type": "channel_lrn", "size": 4, "alpha": 0.5, "k": 2' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/bins.onnx" --json
grep -q '"type": "adaptive_average_pool", "bins": 3' "$T/out" || fail "$(cat "$T/out")"

# Numbers that nothing trains, and norms without parameters.
option() { # NAME WORDS...: the network of NAME has each of them
    ends 0 "$gyre" model "$T/$1.onnx" --json
    for words in "${@:2}"; do
        grep -qF "$words" "$T/out" || fail "$1: no $words in $(cat "$T/out")"
    done
}
option number_Mul '"type": "affine", "factor": 2}'
option number_Add '"type": "affine", "shift": 2}'
option number_Sub '"type": "affine", "shift": -2}'
option number_Div '"type": "affine", "factor": 0.5}'
option number_minus '"type": "affine", "factor": -1, "shift": 2}'
option number_negative '"type": "affine", "factor": -1}'
option number_both '"type": "affine", "factor": 2, "shift": 0.5}'
option number_order '"type": "affine", "shift": 2}' '"type": "affine", "factor": 0.5}'
option channels_both '"type": "affine", "by_channel": true}'
option bare_batch '"name": "norm", "type": "batch_norm", "affine": false}'
option bare_named '"name": "norm", "type": "batch_norm", "affine": false}'
option fresh_batch '"name": "norm", "type": "batch_norm"}'
option bare_instance '"type": "group_norm", "groups": 4, "affine": false}'
option bare_layer '"type": "layer_norm", "affine": false}'
option no_bias '"name": "norm", "type": "layer_norm", "bias": false}'
option only_bias '"name": "norm", "type": "layer_norm", "lr_mult": {"weight": 0}}'
option pad_axes '"pad": [1, 2, 1, 0]'
for name in bare_batch number_Mul channels_Mul number_named channels_named no_momentum fresh_batch divided_named difference lerp biases; do
    ends 0 "$gyre" model "$T/$name.onnx"
    case $name in
    number_named) words="gain is a constant here, which training leaves as it is" ;;
    divided_named) words="offset is a constant here, which training leaves as it is" ;;
    no_momentum) words="a batch norm has a momentum of 1 or 0, as exporters write PyTorch's momentum=None" ;;
    *) words= ;;
    esac
    [ -n "$words" ] || [ ! -s "$T/err" ] || fail "$name: $(cat "$T/err")"
    grep -qF "$words" "$T/err" || [ -z "$words" ] || fail "$name: $(cat "$T/err")"
done
# What each makes of numbers: the file's own function, by numpy; trained, and out again.
cp "$lib/onnx_run.py" "$T"
cd "$T" || exit 1
/usr/bin/python3 "$lib/onnx_data.py" d.h5 3 8 8
cat >config.json <<'END'
{"data": {"path": "d.h5", "augment": {"normalize": "raw"}}, "model": {"file": "x.onnx"}, "batch": {"size": 8},
 "length": {"steps": 2}, "schedule": {"policy": "constant", "base_lr": 1e-6}}
END
cat >same.py <<'P'
import csv, sys
import h5py, numpy as np
from onnx_run import Model

name, table = sys.argv[1:]
with h5py.File("d.h5") as f:
    x = f["test/images"][:].astype("f4").transpose(0, 3, 1, 2)
want = Model(name).run(x)
found = np.array([[float(v) for v in r[3:]] for r in list(csv.reader(open(table)))[1:]])
off = np.abs(want - found).max() / np.abs(want).max()
assert off <= 1e-5, off  # sums of f32 in another order
P
for name in number_Div number_minus number_both number_order channels_Mul channels_Div channels_Sub channels_minus \
    channels_both channels_named divided_named difference lerp biases attention attention_turned attention_factor bare_batch bare_named bare_instance bare_layer no_bias only_bias; do
    rm -rf run a.csv b.csv
    sed "s/x.onnx/$name.onnx/" config.json >own.json
    ends 0 "$gyre" eval $name.onnx --model own.json --data d.h5 --predictions a.csv
    /usr/bin/python3 same.py $name.onnx a.csv || fail "$name: another function came in"
    ends 0 "$gyre" train own.json --out run --quiet
    ends 0 "$gyre" eval run --predictions b.csv
    ends 0 "$gyre" export onnx run -o out-$name.onnx
    /usr/bin/python3 same.py out-$name.onnx b.csv || fail "$name: another function went out"
    ends 0 "$gyre" model $name.onnx
    awk '/^total/ {print $2}' out >before
    ends 0 "$gyre" model out-$name.onnx
    awk '/^total/ {print $2}' out | cmp -s - before || fail "$name: other parameters came back: $(cat before out)"
done
refused 2 'model.init "fresh" takes no numbers of' "$gyre" train config.json --set model.file=channels_Mul.onnx \
    --set model.init=fresh --out no --quiet
exit 0
