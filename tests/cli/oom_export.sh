#!/usr/bin/env bash
# Slow.
# Memory that runs out while a run is exported, or while an ONNX file or a safetensors file is read: one error that
# says so, no leak, and no file, or the file of an export that nothing disturbed. A sample of the requests fails
# (OOM=all: each of them, one after the other).
set -u
. "$(dirname "$0")/lib/common.sh"
. "$lib/oom.sh"
make_dataset "$T/images.h5" 60 20 16 3
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5", "validation": {"split": 0.2},
             "augment": {"normalize": {"mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.3]}}},
    "model": {"file": "net.onnx"}, "batch": {"size": 12}, "threads": 1, "length": {"steps": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 1},
    "evaluate": {"every": {"steps": 2}}
}
JSON
cp tests/data/onnx/plain.dynamo.onnx "$T/net.onnx"
cp tests/data/onnx/plain.dynamo.onnx.data "$T"
ends 0 "$GYRE" train "$T/config.json" --out "$T/run" --quiet

# An export of $T/run into a folder of its own.
write() { # format, k
    local name=$1.$2 code=0 to=$T/$1.$2/$1
    mkdir "$T/$name"
    OOM_LOG=$T/$name.log timeout -k 5 "${LIMIT:-10}" env OOM_AT="$2" "$gyre" export "$1" "$T/run" -o "$to" \
        >"$T/$name.out" 2>"$T/$name.err" || code=$?
    judge "$name" $code
    if [ $code -eq 0 ]; then
        diff -r "$T/whole/$1" "$to" >/dev/null || wrong "$name" "exit 0, and another file"
    elif [ "$1" != csv ]; then # of three files some may be whole
        [ -z "$(find "$T/$name" -type f)" ] || wrong "$name" "exit $code, and left $(find "$T/$name" -type f)"
    fi
    rm -rf "${T:?}/$name" "$T/$name".*
}
mkdir "$T/whole"
for format in onnx safetensors tensorboard csv; do
    sample "$(requests "$gyre" export $format "$T/run" -o "$T/whole/$format")" 7 write $format
done

# What was written is read, and a network whose weights lie beside it.
net() { attempt_reading "$@" "$gyre" model "$T/net.onnx" --json; }
exported() { attempt_reading "$@" "$gyre" model "$T/whole/onnx" --json; }
listed() { attempt_reading "$@" "$gyre" inspect "$T/whole/safetensors"; }
scored_onnx() { attempt_reading "$@" "$gyre" eval "$T/net.onnx" --model "$T/config.json"; }
scored_tensors() { attempt_reading "$@" "$gyre" eval "$T/whole/safetensors" --model "$T/config.json"; }
sample "$(requests "$gyre" model "$T/net.onnx" --json)" 15 net net
sample "$(requests "$gyre" model "$T/whole/onnx" --json)" 15 exported exported
sample "$(requests "$gyre" inspect "$T/whole/safetensors")" 3 listed listed
sample "$(requests "$gyre" eval "$T/net.onnx" --model "$T/config.json")" 40 scored_onnx scored_onnx
sample "$(requests "$gyre" eval "$T/whole/safetensors" --model "$T/config.json")" 40 scored_tensors scored_tensors
echo "$tried attempts"
