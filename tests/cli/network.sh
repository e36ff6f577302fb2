#!/usr/bin/env bash
# Networks as data: each network of the zoo trains to the same bits by its name and by the nodes that
# `gyre model --json` prints, on 1 and 2 ranks; resume, evaluation and refusals. LARGEST: the most
# parameters of a network that is trained.
# Slow.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
make_dataset "$T/small.h5" 32 4 32 3

# config FILE MODEL [EVERY]: MODEL is what stands in "model"; EVERY, steps between checkpoints.
config() {
    cat >"$1" <<EOF
{"data": {"path": "$T/small.h5"}, "model": $2, "batch": {"size": 8, "shards": 2},
 "length": {"steps": 3}, "schedule": {"policy": "constant", "base_lr": 0.01},
 "evaluate": {"every": {"steps": 3}}, "checkpoint": {"every": {"steps": ${3:-1}}}}
EOF
}
hash_of() { "$GYRE" inspect --hash="${2:-parameters}" "$1"; }
same() { [ "$(hash_of "$1" "${3:-parameters}")" = "$(hash_of "$2" "${3:-parameters}")" ] || fail "$1 and $2 differ"; }

# The largest write gigabytes; the nodes they are made of are in the others, too.
largest=${LARGEST:-30000000}
for name in $("$GYRE" help models | sed '/^$/,$d' | awk '/^[a-z]/ {print $1}'); do
    ends 0 "$GYRE" model "$name" --json
    cp "$T/out" "$T/net.json"
    ends 0 "$GYRE" model "$T/net.json" --json
    cmp -s "$T/out" "$T/net.json" || fail "$name: its nodes are printed in another way once they were read"
    ends 0 "$GYRE" model "$name"
    [ "$(awk '/^total/ {print $2}' "$T/out")" -le "$largest" ] || continue
    config "$T/name.json" "{\"name\": \"$name\"}" 9
    config "$T/file.json" '{"file": "net.json"}' 9
    rm -rf "$T/by-name" "$T/by-file"
    LIMIT=600 ends 0 "$GYRE" train "$T/name.json" --out "$T/by-name" --quiet
    LIMIT=600 ends 0 "$GYRE" train "$T/file.json" --out "$T/by-file" --quiet
    same "$T/by-name" "$T/by-file" state
done

# On two ranks, resumed, and written inline with its keys in another order: one run. The file is no longer needed then.
"$GYRE" model small_cnn --json >"$T/net.json" || fail "model --json"
config "$T/name.json" '{"name": "small_cnn"}'
config "$T/file.json" '{"file": "net.json"}'
config "$T/inline.json" "{\"layers\": $(/usr/bin/python3 -c 'import json, sys
print(json.dumps(json.load(sys.stdin), sort_keys=True))' <"$T/net.json")}"
ends 0 "$GYRE" train "$T/name.json" --out "$T/one" --quiet
ends 0 mpirun -n 2 "$GYRE" train "$T/file.json" --out "$T/two" --quiet
same "$T/one" "$T/two" state
ends 0 "$GYRE" train "$T/file.json" --out "$T/parts" --quiet --stop-after 1
rm "$T/net.json"
ends 0 "$GYRE" train "$T/inline.json" --out "$T/parts" --quiet
same "$T/one" "$T/parts" state
ends 0 "$GYRE" train "$T/parts/config.json" --out "$T/again" --quiet --set "data.path=$T/small.h5"
same "$T/one" "$T/again" state

# The checkpoint alone knows its network; the score is the same.
ends 0 "$GYRE" eval "$T/one"
cp "$T/out" "$T/score"
ends 0 "$GYRE" eval "$T/two"
cmp "$T/out" "$T/score" || fail "another score"
mkdir "$T/alone"
cp "$T/two/checkpoints/step-000000003.h5" "$T/alone/it.h5"
ends 0 "$GYRE" eval "$T/alone/it.h5" --data "$T/small.h5"
cmp "$T/out" "$T/score" || fail "another score of the checkpoint alone"
ends 0 "$GYRE" inspect "$T/alone/it.h5"

# A resume with another network is refused by the node that differs.
cp -r "$T/two" "$T/other"
sed 's/"channels": 32/"channels": 33/' "$T/inline.json" >"$T/changed.json"
refused 2 '"channels": 33' "$GYRE" train "$T/changed.json" --out "$T/other"
grep -q 'model.layers: run has {"name": "conv2"' "$T/err" || fail "the node is not named: $(cat "$T/err")"

# One of three ways to name a network; messages have one line.
config "$T/both.json" '{"name": "mlp", "layers": []}'
refused 2 "found model.name and model.layers" "$GYRE" train "$T/both.json" --out "$T/x"
config "$T/wide.json" '{"layers": [{"name": "a", "type": "linear", "out": 40000000}, {"name": "fc", "type": "linear", "out": "classes"}]}'
refused 2 "parameters (fewer channels or outputs need less): " "$GYRE" train "$T/wide.json" --out "$T/x"
config "$T/missing.json" '{"file": "nowhere.json"}'
refused 3 "nowhere.json" "$GYRE" train "$T/missing.json" --out "$T/x"
config "$T/bad.json" '{"layers": [{"name": "a", "type": "con"}]}'
refused 2 'bad.json: model.layers: node a: there is no type "con"; did you mean "conv"?' \
    "$GYRE" train "$T/bad.json" --out "$T/x"
echo '[{"name": "fc", "type": "linear", "out": 10}' >"$T/broken.json"
config "$T/bad.json" '{"file": "broken.json"}'
refused 2 "broken.json:2:1: JSON syntax error" "$GYRE" train "$T/bad.json" --out "$T/x"

# gyre model: the table adds up to what training says; a config gives the size of the images.
ends 0 "$GYRE" model "$T/name.json" --set model.name=lenet
grep -q '^lenet for images of 32 x 32 x 3, 10 classes' "$T/out" || fail "$(head -n 1 "$T/out")"
ends 0 "$GYRE" model lenet --image 28x28x1 --classes 10
grep -qE '^conv2 +conv +8 x 8 x 50 +25050 +3\.200 +12800$' "$T/out" || fail "$(cat "$T/out")"
grep -qE '^total +431080 +4\.586 +75640$' "$T/out" || fail "$(cat "$T/out")"
refused 2 "--image 28x28: height x width x channels was expected" "$GYRE" model lenet --image 28x28
/usr/bin/python3 - >"$T/long.json" <<'PYTHON'
import json
print(json.dumps([{"name": f"n{i}", "type": "relu"} for i in range(100000)]))
PYTHON
refused 2 "node n10000: expected at most 10000 nodes, found one more" "$GYRE" model "$T/long.json"
refused 3 "'$T/none.json' does not exist" "$GYRE" model "$T/none.json"
refused 2 'did you mean "lenet"?' "$GYRE" model lenett
echo '[{"name": "fc", "type": "linear", "out": 10}]' >"$T/nodes.json"
ends 0 "$GYRE" model "$T/nodes.json" --json
grep -q '"out": 10' "$T/out" || fail "$(cat "$T/out")"

# A drawing is dot's; without dot there is a message, and no file of another is overwritten.
mkdir "$T/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\n# -Tsvg -o OUT IN\n{ echo "<svg>"; cat "$4"; echo "</svg>"; } >"$3"\n' >"$T/bin/dot"
chmod +x "$T/bin/dot"
PATH=$T/bin:$PATH ends 0 "$GYRE" model small_cnn --plot "$T/net.svg"
grep -q 'n0 -> n1' "$T/net.svg" || fail "no arrows in the drawing"
PATH=$T/bin:$PATH ends 0 "$GYRE" model mlp --plot "$T/net.svg"
echo changed >>"$T/net.svg"
PATH=$T/bin:$PATH refused 3 "would be overwritten" "$GYRE" model mlp --plot "$T/net.svg"
refused 2 "a name that ends in .svg was expected" "$GYRE" model mlp --plot "$T/net.pdf"
rm "$T/bin/dot"
refused 3 "apt-get install graphviz" env PATH="$T/bin" "$GYRE" model mlp --plot "$T/new.svg"
exit 0
