#!/usr/bin/env bash
# benchmarks/clr_paper.sh: runs what it is asked to, once, and puts it in a table; refuses the rest.
set -u
. "$(dirname "$0")/lib/common.sh"
bench=$PWD/benchmarks/clr_paper.sh
make_dataset "$T/images.h5" 200 100 32 3
cd "$T" || exit 1
runs() {
    ends 0 "$bench" --gyre "$GYRE" --data images.h5 --out runs --seeds 1,2 --set length.steps=2 \
        --set evaluate.every.steps=1 --set schedule.policy=constant table1-fixed table3-adagrad-fixed
}
runs
grep -q '^in all 4 runs, 280000 steps; in runs$' out || fail "no plan: $(cat out)"
[ "$(grep -c "^2 of 2 steps done" err)" -eq 4 ] || fail "not four runs: $(cat err)"
grep -qF '| table1-fixed | 81.4 | – | – | – | – | 0 (2 unfinished) | 70000 | – |' runs/table.md ||
    fail "the table: $(cat runs/table.md)"
runs
[ "$(grep -c "^already done: 2 of 2 steps$" err)" -eq 4 ] || fail "run again: $(cat err)"

# What has the paper's number of steps is averaged: a copy of the tree in which that is 2.
mkdir -p copy/configs && cp -r "$(dirname "$bench")" copy/ && cp -r "$(dirname "$bench")/../configs/clr_paper" copy/configs/
sed -i '2s/after 70000 steps/after 2 steps/' copy/configs/clr_paper/table1-fixed.json
ends 0 copy/benchmarks/clr_paper.sh --gyre "$GYRE" --out runs --seeds 1,2 --table table1-fixed
/usr/bin/python3 - <<'P' || fail "the means: $(cat runs/table.md)"
import h5py, statistics
at_end = []
for seed in (1, 2):
    with h5py.File(f"runs/table1-fixed/seed-{seed}/metrics.h5") as f:
        at_end.append(100 * f["validation"]["accuracy"][-1])
row = next(line for line in open("runs/table.md") if line.startswith("| table1-fixed"))
cells = [cell.strip() for cell in row.split("|")]
assert abs(float(cells[3]) - statistics.mean(at_end)) < 0.006, (cells, at_end)
assert abs(float(cells[4]) - statistics.stdev(at_end)) < 0.006, (cells, at_end)
assert abs(float(cells[5]) - (statistics.mean(at_end) - 81.4)) < 0.011, (cells, at_end)
assert cells[7] == "2", cells
P
ends 2 "$bench" --gyre "$GYRE" --data images.h5 table9
grep -q '^  table1-triangular2$' err || fail "does not say what there is: $(cat err)"
ends 2 "$bench" --gyre "$GYRE" --data missing.h5
ends 2 "$bench" --gyre "$GYRE" --data images.h5 --seeds one
ends 2 "$bench" --gyre "$GYRE"
exit 0
