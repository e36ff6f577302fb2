#!/usr/bin/env bash
# What exporters write for one node of gyre, by older and newer operators, becomes that node.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
/usr/bin/python3 "$lib/onnx_file.py" "$T" || fail "no files"

count=0
while IFS=$'\t' read -r name types; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    found=$(sed -nE 's/.*"type": "([a-z0-9_]+)".*/\1/p' "$T/out" | tr '\n' ' ')
    case $name in
    joined) expected="conv $types conv average_pool linear " ;;
    dead) expected="conv average_pool linear " ;; # the ReLU is the convolution's own
    *) expected="conv $types average_pool linear " ;;
    esac
    [ "$found" = "$expected" ] || fail "$name: $found instead of $expected: $(cat "$T/out")"
    count=$((count + 1))
done <"$T/patterns.txt"
[ $count -ge 28 ] || fail "$count patterns"

ends 0 "$gyre" model "$T/stochastic_depth.onnx" --json
grep -q '"p": 0.25' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/padded.onnx" --json
grep -q '"pad": \[1, 2, 1, 0\]' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/layer_norm.onnx" --json
grep -q '"name": "norm", "type": "layer_norm", "eps": 1e-06' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/group_norm.onnx" --json
grep -q '"name": "norm", "type": "group_norm", "groups": 2' "$T/out" || fail "$(cat "$T/out")"
for name in shared equal partly turned; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    tied=$(grep -c '"parameters": "next"' "$T/out")
    [ $name:"$tied" = shared:1 ] || [ "$tied" -eq 0 ] || fail "$name: $(cat "$T/out")"
    told=$(grep -c "two nodes share .*, but not all of their weights; each has a copy" "$T/err")
    case $name in
    partly | turned) [ "$told" -eq 1 ] || fail "$name: $(cat "$T/err")" ;;
    *) [ "$told" -eq 0 ] || fail "$name: $(cat "$T/err")" ;;
    esac
done
ends 0 "$gyre" model "$T/equal.onnx" --json
grep -q '"name": "last"' "$T/out" || fail "$(cat "$T/out")"
for name in counted zeros; do
    ends 0 "$gyre" model "$T/$name.onnx" --json
    grep -q '"pad": 1, "count_pad": true' "$T/out" || fail "$name: $(cat "$T/out")"
done
ends 0 "$gyre" model "$T/end_pads.onnx" --json
grep -q '"size": 3, "stride": 2, "ceil": true' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/within.onnx" --json
grep -q '"type": "lrn", "size": 3, "alpha": 0.5' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/question.onnx" --json
grep -q '"type": "channel_lrn", "size": 4, "alpha": 0.5, "k": 2' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$gyre" model "$T/bins.onnx" --json
grep -q '"type": "adaptive_average_pool", "bins": 3' "$T/out" || fail "$(cat "$T/out")"
exit 0
