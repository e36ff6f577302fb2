#!/usr/bin/env bash
# Slow.
# A study from outside: a cell is the same bits however it was run; a folder is one study's; cells
# that fail or diverge do not keep others from being run; a signal leaves the rest for a later start.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 600 200
cat >"$T/base.json" <<'JSON'
{
    "data": {"path": "images.h5", "augment": {"mirror": true}},
    "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2},
    "schedule": {"base_lr": 0.001, "max_lr": 0.02},
    "length": {"epochs": 4}
}
JSON
cat >"$T/study.json" <<'JSON'
{ // two sizes, so that subsets are in it too
    "name": "bits", "base": "base.json", "seeds": [3, 1], "cycles": [1, 2.5], "controls": ["midpoint"],
    "dataset_size": [64, 1000000], "evaluations": 4
}
JSON
refused 2 "1000000 images asked" "$GYRE" study "$T/study.json" --count
sed -i 's/1000000/600/' "$T/study.json"

# The rates of an arm are looked at before any cell runs, and named by the arm.
sed 's/"cycles"/"validation_split": 0.17, "policies": ["triangular2"], "cycles"/' "$T/study.json" >"$T/rates.json"
sed 's/0.02/0.02, "cycles": 9/; s/"epochs": 4/"steps": 91/' "$T/base.json" >"$T/nine.json"
sed -i 's/base.json/nine.json/' "$T/rates.json"
ends 0 "$GYRE" study "$T/rates.json" --count
grep -q '^gyre: warning: arm triangular2-498-images: schedule: from cycle 8 of 9 on the height' "$T/err" || fail "arms are not judged: $(cat "$T/err")"

# What a study came to, without the time it took.
results() { (cd "$1/cells" && for f in */*/result.json; do echo "$f $(sed 's/"seconds":[^,]*,//' "$f")"; done); }
same_study() { # folder with the expected results, folder
    [ "$(results "$1")" = "$(results "$2")" ] || fail "other results: $(diff <(results "$1") <(results "$2"))"
    local cell
    for cell in "$1"/cells/*/seed-*/; do
        same_tables "$cell" "$2${cell#"$1"}" || fail "other tables: $2"
    done
}

# ---- the same bits in every way
ends 0 "$GYRE" study "$T/study.json" --count
[ "$(cat "$T/out")" = 12 ] || fail "12 cells expected: $(cat "$T/out")"
few="gyre: warning: the split that arms are compared on (validation_split 0.1) has 60 images"
grep -qF "$few" "$T/err" || fail "no warning of a small split: $(cat "$T/err")"
sed 's/"seeds"/"validation_split": 0.17, "seeds"/' "$T/study.json" >"$T/other.json"
ends 0 "$GYRE" study "$T/other.json" --count # 102 images are enough
[ ! -s "$T/err" ] || fail "a warning: $(cat "$T/err")"
for options in "--cell 1" "--out $T/none" "--parallel-cells 2" --allow-inexact; do
    # shellcheck disable=SC2086 # words
    refused 2 "do not go with it" "$GYRE" study "$T/study.json" --count $options
done
ends 0 "$GYRE" study "$T/study.json" --out "$T/one"
grep -q "12 of 12 cells done; " "$T/err" || fail "no last line: $(cat "$T/err")"
[ "$(grep -c "accuracy .*to go" "$T/err")" = 12 ] || fail "no line for each cell: $(cat "$T/err")"
head -n 1 "$T/err" | grep -qF "$few" && [ "$(grep -c 'warning: ' "$T/err")" = 1 ] || fail "warnings: $(cat "$T/err")"
grep -q '"event":"warning"' "$T"/one/cells/*/*/log.jsonl || fail "no warning in the log"
[ "$(results "$T/one" | wc -l)" = 12 ] || fail "12 results expected"
[ "$(results "$T/one" | grep -o '"hash":"[0-9a-f]*"' | sort -u | wc -l)" = 12 ] || fail "cells do not differ"
results "$T/one" | grep -q '"test_accuracy":null' && fail "the test part was not evaluated"
ends 0 mpirun -q -np 2 "$GYRE" study "$T/study.json" --out "$T/two" --quiet
same_study "$T/one" "$T/two"
ends 0 mpirun -q -np 4 "$GYRE" study "$T/study.json" --out "$T/parts" --parallel-cells 2
same_study "$T/one" "$T/parts"
for i in $(seq 0 11); do # in any order, at the same time
    "$GYRE" study "$T/study.json" --out "$T/tasks" --cell $(((5 * i) % 12)) --quiet 2>"$T/task-$i" &
    [ $((i % 3)) -eq 2 ] && wait
done
wait
cat "$T"/task-* | grep . && fail "a task complains"
same_study "$T/one" "$T/tasks"

# The cell's own config, as a run without a study.
cell=$T/one/cells/2.5-cycles-64-images/seed-3
ends 0 "$GYRE" train "$cell/config.json" --out "$T/alone" --quiet
[ "$("$GYRE" inspect "$T/alone" --hash)" = "$("$GYRE" inspect "$cell" --hash)" ] || fail "a run alone differs"
# Evaluations at minima are not among the rows that arms are compared on.
/usr/bin/python3 - "$cell" "$T/one/cells/midpoint-64-images/seed-3" <<'PYTHON' || fail "not one grid"
import sys, h5py, numpy
steps, cycles = [], []
for folder in sys.argv[1:]:
    with h5py.File(folder + "/metrics.h5") as f:
        steps.append(list(f["validation"]["step"]))
        cycles.append(f["cycles"][:])
assert steps[0] == steps[1] and 1 < len(steps[0]) <= 8, steps
assert len(cycles[0]) == 3 and not numpy.isnan(cycles[0]["accuracy"]).any(), cycles
PYTHON

# ---- whose folder it is
before=$(picture_of "$T/one")
ends 0 "$GYRE" study "$T/study.json" --out "$T/one"
sed 's/2.5/3/; s/\[3, 1\]/2/' "$T/study.json" >"$T/other.json"
refused 2 "seed 3 is gone; seed 2 is new; arm 2.5-cycles-64-images is gone" \
    "$GYRE" study "$T/other.json" --out "$T/one"
sed 's/0.02/0.03/' "$T/base.json" >"$T/base2.json"
sed 's/base.json/base2.json/' "$T/study.json" >"$T/other.json"
refused 2 "1-cycle-64-images: schedule.max_lr: run has 0.02, config has 0.03" \
    "$GYRE" study "$T/other.json" --out "$T/one"
sed 's/"bits"/"pieces"/' "$T/study.json" >"$T/other.json"
refused 2 "folder of the study 'bits', this is 'pieces'; choose another --out, or write \"name\": \"bits\"" "$GYRE" study "$T/other.json" --out "$T/one"
sed 's/images.h5/images2.h5/' "$T/base.json" >"$T/base2.json"
sed 's/base.json/base2.json/' "$T/study.json" >"$T/other.json"
make_dataset "$T/images2.h5" 601 200
refused 2 "other images or labels" "$GYRE" study "$T/other.json" --out "$T/one"
sed 's/\[1, 2.5\]/[2.5, 1]/' "$T/study.json" >"$T/other.json" # cell 0 would be another one
refused 2 "the order of arms: 1-cycle-64-images comes before 2.5-cycles-64-images in the folder, after it in the study file" \
    "$GYRE" study "$T/other.json" --out "$T/one" --cell 0
sed 's/\["midpoint"\]/false, "arms": [{"name": "midpoint", "set": {"schedule": {"policy": "constant", "base_lr": 0.0105, "max_lr": null}}}]/' \
    "$T/study.json" >"$T/other.json" # the same config, but to be compared in another way
refused 2 "midpoint-540-images: control: folder has true, study file false" "$GYRE" study "$T/other.json" --out "$T/one"
[ "$before" = "$(picture_of "$T/one")" ] || fail "a refusal changed the folder"
mkdir "$T/mine" && echo "dear diary" >"$T/mine/notes"
refused 3 "not empty and holds no study" "$GYRE" study "$T/study.json" --out "$T/mine"
refused 3 "not what gyre writes" "$GYRE" study "$T/study.json" --out "$T"
refused 2 "no study folder: give --out" "$GYRE" study "$T/study.json"
refused 2 "12 cells, 0 to 11" "$GYRE" study "$T/study.json" --out "$T/one" --cell 12
refused 2 "there are 1 ranks" "$GYRE" study "$T/study.json" --out "$T/one" --parallel-cells 2
refused 2 "one cell takes all ranks" mpirun -q -np 2 "$GYRE" study "$T/study.json" --out "$T/one" --parallel-cells 2 --cell 1
refused 2 "4 ranks cannot be cut into 3" mpirun -q -np 4 "$GYRE" study "$T/study.json" --out "$T/one" --parallel-cells 3
sed 's/"seeds": \[3, 1\]/"seeds": 40/' "$T/study.json" >"$T/other.json"
refused 2 "are 240 cells, more than max_cells (200)" "$GYRE" study "$T/other.json" --count

# ---- a result that was cut short: its cell, which has its checkpoint, is run again, and no other
rm -r "$T/two"
cp -r "$T/one" "$T/two"
truncate -s 40 "$T/two/cells/1-cycle-64-images/seed-3/result.json"
: >"$T/two/cells/midpoint-64-images/seed-1/result.json"
ends 0 "$GYRE" study "$T/study.json" --out "$T/two" --cell 3 # another one
ends 0 "$GYRE" study "$T/study.json" --out "$T/two"
[ "$(grep -c "warning: .*/result.json.*; the cell is run again" "$T/err")" = 2 ] || fail "no warning: $(cat "$T/err")"
[ "$(grep -c "accuracy .*to go" "$T/err")" = 2 ] || fail "not two cells: $(cat "$T/err")"
same_study "$T/one" "$T/two"

# ---- a narrow terminal: no row is as wide as it, or it would wrap and the table be drawn over others
sed 's/"bits"/"b\\u00efts and many more words to be cut"/; s/\[3, 1\]/[3, 123456789012]/' "$T/study.json" >"$T/other.json"
for columns in 12 31 45 300; do
    ends 0 /usr/bin/python3 "$lib/on_terminal.py" $columns 24 "$GYRE" study "$T/other.json" --out "$T/narrow-$columns" --cell 0
    tr '\r' '\n' <"$T/out" | sed 's/\x1b\[[0-9]*[A-Z]//g' | grep -v 'warning: \|cells done, 11 not' >"$T/rows"
    grep -q '^1-cycle' "$T/rows" || fail "no table: $(cat "$T/rows")"
    LC_ALL=C.UTF-8 awk -v most=$columns 'length >= most' "$T/rows" | grep . && fail "rows too wide for $columns"
done
grep -q '^bïts and .*3 *\.\.89012$' "$T/rows" && grep -q '1 of 12 cells ended' "$T/rows" || fail "table: $(cat "$T/rows")"

# ---- cells that fail, cells that diverge
cat >"$T/bad.json" <<'JSON'
{
    "base": "base.json", "seeds": 2, "controls": false, "arms": [
        {"name": "from-file", "set": {"schedule.cycles": 1, "model.init_from": "start.h5"}},
        {"name": "wild", "set": {"schedule": {"cycles": 1, "base_lr": 1e20, "max_lr": 1e22}}},
        {"name": "good", "set": {"schedule.cycles": 1}}]
}
JSON
ends 3 "$GYRE" study "$T/bad.json" --out "$T/bad"
grep -q "2 of 6 cells done, 2 diverged, 2 failed" "$T/err" || fail "counts: $(cat "$T/err")"
grep -q "^gyre: error: from-file, seed 1: .*start.h5" "$T/err" || fail "does not name the cell: $(cat "$T/err")"
grep -q '"state":"diverged".*"accuracy":null.*training diverged at step' "$T/bad/cells/wild/seed-2/result.json" || fail "no divergence"
grep -q '"state":"failed".*start.h5' "$T/bad/cells/from-file/seed-2/result.json" || fail "no failure"
cp "$T"/bad/cells/good/seed-1/checkpoints/step-*.h5 "$T/start.h5"
ends 0 mpirun -q -np 2 "$GYRE" study "$T/bad.json" --out "$T/bad"
grep -q "4 of 6 cells done, 2 diverged; " "$T/err" || fail "not tried again: $(cat "$T/err")"

# ---- a signal
sed 's/"epochs": 4/"epochs": 60/' "$T/base.json" >"$T/long.json"
sed 's/base.json/long.json/; s/\[64, 600\]/[600]/' "$T/study.json" >"$T/long-study.json"
ends 0 "$GYRE" study "$T/long-study.json" --out "$T/whole" --quiet
for n in 1 2; do
    mpirun -q -np $n "$GYRE" study "$T/long-study.json" --out "$T/stopped-$n" --parallel-cells $n 2>"$T/err" &
    launcher=$!
    for _ in $(seq 200); do
        compgen -G "$T/stopped-$n/cells/*/*/log.jsonl" >/dev/null && break
        sleep 0.05
    done
    kill -USR1 $launcher
    rc=0
    wait $launcher || rc=$?
    [ $rc -eq 99 ] || fail "exit $rc after a signal: $(cat "$T/err")"
    grep -q "^gyre: stopped by a signal: .* of 6 cells done.*resumes from there" "$T/err" || fail "does not say so: $(cat "$T/err")"
    ends 0 "$GYRE" study "$T/long-study.json" --out "$T/stopped-$n"
    same_study "$T/whole" "$T/stopped-$n"
done

# ---- two at once: each cell is run by one of them
"$GYRE" study "$T/long-study.json" --out "$T/both" 2>"$T/first" &
other=$!
ends 0 "$GYRE" study "$T/long-study.json" --out "$T/both"
wait $other || fail "the other one failed: $(cat "$T/first")"
same_study "$T/whole" "$T/both"
[ "$(cat "$T/first" "$T/err" | grep -c "accuracy .*to go")" = 6 ] || fail "not 6 cells run: $(cat "$T/first" "$T/err")"
exit 0
