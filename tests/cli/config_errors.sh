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
refused 2 "--set optimizer.momentum=high: " \
    "$GYRE" train "$T/bad.json" --out "$T/run" --set optimizer.momentum=high
refused 3 "$T/nowhere.json" "$GYRE" train "$T/nowhere.json" --out "$T/run"
exit 0
