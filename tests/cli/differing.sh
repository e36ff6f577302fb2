#!/usr/bin/env bash
# A report says what its arms differ in besides the schedule, by their resolved configs and by the
# content of their datasets, not by names and paths; its tables have a group and a unit in every row.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
command -v gnuplot >/dev/null || { echo "gnuplot is not there"; exit 77; }
make_dataset images.h5 200 40
make_dataset others.h5 201 40
cp images.h5 copy.h5
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 10},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 1}}
JSON
study() { # FOLDER ARMS: its report
    echo "{\"name\": \"s\", \"base\": \"config.json\", \"seeds\": 2, \"cycles\": [1], \"controls\": [\"midpoint\"], \"arms\": [$2]}" >study.json
    ends 0 "$GYRE" study study.json --out "$1" --quiet
    ends 0 "$GYRE" report "$1"
}
column() { # FOLDER TABLE COLUMN: its values, sorted
    /usr/bin/python3 -c 'import csv, sys; print(*sorted({r[sys.argv[2]] for r in csv.DictReader(open(sys.argv[1]))}), sep="|")' "$1/report/$2.csv" "$3"
}
same="and in nothing else"

# Only the schedule differs, though a path does too: its dataset is a copy.
study plain '{"name": "copied", "set": {"data.path": "copy.h5"}}'
grep -q "$same" plain/report/index.html || fail "the schedule alone differs"
grep -q "differ in more than" plain/report/index.html && fail "a path is no difference"
[ "$(column plain comparisons differs_in)" = "the schedule" ] || fail "$(column plain comparisons differs_in)"

study more '{"name": "data", "set": {"data.path": "others.h5"}}, {"name": "wd", "set": {"optimizer.weight_decay": 0.001, "batch.shards": 1}},
    {"name": "net", "set": {"model.name": "small_cnn"}}'
grep -q "$same" more/report/index.html && fail "arms that differ in more are said to differ in nothing else"
grep -q "share everything but the schedule" more/report/index.html && fail "the method says that all the rest is shared"
grep -qF "differ in more than their schedule: the dataset, optimizer.weight_decay, batch.shards, model.name" more/report/index.html ||
    grep -F "differ in more than their schedule" more/report/index.html | grep -F "the dataset" | grep -F "batch.shards" |
    grep -F "model.name" | grep -qF "optimizer.weight_decay" || fail "not named: $(grep 'differ in more' more/report/index.html)"
wanted="batch.shards, optimizer.weight_decay|model.name|the dataset|the schedule"
[ "$(column more comparisons differs_in)" = "$wanted" ] || fail "$(column more comparisons differs_in)"

# Group and unit.
for table in cells arms comparisons curves; do
    [ "$(column more $table group)" = all ] || fail "$table: group $(column more $table group)"
done
/usr/bin/python3 - <<'P' || fail "units"
import csv
for c in csv.DictReader(open("more/report/cells.csv")):
    for key in ("accuracy", "best_accuracy", "test_accuracy"):
        assert abs(100 * float(c[key]) - float(c[key + "_percent"])) < 1e-9 and float(c[key]) <= 1, c
for c in csv.DictReader(open("more/report/curves.csv")):
    assert c["unit"] == ("percent" if c["curve"].startswith("accuracy") else "nats"), c
P

# Arms that learn nothing are told of, by report and train; one that learns is not.
sed -i 's/0.001, "max_lr": 0.02/1e-12, "max_lr": 1e-11/' config.json
study dead '{"name": "two", "set": {"schedule.cycles": 2}}'
grep -q "No better than a guess: .*The most frequent class is .* No arm learns." dead/report/index.html || fail "no remark"
ends 0 "$GYRE" train config.json --out asleep --quiet
grep -q "warning: no better than a guess: the accuracy is .*, and the most frequent class is .* % of the 40 samples" "$T/err" ||
    fail "$(cat "$T/err")"
ends 0 "$GYRE" report asleep
grep -q "No better than a guess" asleep/report/index.html || fail "no remark for a run"
sed -i 's/1e-12, "max_lr": 1e-11/0.01, "max_lr": 0.05/; s/"steps": 10/"steps": 100/' config.json
ends 0 "$GYRE" train config.json --out awake --quiet
grep -q "guess" "$T/err" && fail "a run that learns: $(cat "$T/err")"
ends 0 "$GYRE" report awake
grep -q "guess" awake/report/index.html && fail "a remark for a run that learns"
exit 0
