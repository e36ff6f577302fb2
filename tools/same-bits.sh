#!/usr/bin/env bash
# Whether two commits compute the same bits, for a change that is to change none: builds both, trains
# every network for 5 steps in f32 and bf16, with sgd and adam, on one rank, and on two with a resume
# in between, and compares the hashes of parameters and state; then the tables of a run, a find.h5,
# and the reports that both make of one run and of one study.
#
#   tools/same-bits.sh OLD [NEW]    two commits; NEW is HEAD when it is not given
#
# NETWORKS="mlp resnet20"  only these of the networks that both have
# SCRATCH=DIR              where both are built, in DIR/COMMIT, and stay; default: in TMPDIR, not kept
#
# Needs what `make check` needs. Exit code 1: they differ, and where.
set -u
cd "$(dirname "$0")/.." || exit 2
[ $# -ge 1 ] || { sed -n '/^#   /s/^# *//p' "$0" && exit 2; }
old=$(git rev-parse --short --verify "$1^{commit}") || exit 2
new=$(git rev-parse --short --verify "${2:-HEAD}^{commit}") || exit 2
root=$PWD
. tests/cli/lib/common.sh
scratch=${SCRATCH:-$T}
differences=0
results=0

build() { # COMMIT: the program is $scratch/COMMIT/build/cpu/gyre
    [ -d "$scratch/$1" ] || git clone -q "$root" "$scratch/$1" || exit 2
    git -C "$scratch/$1" checkout -q "$1" || exit 2
    make -s -C "$scratch/$1" -j "$(nproc)" build/cpu/gyre >"$scratch/$1.log" 2>&1 ||
        { tail -n 20 "$scratch/$1.log" && echo "same-bits: $1 cannot be built" && exit 2; }
}

gyre_of() { echo "$scratch/$1/build/cpu/gyre"; }

# compare WHAT FILE: is FILE the same in the folders of both?
compare() {
    results=$((results + 1))
    cmp -s "$T/$old-runs/$2" "$T/$new-runs/$2" && return
    echo "differs: $1"
    diff -a "$T/$old-runs/$2" "$T/$new-runs/$2" 2>&1 | head -n 4 | cut -c 1-200
    differences=$((differences + 1))
}

# both FUNCTION ARGUMENTS...: with each program as $gyre, in its folder; what it prints is "said".
both() {
    local commit
    for commit in "$old" "$new"; do
        gyre=$(gyre_of "$commit")
        (cd "$T/$commit-runs" && "$@") >"$T/$commit-runs/said" 2>&1 || echo "exit $?" >>"$T/$commit-runs/said"
    done
}

images_of() { # NETWORK: the dataset that it is for
    case $1 in
    lenet) echo images-28-1 ;;
    resnet18 | resnet50) echo images-64-3 ;;
    *) echo images-32-3 ;;
    esac
}

write_config() { # NETWORK PRECISION OPTIMIZER
    cat <<JSON
{
    "seed": 5, "data": {"path": "$T/$(images_of "$1").h5", "augment": {"mirror": true, "crop": 2}},
    "model": {"name": "$1"}, "batch": {"size": 16, "shards": 4}, "precision": "$2",
    "optimizer": {"name": "$3", "weight_decay": 1e-3},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 1,
                 "momentum": {"min": 0.8, "max": 0.95}},
    "length": {"steps": 5}, "evaluate": {"every": {"steps": 5}, "batch": 16}
}
JSON
}

hashes() { # RUN
    "$gyre" inspect "$1" --hash && "$gyre" inspect "$1" --hash=state
}

train() { # on one rank; on two, which stop, and on one again
    rm -rf one two
    "$gyre" train ../config.json --out one --quiet && hashes one &&
        mpirun -q -np 2 "$gyre" train ../config.json --out two --quiet --stop-after 3 && hashes two &&
        "$gyre" train ../config.json --out two --quiet && hashes two
}

# What the run "one" holds, without its clocks.
tables() {
    same_tables ../"$old"-runs/one one && "$gyre" export csv ../"$old"-runs/one -o csv --force && cat csv/*
}

find_range() {
    rm -rf found
    "$gyre" find ../config.json --out found --steps 40 --from 1e-5 --to 1 --repeats 2 --quiet
}

study() { "$gyre" study ../study.json --out cells --quiet; }

report() { # FOLDER of the older program: both read the same times
    rm -rf page
    cp -r "../$old-runs/$1" read && "$gyre" report read --out page
    rm -r read
    (cd page && for f in *; do echo "== $f" && cat "$f"; done)
}

echo "building $old and $new"
build "$old"
build "$new"
mkdir "$T/$old-runs" "$T/$new-runs" 2>/dev/null || fail "one commit, $old, was given twice"
make_dataset "$T/images-28-1.h5" 64 32 28 1
make_dataset "$T/images-32-3.h5" 64 32 32 3
make_dataset "$T/images-64-3.h5" 64 32 64 3

precisions="f32 bf16"
write_config mlp bf16 sgd >"$T/config.json"
"$(gyre_of "$new")" train "$T/config.json" --out "$T/bf16" --quiet 2>"$T/err" ||
    { precisions=f32 && echo "  skip  bf16: $(tail -n 1 "$T/err")"; }
networks_of() { # COMMIT
    "$(gyre_of "$1")" help models | sed -n '/^$/q; s/^\([a-z0-9_]*\)  .*/\1/p'
}
for network in ${NETWORKS:-$(networks_of "$new")}; do
    networks_of "$old" | grep -qx "$network" || { echo "$network: $old has none" && continue; }
    for precision in $precisions; do
        for optimizer in sgd adam; do
            write_config "$network" "$precision" $optimizer >"$T/config.json"
            both train
            [ "$(grep -Ec '^[0-9a-f]{16}' "$T/$new-runs/said")" -eq 6 ] ||
                fail "$network, $precision, $optimizer: $(cat "$T/$new-runs/said")"
            compare "hashes of $network, $precision, $optimizer" said
        done
    done
    echo "$network: compared"
done

write_config mlp f32 sgd >"$T/config.json"
sed 's/"steps": 5/"epochs": 2/g' "$T/config.json" >"$T/base.json"
echo '{"name": "bits", "base": "base.json", "seeds": [1, 2], "cycles": [1, 2], "controls": ["midpoint"]}' >"$T/study.json"
both train
both tables
compare "the tables of a run" said
both find_range
compare "find's words" said
compare "find.h5" found/find.h5
both study
results_of() { (cd cells && for f in cells/*/*/result.json; do echo "$f $(sed 's/"seconds":[^,]*,//' "$f")"; done); }
both results_of
compare "a study's results" said
for folder in one cells; do
    both report $folder
    compare "the report of $folder" said
done
echo "$results results compared, $differences differ: $old, $new"
[ $differences -eq 0 ]
