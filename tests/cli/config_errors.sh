#!/usr/bin/env bash
# Bad configs through the program: one line on stderr that names the file and the place, exit code 2
# on one rank and on two, and no file made.
set -u
. "$(dirname "$0")/lib/common.sh"

config() { printf '%s\n' "$1" >"$T/bad.json"; }
bad() { # code, words
    refused "$1" "$2" "$GYRE" train "$T/bad.json" --out "$T/run"
    refused "$1" "$2" mpirun -q -np 2 "$GYRE" train "$T/bad.json" --out "$T/run"
    [ ! -e "$T/run" ] || fail "a refused config made a run folder"
}

config '{
  "seed": 1
  "reduce": "fast"
}'
bad 2 "$T/bad.json:3:3: JSON syntax error"
config '{"optimizer": {"momentun": 0.9}}'
bad 2 "$T/bad.json: unknown key optimizer.momentun; the nearest is optimizer.momentum"
config '{"seed": 1, "seed": 2}'
bad 2 "$T/bad.json: key seed is given twice"
config '{"batch": {"size": "many"}}'
bad 2 "$T/bad.json: batch.size: expected whole number 1..2147483647, found \"many\""
config '{"optimizer": {"momentum": 1.5}}'
bad 2 "$T/bad.json: optimizer.momentum: expected number 0..0.999999, found 1.5"
config '{"data": {"path": "d.h5"}, "model": {"name": "lenet"}, "length": {"steps": 4}}'
bad 2 "no batch.size"
# batch norm over one value trains nothing; over two, it is unsteady
make_dataset "$T/images.h5" 40 8 32 3
config '{"data": {"path": "images.h5"}, "model": {"name": "resnet18"}, "batch": {"size": 8, "shards": 8},
    "schedule": {"policy": "constant", "base_lr": 0.02}, "length": {"steps": 1}}'
bad 2 "$T/bad.json: batch norm layer4.0.downsample.1 of resnet18 would take its statistics from one value"
refused 2 "statistics from one value" "$GYRE" find "$T/bad.json" --out "$T/run" --steps 40
ends 0 "$GYRE" train "$T/bad.json" --out "$T/two" --set batch.shards=4
grep -q "warning: batch norm layer4.0.downsample.1 takes its statistics from two values a shard" "$T/err" || fail "two values: $(cat "$T/err")"
refused 2 "--set optimizer.momentum=high: " \
    "$GYRE" train "$T/bad.json" --out "$T/run" --set optimizer.momentum=high
refused 3 "$T/nowhere.json" "$GYRE" train "$T/nowhere.json" --out "$T/run"
exit 0
