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
gyre=$PWD/$O/oom/gyre
make_dataset "$T/images.h5" 60 20
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5", "validation": {"split": 0.2}, "augment": {"mirror": true}},
    "model": {"name": "small_cnn", "freeze": ["conv1"]}, "batch": {"size": 16, "shards": 2}, "threads": 2,
    "schedule": {
        "policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "momentum": {"min": 0.85, "max": 0.95},
        "stages": [{"length": {"steps": 1}, "policy": "constant"}, {"length": {"steps": 4}, "cycles": 1}]
    },
    "evaluate": {"every": {"steps": 1}}, "checkpoint": {"every": {"steps": 1}, "best": true, "keep": 2}
}
JSON
train=("$gyre" train "$T/config.json" --quiet --out)
jobs=${JOBS:-8} # a run spends most of its time asleep in MPI_Init
: >"$T/failures"

words_of() { addr2line -s -f -p -e "$gyre" "$@" | grep -v ' oom.c:\|??' | head -n 6 | tr '\n' ' '; }
request_of() { sed -n "s/^$2 //p" "$1.log" | head -n 1; } # the addresses of what failed, or leaks

# wrong NAME WORDS: a complaint about one attempt.
wrong() {
    local name=$1
    shift
    # shellcheck disable=SC2046 # addresses are words
    echo "$name: $*; $(tail -n 2 "$T/$name.err" | tr '\n' ' '); request from $(words_of 0x0 $(request_of "$T/$name" failed))" >>"$T/failures"
}

# judge NAME CODE: how a program whose memory failed has ended.
judge() {
    local name=$1 code=$2 said
    said=$(grep -c '^gyre: error' "$T/$name.err")
    case $code in
    0) [ "$said" -eq 0 ] || wrong "$name" "an error, but exit 0" ;;
    3 | 4)
        [ "$said" -eq 1 ] || wrong "$name" "$said errors"
        # 3 is a file's: fopen and opendir failed
        grep '^gyre: error' "$T/$name.err" | grep -q "$([ "$code" -eq 3 ] && echo 'Cannot allocate memory' || echo 'memory\|cannot start')" ||
            wrong "$name" "exit $code, but the error does not tell why"
        ;;
    124 | 137) wrong "$name" "hangs" ;;
    *) wrong "$name" "exit $code" ;;
    esac
    # shellcheck disable=SC2046
    ! grep -q '^leak' "$T/$name.log" || wrong "$name" "leaks what came from $(words_of $(request_of "$T/$name" leak))"
}

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

# sample COUNT STRIDE COMMAND...: COMMAND k for each k, or every STRIDE-th of them.
sample() {
    local k n=$1 stride=$2
    shift 2
    [ "${OOM:-}" != all ] || stride=1
    for ((k = 1 + RANDOM % stride; k <= n; k += stride)); do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        "$1" "$2" "$k" "${@:3}" &
        tried=$((tried + 1))
    done
    wait
    [ ! -s "$T/failures" ] && return
    head -n 40 "$T/failures"
    fail "$(wc -l <"$T/failures") complaints about $2"
}

requests() { # command...: how many it makes
    rm -f "$T/count"
    OOM_LOG=$T/count "$@" >"$T/out" 2>"$T/err" || fail "$*: $(cat "$T/err")"
    ! grep -q leak "$T/count" || fail "$* leaks: $(cat "$T/count")"
    sed -n 's/^count //p' "$T/count"
}

tried=0
mkdir "$T/tables"
RANDOM=${SEED:-1}
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
shown=("$gyre" model "$T/net.config.json" --json)
show() { # kind, k
    local name=$1.$2 code=0
    OOM_LOG=$T/$name.log timeout -k 5 "${LIMIT:-10}" env OOM_AT="$2" "${shown[@]}" >"$T/$name.out" 2>"$T/$name.err" || code=$?
    judge "$name" $code
    rm -f "$T/$name".*
}
sample "$(requests "${shown[@]}")" 20 show network

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
