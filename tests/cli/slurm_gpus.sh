#!/usr/bin/env bash
# Slow.
# The launch lines of docs/gpu.md and docs/slurm.md that are Slurm's, under a real Slurm with two
# devices that it gives away as GPUs, on the fake libraries of tests/gpu: which GPU each rank gets,
# and what it says.
set -u
. "$(dirname "$0")/lib/common.sh"
gpu_gyre=$PWD/${GPU_O:-build/cuda}/gyre
fakes=$PWD/${GPU_O:-build/cuda}/fakes
if [ ! -x "$gpu_gyre" ] || [ ! -f "$fakes/libfakenccl.so" ]; then
    echo "no $gpu_gyre with its fakes; make CUDA=1 ${GPU_O:-build/cuda}/gyre fakes" && exit 77
fi
. "$(dirname "$0")/lib/slurm.sh"
export FAKE_GPUS=2 FAKE_TELL=1 FAKE_DEVICE_JSON=$PWD/tests/gpu/devices/h100.json
slurm_start

preload=(env LD_PRELOAD="$fakes/libfakecuda.so:$fakes/libfakenccl.so:$fakes/libfakecudnn.so" LD_LIBRARY_PATH="$fakes:${LD_LIBRARY_PATH:-}")

# launch NAME CODE GPUS WORDS COMMAND...: the exit code of doctor started so, the GPU of each rank, what
# it says; without WORDS nothing of hidden GPUs.
launch() {
    local name=$1 code=$2 gpus=$3 words=$4 rc=0 took
    shift 4
    timeout 100 "$@" "${preload[@]}" "$gpu_gyre" doctor >"$T/out" 2>"$T/err" || rc=$?
    took=$(sed -n 's/^fake: rank \([0-9]*\): takes GPU \([0-9]*\)$/\1 \2/p' "$T/err" | sort -n | cut -d ' ' -f 2 | tr '\n' ' ')
    [ "$took" = "${gpus:+$gpus }" ] || fail "$name: ranks take GPUs '$took' instead of '$gpus': $(tail -n 5 "$T/err")"
    [ $rc -eq "$code" ] || fail "$name: exit $rc instead of $code: $(tail -n 5 "$T/err")"
    if [ -n "$words" ]; then
        grep -q "^  - .*$words" "$T/out" || fail "$name: no advice with '$words': $(cat "$T/out")"
    else
        ! grep -e 'but not the one of rank' -e 'more ranks than GPUs' "$T/out" "$T/err" || fail "$name: warns"
    fi
}
row() { launch "${@:1:4}" srun --mpi=pmix "${@:5}"; } # the same with options of srun

row "all" 0 "0 1" "" --ntasks-per-node=2 --gpus-per-node=2 --gpu-bind=none
row "fewer ranks than GPUs" 0 "0" "" --ntasks=1 --gpus-per-node=2 --gpu-bind=none
row "gpus-per-task" 0 "0 1" "but not the one of rank" --ntasks=2 --gpus-per-task=1
row "single:1" 0 "0 1" "but not the one of rank" --ntasks=2 --gpus-per-node=2 --gpu-bind=single:1
row "map_gpu" 0 "1 0" "but not the one of rank" --ntasks=2 --gpus-per-node=2 --gpu-bind=map_gpu:1,0
row "more ranks" 0 "" "more ranks than GPUs" --ntasks=3 --gpus-per-node=2 --gpu-bind=none
row "closest" 0 "0 1" "" --ntasks=2 --gpus-per-node=2 --gpu-bind=closest # no cores are told here: all
row "one for two ranks" 0 "" "more ranks than GPUs: 2 ranks on .* see 1 GPU" --ntasks=2 --gpus-per-node=1
# no cgroups keep jobs apart here, so that a task sees what is not its job's
row "another job's" 0 "0 1" "Slurm gave the job 1 GPU here, but rank 0 sees 2" --ntasks=2 --gpus-per-node=1 --gpu-bind=none
# mpirun inside an allocation, where nobody says which GPUs are the job's
launch "mpirun" 0 "0 1" "" salloc --quiet --ntasks=2 --gpus-per-node=2 mpirun -q -np 2 --bind-to none

# the batch script: all GPUs of the job for every task, also of one that was asked for by task, and no others
make_dataset "$T/images.h5" 200 40
cat >"$T/config.json" <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2}, "backend": "cuda",
 "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 3}, "evaluate": {"every": {"steps": 3}}}
JSON
{ echo '#!/bin/sh' && printf 'exec env FAKE_TELL=1' && printf " '%s'" "${preload[@]:1}" "$gpu_gyre" && echo ' "$@"'; } >"$T/gyre"
chmod +x "$T/gyre"
export GYRE_HOME=$PWD GYRE=$T/gyre
batch() { # NAME CODE GPUS WORDS OPTION...
    local name=$1 rc=0 took
    sbatch --quiet --wait --output="$T/$name.out" --time=9 "${@:5}" slurm/train.sbatch "$T/config.json" --quiet --out "$T/$name" || rc=$?
    [ $rc -eq "$2" ] || fail "$name: exit $rc instead of $2: $(cat "$T/$name.out")"
    took=$(sed -n 's/^fake: rank [0-9]*: takes GPU \([0-9]*\)$/\1/p' "$T/$name.out" | sort -un | tr '\n' ' ')
    [ "$took" = "${3:+$3 }" ] || fail "$name: takes GPUs '$took' instead of '$3': $(cat "$T/$name.out")"
    if [ -n "$4" ]; then
        grep -q "$4" "$T/$name.out" || fail "$name: no '$4': $(cat "$T/$name.out")"
    else
        ! grep -e 'warning: .*GPU' "$T/$name.out" || fail "$name: warns"
    fi
}
batch by-node 0 "0 1" "" --gpus-per-node=2 --cpus-per-gpu=1
batch by-task 0 "0 1" "" --ntasks=2 --gpus-per-task=1
batch too-many 4 "" "more ranks than GPUs: 2 ranks on .* see 1 GPU" --ntasks=2 --gpus-per-node=1
