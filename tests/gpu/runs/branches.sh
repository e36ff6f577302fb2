#!/usr/bin/env bash
# The shards of a rank side by side: on 1, 2 and 4 branches (`threads` caps them), in every order of
# streams, called and replayed, on 1 and 2 ranks, the same bits; and as many as memory allows.
set -u
. "$(dirname "$0")/lib.sh"
export FAKE_FREE=${FAKE_FREE:-at-once}
config "$T/config.json" cifar10_quick "${STEPS:-3}"
runs=0

# one run: BRANCHES RANKS SHARDS GRAPH ORDER [SETTINGS...]; says how many branches it had.
try() {
    local branches=$1 ranks=$2 shards=$3 graph=$4 order=$5 mine group
    runs=$((runs + 1))
    rm -rf "$T/run"
    FAKE_ORDER=$order on_fakes "$FAKES" "$ranks" "$GYRE" train "$T/config.json" --out "$T/run" \
        --set graph="$graph" --set batch.size=$((2 * shards)) --set batch.shards="$shards" --set threads="$branches" "${@:6}" ||
        fail "$*: exit $?: $(tail -n 5 "$T/err")"
    ! grep '^fake: ' "$T/err" || fail "$*: the fakes have something to say"
    had=$(sed -n 's/^.* shards on .* GPUs\{0,1\}, \([0-9]*\) at a time:.*/\1/p' "$T/err")
    group="$shards ${*:6}" mine=$(outcome_of "$T/run")
    [ "${result[$group]:-$mine}" = "$mine" ] || fail "$*: $mine, other runs of $shards shards have ${result[$group]}"
    result[$group]=$mine
    echo "  $*: $mine, $had at a time"
}
declare -A result

for order in eager lazy early:0 early:3 late:4 seed:1; do
    try 4 1 4 true $order
done
try 1 1 4 true lazy
[ "$had" = 1 ] || fail "threads: 1 gives $had branches"
try 2 1 4 true seed:3 # two rounds
try 2 1 4 false early:3
try 4 1 4 false seed:4
try 4 2 4 true seed:5 # two shards a rank
[ "$had" = 2 ] || fail "2 shards a rank give $had branches"
try 0 1 8 true seed:6
[ "$had" = 8 ] || fail "8 shards have $had branches"
try 4 1 8 true early:4
try 1 1 8 false lazy
# Rounds of 4 and 2; a last round of one shard.
for branches in 1 4; do try $branches 1 6 true seed:7 --set reduce=fast; done
for branches in 1 2; do try $branches 1 3 true early:3 --set reduce=fast; done
# Little memory: fewer branches, the same bits.
FAKE_MEMORY=${LITTLE:-16000000} try 0 1 8 true lazy
[ "$had" -gt 1 ] && [ "$had" -lt 8 ] || fail "little memory gives $had branches"

# chain PRECISION MOST: kernels behind each other in a step of resnet20 in 4 shards, of whatever size.
chain() {
    local found
    FAKE_CHAIN=1 on_fakes "$FAKES" 1 "$GYRE" train "$T/resnet20.json" --quiet --out "$T/chain" --set precision="$1" --set batch.shards=4 || fail "resnet20: exit $?: $(tail -n 3 "$T/err")"
    found=$(sed -n 's/^fake: .*graph: .* on 5 streams, \([0-9]*\) behind each other/\1/p' "$T/err")
    [ "${found:-9999}" -le "$2" ] || fail "resnet20 in $1: $(grep graph: "$T/err"): more than $2"
    echo "  resnet20 in $1, 4 shards: $(grep -o 'graph: .*' "$T/err")"
    rm -rf "$T/chain"
}
config "$T/resnet20.json" resnet20 3
chain f32 210
chain bf16 230
echo "branches: $runs runs, ${#result[@]} results, each the same on any number of branches"
