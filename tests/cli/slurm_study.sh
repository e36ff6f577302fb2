#!/usr/bin/env bash
# Slow.
# slurm/study.sh under a real Slurm: the cells of an array have the results of a study in sequence,
# also the one that was queued again; a cell that fails does not keep the report from being written,
# which names it; sent again, that cell alone is run.
set -u
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/slurm.sh"
make_dataset "$T/images.h5" 600 200
cat >"$T/study.json" <<'JSON'
{
    "name": "array", "seeds": 2, "cycles": [2], "controls": ["midpoint"],
    "arms": [{"name": "from-file", "set": {"schedule.cycles": 1, "model.init_from": "start.h5"}}],
    "base": {
        "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2},
        "schedule": {"base_lr": 0.001, "max_lr": 0.02}, "length": {"steps": 1500}, "backend": "cpu",
        "threads": 1, "checkpoint": {"every": {"steps": 500}}
    }
}
JSON
# Cells 0 to 5 are the three arms with seed 1, then with seed 2; one arm lacks its file.
results() { (cd "$1/cells" && for f in */*/result.json; do echo "$f $(sed 's/"seconds":[^,]*,//' "$f")"; done); }
same_results() {
    [ "$(results "$1")" = "$(results "$2")" ] || fail "other results: $(diff <(results "$1") <(results "$2")) $(cat "$T"/array.slurm/*)"
}
ends 3 "$GYRE" study "$T/study.json" --out "$T/sequence" --quiet
[ "$(results "$T/sequence" | grep -c '"state":"done"')" -eq 4 ] || fail "$(results "$T/sequence")"

slurm_start
slurm_make_held "[05]"
ended() { slurm_until 120 "end of job $1" slurm_has_ended "$1"; }
job_of() { grep -oE "$1 [0-9]+" "$T/out" | grep -oE '[0-9]+'; }

# The last task of an array is the one whose job number is the array's.
GYRE=$T/held ends 0 slurm/study.sh "$T/study.json" "$T/array" --time=9 --ntasks=2
array=$(job_of array) report=$(job_of job)
grep -q "6 cells in $T/array" "$T/out" || fail "$(cat "$T/out")"
for cell in 0 5; do
    slurm_hold $cell
    scancel --batch --signal=USR1 "${array}_$cell"
    slurm_let_go_warned $cell
done
ended "$array"
ended "$report"
same_results "$T/sequence" "$T/array"
for cell in 0 5; do
    grep -q "^gyre: job ${array}_$cell, start 2: " "$T/array.slurm/cell-$cell.out" ||
        fail "cell $cell did not go on: $(cat "$T/array.slurm/cell-$cell.out")"
done
[ "$(grep -l 'start 2' "$T"/array.slurm/cell-*.out | wc -l)" -eq 2 ] || fail "others were queued again too"
slurm_in_state "$report" COMPLETED || fail "the report: $(cat "$T/array.slurm/report.out")"
page=$T/array/report/index.html
[ -s "$page" ] || fail "no report: $(cat "$T/array.slurm/report.out")"
grep -q 'from-file' "$page" && grep -q 'start.h5' "$page" || fail "the report does not name the cells that failed"

cp "$T"/array/cells/midpoint/seed-1/checkpoints/step-*.h5 "$T/start.h5"
ends 0 slurm/study.sh "$T/study.json" "$T/array" --time=9 --array=1,4
report=$(job_of job)
ended "$report"
slurm_in_state "$report" COMPLETED || fail "the second report: $(cat "$T/array.slurm/report.out")"
[ "$(results "$T/array" | grep -c '"state":"done"')" -eq 6 ] || fail "$(results "$T/array")"
grep -q 'start.h5: ' "$page" && fail "the report still has the failures"

ends 3 slurm/study.sh "$T/missing.json" "$T/none"
[ ! -e "$T/none.slurm" ] || fail "a study that is none has left a folder"
exit 0
