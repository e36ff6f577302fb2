#!/usr/bin/env bash
# evaluate.views: outputs are the weighted mean of those of each view, as numpy makes the views; in a
# run's evaluation, gyre eval and predictions, the same on any number of ranks; refused where it
# means nothing.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 320 90 12 3
cd "$T" || exit 1
cat >cnn.json <<'JSON'
{"data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.5, 0.4, 0.3], "std": [0.25, 0.25, 0.25]}}},
 "model": {"layers": [{"name": "a", "type": "conv", "channels": 8, "size": 3, "pad": 1},
    {"name": "n", "type": "batch_norm"}, {"name": "r", "type": "relu"}, {"name": "fc", "type": "linear", "out": "classes"}]},
 "batch": {"size": 32, "shards": 4}, "evaluate": {"views": "mirror_shift", "batch": 20},
 "schedule": {"policy": "constant", "base_lr": 0.02}, "length": {"steps": 10}}
JSON
ends 0 "$GYRE" train cnn.json --out run
grep -q "of 6 views" err || fail "the run does not say so: $(cat err)"
grep -q '"views":6' run/log.jsonl || fail "nor its log: $(grep evaluation run/log.jsonl)"
grep -q '"views":[[:space:]]*"mirror_shift"' run/config.json || fail "nor its config.json"
ends 0 mpirun -q -np 2 "$GYRE" train cnn.json --out two --quiet
same_tables run two || fail "two ranks score otherwise"
ends 0 "$GYRE" train cnn.json --out plain --quiet --set evaluate.views=none
[ "$("$GYRE" inspect run --hash=state)" = "$("$GYRE" inspect plain --hash=state)" ] || fail "views change training"

# ---- gyre eval takes the run's, or others; predictions are of the means
for v in none mirror mirror_shift; do ends 0 "$GYRE" eval run --views $v --predictions $v.csv; done
ends 0 "$GYRE" eval run --predictions own.csv
grep -q "of 6 views" out || fail "eval: $(cat out)"
cmp -s own.csv mirror_shift.csv || fail "eval takes other views than the run"
ends 0 mpirun -q -np 2 "$GYRE" eval run --predictions ranks.csv
cmp -s own.csv ranks.csv || fail "two ranks predict otherwise"
/usr/bin/python3 - <<'PY' || fail "no views"
import h5py, numpy as np
with h5py.File("images.h5") as f:
    x, y, train, labels = (f[k][:] for k in ("test/images", "test/labels", "train/images", "train/labels"))
p = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
views = {"here": x, "up": p[:, :-2, :-2], "down": p[:, 2:, 2:]}
for name, v in views.items():
    for side, w in (("", v), ("-mirrored", v[:, :, ::-1])):
        with h5py.File(f"{name}{side}.h5", "w") as f:
            f["test/images"], f["test/labels"] = np.ascontiguousarray(w), y
            f["train/images"], f["train/labels"] = train, labels
PY
for v in here up down; do
    for side in "" -mirrored; do ends 0 "$GYRE" eval run --views none --data $v$side.h5 --predictions $v$side.csv; done
done
/usr/bin/python3 - <<'PY' || fail "other outputs than the views' means"
import csv, numpy as np
def read(name):
    with open(name + ".csv") as f:
        return np.array([[float(x) for x in row[3:]] for row in list(csv.reader(f))[1:]])
two = 0.5 * read("here") + 0.5 * read("here-mirrored")
six = 0.5 * two + 0.125 * sum(read(v + s) for v in ("up", "down") for s in ("", "-mirrored"))
assert read("none").shape == (90, 10) and (read("none") == read("here")).all()
for name, want in (("mirror", two), ("mirror_shift", six)):
    # roundings of six products and sums, and of the digits of a file
    assert abs(read(name) - want).max() < 2e-6 * abs(want).max(), (name, abs(read(name) - want).max())
assert abs(two - six).max() > 1e-3 and abs(two - read("here")).max() > 1e-3
PY

# ---- half precision runs, too; what it is not for
ends 0 "$GYRE" train cnn.json --out half --quiet --set precision=bf16
refused 2 "--views six: none, mirror or mirror_shift was expected" "$GYRE" eval run --views six
refused 2 'evaluate.views: expected one of "none", "mirror", "mirror_shift"' "$GYRE" train cnn.json --out x --set evaluate.views=all
exit 0
