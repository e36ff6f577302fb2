#!/usr/bin/env bash
# Random resized crops on the fakes, where the device resizes: of images that it keeps and of lines
# that are sent, in every order of work, on one rank and two, with mixed batches and without. All of
# them give the same bits; losses are those of the CPU backend, whose loader resizes.
set -u
. "$(dirname "$0")/lib.sh"
export FAKE_FREE=at-once
make_dataset "$T/images.h5" 2000 30 64 3
cat >"$T/config.json" <<JSON
{
    "backend": "cuda",
    "data": {"path": "$T/images.h5", "augment": {"mirror": true, "resized_crop": {"size": 24}}},
    "model": {"name": "small_cnn"}, "batch": {"size": 8, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01},
    "length": {"steps": 6}, "evaluate": {"every": {"steps": 3}, "batch": 10}
}
JSON
# Half of it is less than the images' 24.6 MB.
SMALL=48000000

# try NAME RANKS SET...: trains; the run is $T/NAME.
try() {
    local name=$1 ranks=$2
    shift 2
    on_fakes "$FAKES" "$ranks" "$GYRE" train "$T/config.json" --quiet --out "$T/$name" "$@" ||
        fail "$name: exit $?: $(tail -n 5 "$T/err")"
    ! grep '^fake: ' "$T/err" || fail "$name: the fakes have something to say"
}

# losses_of RUN REFERENCE: their largest relative distance, which may be 1e-4 as in matrix.sh.
apart() {
    /usr/bin/python3 - "$1" "$2" <<'P'
import sys
import h5py, numpy as np
(a, x), (b, y) = ([h5py.File(f + "/metrics.h5")[t]["loss"][:] for t in ("train", "validation")] for f in sys.argv[1:])
worst = max(np.max(np.abs(p - q) / np.abs(q)) for p, q in ((a, b), (x, y)))
assert len(a) == 6 and worst <= 1e-4, (worst, a, b, x, y)
print("%.1e" % worst)
P
}

runs=0
for mix in 0 0.3; do
    orders=("${ORDERS[@]}")
    [ $mix = 0 ] || [ "$FAKES" = no ] || orders=(lazy early:0)
    try "cpu-$mix" 1 --set backend=cpu --set data.augment.mixup.alpha=$mix
    right=
    for order in "${orders[@]}"; do
        for memory in 4000000000 $SMALL; do
            ranks=$((1 + runs % 2))
            run=$mix-${order/:/}-$memory
            FAKE_ORDER=$order FAKE_MEMORY=$memory try "$run" $ranks --set data.augment.mixup.alpha=$mix
            mine=$(outcome_of "$T/$run")
            [ "${right:=$mine}" = "$mine" ] || fail "mixup $mix, order $order, memory $memory, $ranks ranks: $mine instead of $right"
            runs=$((runs + 1))
        done
        runs=$((runs + 1)) # or each memory would have one number of ranks
    done
    bound=$(apart "$T/$run" "$T/cpu-$mix") || fail "mixup $mix: not the CPU's losses: $bound"
    echo "  mixup $mix: $right, losses within $bound of the CPU's"
done
