#!/usr/bin/env bash
# Bad configs through the program: one line on stderr that names the file and the place, exit code 2
# on one rank and on two, and no file made.
set -u
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
"$GYRE" --help | grep -q '^  gyre train ' || { echo "gyre train is not in this program"; exit 77; }

fail() {
    echo "FAILED: $*"
    exit 1
}

refused() { # code, words, command...
    local code=$1 words=$2 rc
    shift 2
    timeout 10 "$@" >"$T/out" 2>"$T/err"
    rc=$?
    [ $rc -eq "$code" ] || fail "exit $rc instead of $code: $* ($(cat "$T/err"))"
    [ "$(wc -l <"$T/err")" -eq 1 ] || fail "not one line: $(cat "$T/err")"
    grep -q "^gyre: error: " "$T/err" || fail "no 'gyre: error: ': $(cat "$T/err")"
    grep -qF -- "$words" "$T/err" || fail "no '$words' in: $(cat "$T/err")"
    [ ! -e "$T/run" ] || fail "a refused config made a run folder"
}

config() { printf '%s\n' "$1" >"$T/bad.json"; }
bad() { # code, words
    refused "$1" "$2" "$GYRE" train "$T/bad.json" --out "$T/run"
    refused "$1" "$2" mpirun -q -np 2 --oversubscribe "$GYRE" train "$T/bad.json" --out "$T/run"
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
