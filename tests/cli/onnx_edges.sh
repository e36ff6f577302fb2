#!/usr/bin/env bash
# ONNX files at the edges of what gyre reads: what each becomes, and what is said of it.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
/usr/bin/python3 "$lib/onnx_edges.py" "$T" || fail "no files"

# holds NAME FILE WORDS: it has them, or with ! in front not
holds() {
    case $3 in
    '') ;;
    '!'*) ! grep -qF -- "${3#!}" "$2" || fail "$1: '${3#!}' in $(cat "$2")" ;;
    *) grep -qF -- "$3" "$2" || fail "$1: no '$3' in $(cat "$2")" ;;
    esac
}
count=0
while IFS='|' read -r name network told; do
    count=$((count + 1))
    if [ "$network" = refused ]; then
        refused 3 "$told" "$gyre" model "$T/$name.onnx"
        continue
    fi
    ends 0 "$gyre" model "$T/$name.onnx" --json
    holds "$name" "$T/out" "$network"
    cp "$T/out" "$T/json"
    ends 0 "$gyre" model "$T/$name.onnx"
    holds "$name" "$T/err" "$told"
done <"$T/edges.txt"
[ $count -ge 90 ] || fail "$count networks"

# A softmax is a part of cross_entropy, and a sigmoid of binary_cross_entropy: no loss gets two of them, or none.
cd "$T" || exit 1
with() { # LOSS NETWORK: a config
    echo "{\"model\": {\"loss\": \"$1\", $2}}" >with.json
}
with mean_squared_error '"file": "softmax.onnx"'
refused 2 'model.loss is "mean_squared_error", but the network of ' "$gyre" model with.json --image 8x8x3
grep -q 'ends in Softmax, which gyre has as a part of cross_entropy alone' err || fail "$(cat err)"
with cross_entropy '"file": "softmax.onnx"'
ends 0 "$gyre" model with.json --image 8x8x3
with binary_cross_entropy '"layers": {"nodes": [{"name": "fc", "type": "linear", "out": 4}, {"name": "end", "type": "sigmoid"}]}'
refused 2 'binary_cross_entropy takes logits and has the sigmoid, but the network ends in one, node end' "$gyre" model with.json

# A network that is all head is drawn anew for other classes.
PYTHONPATH=$lib /usr/bin/python3 "$lib/onnx_data.py" d.h5 3 8 8 || fail "no dataset"
echo '{"data": {"path": "d.h5"}, "model": {"file": "head_alone.onnx"}, "batch": {"size": 8}, "length": {"steps": 1},
       "schedule": {"policy": "constant", "base_lr": 0.01}}' >head.json
ends 0 "$gyre" train head.json --out head
grep -q 'drawn, since the file has another shape: .*head.weight (7, 192)' err || fail "$(cat err)"

# Many nodes are read, or refused, in a second or two; ten where the machine is busy, a minute under sanitizers.
LIMIT=$([ -z "${SAN:-}" ] && echo 10 || echo 60)
for name in many powers; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
done
for name in more most tied; do
    ends 3 "$gyre" model "$T/$name.onnx" --json
    grep -q "makes a network of [0-9]* nodes; at most 10000 were expected" "$T/err" || fail "$name: $(cat "$T/err")"
done
exit 0
