#!/usr/bin/env bash
# One stage of first-day.sh, which gives O, T, REHEARSE, and GPUS where that many are pretended:
#
#   stages.sh STAGE
#
# Exit 0 is ok, 77 skipped and 78 not run; with these two the last line says why.
set -u
. "$(dirname "$0")/common.sh"

build() { # with the fakes where they are wanted
    make -j"$(nproc)" CUDA=1 O="$O" ${CC:+CC="$CC"} "$O/gyre" "$O/tests/gpu/first-day/bandwidth" "$O/tests/gpu/first-day/device_json" \
        device-tests ${REHEARSE:+fakes}
}

# Counts the GPUs for the stages behind it, also where the program cannot use them.
doctor() {
    local rc=0
    if command -v nvidia-smi; then
        nvidia-smi
        nvidia-smi topo -m
    fi
    gyre 1 doctor >"$T/doctor" || rc=$?
    grep -c '^gpu ' "$T/doctor" >"$T/gpus"
    if [ $rc -ne 0 ] || ! grep -q '^device *cuda' "$T/doctor"; then
        cat "$T/doctor"
        echo "gyre does not use a GPU here"
        return 1
    fi
    gyre "$(most)" doctor
}

describe() {
    [ -z "$REHEARSE" ] || skip "a fake device has no description of its own"
    "$O/tests/gpu/first-day/device_json"
}

# Images of noise in the files of CIFAR-10: what is compared here is arithmetic and time.
images() {
    mkdir -p "$T/cifar"
    python3 - "$T/cifar" "$([ -n "$REHEARSE" ] && echo 20 || echo 10000)" <<'P' || return
import os, random, sys
rng = random.Random(1)
for name in ["data_batch_%d.bin" % i for i in range(1, 6)] + ["test_batch.bin"]:
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        for row in range(int(sys.argv[2])):
            f.write(bytes([row % 10]) + rng.getrandbits(8 * 3072).to_bytes(3072, "little"))
P
    "$gyre" data import cifar "$T/cifar" -o "$T/images.h5"
}

# f32: sums in another order. On CPUs alone, with AVX2 or SSE 4.1 instead of AVX-512, losses differ by
# 1e-5 after ten steps, and by 3e-4 after twenty, since training makes small differences grow. bf16: 8
# bits of mantissa; on the CPU 4e-4 in ten steps.
numbers() {
    run cpu 1 10 --set backend=cpu
    run f32 1 10
    run bf16 1 10 --set precision=bf16
    close_to f32 cpu 1e-4 && close_to bf16 cpu 5e-3
}

# Eight shards whatever the number of ranks, so that all runs are to add the same numbers in the same order.
bits() {
    local n
    run ranks1 1 50 --set batch.shards=8
    run again 1 50 --set batch.shards=8
    run without-graph 1 50 --set batch.shards=8 --set graph=false
    same ranks1 again && same ranks1 without-graph || return
    run bf16-1 1 50 --set precision=bf16 --set batch.shards=8
    run bf16-again 1 50 --set precision=bf16 --set batch.shards=8
    run bf16-without-graph 1 50 --set precision=bf16 --set batch.shards=8 --set graph=false
    same bf16-1 bf16-again && same bf16-1 bf16-without-graph || return
    for n in $(counts); do
        [ "$n" -gt 1 ] || continue
        run "ranks$n" "$n" 50 --set batch.shards=8
        same ranks1 "ranks$n" || return
        run "bf16-ranks$n" "$n" 50 --set precision=bf16 --set batch.shards=8
        same bf16-1 "bf16-ranks$n" || return
    done
    [ "$(most)" -gt 1 ] || echo "(one GPU, so nothing to compare over ranks)"
}

# A few in a rehearsal.
operations() {
    local programs=("$O"/on_device/*)
    [ -z "$REHEARSE" ] || programs=("$O/on_device/test_ops_loss" "$O/on_device/mpi_backend")
    tests/gpu/runs/on_device.sh "${programs[@]}"
}

# Evaluations and the hash of the parameters as well; on two ranks where there are two GPUs.
settings() {
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || skip "its data and comparisons want h5py for /usr/bin/python3"
    export MODELS="cifar10_quick resnet20" PRECISIONS="f32 bf16" REDUCES=exact GRAPHS="true false" RANKS=1
    [ "$(most)" -lt 2 ] || RANKS=2
    [ -z "$REHEARSE" ] || export MODELS=cifar10_quick PRECISIONS=f32 GRAPHS=true # in eight orders on the fakes
    tests/gpu/runs/matrix.sh
}

# Strong scaling: 1024 images a step, of eight shards, whatever the number of ranks. Ranks are not
# bound to cores, or 1 and 2 ranks would have one core each and 4 a NUMA node.
scaling() {
    local n
    for n in $(counts); do scale bf16 exact "$n"; done
    for n in $(counts); do [ "$n" -eq 1 ] || scale bf16 fast "$n"; done
    for n in $(ends); do scale f32 exact "$n"; done
}
scale() { # PRECISION REDUCE RANKS
    run "$1-$2-$3" "$3" 150 --set precision="$1" --set reduce="$2" --set batch.size=1024 --set batch.shards=8
    awk -v what="$1 $2" -v n="$3" -v s="$(median_speed "$1-$2-$3")" -v one="$(median_speed "$1-exact-1")" \
        'BEGIN { printf "%s %d GPU%s: %.0f images/s, %.0f %% of %d times one\n", what, n, (n > 1 ? "s" : ""), s, 100 * s / one / n, n }'
}

# On one GPU: NCCL connects, is recorded in a step, and ends, all with one rank; the bits are as without.
nccl_alone() {
    run nccl-without 1 10 --set reduce=fast
    GYRE_NCCL_ALONE=1 run nccl-alone 1 10 --set reduce=fast
    same nccl-without nccl-alone
}
bandwidth() {
    local n
    if [ "$(most)" -eq 1 ]; then
        nccl_alone
        return
    fi
    for n in $(counts); do
        [ "$n" -eq 1 ] || on "$n" "$O/tests/gpu/first-day/bandwidth" ${REHEARSE:+65536} || return
    done
}

breakdown() {
    local n
    for n in $(ends); do
        echo "$n of $GPUS GPUs:"
        train "profile$n" "$n" 100 --profile --set batch.shards=8 || return
    done
}

# Both nets for two steps, called: reads and writes outside of arrays, cuDNN's among them.
memcheck() {
    local model
    find_sanitizer
    for model in cifar10_quick cifar10_resnet20; do
        check memcheck "$model" "$gyre" train "configs/$model.json" --quiet --out "$T/memcheck-$model" --stop-after 2 \
            --set batch.size=8 --set batch.shards=1 --set graph=false --set backend=cuda \
            --set data.path="$T/images.h5" --set data.validation=none || return
    done
}

# Where blocks share memory: sums, batch norm, the verdict on a step. Tests of these, since in a training
# cuDNN's kernels would be looked at too, for minutes. No initcheck: cuDNN reads padding that
# was not written; that own kernels read nothing unwritten, the fakes show, whose fresh memory is NaN.
racecheck() {
    local program
    find_sanitizer
    for program in test_ops_batch_norm test_ops_loss test_ops_update; do
        check racecheck $program "$O/on_device/$program" || return
    done
}

speed() {
    speed_of cifar10_resnet20 f32 true
    speed_of cifar10_resnet20 bf16 true
    speed_of cifar10_resnet20 bf16 false
    speed_of cifar10_quick f32 true
    speed_of cifar10_quick f32 false
}
speed_of() { # MODEL PRECISION GRAPH
    config=configs/$1.json
    run "speed-$1-$2-$3" 1 300 --set precision="$2" --set graph="$3"
    beside "$1 $2, graph $3" "speed-$1-$2-$3" "$([ "$1-$2" != cifar10_resnet20-bf16 ] || echo resnet20-bf16-4shards)" bf16 32
}

# Noise of 256 px, as many as two batches; crops of 224 px are trained with.
pictures() {
    /usr/bin/python3 - "$T/images224.h5" "$([ -n "$REHEARSE" ] && echo 16 || echo 512)" <<'P'
import sys, h5py, numpy as np
rng = np.random.RandomState(1)
with h5py.File(sys.argv[1], "w") as f:
    for part, count in (("train", int(sys.argv[2])), ("test", 10)):
        f[part + "/images"] = rng.randint(0, 255, (count, 256, 256, 3), "u1")
        f[part + "/labels"] = (np.arange(count) % 10).astype("<i4")
P
}
resnet50() {
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || skip "its data want h5py for /usr/bin/python3"
    pictures || return
    [ -z "$REHEARSE" ] || skip "ResNet-50 on the fakes takes minutes"
    resnet50_of bf16 256 --set precision=bf16
    resnet50_of bf16 64 --set precision=bf16
    resnet50_of tf32 256 --set tf32=true
}
resnet50_of() { # MATH BATCH SETTINGS
    config=configs/pictures224_resnet50.json
    run "resnet50-$1-$2" 1 40 --set data.path="$T/images224.h5" --set batch.size="$2" --set batch.shards=1 "${@:3}"
    beside "ResNet-50 $1, batch $2" "resnet50-$1-$2" "resnet50-${1/tf32/f32}" "$1" "$2"
}

[ "$1" = build ] || [ -x "$gyre" ] || cannot "there is no $gyre"
"$1"
