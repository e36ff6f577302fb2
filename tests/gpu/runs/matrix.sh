#!/usr/bin/env bash
# Short trainings on the fakes: models, precisions, ranks, reductions, orders of work, with and
# without the CUDA graph. Which order and whether by graph may not change a bit; nor, with exact
# sums, may the number of ranks; and losses are those of the CPU backend.
#
# 16 runs cover every pair of settings, and a few more give each result a second opinion (at most
# 24). SOAK=1: all combinations, then those runs again with STEPS=50 instead of 6. MODELS,
# PRECISIONS, RANKS, REDUCES, GRAPHS: all combinations of these alone. FAKES=no: on GPUs, all
# combinations. What is freed is gone at once (FAKE_FREE), so that nothing is freed that is still in
# use.
# Two models that are named take the place of the usual two, in two of the orders and with exact sums
# alone: what they add are their layers.
#   tests/gpu/runs/matrix.sh [MODEL MODEL]
set -u
. "$(dirname "$0")/lib.sh"
export FAKE_FREE=${FAKE_FREE:-at-once}
STEPS=${STEPS:-6}
ALL=${SOAK:-}${MODELS:-}${PRECISIONS:-}${RANKS:-}${REDUCES:-}${GRAPHS:-}
[ "$FAKES" != no ] || ALL=1
read -ra models <<<"${MODELS:-${*:-cifar10_quick resnet20}}"
read -ra precisions <<<"${PRECISIONS:-f32 bf16}"
read -ra ranks <<<"${RANKS:-$([ "$GPUS" -gt 1 ] && echo 1 2 || echo 1)}"
read -ra reduces <<<"${REDUCES:-exact $([ $# -gt 0 ] || echo fast)}"
read -ra graphs <<<"${GRAPHS:-true false}"
declare -A result
runs=0

# loss_bound PRECISION: how far a loss may be from the CPU's. f32: sums in another order, 1e-7 a
# time, grown by a few steps of training. bf16: some results are rounded to the other side than on
# the CPU, by 2^-8; most cancel in the loss.
loss_bound() { [ "$1" = f32 ] && echo 1e-4 || echo 2e-3; }

# near RUN REFERENCE BOUND: the relative distance of the two loss curves, in their first 6 steps,
# since training makes small differences grow. An evaluation after those comes a step later, and
# through running statistics: five times as much.
near() {
    /usr/bin/python3 - "$@" <<'P'
import sys
import h5py, numpy as np
def losses(folder):
    with h5py.File(folder + "/metrics.h5", "r") as f:
        validation = f["validation"][:]
        return f["train"]["loss"][:6], validation["loss"][validation["step"] == 6]
(run, run_after), (reference, after) = (losses(f) for f in sys.argv[1:3])
bound = float(sys.argv[3])
assert len(run) == len(reference) == 6, (len(run), len(reference))
worst = np.max(np.abs(run - reference) / np.abs(reference))
assert worst <= bound, "losses are %.2g apart: %s, CPU: %s" % (worst, run, reference)
if len(run_after) == len(after) == 1: # long runs of the CPU are evaluated at their end alone
    apart = abs(run_after[0] - after[0]) / after[0]
    assert apart <= 5 * bound, "validation losses are %.2g apart: %s, CPU: %s" % (apart, run_after, after)
print("%.1e" % worst)
P
}

# one run: MODEL PRECISION RANKS REDUCE GRAPH ORDER
try() {
    local model=$1 precision=$2 n=$3 reduce=$4 graph=$5 order=$6 name="$*"
    local run=$T/${name// /-}
    runs=$((runs + 1))
    [ -f "$T/$model.json" ] || config "$T/$model.json" "$model" "$STEPS"
    FAKE_ORDER=$order on_fakes "$FAKES" "$n" "$GYRE" train "$T/$model.json" --quiet --out "$run" \
        --set precision="$precision" --set reduce="$reduce" --set graph="$graph" \
        --set evaluate.every.steps=3 || # between steps
        fail "$name: exit $?: $(tail -n 5 "$T/err")"
    ! grep '^fake: ' "$T/err" || fail "$name: the fakes have something to say"
    local group="$model $precision $reduce" mine
    [ "$reduce" = exact ] || group="$group $n"
    mine=$(outcome_of "$run")
    [ "${result[$group]:-$mine}" = "$mine" ] || fail "$name: hash and validation loss $mine, other runs of '$group' have ${result[$group]}"
    count[$group]=$((${count[$group]:-0} + 1))
    result[$group]=$mine
    by[$group]=$graph
    local apart
    apart=$(near "$run" "$(reference "$model" "$precision")" "$(loss_bound "$precision")") || fail "$name: not the CPU's losses"
    echo "  $name: $mine, losses within $apart of the CPU's"
}

# The CPU backend's run; in f32 where the processor has no bf16.
reference() {
    local model=$1 precision=$2 run=$T/cpu-$1-$2
    if [ ! -d "$run" ] && ! "$GYRE" train "$T/$model.json" --quiet --out "$run" --set backend=cpu --set precision="$precision" 2>"$T/cpu.err"; then
        echo "  the CPU has no bf16: its f32 is the reference" >&2
        run=$T/cpu-$1-f32
        [ -d "$run" ] || "$GYRE" train "$T/$model.json" --quiet --out "$run" --set backend=cpu || fail "the CPU backend fails"
    fi
    echo "$run"
}

declare -A count by
if [ -n "$ALL" ]; then
    for m in "${models[@]}"; do for p in "${precisions[@]}"; do for n in "${ranks[@]}"; do
        for r in "${reduces[@]}"; do for g in "${graphs[@]}"; do for o in "${ORDERS[@]}"; do
            try "$m" "$p" "$n" "$r" "$g" "$o"
        done; done; done
    done; done; done
else
    # Two rows an order, each the opposite of the other. Read down, no two columns are equal or
    # opposite, so that every two settings meet in all four ways.
    rows=(00000 00011 00101 01001 00110 01010 01100 01111)
    orders=("${!ORDERS[@]}")
    [ $# -eq 0 ] || orders=(0 7) # U-Nets, which take long
    for i in "${orders[@]}"; do
        for flip in 0 1; do
            bit() { echo $((${rows[i]:$1:1} ^ flip)); }
            try "${models[$(bit 0)]}" "${precisions[$(bit 1)]}" "${ranks[$(bit 2)]}" "${reduces[$(bit 3)]:-exact}" "${graphs[$(bit 4)]}" "${ORDERS[i]}"
        done
    done
    for group in "${!count[@]}"; do
        [ "${count[$group]}" -eq 1 ] || continue
        read -r m p r n <<<"$group"
        if [ "${by[$group]}" = true ]; then other="false lazy"; else other="true seed:3"; fi
        # shellcheck disable=SC2086
        try "$m" "$p" "${n:-1}" "$r" $other
    done
fi
echo "matrix: $runs runs of $STEPS steps, ${#result[@]} results, each the same in every order, near the CPU's"
[ -z "${SOAK:-}" ] || SOAK='' STEPS=50 "$0" "$@"
