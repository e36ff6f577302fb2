#!/usr/bin/env bash
# Networks that come in by ONNX, as PyTorch's exporters write them: logits are PyTorch's; a run of
# one resumes and is scored without the file; new weights, another number of classes, and the
# normalisation that a file brings along.
set -u
. "$(dirname "$0")/lib/common.sh"
here=tests/data/onnx
gyre=$(realpath "$GYRE")

/usr/bin/python3 "$lib/onnx_data.py" "$T/squeeze.h5" 3 32 32
/usr/bin/python3 "$lib/onnx_data.py" "$T/plain.h5" 3 16 16
/usr/bin/python3 "$lib/onnx_data.py" "$T/response.h5" 3 16 16
/usr/bin/python3 "$lib/onnx_data.py" "$T/bare.h5" 3 16 16
/usr/bin/python3 "$lib/onnx_data.py" "$T/learned.h5" 3 16 16
/usr/bin/python3 "$lib/onnx_data.py" "$T/table.h5" 20

# config NETWORK FILE: $T/config.json
config() {
    local normalize='{"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}'
    [ "$1" != table ] || normalize='"raw"'
    cat >"$T/config.json" <<END
{"data": {"path": "$1.h5", "augment": {"normalize": $normalize}}, "model": {"file": "$2"}, "batch": {"size": 8},
 "schedule": {"policy": "constant", "base_lr": 0.05}, "length": {"steps": 6}}
END
}

# same KIND NAME: PyTorch's logits, or those after training, are in $T/out.csv
same() {
    /usr/bin/python3 - "$here/logits.json" "$1" "$2" "$T/out.csv" <<'END' || fail "$2: other $1 than PyTorch's"
import csv, json, sys
expected = json.load(open(sys.argv[1]))[sys.argv[2]][sys.argv[3]]
found = [[float(x) for x in r[3:]] for r in list(csv.reader(open(sys.argv[4])))[1:]]
top = max(abs(x) for row in expected for x in row)
off = max(abs(a - b) for r, s in zip(expected, found) for a, b in zip(r, s)) / top
assert len(found) == len(expected) == 16
print(sys.argv[3], off)
assert off <= 1e-5  # f32 against double: ten times what was measured
END
}

for file in "$here"/*.onnx; do
    name=$(basename "$file" .onnx)
    config "${name%.*}" "$(realpath "$file")"
    rm -f "$T/out.csv"
    ends 0 "$gyre" eval "$file" --model "$T/config.json" --data "$T/${name%.*}.h5" --predictions "$T/out.csv"
    same logits "$name"
done

# Training is PyTorch's: whole batches, plain gradient descent, as tests/data/onnx/make.py has it. The one of two batch
# norms that PyTorch had in evaluation mode is frozen, and 1 - g is of the same parameter as g.
for form in training dynamo_training; do
    config learned "$(realpath $here/learned.$form.onnx)"
    ends 0 "$gyre" train "$T/config.json" --set batch.size=16 --set batch.shards=1 --set length.steps=3 \
        --set optimizer.momentum=0 --set optimizer.weight_decay=0 --out "$T/learned" --quiet
    rm -f "$T/out.csv"
    ends 0 "$gyre" eval "$T/learned" --predictions "$T/out.csv"
    same trained learned.$form
    rm -r "$T/learned"
done

# The same network by either exporter: names of nodes with weights are PyTorch's.
parameters() { "$gyre" model "$1" --json 2>/dev/null | grep -oE '"name": "[^"]*", "type": "(conv|linear|batch_norm|layer_norm|group_norm)"' | sort; }
for name in squeeze plain response table learned; do
    [ "$(parameters $here/$name.preserve.onnx)" = "$(parameters $here/$name.dynamo.onnx)" ] ||
        fail "$name: the exporters' networks differ"
done

# Norms that lack weight or bias have as many parameters as in PyTorch, and a state_dict with no name more.
for form in preserve training dynamo dynamo_training; do
    ends 0 "$gyre" model $here/bare.$form.onnx
    grep -q "^total  *610 " "$T/out" || fail "bare.$form: $(grep ^total "$T/out")"
    [ ! -s "$T/err" ] || fail "bare.$form: $(cat "$T/err")"
done
config bare "$(realpath $here/bare.preserve.onnx)"
ends 0 "$gyre" train "$T/config.json" --out "$T/bare" --quiet
ends 0 "$gyre" export safetensors "$T/bare" -o "$T/bare.safetensors"
ends 0 "$gyre" export onnx "$T/bare" -o "$T/bare.onnx"
/usr/bin/python3 - "$T/bare.safetensors" <<'END' || fail "bare: other names"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
names = set(json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])) - {"__metadata__"}
torch = {"a.weight", "b.weight", "b.bias", "c.weight", "c.bias", "last.weight", "head.weight", "head.bias",
         "batch.running_mean", "batch.running_var"}
assert names == torch | {"affine_2.factor", "affine_2.shift"}, names ^ torch
END
ends 0 "$gyre" eval "$T/bare" --predictions "$T/there.csv"
ends 0 "$gyre" eval "$T/bare.safetensors" --model "$T/config.json" --data "$T/bare.h5" --predictions "$T/back.csv"
cmp "$T/there.csv" "$T/back.csv" || fail "bare: another network came back by safetensors"
echo '{"model": {"file": "bare.onnx"}}' >"$T/again.json"
ends 0 "$gyre" eval "$T/bare.onnx" --model "$T/again.json" --data "$T/bare.h5" --predictions "$T/again.csv"
cut -d, -f1-3 "$T/there.csv" | cmp -s - <(cut -d, -f1-3 "$T/again.csv") || fail "bare: other classes by ONNX"
ends 0 "$gyre" model "$T/bare.onnx"
grep -q "^total  *610 " "$T/out" || fail "bare: $(grep ^total "$T/out") came back by ONNX"

# What came in with folded batch norms is told how to be exported.
ends 0 "$gyre" model $here/squeeze.folded.onnx
grep -q "do_constant_folding=False" "$T/err" || fail "folding is not told"
ends 0 "$gyre" model $here/squeeze.preserve.onnx
[ ! -s "$T/err" ] || fail "$(cat "$T/err")"

# Folding costs the weights of a group norm their names, not their training, also where they are 1 and 0.
ends 0 "$gyre" model $here/plain.folded.onnx
grep -q "^total  *2202 " "$T/out" || fail "plain.folded: $(grep ^total "$T/out")"

# A run begins with the file's weights, and needs the file no more.
cp $here/squeeze.dynamo.onnx $here/squeeze.dynamo.onnx.data "$T"
config squeeze squeeze.dynamo.onnx
ends 0 "$gyre" train "$T/config.json" --out "$T/run" --stop-after 3 --quiet
grep -q '"taken":"16 of 16 parameters and 4 of 4 running statistics"' "$T/run/log.jsonl" ||
    fail "$(grep taken "$T/run/log.jsonl")"
ends 0 "$gyre" train "$T/config.json" --out "$T/whole" --quiet
# changed weights beside the file are another beginning
cp "$T/squeeze.dynamo.onnx.data" "$T/kept"
printf '\1' | dd of="$T/squeeze.dynamo.onnx.data" bs=1 seek=100 conv=notrunc status=none
refused 2 "is not the file that the run began from" "$gyre" train "$T/config.json" --out "$T/run" --quiet
rm "$T"/squeeze.dynamo.onnx*
ends 0 "$gyre" train "$T/run/config.json" --out "$T/run" --quiet
same_tables "$T/run" "$T/whole" || fail "the resumed run differs"
ends 0 "$gyre" eval "$T/run"

# New weights: as of the network alone.
cp $here/squeeze.preserve.onnx "$T/net.onnx"
config squeeze net.onnx
ends 0 "$gyre" train "$T/config.json" --set model.init=fresh --out "$T/fresh" --quiet
ends 0 "$gyre" model "$T/net.onnx" --json
cp "$T/out" "$T/net.json"
ends 0 "$gyre" train "$T/config.json" --set model.file=net.json --out "$T/json" --quiet
same_tables "$T/fresh" "$T/json" || fail "fresh weights differ from the network's"
refused 2 "leave one of them out" "$gyre" train "$T/config.json" --set model.init=fresh --set model.init_from=net.onnx \
    --out "$T/no" --quiet
# An ONNX file as a file of weights, for the same network in JSON.
ends 0 "$gyre" train "$T/config.json" --set model.file=net.json --set model.init_from=net.onnx --out "$T/from" --quiet
ends 0 "$gyre" train "$T/config.json" --out "$T/file" --quiet
same_tables "$T/from" "$T/file" || fail "the weights of the file differ"
exit 0
