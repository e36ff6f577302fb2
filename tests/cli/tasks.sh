#!/usr/bin/env bash
# Slow.
# Three kinds of task from data to report: pictures in classes by a network of the user's own with
# squeeze-and-excite, concat and dropout; a class for each pixel; a value for each row of a table, both as
# configs/examples has them, but shorter. Each ends, learns, and names its own metric everywhere.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
examples=$PWD/configs/examples

# learns NAME METRIC BOUND DIRECTION: range test, run, study of three arms and reports in the folder NAME.
learns() {
    cd "$T/$1" || fail "no folder $1"
    ends 0 "$GYRE" find config.json --out find --steps 60 --repeats 2
    grep -q "where .* stop.* improving" "$T/out" || fail "$1: $(cat "$T/out")"
    ends 0 "$GYRE" train config.json --out run
    grep -qE "^step [0-9]+: test loss [0-9.]+, $2 [0-9.]+" "$T/err" || fail "$1: no $2 in $(tail -3 "$T/err")"
    ends 0 "$GYRE" eval run
    grep -q "$2" "$T/out" || fail "$1: $(cat "$T/out")"
    local value
    value=$(sed -n "s/.*$2 \([0-9.]*\).*/\1/p" "$T/out")
    awk -v a="$value" -v b="$3" -v d="$4" 'BEGIN { exit !(d == "below" ? a < b : a > b) }' || fail "$1: $2 $value, not $4 $3"
    ends 0 "$GYRE" report run
    grep -qi "$2" run/report/index.html || fail "$1: the run's report does not name its $2"
    ends 0 "$GYRE" study study.json --out study
    [ "$(find study -name result.json | wc -l)" -eq 6 ] || fail "$1: not six cells"
    ends 0 "$GYRE" report study
    grep -q "measured: validation $2 at the last step" study/report/index.html || fail "$1: the study's report does not name its $2"
    [ -s "study/report/figures/$(tr ' ' - <<<"$2").svg" ] || fail "$1: no figure of $2"
    grep -q "against the constant midpoint: no difference that 2 seeds could show" study/report/index.html ||
        fail "$1: no verdict"
}
shorter() { # NAME EPOCHS: the example with fewer epochs and seeds
    cp -r "$examples/$1" "$T/$1"
    cd "$T/$1" || fail "no example $1"
    sed -i "s/\"epochs\": [0-9]*/\"epochs\": $2/" config.json
    sed -i 's/"seeds": 3/"seeds": 2/' study.json
    ends 0 /usr/bin/python3 make_data.py
    ends 0 "$GYRE" data import array x.npy y.npy -o "$3" --test x_test.npy,y_test.npy
}

shorter regression 10 table.h5
learns regression "root mean squared error" 1.6 below # from 5; the noise alone is 1
grep -qE 'on average [-+][0-9.]+ in root mean squared error' study/report/index.html || fail "a difference of what?"

shorter segmentation 3 pictures.h5
learns segmentation accuracy 80 above # the most frequent class is 65 %

mkdir "$T/pictures"
cd "$T/pictures" || exit 1
make_dataset pictures.h5 1200 200 8 3
cat >network.json <<'JSON'
[
    {"name": "a", "type": "conv", "channels": 8, "size": 3, "pad": 1},
    {"name": "bn", "type": "batch_norm", "relu": true},
    {"name": "squeeze", "type": "average_pool", "global": true},
    {"name": "reduce", "type": "conv", "channels": 2, "size": 1, "relu": true},
    {"name": "expand", "type": "conv", "channels": 8, "size": 1},
    {"name": "gate", "type": "sigmoid"},
    {"name": "excited", "type": "mul", "inputs": ["bn", "gate"]},
    {"name": "b", "type": "conv", "channels": 8, "size": 3, "pad": 1, "relu": true},
    {"name": "both", "type": "concat", "inputs": ["excited", "b"]},
    {"name": "pool", "type": "max_pool", "size": 2, "stride": 2},
    {"name": "drop", "type": "dropout", "p": 0.25},
    {"name": "fc", "type": "linear", "out": "classes"}
]
JSON
cat >config.json <<'JSON'
{
    "data": {"path": "pictures.h5"}, "model": {"file": "network.json"}, "batch": {"size": 50}, "length": {"epochs": 4},
    "schedule": {"policy": "triangular2", "base_lr": 0.002, "max_lr": 0.05, "cycles": 2}
}
JSON
cp ../regression/study.json .
learns pictures accuracy 60 above # of ten classes
