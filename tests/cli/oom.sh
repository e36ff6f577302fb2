#!/usr/bin/env bash
# Slow.
# Memory that runs out: the k-th request of gyre's own code fails, for k from the start of a run to
# its end, with a checkpoint and an evaluation after every step. It ends with one error that says so
# and the right code, or continues to the result of an undisturbed run; nothing leaks, nothing hangs,
# and the same command resumes afterwards. So does a resume, and a run on two ranks. And a steady
# step makes no request at all.
#
# A sample of them, since each is a process of its own (OOM=all: every k); tests/unit/test_memory.c
# goes through all of them in one process. See tests/unit/oom.h.
set -u
. "$(dirname "$0")/lib/common.sh"
. "$lib/oom.sh"
make_dataset "$T/images.h5" 60 20
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5", "validation": {"split": 0.2}, "augment": {"mirror": true}},
    "model": {"name": "small_cnn", "freeze": ["conv1"]}, "batch": {"size": 16, "shards": 2}, "threads": 2,
    "schedule": {
        "policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "momentum": {"min": 0.85, "max": 0.95},
        "stages": [{"length": {"steps": 1}, "policy": "constant"}, {"length": {"steps": 4}, "cycles": 1}]
    },
    "average": {"kind": "ema"}, "evaluate": {"every": {"steps": 1}},
    "checkpoint": {"every": {"steps": 1}, "best": true, "keep": 2}
}
JSON
train=("$gyre" train "$T/config.json" --quiet --out)
# An attempt at a run: in a fresh folder, in one that holds a run, or on two ranks of which one has
# no memory. `on` is not empty: nor has it any from there on.
attempt() { # kind, k, on
    local kind=$1 k=$2 name=$1.$2${3:+.on} code=0
    local launch=(env OOM_AT="$k" ${3:+OOM_ON=1})
    case $kind in
    resumed) cp -r "$T/stopped" "$T/$name" ;;
    rank*) launch+=(OOM_RANK="${kind#rank}" mpirun -q -np 2) ;;
    esac
    OOM_LOG=$T/$name.log timeout -k 5 "${LIMIT:-10}" "${launch[@]}" "${train[@]}" "$T/$name" 2>"$T/$name.err" || code=$?
    judge "$name" $code
    if [ -e "$T/$name" ]; then # with memory it resumes, to the end of an undisturbed run
        [ $code -eq 0 ] || ends 0 "${train[@]}" "$T/$name"
        [ "$("$GYRE" inspect "$T/$name" --hash)" = "$expected" ] || wrong "$name" "exit $code, and another run"
        cmp -s "$T/whole/config.json" "$T/$name/config.json" || wrong "$name" "exit $code, and another config.json"
        mkdir "$T/tables/$name"
        mv "$T/$name/metrics.h5" "$T/tables/$name" || wrong "$name" "exit $code, and no metrics.h5"
    fi
    rm -rf "${T:?}/$name" "$T/$name".*
}

mkdir "$T/tables"
fresh=$(requests "${train[@]}" "$T/whole") || fail "$fresh"
expected=$("$GYRE" inspect "$T/whole" --hash)
ends 0 "${train[@]}" "$T/stopped" --stop-after 3
cp -r "$T/stopped" "$T/copy"
resumed=$(requests "${train[@]}" "$T/copy") || fail "$resumed"
sample "$fresh" 40 attempt fresh ""
sample "$fresh" 300 attempt fresh on
sample "$resumed" 60 attempt resumed ""
sample "$resumed" 400 attempt resumed on
sample "$fresh" 150 attempt rank0 ""
sample 700 90 attempt rank1 ""
same_tables "$T/whole" "$T"/tables/* || fail "other tables"

# A network in JSON, read and printed.
"$GYRE" model small_cnn --json >"$T/net.json" || fail "gyre model"
cat >"$T/net.config.json" <<'JSON'
{"model": {"file": "net.json"}, "optimizer": {"groups": [{"match": "bias", "lr_mult": 2}]}}
JSON
show() { # kind, k
    attempt_reading "$@" "$gyre" model "$T/net.config.json" --json
}
sample "$(requests "$gyre" model "$T/net.config.json" --json)" 20 show network

# What is needed is asked for in the first two steps: none of the later ones asks for anything.
cat >"$T/steady.json" <<'JSON'
{
    "data": {"path": "images.h5", "validation": "none", "augment": {"mirror": true}},
    "batch": {"size": 16, "shards": 4}, "threads": 2, "schedule": {"policy": "constant", "base_lr": 0.01}
}
JSON
steady() { # ranks, model, steps: how many requests rank 0 makes
    rm -rf "$T/steady" "$T/count"
    OOM_LOG=$T/count ends 0 mpirun -q -np "$1" "$gyre" train "$T/steady.json" --quiet --out "$T/steady" \
        --set model.name="$2" --set length.steps="$3"
    sed -n 's/^count //p' "$T/count" | sort -n | tail -n 1
}
for ranks in 1 2; do
    for model in small_cnn mlp; do
        few=$(steady $ranks $model 2) many=$(steady $ranks $model 40)
        [ -n "$few" ] && [ "$few" = "$many" ] || fail "$model on $ranks ranks: 2 steps make $few requests, 40 make $many"
    done
done
echo "$tried attempts of $fresh and $resumed requests"
