#!/usr/bin/env bash
# Runs build/guided/tests/fuzz/guided_READER for SECONDS: guided.sh READER SECONDS. It begins with small
# files of its kind and what earlier rounds kept in build/guided/kept; its words are what such files are
# made of. A finding ends it, and stays in build/guided.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD gyre=$PWD/$O/gyre fuzzer=$PWD/build/guided/tests/fuzz/guided_$1
mkdir -p "build/guided/kept/$1" "build/guided/seeds/$1"
cd build/guided

seeds_network() {
    cp "$root/tests/fuzz/network.json" seeds/network
    for name in small_cnn cifar10_full lenet resnet20 densenet40 efficientnet_b0; do
        "$gyre" model "$name" --json >"seeds/network/$name.json"
    done
    "$gyre" help nodes --markdown | sed -En 's/^## (.*)$/\1/p; s/^\| `([a-z_]+)` .*/\1/p' | sort -u |
        sed 's/.*/"\\"&\\""/' >words
}

# The libFuzzer of clang 14 reads no NUL in its words: they are the operators' names alone.
seeds_onnx() {
    rm -rf seeds/onnx && mkdir seeds/onnx
    /usr/bin/python3 "$root/tests/cli/lib/onnx_file.py" seeds/onnx
    /usr/bin/python3 "$root/tests/cli/lib/onnx_edges.py" seeds/onnx
    mkdir seeds/onnx/order && /usr/bin/python3 "$root/tests/cli/lib/onnx_order.py" files seeds/onnx/order
    rm -f seeds/onnx/{link,data,short,*.bin,*.txt}
    find seeds/onnx -size +32k -delete
    cp "$root"/tests/data/onnx/*.{preserve,training,folded}.onnx seeds/onnx
    sed -En 's/^    \{("[A-Za-z]+"), onnx_op.*/\1/p' "$root/src/onnx/table.c" >words
}

# A byte that tells how many bytes of tensors there are, and a header.
seeds_safetensors() {
    /usr/bin/python3 - seeds/safetensors <<'P'
import json, sys

def tensor(shape, begin, end, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}

headers = [(0, {}), (24, {"a": tensor([2, 3], 0, 24)}),
           (40, {"__metadata__": {"format": "pt"}, "a.weight": tensor([2, 3], 0, 24), "b": tensor([4, 1], 24, 40)}),
           (14, {"x": tensor([3], 0, 6, "F16"), "y": tensor([], 6, 14, "F64")})]
for i, (size, header) in enumerate(headers):
    open(f"{sys.argv[1]}/{i}", "wb").write(bytes([size]) + json.dumps(header).encode() + b"  ")
P
    printf '"\\"%s\\""\n' dtype shape data_offsets F32 F16 BF16 F64 I64 __metadata__ >words
}

# Networks for pictures of 16 x 16, so that many inputs are taken.
seeds_unet() {
    cp "$root"/tests/data/unet/{classes,conditional,no_attention,no_middle}.json seeds/unet
    for f in seeds/unet/*.json; do
        /usr/bin/python3 - "$f" <<'P'
import json, sys

c = json.load(open(sys.argv[1]))
c.update(in_channels=3, out_channels=3)
json.dump(c, open(sys.argv[1], "w"))
P
    done
    grep -ohE '"[A-Za-z_0-9]+"' seeds/unet/*.json | sort -u | sed 's/.*/"\\&"/; s/"$/\\""/; s/\\"\\""$/\\""/' >words
}

"seeds_$1"
"$fuzzer" -max_total_time="$2" -timeout=60 -max_len=32768 -dict=words -print_final_stats=1 "kept/$1" "seeds/$1"
