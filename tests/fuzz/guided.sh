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
    rm -f seeds/onnx/{many.onnx,link,data,short,*.txt}
    cp "$root"/tests/data/onnx/*.{preserve,training,folded}.onnx seeds/onnx
    sed -En 's/^    \{("[A-Za-z]+"), onnx_op.*/\1/p' "$root/src/onnx/table.c" >words
}

"seeds_$1"
"$fuzzer" -max_total_time="$2" -timeout=60 -max_len=32768 -dict=words -print_final_stats=1 "kept/$1" "seeds/$1"
