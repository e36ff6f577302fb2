#!/usr/bin/env bash
# Parameters go back to PyTorch under the names and in the shapes that they came with, by safetensors and from_gyre, also
# by gyre's own ONNX. What was computed from them does not go back, and it is said.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
export PYTHONPATH=$PWD/python:$lib
names() { /usr/bin/python3 "$lib/onnx_names.py" "$@"; }
names files "$T" || fail "no files"
cd "$T" || exit 1
/usr/bin/python3 "$lib/onnx_data.py" d.h5 3 8 8
cat >config.json <<'END'
{"data": {"path": "d.h5", "augment": {"normalize": "raw"}}, "batch": {"size": 8}, "length": {"steps": 1},
 "schedule": {"policy": "constant", "base_lr": 1e-40}}
END
marks() { # FILE: what its network says of PyTorch's
    ends 0 "$gyre" model "$1" --json
    grep -o '"\(names\|shapes\)": {[^}]*}' out
}
# trained NAME [MORE]: a run, its export, and what the file says of the network; MORE: of "model"
trained() {
    sed 's/"batch"/"model": {"file": "'$1'.onnx"'"${2:-}"'}, "batch"/' config.json >$1.json
    ends 0 "$gyre" train $1.json --out $1 --quiet
    cp err train.err
    ends 0 "$gyre" export safetensors $1 -o $1.safetensors
    cp err export.err
    ends 0 "$gyre" eval $1 --predictions own.csv
    ends 0 "$gyre" export onnx $1 -o out.onnx
    ends 0 "$gyre" eval out.onnx --model $1.json --data d.h5 --predictions out.csv
    cmp own.csv out.csv || fail "$1: other weights came in by gyre's ONNX"
    marks $1.onnx >marks
}

while read -r name weights missing; do
    trained $name
    names computed $name $weights $missing || fail "$name: other weights went back"
    grep -qF "$weights is left out: it was computed" export.err || fail "$name: $(cat export.err)"
    grep -q "computed from ${missing%%,*}: gyre trains" train.err || fail "$name: $(cat train.err)"
    grep -q '"names": {.*null' marks || fail "$name: $(cat marks)"
    marks out.onnx | cmp - marks || fail "$name: $(marks out.onnx) came back for $(cat marks)"
done <<'END'
weight c.weight c.weight
bias c.bias c.bias
linear head.weight head.weight
gain b.weight g
END

while IFS='|' read -r name told; do
    trained $name
    names same $name || fail "$name: other weights went back"
    [ "$(tr -d '\n' <marks)" = "$told" ] || fail "$name: $(cat marks)"
    ends 0 "$gyre" eval $name.safetensors --model $name.json --data d.h5 --predictions back.csv
    cmp own.csv back.csv || fail "$name: other weights came in by safetensors"
done <<'END'
greek|"names": {"weight": "n.gamma", "bias": "n.beta"}
root|"names": {"weight": "w", "bias": "b"}
list|"names": {"weight": "p.0", "bias": "p.1"}
other|"names": {"bias": "n.b"}
kernel|"names": {"weight": "c.kernel", "bias": "c.bias_"}
added|"names": {"bias": "b"}"shapes": {"bias": [4, 1, 1]}
line|"shapes": {"bias": [1, 4, 1, 1]}
factor|"shapes": {"weight": []}
factor_fresh|"shapes": {"weight": []}
factor_list|"shapes": {"weight": [1]}
slope|"names": {"weight": "act.weight"}"shapes": {"weight": [1]}
slope_twice|"names": {"weight": "act.weight"}"shapes": {"weight": [1]}
slopes|"names": {"weight": "act.weight"}
layer_scale|"shapes": {"weight": [4]}
pixel_scale|"shapes": {"weight": [4]}
norm_4d|"shapes": {"weight": [1, 4, 1, 1], "bias": [1, 4, 1, 1]}
view|"shapes": {"weight": [10, 4, 1, 1]}
END

# Any name that PyTorch allows, and the same network again from gyre's ONNX. A parameter with the name of gyre's input,
# or of a value, is beside its name there.
for name in slash colon long quotes alike calls ours; do
    trained $name ', "batch_norm": "frozen"' # a run leaves running statistics as they are
    names same $name || fail "$name: other weights went back"
    others=
    [ $name != ours ] || others="input logits stem/weight stem/1 stem/factor images/0"
    names exported $name $others || fail "$name: other names in gyre's ONNX"
    marks out.onnx | cmp - marks || fail "$name: $(marks out.onnx) came back for $(cat marks)"
    ends 0 "$gyre" eval $name.safetensors --model $name.json --data d.h5 --predictions back.csv
    cmp own.csv back.csv || fail "$name: other weights came in by safetensors"
done
refused 3 "has 1024 bytes; at most 1023 were expected: rename it before the export" "$gyre" model endless.onnx

# Buffers by TorchScript stay as they are where to_gyre tells them.
kinds() {
    ends 0 "$gyre" model $1.onnx --json
    grep -o '"name": "\(blur\|gain\)", "type": "[a-z]*"\|"lr_mult": {[^}]*}' out | tr '\n' ' '
}
[ "$(kinds told)" = '"name": "blur", "type": "conv" "lr_mult": {"weight": 0} "name": "gain", "type": "affine" ' ] ||
    fail "told: $(kinds told)"
for name in untold odd_list; do
    [ "$(kinds $name)" = '"name": "blur", "type": "conv" "name": "gain", "type": "scale" ' ] || fail "$name: $(kinds $name)"
done

# A batch norm that lies in a convolution is told of.
for name in folded plain; do
    ends 0 "$gyre" model $name.onnx
    grep -c "batch norms were folded into convolutions" err >count
    [ "$(cat count)" = "$([ $name = plain ]; echo $?)" ] || fail "$name: $(cat err)"
done

# Of a weight of two modules, each of which has a bias, one copy goes back under its name, and the biases to their own.
trained shared
names shared shared body.weight || fail "shared: other weights went back"
# So do running statistics, which a run leaves as they are where batch norm is frozen.
sed 's/"batch"/"model": {"file": "shared_norm.onnx", "batch_norm": "frozen"}, "batch"/' config.json >shared_norm.json
ends 0 "$gyre" train shared_norm.json --out shared_norm --quiet
ends 0 "$gyre" export safetensors shared_norm -o shared_norm.safetensors
names shared shared_norm b.weight || fail "shared_norm: other weights went back"

# What a node may say.
net() {
    echo '{"nodes": [{"name": "n", "type": "batch_norm", '"$1"'}, {"name": "fc", "type": "linear", "out": "classes"}]}'
}
sed 's/"batch"/"model": {"file": "net.json"}, "batch"/' config.json >own.json
wrong() { # WORDS TOLD
    net "$1" >net.json
    refused 2 "$2" "$gyre" train own.json --out no
}
net '"names": {"weight": "x", "bias": "x"}' >net.json
ends 0 "$gyre" train own.json --out twice --quiet
refused 2 'two tensors would have the name x; the option "names" of a node gives one of them another' \
    "$gyre" export safetensors twice -o twice.safetensors
wrong '"names": "n"' 'node n: "names": expected an object with a key for each parameter'
wrong '"names": {"kernel": "k"}' 'node n: "names": it has no parameter "kernel"'
wrong '"shapes": {"weight": [2, 2]}' 'node n: "shapes": "weight": expected at most 4 sizes whose product is 3, found [2,2]'
wrong '"shapes": {"bias": 3}' 'node n: "shapes": "bias": expected at most 4 sizes whose product is 3, found 3'
wrong '"names": {"running": "k"}' 'node n: "names": it has no parameter "running"'
wrong '"names": {"running_var": ""}' 'node n: "names": "running_var": expected its name in PyTorch'
wrong '"names": {"weight": 3}' 'node n: "names": "weight": expected its name in PyTorch'
exit 0
