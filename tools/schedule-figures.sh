#!/usr/bin/env bash
# Draws the pictures of docs/schedules.md (docs/figures/schedules/NAME.svg) with gyre itself.
#   tools/schedule-figures.sh [DIR [EXTENSION]]     GYRE is the program, build/cpu/gyre if unset
set -eu
cd "$(dirname "$0")/.."
GYRE=${GYRE:-build/cpu/gyre}
to=${1:-docs/figures/schedules} extension=${2:-svg}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir -p "$to"

figure() { # file and title, keys of "schedule", length
    printf '{"schedule": {%s}, "length": %s}\n' "$2" "$3" >"$T/$1.json"
    "$GYRE" schedule "$T/$1.json" --plot "$T/$1.$extension" >/dev/null
    cp "$T/$1.$extension" "$to/$1.$extension"
    echo "$to/$1.$extension"
}

rates='"base_lr": 0.001, "max_lr": 0.006'
steps='{"steps": 1001}'
figure triangular "$rates, \"cycles\": 3" "$steps"
figure stepsize "$rates, \"stepsize\": {\"steps\": 200}" "$steps"
figure start_high "$rates, \"cycles\": 2.5, \"start\": \"high\"" "$steps"
figure up_fraction "$rates, \"cycles\": 3, \"up_fraction\": 0.2" "$steps"
figure shape_cosine "$rates, \"cycles\": 3, \"shape\": \"cosine\"" "$steps"
figure shape_welch "$rates, \"cycles\": 3, \"shape\": \"welch\"" "$steps"
figure triangular2 "$rates, \"cycles\": 4, \"policy\": \"triangular2\"" "$steps"
figure exp_range "$rates, \"cycles\": 5, \"policy\": \"exp_range\", \"gamma\": 0.998" "$steps"
figure exp_range_amplitude "$rates, \"cycles\": 5, \"policy\": \"exp_range_amplitude\", \"gamma\": 0.998" "$steps"
figure momentum "$rates, \"cycles\": 3, \"momentum\": {\"min\": 0.85, \"max\": 0.95}" "$steps"
figure warmup "$rates, \"cycles\": 2.5, \"start\": \"high\", \"warmup\": {\"steps\": 100}" "$steps"
figure sgdr '"policy": "sgdr", "max_lr": 0.05, "t0": {"steps": 200}, "t_mult": 2' '{"cycles": 3}'
figure one_cycle_pytorch2 '"policy": "one_cycle", "max_lr": 0.1' '{"steps": 1000}'
figure one_cycle_pytorch3 '"policy": "one_cycle", "max_lr": 0.1, "one_cycle": {"form": "pytorch3"}' '{"steps": 1000}'
figure one_cycle_paper '"policy": "one_cycle", "max_lr": 0.1, "momentum": {"min": 0.85, "max": 0.95},
    "one_cycle": {"form": "paper", "anneal": "linear", "pct_start": 0.45, "div_factor": 10, "final_div_factor": 100}' "$steps"
figure hf_cosine '"policy": "hf_cosine", "max_lr": 1.5e-6, "decay_steps": 100' '{"steps": 1000}'
figure linear '"policy": "linear", "max_lr": 0.1, "warmup": {"steps": 50}' '{"steps": 1000}'
figure wsd '"policy": "wsd", "max_lr": 0.1, "warmup": {"steps": 50}' '{"steps": 1000}'
figure multistep '"policy": "multistep", "base_lr": 0.1, "gamma": 0.1, "milestones": {"steps": [500, 750]}' '{"steps": 1000}'
figure exp '"policy": "exp", "base_lr": 0.1, "gamma": 0.996' '{"steps": 1000}'
figure stages '"policy": "triangular2", "stages": [
    {"length": {"steps": 16000}, "base_lr": 0.001, "max_lr": 0.005, "stepsize": {"steps": 2000}},
    {"length": {"steps": 6000}, "base_lr": 0.0001, "max_lr": 0.0005, "stepsize": {"steps": 1000}},
    {"length": {"steps": 3000}, "base_lr": 0.00001, "max_lr": 0.00005, "stepsize": {"steps": 500}}]' '{"steps": 25000}'
