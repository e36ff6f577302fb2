#!/usr/bin/env bash
# A network that draws (dropout of elements and channels, stochastic depth) is one run too: on 1, 2
# and 4 ranks, with threads, and after a resume on another number of ranks it has the same
# parameters.
# Another seed, and another name of a node, draw otherwise.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 400 100 10

config() { # name of the last node that draws
    cat <<JSON
{
    "data": {"path": "images.h5"},
    "model": {"layers": [
        {"name": "conv", "type": "conv", "channels": 8, "size": 3},
        {"name": "act", "type": "gelu"},
        {"name": "branch", "type": "conv", "channels": 8, "size": 1},
        {"name": "maps", "type": "spatial_dropout", "p": 0.2},
        {"name": "depth", "type": "stochastic_depth", "p": 0.3},
        {"name": "sum", "type": "add", "inputs": ["depth", "act"]},
        {"name": "pool", "type": "average_pool", "size": 4, "stride": 4},
        {"name": "$1", "type": "dropout", "p": 0.4},
        {"name": "fc", "type": "linear", "out": "classes"}]},
    "batch": {"size": 32, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 2},
    "length": {"steps": 40},
    "evaluate": {"every": {"steps": 20}, "batch": 25}
}
JSON
}
config drop >"$T/config.json"
config fall >"$T/other.json"
train=("$GYRE" train "$T/config.json" --quiet --out)
hash_of() { "$GYRE" inspect "$T/$1" --hash; }

ends 0 "${train[@]}" "$T/alone"
expected=$(hash_of alone)
[[ $expected =~ ^[0-9a-f]{16}$ ]] || fail "no hash: $expected"
same() { # run folder
    [ "$(hash_of "$1")" = "$expected" ] || fail "$1 has another hash"
    same_tables "$T/alone" "$T/$1" || fail "the tables of $1 differ"
}

for n in 2 4; do
    ends 0 mpirun -q -np $n "${train[@]}" "$T/np$n"
    same np$n
done
ends 0 "${train[@]}" "$T/threads" --set threads=3
same threads
ends 0 mpirun -q -np 2 "${train[@]}" "$T/stopped" --stop-after 17
ends 0 "${train[@]}" "$T/stopped"
same stopped

ends 0 "${train[@]}" "$T/seed" --set seed=2
[ "$(hash_of seed)" != "$expected" ] || fail "the seed does not matter"
for p in 0 0.4; do # nothing drawn: the name does not matter
    for name in drop fall; do
        config $name | sed "s/0\.[234]\(}\)/$p\1/" >"$T/$name.json"
        ends 0 "$GYRE" train "$T/$name.json" --quiet --out "$T/$name$p"
    done
    [ "$(hash_of drop$p)" = "$(hash_of fall$p)" ] && alike=yes || alike=no
    [ $alike = "$([ "$p" = 0 ] && echo yes || echo no)" ] || fail "p $p: two names alike: $alike"
done
