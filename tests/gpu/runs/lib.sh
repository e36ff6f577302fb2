# What the scripts that run gyre on the fakes share: source it. Gives $T (a scratch folder), a small
# dataset in it, and functions that run the program.
# shellcheck shell=bash disable=SC2034 # variables are for those who source it
O=${O:-build/cuda}
GYRE=${GYRE:-$PWD/$O/gyre}
. "$(dirname "${BASH_SOURCE[0]}")/../../cli/lib/common.sh"
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# FAKES=no: on the GPUs that are there.
if [ "${FAKES:-}" = no ]; then
    GPUS=${GPUS:-$("$GYRE" doctor 2>/dev/null | grep -c '^gpu ')}
else
    FAKES=$(cd "$O/fakes" && pwd) || fail "no $O/fakes: make CUDA=1 fakes"
    FAKES_TSAN=$(cd "$O/fakes-tsan" 2>/dev/null && pwd)
    GPUS=${FAKE_GPUS:-8}
fi
export FAKE_DEVICE_JSON=${FAKE_DEVICE_JSON:-$PWD/tests/gpu/devices/h100.json}
LIMIT=${LIMIT:-120}
# Streams as the program creates them: 0, 1, 2.
ORDERS=(eager lazy early:0 early:1 early:2 late:0 seed:1 seed:2)
[ "$FAKES" != no ] || ORDERS=(true)

# config FILE MODEL STEPS: a short run; every step sees other images, another rate and momentum, and
# other corrections of adam's averages. An evaluation has three batches, so that a buffer is used
# again, and larger ones than a step's, so that it needs more work memory. Makes the dataset at the
# first call.
config() {
    local optimizer='"name": "sgd"'
    # By sgd the net's small initial weights would hold its loss at ln 10 for all the steps.
    [ "$2" != cifar10_quick ] || optimizer='"name": "adam", "eps": 1e-3'
    [ -f "$T/images.h5" ] || make_dataset "$T/images.h5" 64 30 32 3
    cat >"$1" <<JSON
{
    "seed": 1, "backend": "cuda",
    "data": {"path": "$T/images.h5", "augment": {"mirror": true, "crop": 2}},
    "model": {"name": "$2"}, "batch": {"size": 8, "shards": 2},
    "optimizer": {$optimizer, "weight_decay": 1e-4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.006, "cycles": 1,
                 "momentum": {"min": 0.8, "max": 0.95}},
    "average": {"kind": "ema"}, "length": {"steps": $3}, "evaluate": {"every": {"steps": $3}, "batch": 10}
}
JSON
}

# preloaded FOLDER: the environment that puts the fakes of that folder before the real libraries.
preloaded() {
    [ "$1" != no ] || return
    local list="$1/libfakecuda.so:$1/libfakenccl.so:$1/libfakecudnn.so"
    [ "$1" != "$FAKES_TSAN" ] || list="$(gcc -print-file-name=libtsan.so):$list"
    echo "LD_PRELOAD=$list" "LD_LIBRARY_PATH=$1:${LD_LIBRARY_PATH:-}"
}

# on_fakes FOLDER|no RANKS COMMAND...: under the fakes; output in $T/out and $T/err; gives the code.
on_fakes() {
    local folder=$1 ranks=$2 launch=() rc=0
    shift 2
    [ "$ranks" -eq 1 ] || launch=(mpirun -q -np "$ranks")
    # shellcheck disable=SC2046
    timeout -k 5 "$LIMIT" "${launch[@]}" env $(preloaded "$folder") "$@" >"$T/out" 2>"$T/err" || rc=$?
    return $rc
}

hash_of() { "$GYRE" inspect "$1" --hash=state; }

# outcome_of RUN: the hash of its state, and its last validation loss, of which that knows nothing.
outcome_of() { echo "$(hash_of "$1") $(sed -n 's/.*"event":"evaluation".*"loss":\([^,]*\),.*/\1/p' "$1/log.jsonl" | tail -n 1)"; }
