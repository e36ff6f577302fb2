#!/usr/bin/env bash
# Runs build/guided/tests/fuzz/guided_READER for SECONDS: guided.sh READER SECONDS. It begins with
# tests/fuzz/READER.json, small networks of the zoo and what earlier rounds kept in build/guided/kept;
# its words are the names of node types and options. A finding ends it, and stays in build/guided.
set -eu
cd "$(dirname "$0")/../.."
gyre=$PWD/$O/gyre fuzzer=$PWD/build/guided/tests/fuzz/guided_$1 seed=$PWD/tests/fuzz/$1.json
mkdir -p "build/guided/kept/$1" "build/guided/seeds/$1"
cd build/guided
cp "$seed" "seeds/$1"
for name in small_cnn cifar10_full lenet resnet20 densenet40 efficientnet_b0; do
    "$gyre" model "$name" --json >"seeds/$1/$name.json"
done
"$gyre" help nodes --markdown | sed -En 's/^## (.*)$/\1/p; s/^\| `([a-z_]+)` .*/\1/p' | sort -u |
    sed 's/.*/"\\"&\\""/' >words
"$fuzzer" -max_total_time="$2" -timeout=60 -max_len=32768 -dict=words -print_final_stats=1 "kept/$1" "seeds/$1"
