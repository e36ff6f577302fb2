#!/usr/bin/env bash
# gyre eval --predictions: a line for each sample, that adds up to the score; the same on two ranks.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
make_dataset "$T/small.h5" 64 600 8 1
cat >"$T/config.json" <<EOF
{"data": {"path": "small.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2},
 "length": {"steps": 30}, "schedule": {"policy": "constant", "base_lr": 0.01},
 "evaluate": {"batch": 32}}
EOF
ends 0 "$GYRE" train "$T/config.json" --out "$T/run" --quiet
ends 0 "$GYRE" eval "$T/run" --predictions "$T/one.csv"
cp "$T/out" "$T/score"
for ranks in 2 4; do # several rounds of batches, and ranks that have none in the last one
    ends 0 mpirun -n $ranks "$GYRE" eval "$T/run" --predictions "$T/more.csv"
    cmp "$T/one.csv" "$T/more.csv" || fail "$ranks ranks write other predictions"
done
/usr/bin/python3 - "$T" <<'PYTHON' || fail "the predictions do not add up"
import csv, re, sys
import h5py
T = sys.argv[1]
rows = list(csv.reader(open(T + "/one.csv")))
assert rows[0] == ["index", "label", "prediction"] + ["out%d" % k for k in range(10)], rows[0]
labels = h5py.File(T + "/small.h5")["test/labels"][:]
assert len(rows) == 601 and [int(r[0]) for r in rows[1:]] == list(range(600))
assert [int(r[1]) for r in rows[1:]] == list(labels)
outputs = [[float(x) for x in r[3:]] for r in rows[1:]]
assert all(o.index(max(o)) == int(r[2]) for o, r in zip(outputs, rows[1:]))
hits = sum(r[1] == r[2] for r in rows[1:])
said = float(re.search(r"accuracy ([0-9.]+) %", open(T + "/score").read())[1])
assert abs(said - 100 * hits / 600) < 0.006, (said, hits)
assert len({x for o in outputs for x in o}) > 1000
PYTHON

# Its own file is replaced, no other.
ends 0 "$GYRE" eval "$T/run" --predictions "$T/one.csv"
echo precious >"$T/other.csv"
refused 3 "would be overwritten" "$GYRE" eval "$T/run" --predictions "$T/other.csv"
grep -q precious "$T/other.csv" || fail "a file of another was overwritten"
refused 3 "nowhere" "$GYRE" eval "$T/run" --predictions "$T/nowhere/a.csv"
refused 3 "does not exist" "$GYRE" eval "$T/gone" --predictions "$T/a.csv"
[ -z "$(find "$T" -name '*.tmp.*')" ] || fail "left behind: $(find "$T" -name '*.tmp.*')"
exit 0
