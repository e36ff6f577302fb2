#!/usr/bin/env bash
# configs/experiment: each file's learning-rate curve is the one that it names, and run.sh goes from
# the pre-training to the table.
set -u
. "$(dirname "$0")/lib/common.sh"
configs=$PWD/configs/experiment

# curve NAME STEPS FIRST LAST [MINIMUM...]: rates in shares of 1.13e-3, to a thousandth of it; minima
# are local ones, steps counted from 0.
curve() {
    local name=$1 steps=$2 first=$3 last=$4
    shift 4
    "$GYRE" schedule "$configs/$name.json" --csv >"$T/csv" 2>"$T/err" || fail "$name: $(cat "$T/err")"
    awk -F, -v steps="$steps" -v first="$first" -v last="$last" -v minima="$*" '
        function far(rate, share) { return !((rate / 1.13e-3 - share) ^ 2 <= 1e-6) }
        NR > 1 { lr[NR - 2] = $2 }
        END {
            for (t = 1; t + 1 < NR - 1; t++) if (lr[t - 1] > lr[t] && lr[t] < lr[t + 1]) found = found " " t
            if (NR - 1 != steps) { print NR - 1, "steps"; exit 1 }
            if (far(lr[0], first) || far(lr[steps - 1], last)) { print "from", lr[0], "to", lr[steps - 1]; exit 1 }
            if (found != (minima == "" ? "" : " " minima)) { print "minima:" found; exit 1 }
        }' "$T/csv" >"$T/why" || fail "$name: $(cat "$T/why")"
}
# A step at a minimum of a stepsize begins the next cycle; from the peak the last one is a step away.
curve x10-high 800 1 0.9985 $(seq 40 80 760)
curve x10-low 800 0 0.0015 $(seq 80 80 720)
curve x2-high 800 1 0.9619 $(seq 8 16 792)
curve x2-low 800 0 0.0381 $(seq 16 16 784)
curve midpoint 800 0.5 0.5
curve final-high 550 1 0.001 $(seq 50 100 450)
curve final-low 550 0 0.999 $(seq 100 100 500)
curve final-hf 550 0 0.081 50 148 246 344 442 540
curve final-midpoint 550 0.5 0.5
curve staged-high 650 1 0.0002 50 150 250 350 450 550
curve staged-low 650 0 0.25 100 200 300 400 500 600
curve staged-midpoint 650 0.5 0.5
for step_share in 99:0.999 101:0.999 300:0.5 500:0.25; do # the peaks of the stages
    "$GYRE" schedule "$configs/staged-high.json" --csv 2>"$T/err" | awk -F, -v s="${step_share%:*}" -v share="${step_share#*:}" '
        $1 == s && !(($2 / 1.13e-3 - share) ^ 2 <= 1e-6) { print; exit 1 }' || fail "staged-high at ${step_share%:*}"
done

# Only rates that run.sh can scale, in every file; a comment at its head.
grep -ohE '"(base|max)_lr": [^,}]*' "$configs"/[!p]*.json | sort -u >"$T/rates"
grep -vE ': (0|1\.13e-3|5\.65e-4|2\.83e-4)$' "$T/rates" && fail "rates that are not scaled"
for file in "$configs"/*.json; do
    sed -n 2p "$file" | grep -q '^    // [A-Z]' || fail "$file says nothing of itself"
done

# To the end on generated data, with fewer steps; then again, when all is done.
make_dataset "$T/images.h5" 300 200 32 3
sed 's/{"epochs": 5}/{"steps": 4}/; s/"size": 128, "shards": 4/"size": 8/' "$configs/pretrain.json" >"$T/pretrain.json"
ends 0 "$GYRE" train "$T/pretrain.json" --quiet --out "$T/pretrained" --set data.path=\""$T/images.h5"\"
run=("$configs/run.sh" --gyre "$GYRE" --cifar "$T/images.h5" --init "$T/pretrained/checkpoints/step-000000004.h5"
    --out "$T/experiment" --set length.steps=6 x10-high midpoint final-hf)
for again in '' already; do
    LIMIT=200 ends 0 "${run[@]}" --max-lr 0.002
    [ "$(grep -cE '^(x10-high|midpoint|final-hf) +test: 180 samples' "$T/experiment/table.txt")" -eq 3 ] ||
        fail "$(cat "$T/experiment/table.txt")"
    [ -z "$again" ] || [ "$(grep -c '^already done' "$T/err")" -eq 3 ] || fail "run again: $(cat "$T/err")"
done
grep -q '"base_lr": 0.001}' "$T/experiment/configs/midpoint.json" || fail "not scaled"
"$GYRE" data info "$T/experiment/twenty.h5" | grep -q '20 ' || fail "not 20 images"
ends 1 "$configs/few_images.py" "$T/images.h5" -o "$T/experiment/twenty.h5"
grep -q "is there already" "$T/err" || fail "overwrites: $(cat "$T/err")"
ends 1 "$configs/few_images.py" "$T/images.h5" -o "$T/odd.h5" --count 25
ends 2 "${run[@]}" --max-lr fast
ends 2 "${run[@]}" nowhere
ends 2 "$configs/run.sh" --out "$T/x"
exit 0
