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
# first call. Of MODEL "pictures" and "captions", U-Nets that tell the noise of pictures with classes,
# and of latents with contexts.
config() {
    local optimizer='"name": "sgd"' data="$T/images.h5" augment='"mirror": true, "crop": 2' model="\"name\": \"$2\""
    # By sgd the net's small initial weights would hold its loss at ln 10 for all the steps.
    [ "$2" != cifar10_quick ] || optimizer='"name": "adam", "eps": 1e-3'
    [ -f "$T/images.h5" ] || make_dataset "$T/images.h5" 64 30 32 3
    if [ "$2" = pictures ] || [ "$2" = captions ]; then
        optimizer='"name": "adamw"' augment='"normalize": "raw"'
        model="\"config\": \"$T/$2.unet\"}, \"denoise\": {\"noise\": \"cosine\", \"predict\": \"v\", \"drop_condition\": 0.25"
        "unet_of_$2"
    fi
    cat >"$1" <<JSON
{
    "seed": 1, "backend": "cuda",
    "data": {"path": "$data", "augment": {$augment}},
    "model": {$model}, "batch": {"size": 8, "shards": 2},
    "optimizer": {$optimizer, "weight_decay": 1e-4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.006, "cycles": 1,
                 "momentum": {"min": 0.8, "max": 0.95}},
    "average": {"kind": "ema"}, "length": {"steps": $3}, "evaluate": {"every": {"steps": $3}, "batch": 10}
}
JSON
}

# The networks of config(), as diffusers describes them; they set its `data`.
unet_of_pictures() {
    data=$T/pictures.h5 augment='"normalize": {"mean": [0.5], "std": [0.5]}, "mirror": true'
    [ -f "$data" ] || make_dataset "$data" 64 30 8 1
    cat >"$T/pictures.unet" <<'JSON'
{
    "_class_name": "UNet2DModel", "_diffusers_version": "0.42.1", "sample_size": 8, "in_channels": 1,
    "out_channels": 1, "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
    "num_class_embeds": 11, "attention_head_dim": 8,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]
}
JSON
}
unet_of_captions() {
    data=$T/captions.h5
    [ -f "$data" ] || /usr/bin/python3 "$lib/make_latents.py" "$data" 96 8 8 4 9 7 16 || fail "h5py is needed"
    cat >"$T/captions.unet" <<'JSON'
{
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.42.1", "sample_size": 8,
    "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4, "cross_attention_dim": 16,
    "attention_head_dim": 2, "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]
}
JSON
}

# preloaded FOLDER: the environment that puts the fakes of that folder before the real libraries.
preloaded() {
    [ "$1" != no ] || return
    local list="$1/libfakecuda.so:$1/libfakenccl.so:$1/libfakecudnn.so"
    [ "$1" != "$FAKES_TSAN" ] || list="$(gcc -print-file-name=libtsan.so):$list"
    [ -z "${PRELOAD:-}" ] || list="$PRELOAD:$list" # before the fakes
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
