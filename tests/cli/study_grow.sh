#!/usr/bin/env bash
# A study that has ended, or is running, may gain seeds and arms: nothing that is done is run again,
# and table and report then hold all. What else changes is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 20},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2}}
JSON
study() { # SEEDS CYCLES [MORE]: the study file
    echo "{\"name\": \"s\", \"base\": \"config.json\", \"seeds\": $1, \"cycles\": $2, \"controls\": [\"midpoint\"]${3:-}}" >study.json
}
cells() { find results/cells -name result.json | sort; }
run() { ends 0 "$GYRE" study study.json --out results; }

study 2 "[1, 2]"
run
[ "$(cells | wc -l)" = 6 ] || fail "not 6 cells: $(cells)"
grep -q "^1-cycle, seed 1: begins, 20 steps; 6 of 6 cells to go$" "$T/err" || fail "no begin: $(cat "$T/err")"
grep -q "; 5 of 6 cells to go" "$T/err" && grep -q "; 0 of 6 cells to go" "$T/err" || fail "cells to go: $(cat "$T/err")"

# One more seed, and a cycle count in the middle: the old cells are not touched.
old=$(cells | xargs -n 1 dirname | while read -r cell; do echo "$cell"; picture_of "$cell"; done)
first=$(cells)
study 3 "[1, 4, 2]"
ends 0 "$GYRE" study study.json --count
[ "$(cat "$T/out")" = 12 ] || fail "count: $(cat "$T/out")"
ends 0 "$GYRE" study study.json --out results --cell 11 # the last alone: seed 3 of the control
[ "$(cells | wc -l)" = 7 ] && [ -f results/cells/midpoint/seed-3/result.json ] || fail "cell 11: $(cells)"
grep -q "the study grows: seed 3 is new; arm 4-cycles is new" "$T/err" || fail "$(cat "$T/err")"
grep -q "; 5 of 12 cells to go" "$T/err" || fail "one cell counts all: $(cat "$T/err")"
run
[ "$(cells | wc -l)" = 12 ] || fail "not 12 cells: $(cells)"
[ "$(grep -c "accuracy .*to go" "$T/err")" = 5 ] || fail "not 5 cells run: $(cat "$T/err")"
[ "$old" = "$(echo "$first" | xargs -n 1 dirname | while read -r cell; do echo "$cell"; picture_of "$cell"; done)" ] ||
    fail "cells that were done were touched"
if command -v gnuplot >/dev/null; then
    ends 0 "$GYRE" report results
    [ "$(wc -l <results/report/cells.csv)" = 13 ] || fail "report: $(cat results/report/cells.csv)"
fi

# A file that names less runs what it names, and says so.
before=$(picture_of results)
study 2 "[1, 2]"
run
grep -q "warning: 'results' holds more than this study file names (seed 3 is gone; arm 4-cycles is gone)" "$T/err" ||
    fail "no warning: $(cat "$T/err")"
[ "$before" = "$(picture_of results)" ] || fail "a study file that names less changed the folder"

# Everything else is another study, and the way out is named.
way="A study may gain arms and seeds, nothing else may change; put it back or take a new --out"
study 2 "[1, 3]"
refused 2 "$way: seed 3 is gone; arm 4-cycles is gone; arm 2-cycles is gone; arm 3-cycles is new" "$GYRE" study study.json --out results
study 3 "[1, 4, 2]" ', "evaluations": 2'
refused 2 "$way: evaluate_steps" "$GYRE" study study.json --out results
study 4 "[1, 4, 2]" ', "planned": {"arm": "1-cycle", "control": "midpoint"}'
refused 2 "$way: planned_arm: folder has '', study file '1-cycle'" "$GYRE" study study.json --out results
study 3 "[1, 4, 2]"
sed -i 's/0.02/0.03/' config.json
refused 2 "1-cycle: schedule.max_lr" "$GYRE" study study.json --out results
sed -i 's/0.03/0.02/' config.json
[ "$before" = "$(picture_of results)" ] || fail "a refusal changed the folder"

# Tasks of the study as it was and as it has become, at once: each cell is run once, by one of them.
study 2 "[1, 2]"
cp study.json small.json
study 3 "[1, 2, 3]"
for i in 1 2; do
    "$GYRE" study small.json --out race 2>"small$i" &
    "$GYRE" study study.json --out race 2>"large$i" &
done
wait
ends 0 "$GYRE" study study.json --out race
[ "$(find race -name result.json | wc -l)" = 12 ] || fail "cells of the race"
[ "$(cat small? large? "$T/err" | grep -c "accuracy .*to go")" = 12 ] || fail "cells were run twice: $(cat small? large?)"
cat small? large? | grep "gyre: error" && fail "an error in the race"
grep -q '"seeds":.*3' race/study.json || grep -A 5 '"seeds"' race/study.json | grep -q 3 || fail "race/study.json"
exit 0
