#!/usr/bin/env bash
# safetensors both ways: a state_dict in PyTorch's layouts gives the trained network's score to the last digit, the
# export of a run is such a state_dict, and what comes back is what went out. Damaged headers are one line each.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
cp "$lib/safetensors_file.py" .
make_dataset images.h5 600 200 12 3
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 40, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.05}, "length": {"steps": 30}
}
JSON
ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" eval run
cp out own
last=$(echo run/checkpoints/*.h5)
/usr/bin/python3 - "$last" <<'P' || fail "files of weights"
import sys, h5py, numpy as np
from safetensors_file import write
with h5py.File(sys.argv[1]) as f:
    state = {k: v[:] for k, v in f["parameters"].items()}
    state.update((k, v[:]) for k, v in f["state/buffers"].items())
torch = {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in state.items()}
torch["fc.weight"] = state["fc.weight"].reshape(10, 2, 2, 64).transpose(0, 3, 1, 2).reshape(10, -1)
counts = {f"bn{i}.num_batches_tracked": np.array(30) for i in (1, 2, 3)}
np.savez("torch.npz", **torch)
write("good.safetensors", {**torch, **counts})
write("wide.safetensors", {k: v.astype("f8") for k, v in torch.items()})
write("half.safetensors", {k: v.astype("f2") for k, v in torch.items()})
write("bf16.safetensors", torch, bf16=True)
write("ones.safetensors", {k: v.reshape(1, *v.shape, 1) if v.ndim == 1 else v for k, v in torch.items()})
write("module.safetensors", {"module." + k: v for k, v in torch.items()})
write("near.safetensors", {k.replace("fc.weight", "fcc.weight"): v for k, v in torch.items()})
write("gyre.safetensors", state)
write("tensorflow.safetensors", {k: v.transpose(1, 2, 3, 0) if v.ndim == 4 else v.T for k, v in state.items()})
write("whole.safetensors", {**torch, "fc.bias": np.zeros(10, "i4")})
write("nan.safetensors", {**torch, "fc.bias": np.full(10, np.nan, "f4")})
names = sorted(torch)
for i in range(2):
    write(f"part-{i}.safetensors", {k: torch[k] for k in names[i::2]})
import json
index = {k: f"part-{i % 2}.safetensors" for i, k in enumerate(names)}
def put(name, mapped, **more):
    json.dump({"metadata": {"total_size": [1, {"a": "\"}"}]}, "weight_map": mapped, **more}, open(name, "w"))
put("all.safetensors.index.json", index)
put("other.index.json", {**index, "fc.bias": "part-0.safetensors", "fc.weight": "part-1.safetensors"})
put("more.index.json", {**index, "fc2.bias": "part-0.safetensors"})
put("less.index.json", {k: v for k, v in index.items() if k != "fc.bias"})
put("out.index.json", {**index, "fc.bias": "../part-0.safetensors"})
put("gone.index.json", {**index, "fc.bias": "part-7.safetensors"})
open("none.safetensors.index.json", "w").write("{}")
open("twice.index.json", "w").write('{"weight_map": {"a": "part-0.safetensors", "a": "part-1.safetensors"}}')
write("grouped.safetensors", {"a.weight": np.ones((8, 3, 3, 3), "f4"), "b.weight": np.ones((1, 8, 3, 3), "f4"),
                              "c.weight": np.ones((10, 8), "f4")})
write("turned.safetensors", {"a.weight": np.ones((8, 3, 3, 3), "f4"), "b.weight": np.ones((8, 1, 3, 3), "f4"),
                             "c.weight": np.ones((10, 8, 1, 1), "f4")})
open("net.pt", "wb").write(b"PK\3\4" + bytes(100))
P

# In: the score of the run, and the words for what was taken.
for file in good wide ones all.index; do
    [ $file = all.index ] && file=all.safetensors.index.json || file=$file.safetensors
    ends 0 "$GYRE" eval "$file" --model config.json
    cmp out own || fail "$file: another score: $(diff out own)"
    grep -q "^11 of 11 parameters and 6 of 6 running statistics from '$file'$" err || fail "$file: $(cat err)"
    ! grep -q "not of\|drawn\|permuted\|tell\|meant" err || fail "$file: $(cat err)"
done
for file in half bf16; do # the same up to the digits that it has
    ends 0 "$GYRE" eval $file.safetensors --model config.json
    accuracy() { sed -n 's/.*accuracy \([0-9.]*\) %.*/\1/p' "$1"; }
    /usr/bin/python3 -c 'import sys; a, b = map(float, sys.argv[1:]); assert abs(a - b) <= 1.5, (a, b)' "$(accuracy out)" "$(accuracy own)" ||
        fail "$file: $(cat out)"
done
start=("$GYRE" train config.json --quiet --set length.steps=1 --set schedule.base_lr=1e-30)
ends 0 "${start[@]}" --out from --set model.init_from=good.safetensors
ends 0 "${start[@]}" --out near --set model.init_from=near.safetensors
grep -qx "drawn, since the file has none: fc.weight (10, 256)" err || fail "$(cat err)"
grep -qx "in the file, but not of this network: fcc.weight (10, 256)" err || fail "$(cat err)"
grep -qx "is 'fcc.weight' of the file meant to be fc.weight?" err || fail "$(cat err)"
eval_of() { refused 3 "$2" "$GYRE" eval "$1" --model config.json; }
eval_of module.safetensors "all names begin with 'module.', those of model small_cnn do not"
eval_of gyre.safetensors "has the shape (32, 3, 3, 16), the network's is (32, 16, 3, 3): its axes have another order; write w.transpose(0, 3, 1, 2)"
eval_of tensorflow.safetensors "its axes have another order; write w.transpose(3, 2, 0, 1)"
eval_of whole.safetensors "fc.bias does not hold floats"
eval_of nan.safetensors "value 0 of fc.bias is nan"
# Axes of length 1 tell filters of other layers apart; at the end of a matrix they do not count.
cat >grouped.json <<'JSON'
{"data": {"path": "images.h5"}, "batch": {"size": 40}, "length": {"steps": 1}, "schedule": {"policy": "constant", "base_lr": 1e-30},
 "model": {"layers": {"nodes": [
    {"name": "a", "type": "conv", "channels": 8, "size": 3, "bias": false},
    {"name": "b", "type": "conv", "channels": 8, "size": 3, "groups": 8, "bias": false},
    {"name": "p", "type": "average_pool", "global": true}, {"name": "c", "type": "linear", "out": "classes", "bias": false}]}}}
JSON
refused 3 "b.weight has the shape (1, 8, 3, 3), the network's is (8, 1, 3, 3)" \
    "$GYRE" train grouped.json --out grouped --set model.init_from=grouped.safetensors
ends 0 "$GYRE" train grouped.json --out turned --set model.init_from=turned.safetensors
eval_of net.pt "'net.pt' is a file of torch.save, which only Python reads"
eval_of other.index.json "tensor 'fc.weight' is in './part-0.safetensors'; the index 'other.index.json' places it in part-1.safetensors"
eval_of more.index.json "names 18 tensors, its files hold 17"
eval_of less.index.json "tensor 'fc.bias' is in './part-1.safetensors'; the index 'less.index.json' does not name it"
eval_of out.index.json "names the file '../part-0.safetensors'; one beside the index was expected"
eval_of gone.index.json "part-7.safetensors"
eval_of none.safetensors.index.json "is JSON without \"weight_map\""
eval_of twice.index.json "names the tensor 'a' twice"

# The identity of an index is that of all its files: a resume refuses another content.
ends 0 "${start[@]}" --set length.steps=4 --stop-after 2 --out many --set model.init_from=all.safetensors.index.json
mv part-1.safetensors kept
/usr/bin/python3 - <<'P'
data = bytearray(open("kept", "rb").read())
data[-1] ^= 1
open("part-1.safetensors", "wb").write(data)
P
refused 2 "is not the file that the run began from" "${start[@]}" --set length.steps=4 --out many --set model.init_from=all.safetensors.index.json
mv kept part-1.safetensors

# Out: what numpy made of the checkpoint, bit by bit, in PyTorch's shapes; the way back is the same network.
ends 0 "$GYRE" export safetensors run -o net.safetensors
[ "$(cat out)" = net.safetensors ] || fail "$(cat out)"
/usr/bin/python3 - <<'P' || fail "the export is no state_dict of the run"
import numpy as np
from safetensors_file import read
metadata, state = read("net.safetensors")
want = np.load("torch.npz")
assert sorted(want) == list(state), list(state)
for name in want:
    assert want[name].shape == state[name].shape and np.array_equal(want[name], state[name]), name
assert metadata["format"] == "pt" and metadata["gyre.network"] == "small_cnn", metadata
P
ends 0 "$GYRE" eval net.safetensors --model config.json
cmp out own || fail "the export scores otherwise"
ends 0 "${start[@]}" --out again --set model.init_from=net.safetensors --set model.batch_norm=frozen
ends 0 "$GYRE" export safetensors again/checkpoints/step-000000001.h5 -o again.safetensors
/usr/bin/python3 - <<'P' || fail "other numbers came back"
from safetensors_file import read
a, b = read("net.safetensors")[1], read("again.safetensors")[1]
assert list(a) == list(b) and all((a[k] == b[k]).all() for k in a)
P
cp net.safetensors first
ends 0 "$GYRE" export safetensors run -o net.safetensors
cmp first net.safetensors || fail "two exports of a run differ"
refused 2 "needs -o FILE" "$GYRE" export safetensors run
refused 3 "'config.json' would be overwritten, but gyre did not write it" "$GYRE" export safetensors run -o config.json
refused 3 "'good.safetensors' would be overwritten, but gyre did not write it" "$GYRE" export safetensors run -o good.safetensors
refused 3 "holds no checkpoint" "$GYRE" export safetensors . -o x.safetensors
refused 3 "is a dataset" "$GYRE" export safetensors images.h5 -o x.safetensors
refused 3 "a state_dict; it is for model.init_from" "$GYRE" export safetensors good.safetensors -o x.safetensors
[ ! -e x.safetensors ] || fail "something was written"

# A factor for each channel, and a flatten in gyre's order behind which a linear layer stands.
cat >nodes.json <<'JSON'
{"nodes": [
    {"name": "conv", "type": "conv", "channels": 6, "size": 3, "stride": 2},
    {"name": "gamma", "type": "scale", "initial": 0.5},
    {"name": "flat", "type": "flatten", "order": "hwc"},
    {"name": "drop", "type": "dropout", "p": 0.1},
    {"name": "fc", "type": "linear", "out": "classes"}
]}
JSON
ends 0 "$GYRE" train config.json --quiet --set model.name=null --set model.file=nodes.json --out nodes
ends 0 "$GYRE" export safetensors nodes -o nodes.safetensors
/usr/bin/python3 - <<'P' || fail "the export of a list of nodes"
import h5py, numpy as np
from safetensors_file import read
state = read("nodes.safetensors")[1]
with h5py.File("nodes/checkpoints/step-000000030.h5") as f:
    own = {k: v[:] for k, v in f["parameters"].items()}
h = int((own["fc.weight"].shape[1] // 6) ** 0.5)
assert state["gamma"].shape == (6, 1, 1) and (state["gamma"].ravel() == own["gamma.weight"]).all()
assert (state["fc.weight"].reshape(10, 6, h, h) == own["fc.weight"].reshape(10, h, h, 6).transpose(0, 3, 1, 2)).all()
P
ends 0 "$GYRE" eval nodes
cp out own
sed 's/"name": "small_cnn"/"file": "nodes.json"/' config.json >nodes_config.json
ends 0 "$GYRE" eval nodes.safetensors --model nodes_config.json
cmp out own || fail "the way back of a list of nodes"

# Other commands know what it is.
ends 0 "$GYRE" inspect good.safetensors
grep -q "^good.safetensors: a state_dict of 20 tensors, for model.init_from" out || fail "$(cat out)"
grep -q "^  conv2.weight  *(32, 16, 3, 3)$" out || fail "$(cat out)"
ends 0 "$GYRE" inspect good.safetensors --names
[ "$(wc -l <out)" -eq 20 ] || fail "$(cat out)"
refused 2 "is a state_dict; it is for model.init_from" "$GYRE" train good.safetensors --out x

# Damage: each is one line and exit code 3, and names what was expected.
/usr/bin/python3 - <<'P' || fail "damaged files"
import json
from safetensors_file import raw
def entry(shape, begin, end, kind="F32", **more):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end], **more}
def file(name, header, data=b"", length=None):
    raw(f"bad-{name}.safetensors", header if isinstance(header, (str, bytes)) else json.dumps(header), data, length)
file("overlap", {"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12))
file("hole", {"a": entry([2], 0, 8), "b": entry([2], 12, 20)}, bytes(20))
file("late", {"a": entry([2], 4, 12)}, bytes(12))
file("short", {"a": entry([2], 0, 8), "b": entry([2], 8, 16)}, bytes(12))
file("behind", {"a": entry([2], 0, 8)}, bytes(12))
file("huge", {"a": entry([2**40, 2**40], 0, 8)}, bytes(8))
file("wrap", {"a": entry([2**62, 4], 0, 0)})
file("far", {"a": entry([2], 2**64 - 8, 2**64)}, bytes(8))
file("end", {"a": entry([2], 8, 0)}, bytes(8))
file("size", {"a": entry([3], 0, 8)}, bytes(8))
file("minus", {"a": entry([-2], 0, 8)}, bytes(8))
file("real", {"a": entry([2.0], 0, 8)}, bytes(8))
file("type", {"a": entry([2], 0, 8, "F33")}, bytes(8))
file("lacks", {"a": {"dtype": "F32", "shape": [2]}}, bytes(8))
file("more", {"a": entry([2], 0, 8, strange=1)}, bytes(8))
file("dims", {"a": entry([1] * 9, 0, 4)}, bytes(4))
file("twice", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8))
file("metadata", {"__metadata__": {"a": 1}})
file("deep", '{"a":' + "[" * 100000 + "]" * 100000 + "}")
file("list", "[]")
file("open", '{"a":{"dtype":"F32"')
file("tail", "{} x")
file("zero", '{"a\\u0000b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4))
file("half", '{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4))
file("name", {"x" * 2000: entry([1], 0, 4)}, bytes(4))
file("length", "{}", length=2**63)
file("large", b"{" + b" " * (1 << 24) + b"}")
file("none", "")
open("bad-empty.safetensors", "wb").close()
open("bad-seven.safetensors", "wb").write(bytes(7))
good = open("good.safetensors", "rb").read()
for i, size in enumerate((9, 100, len(good) // 2, len(good) - 1)):
    open(f"bad-cut{i}.safetensors", "wb").write(good[:size])
open("bad-text.safetensors", "w").write("hello, this is text\n")
P
bad() { refused 3 "$2" "$GYRE" inspect "bad-$1.safetensors" && eval_of "bad-$1.safetensors" "$2"; }
bad overlap "tensor 'b' begins at byte 4 of the data, 8 was expected: tensors overlap"
bad hole "tensor 'b' begins at byte 12 of the data, 8 was expected: tensors leave a gap"
bad late "tensor 'a' begins at byte 4 of the data, 0 was expected: tensors leave a gap"
bad short "has 12 bytes of tensors, its header tells of 16: it was cut short"
bad behind "has 12 bytes of tensors, its header tells of 8: it holds something behind them"
for name in huge wrap end size; do bad $name "which is not the size that its shape needs"; done
bad far "a whole number of 0 to 18446744073709551615 was expected, found '184467440737"
bad minus "a whole number of 0 to 18446744073709551615 was expected, found '-2"
bad real "a whole number of 0 to 18446744073709551615 was expected, found '2.0"
bad type "a type of numbers, as \"F32\" was expected, found ' \"F33\""
bad lacks "tensor 'a' lacks its \"data_offsets\""
bad more "one each of \"dtype\", \"shape\" and \"data_offsets\" was expected"
bad dims "at most 8 dimensions was expected"
bad twice "has two tensors 'a'"
bad metadata "a text in quotes was expected, found '1"
bad deep "'{' was expected, found '[["
bad list "'bad-list.safetensors'"
bad open "was expected, found its end"
bad tail "nothing more was expected, found 'x'"
bad zero "a character of Unicode other than zero was expected"
bad half "a character of Unicode other than zero was expected"
bad name "a text of at most 1023 bytes was expected"
bad length "tells of a header of 9223372036854775808 bytes, and only 2 follow"
bad large "has a header of 16777218 bytes; at most 16777216 are read"
bad none "'{' was expected, found its end"
bad empty "has 0 bytes; a safetensors file begins with 8 bytes that tell its header's length"
bad seven "has 7 bytes; "
bad cut0 "tells of a header of "
bad cut1 "tells of a header of "
bad cut2 "it was cut short"
bad cut3 "it was cut short"
bad text "it is no safetensors file, or was cut short"
exit 0
