#!/usr/bin/env bash
# A network that tells the noise of noised images is one run on 1, 2 and 4 ranks, with threads, and
# after a resume on another number of ranks. Every evaluation takes the same times and noises: those
# of two runs from one start are equal, and a time's part of them is told. A batch of 4 is cut into 4
# shards where the network has no batch norm.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 400 100 10

config() { # options of the node that adds the noise
    cat <<JSON
{
    "data": {"path": "images.h5"},
    "model": {"loss": "denoise", "layers": [
        {"name": "noised", "type": "diffuse"$1},
        {"name": "time", "type": "time", "channels": 8},
        {"name": "linear", "type": "linear", "out": 12, "input": "time"},
        {"name": "label", "type": "embedding", "rows": 11, "channels": 12, "drop": 0.1,
         "input": "noised"},
        {"name": "both", "type": "add", "inputs": ["linear", "label"]},
        {"name": "conv", "type": "conv", "channels": 12, "size": 3, "pad": 1, "input": "noised"},
        {"name": "add", "type": "add", "inputs": ["conv", "both"]},
        {"name": "norm", "type": "group_norm", "groups": 3},
        {"name": "act", "type": "silu"},
        {"name": "out", "type": "conv", "channels": $channels, "size": 3, "pad": 1}]},
    "batch": {"size": 32, "shards": 4},
    "optimizer": {"name": "adamw"},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 2},
    "length": {"steps": 40},
    "evaluate": {"every": {"steps": 20}, "batch": 25, "pairs": 5}
}
JSON
}
channels=$("$GYRE" data info "$T/images.h5" | sed -n 's/.* [0-9]* x [0-9]* x \([0-9]*\).*/\1/p' | head -1)
config ', "noise": "cosine", "draw": "stratified"' >"$T/config.json"
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
for change in seed=2 predict=v; do
    [ $change = seed=2 ] || config ', "noise": "cosine", "draw": "stratified", "predict": "v"' \
        >"$T/config.json"
    ends 0 "${train[@]}" "$T/other" $([ $change = seed=2 ] && echo --set seed=2)
    [ "$(hash_of other)" != "$expected" ] || fail "$change does not matter"
    rm -r "$T/other"
done

# ---- evaluation
"$GYRE" eval "$T/alone" >"$T/one.txt" 2>/dev/null || fail "eval"
mpirun -q -np 2 "$GYRE" eval "$T/alone" >"$T/two.txt" 2>/dev/null || fail "eval on two ranks"
cmp -s "$T/one.txt" "$T/two.txt" || fail "two ranks evaluate otherwise"
grep -q 'each at 5 times' "$T/one.txt" || fail "the number of times is not told"
[ "$(grep -c ' to .* %  [0-9]*\.[0-9]' "$T/one.txt")" -eq 10 ] || fail "there are not ten parts of the time"

"$GYRE" report "$T/alone" >"$T/report.txt" 2>&1 || fail "report: $(cat "$T/report.txt")"
grep -q 'By time of the noise' "$T/alone/report/index.html" || fail "the report does not show the error by time"
ends 0 "$GYRE" export csv "$T/alone"
for table in report/bands csv/bands; do
    [ "$(wc -l <"$T/alone/$table.csv")" -eq "$(wc -l <"$T/alone/csv/validation.csv")" ] ||
        fail "$table.csv has not a row for each evaluation"
done
tail -1 "$T/alone/csv/bands.csv" >"$T/last.csv"
sed -n 's/.* %  \([0-9.]*\)$/\1/p' "$T/one.txt" | paste -sd, >"$T/told.csv"
/usr/bin/python3 - "$T/last.csv" "$T/told.csv" <<'PY' || fail "bands.csv and gyre eval differ"
import sys
last, told = [[float(x) for x in open(f).read().split(",")] for f in sys.argv[1:]]
assert last[0] == 40 and len(told) == 10 and all(abs(a - b) <= 6e-6 for a, b in zip(last[1:], told)), (last, told)
PY

# ---- other times and noises: the run is the same, its evaluations are not; the part test has its own number
split=(--set 'data.validation={"split": 0.1}' --set length.steps=20)
ends 0 "${train[@]}" "$T/split" "${split[@]}"
ends 0 "${train[@]}" "$T/seeded" "${split[@]}" --set evaluate.test_pairs=3 --set evaluate.seed=555
[ "$(hash_of split)" = "$(hash_of seeded)" ] || fail "the seed of evaluations changes the run"
of_part() { "$GYRE" eval "$T/$1" --part "$2" 2>/dev/null; }
of_part split test | grep -q 'each at 5 times' || fail "without test_pairs there are other than 5"
of_part seeded test | grep -q 'each at 3 times' || fail "evaluate.test_pairs is not taken"
of_part seeded validation | grep -q 'each at 5 times' || fail "evaluate.test_pairs holds for the part validation"
[ "$(of_part split validation)" != "$(of_part seeded validation)" ] || fail "evaluate.seed is not taken"
told=$(of_part seeded test | sed -n 's/.*loss \([0-9.]*\),.*/\1/p')
logged=$(sed -n 's/.*"event":"test".*"loss":\([0-9.e-]*\).*/\1/p' "$T/seeded/log.jsonl")
[ "$(printf %.4f "$logged")" = "$told" ] || fail "the run's test score is '$logged', gyre eval's '$told'"

# ---- a range test reads the validation loss, and has the same bits on two ranks
find=("$GYRE" find "$T/config.json" --quiet --repeats 1 --steps 40 --every 2 --from 1e-5)
ends 0 "${find[@]}" --out "$T/range"
grep -q '^read off the validation loss of 40 samples, at the same times' "$T/out" || fail "find: $(cat "$T/out")"
ends 0 mpirun -q -np 2 "${find[@]}" --out "$T/range2"
cmp "$T/range/find.h5" "$T/range2/find.h5" || fail "two ranks find something else"

# ---- shards
config '' | sed 's/"size": 32, "shards": 4/"size": 4/; s/"steps": 40/"steps": 8/' >"$T/four.json"
ends 0 "$GYRE" train "$T/four.json" --quiet --out "$T/four"
grep -q '"shards":[[:space:]]*4' "$T/four/config.json" || fail "a batch of 4 is not cut into 4 shards"

# ---- refused
refused 3 'node noised: type diffuse cannot be written as ONNX' "$GYRE" export onnx "$T/alone" -o "$T/net.onnx"
refused 2 'needs a node of type diffuse' "$GYRE" train "$T/config.json" --out "$T/bad" \
    --set 'model.layers=[{"name": "c", "type": "conv", "channels": 1, "size": 1}]'
bad() { # options of the node, words
    config "$1" >"$T/bad.json"
    refused 2 "$2" "$GYRE" train "$T/bad.json" --out "$T/bad"
}
bad ', "steps": 1' 'steps'
bad ', "from": 500, "to": 400' '"from" < "to"'
bad ', "beta_start": 0.5' 'at most "beta_end"'
bad ', "zero_snr": true' '"predict": "v"'
bad ', "noise": "quadratic"' 'scaled_linear'
config '' | sed 's/"rows": 11/"rows": 10/' >"$T/bad.json"
refused 2 'at least 11' "$GYRE" train "$T/bad.json" --out "$T/bad"
config '' | sed 's/"channels": 8}/"channels": 7}/' >"$T/bad.json"
refused 2 'an even number' "$GYRE" train "$T/bad.json" --out "$T/bad"
config '' | sed 's/"type": "time", "channels": 8/&, "input": "images"/' >"$T/bad.json"
refused 2 'node of type diffuse' "$GYRE" train "$T/bad.json" --out "$T/bad"
config '' | sed 's/"name": "out", "type": "conv", "channels": [0-9]*/"name": "out", "type": "conv", "channels": 5/' >"$T/bad.json"
refused 2 'outputs of the size of the images' "$GYRE" train "$T/bad.json" --out "$T/bad"
config ', "noise": "cosine"' | sed 's/{"name": "time"/{"name": "again", "type": "diffuse", "input": "images"}, &/' >"$T/bad.json"
refused 2 'one node of type diffuse' "$GYRE" train "$T/bad.json" --out "$T/bad"
