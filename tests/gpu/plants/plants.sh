#!/usr/bin/env bash
# Plants each bug of tests/gpu/plants in a copy of the tree, builds it, and runs the test that is named
# for it, which must fail; all those tests must pass without.
#   O=build/cuda tests/gpu/plants/plants.sh [NAME...]
# A plant is a patch behind two lines: "what:" the bug is, and the "test:" for it, one of
#   runs RANKS GRAPH        matrix.sh with cifar10_quick in f32, every order of streams
#   branches, recording, engines, crops   branches.sh and so on
#   device PROGRAM          one of the CPU backend's tests, on the CUDA backend
#   unit PROGRAM            one of the CPU's unit tests
#   kernels FOLDER PROGRAM  one with emulated kernels
set -u
cd "$(dirname "$0")/../../.." || exit 2
O=${O:-build/cuda}
plants=$PWD/tests/gpu/plants
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir "$T/tree" "$T/tree/build"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -pt "$T/tree" || exit 2
cp -a "$O" "$T/tree/$O" || exit 2
cd "$T/tree" || exit 2
export O

build() { make --no-print-directory -j"$(nproc)" CUDA=1 ${CC:+CC="$CC"} "$@" >"$T/build" 2>&1; }

# run TEST...: builds what it needs and runs it. 125: it could not be built.
run() {
    case $1 in
    runs)
        build "$O/gyre" fakes || return 125
        MODELS=cifar10_quick PRECISIONS=f32 REDUCES=fast RANKS=$2 GRAPHS=$3 tests/gpu/runs/matrix.sh
        ;;
    branches | recording | engines | crops)
        build "$O/gyre" fakes || return 125
        "tests/gpu/runs/$1.sh"
        ;;
    device)
        build "$O/on_device/$2" fakes || return 125
        tests/gpu/runs/on_device.sh "$O/on_device/$2"
        ;;
    unit)
        build "$O/tests/unit/$2" || return 125
        "$O/tests/unit/$2"
        ;;
    kernels)
        build E="$O/$2" "$O/$2/$3" || return 125
        for seed in 0 1 2; do # orders of threads, as in gpu-kernels-emulated
            GYRE_EMULATOR_SEED=$seed timeout 240 "$O/$2/$3" || return 1
        done
        ;;
    *) echo "no such kind of test: $*" && return 125 ;;
    esac
}

# words NAME WHAT: that line of a plant
words() { sed -n "s/^$2: //p" "$plants/$1.patch"; }

# said: the line of the test's output that tells most.
said() {
    for words in 'fake: rank' 'got .*want' 'FAILED|error'; do
        grep -m1 -hE "$words" "$T/out" | cut -c1-160 | grep . && return
    done
}

names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd "$plants" && printf '%s\n' *.patch | sed 's/\.patch$//')
failed=0
mapfile -t tests < <(for name in "${names[@]}"; do words "$name" test; done | sort -u)
for t in "${tests[@]}"; do
    # shellcheck disable=SC2086
    run $t >"$T/out" 2>&1 || { echo "FAILED without a plant: $t"; tail -n 20 "$T/build" "$T/out"; exit 1; }
done
for name in "${names[@]}"; do
    patch -sp1 <"$plants/$name.patch" || exit 2
    rc=0
    # shellcheck disable=SC2046
    run $(words "$name" test) >"$T/out" 2>&1 || rc=$?
    patch -sRp1 <"$plants/$name.patch" || exit 2
    case $rc in
    0) failed=$((failed + 1)) && echo "MISSED: $name" ;;
    125) failed=$((failed + 1)) && echo "NOT BUILT: $name" && tail -n 20 "$T/build" ;;
    *) echo "| $(words "$name" what) | \`$(words "$name" test)\` | $(said) |" ;;
    esac
done
echo "plants: $((${#names[@]} - failed)) of ${#names[@]} caught"
[ $failed -eq 0 ]
