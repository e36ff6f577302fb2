#!/usr/bin/env bash
# The first day on a node with GPUs: everything that only they can show, as one text report.
#
#   tests/gpu/first-day.sh [REPORT]     (first-day-HOST.txt), under ten minutes
#
# Builds build/cuda/gyre when it is not there. Every stage has a time limit and says ok, FAILED or
# skipped with the reason; a failing one stops nothing. Exit 1 when one has failed. The numbers of
# ranks are 1, 2, 4, 8 as far as GPUs go; GPUS=N pretends that there are N.
#
# REHEARSE=yes runs every stage on the fakes, with a few steps of small batches: its numbers mean
# nothing, but that nothing is wrong with the script shows before the day.
set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build/cuda}
gyre=$PWD/$O/gyre
report=${1:-first-day-$(hostname -s).txt}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
whole=600 # seconds
rehearse=${REHEARSE:-}
if [ -n "$rehearse" ]; then
    whole=7200 # fakes take their time
    export GPUS=${GPUS:-2} FAKE_DEVICE_JSON=$PWD/tests/gpu/devices/h100.json
    export FAKE_GPUS=$GPUS
    export OMPI_MCA_btl_vader_single_copy_mechanism=none
fi
passed=0 failed=0 skipped=0
exec > >(tee "$report") 2>&1

# stage NAME SECONDS FUNCTION...: exit 0 is ok, 77 skipped (the last line says why).
stage() {
    local name=$1 limit=$2 rc=0 begun=$SECONDS left=$((whole - SECONDS))
    shift 2
    [ -z "$rehearse" ] || limit=1200
    printf '\n== %s\n' "$name"
    if [ $left -lt 5 ]; then
        echo "-- skipped: the ten minutes are over"
        skipped=$((skipped + 1))
        return
    fi
    [ "$limit" -le $left ] || limit=$left
    timeout -k 5 "$limit" bash "$T/stages" "$@" >"$T/out" 2>&1 || rc=$?
    cat "$T/out"
    case $rc in
    0) passed=$((passed + 1)) && echo "-- ok ($((SECONDS - begun)) s)" ;;
    77) skipped=$((skipped + 1)) && echo "-- skipped: $(tail -n 1 "$T/out")" ;;
    124 | 137) failed=$((failed + 1)) && echo "-- FAILED: not done after $limit s" ;;
    *) failed=$((failed + 1)) && echo "-- FAILED: exit $rc" ;;
    esac
}

cat >"$T/common" <<'S'
set -u
skip() { echo "$*"; exit 77; }
gpu=() small=() config=configs/cifar10_resnet20.json
if [ -n "$rehearse" ]; then
    f=$PWD/$O/fakes
    gpu=(env "LD_PRELOAD=$f/libfakecuda.so:$f/libfakenccl.so:$f/libfakecudnn.so" "LD_LIBRARY_PATH=$f:${LD_LIBRARY_PATH:-}")
    small=(--set batch.size=8 --set batch.shards=2) config=configs/cifar10_quick.json
fi
# gyre RANKS ARGUMENTS...
gyre() {
    local ranks=$1
    shift
    mpirun -q -np "$ranks" "${gpu[@]}" "$gyre" "$@"
}
# steps N: so many, or a few when this is a rehearsal
steps() { [ -n "$rehearse" ] && echo 4 || echo "$1"; }
# run NAME RANKS SETTINGS...: a run of $config without evaluation; its tables are in $T/NAME/csv.
run() {
    local name=$1 ranks=$2
    shift 2
    gyre "$ranks" train "$config" --quiet --out "$T/$name" \
        --set data.path="$T/images.h5" --set data.validation=none "$@" "${small[@]}" || return
    "$gyre" export csv "$T/$name" >/dev/null
}
# The images per second of a run, as the median over steps after a warm-up.
speed() { awk -F, -v warm="$(steps 20)" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "samples_per_s") c = i } NR > warm { print $c }' \
    "$T/$1/csv/train.csv" | sort -g | awk '{ a[NR] = $1 } END { print NR ? a[int((NR + 1) / 2)] : 0 }'; }
column() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next } { print $c }' "$T/$1/csv/train.csv"; }
# The greatest relative difference of the losses of two runs must be at most LIMIT.
close_to() { # a, b, limit
    paste <(column "$1" loss) <(column "$2" loss) | awk -v limit="$3" -v what="$1 against $2" '
        { d = ($1 - $2) / ($2 != 0 ? $2 : 1); if (d < 0) d = -d; if (!(d <= most)) most = d }
        END { printf "%s: losses of %d steps differ by at most %.2g (allowed %.2g)\n", what, NR, most, limit
              exit !(NR > 0 && most <= limit) }'
}
same() { cmp <(column "$1" loss; column "$1" grad_norm) <(column "$2" loss; column "$2" grad_norm) && echo "$1 and $2: the same bits"; }
S
# shellcheck disable=SC2016 # for the stages' own shell
{
    printf 'O=%q gyre=%q T=%q rehearse=%q\n' "$O" "$gyre" "$T" "$rehearse"
    cat "$T/common"
    cat <<'S'
gpus=${GPUS:-$(gyre 1 doctor 2>/dev/null | grep -c '^gpu ')}
counts=1
for n in 2 4 8; do [ "$n" -le "$gpus" ] && counts="$counts $n"; done

build() { make -j"$(nproc)" CUDA=1 ${CC:+CC="$CC"} "$O/gyre" "$O/tests/gpu/bandwidth" "$O/tests/gpu/device_json" device-tests; }
doctor() {
    nvidia-smi || echo "(no nvidia-smi)"
    nvidia-smi topo -m || true
    gyre "${counts##* }" doctor
}
json() {
    [ -z "$rehearse" ] || skip "the fakes' device has no such words"
    "$O/tests/gpu/device_json"
}
# Images of noise in the files of CIFAR-10: what is compared here is arithmetic and time.
images() {
    mkdir -p "$T/cifar"
    python3 - "$T/cifar" "$([ -n "$rehearse" ] && echo 20 || echo 10000)" <<'P'
import os, random, sys
rng = random.Random(1)
for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        for row in range(int(sys.argv[2])):
            f.write(bytes([row % 10]) + rng.randbytes(3072))
P
    "$gyre" data import cifar "$T/cifar" -o "$T/images.h5"
}
unfaked() {
    local what=("$O"/on_device/*)
    if [ -n "$rehearse" ]; then
        what=("$O/on_device/test_ops_loss" "$O/on_device/mpi_backend")
        export MODELS=cifar10_quick PRECISIONS=f32 REDUCES=exact
    else
        export FAKES=no
    fi
    tests/gpu/on_device.sh "${what[@]}" && tests/gpu/matrix.sh
}
sanitizer() {
    command -v compute-sanitizer >/dev/null || skip "no compute-sanitizer in PATH"
    for tool in memcheck racecheck initcheck; do
        compute-sanitizer --tool $tool --error-exitcode 9 --print-limit 5 "$gyre" train configs/cifar10_resnet20.json \
            --quiet --out "$T/$tool" --stop-after 3 --set batch.size=16 --set batch.shards=1 --set graph=false \
            --set data.path="$T/images.h5" --set data.validation=none --set backend=cuda || exit
    done
}
# f32: sums in another order, over 20 steps; bf16: 8 bits of mantissa, the losses average over 128.
numbers() {
    run cpu 1 --stop-after "$(steps 20)" --set backend=cpu || exit
    run gpu 1 --stop-after "$(steps 20)" --set backend=cuda || exit
    run bf16 1 --stop-after "$(steps 20)" --set backend=cuda --set precision=bf16 || exit
    close_to gpu cpu 1e-4 && close_to bf16 cpu 5e-2
}
bits() {
    run once 1 --stop-after "$(steps 50)" --set backend=cuda || exit
    run again 1 --stop-after "$(steps 50)" --set backend=cuda || exit
    run called 1 --stop-after "$(steps 50)" --set backend=cuda --set graph=false || exit
    same once again && same once called || exit
    for n in ${counts#1}; do
        run "exact$n" "$n" --stop-after "$(steps 50)" --set backend=cuda --set batch.shards=8 || exit
        [ "$n" -eq 2 ] || same exact2 "exact$n" || exit
    done
}
scaling() {
    local one='' s how precision
    for precision in f32 bf16; do
        for how in exact fast; do
            one=
            for n in $counts; do
                run "s$precision$how$n" "$n" --stop-after "$(steps 300)" --set backend=cuda --set precision=$precision \
                    --set reduce=$how --set batch.size=1024 --set batch.shards=8 || exit
                s=$(speed "s$precision$how$n")
                [ -n "$one" ] || one=$s
                awk -v p=$precision -v h=$how -v n="$n" -v s="$s" -v one="$one" \
                    'BEGIN { printf "%s %s %d GPUs: %.0f images/s, %.0f %% of %d times one\n", p, h, n, s, 100 * s / one / n, n }'
            done
        done
    done
}
bandwidth() {
    [ "${counts##* }" -gt 1 ] || skip "one GPU"
    for n in ${counts#1}; do mpirun -q -np "$n" "${gpu[@]}" "$O/tests/gpu/bandwidth" $([ -n "$rehearse" ] && echo 65536) || exit; done
}
breakdown() {
    for n in $(printf '%s\n' 1 "${counts##* }" | sort -u); do
        echo "$n GPUs:"
        gyre "$n" train "$config" --out "$T/profile$n" --stop-after "$(steps 100)" --profile \
            --set data.path="$T/images.h5" --set data.validation=none --set backend=cuda --set batch.shards=8 "${small[@]}" || exit
    done
}
benchmarks() {
    for m in cifar10_quick cifar10_resnet20; do
        for precision in f32 bf16; do
            for graph in true false; do
                gyre 1 train configs/$m.json --quiet --out "$T/b$m$precision$graph" --stop-after "$(steps 300)" --set graph=$graph \
                    --set data.path="$T/images.h5" --set data.validation=none --set backend=cuda --set precision=$precision "${small[@]}" || exit
                "$gyre" export csv "$T/b$m$precision$graph" >/dev/null
                echo "$m $precision graph $graph: $(speed "b$m$precision$graph") images/s"
            done
        done
    done
}
"$@"
S
} >"$T/stages"

echo "${rehearse:+REHEARSAL on fake libraries: }gyre's first day on $(hostname), $(date -u +%Y-%m-%dT%H:%MZ), commit $(git rev-parse --short HEAD 2>/dev/null || echo '?')"
stage "build" 400 build
if [ -x "$gyre" ]; then
    stage "doctor" 60 doctor
    stage "cuDNN's words for the device" 20 json
    stage "images" 60 images
    stage "GPU against CPU" 90 numbers
    stage "the same bits: again, without a graph, on more ranks" 90 bits
    stage "tests without the fakes" 120 unfaked
    stage "compute-sanitizer" 120 sanitizer
    stage "sums over ranks" 60 bandwidth
    stage "scaling" 120 scaling
    stage "where a step's time goes" 60 breakdown
    stage "speed" 90 benchmarks
fi
printf '\n%d stages ok, %d failed, %d skipped, %d s; the report is %s\n' $passed $failed $skipped $SECONDS "$report"
[ $failed -eq 0 ]
