#!/usr/bin/env bash
# gyre schedule: the CSV's contract, the list of cycles, warnings and exit codes, and a figure.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
cat >c.json <<'J'
{"schedule": {"base_lr": 0.1, "max_lr": 0.7, "cycles": 2}, "length": {"steps": 401}, // no dataset
 "evaluate": {"every": {"steps": 20}}}
J

# ---- CSV: nothing else on stdout, numbers that come back with the same bits
"$GYRE" schedule c.json --csv >out 2>err || fail "--csv: $(cat err)"
[ ! -s err ] || fail "--csv says $(cat err)"
[ "$(head -n 1 out)" = "step,lr,momentum,cycle" ] || fail "header: $(head -n 1 out)"
[ "$(wc -l <out)" -eq 402 ] || fail "$(wc -l <out) lines for 401 steps"
[ "$(sed -n 2p out)" = "0,0.10000000000000001,0.90000000000000002,0" ] || fail "$(sed -n 2p out)"
[ "$(sed -n 102p out)" = "100,0.69999999999999996,0.90000000000000002,0" ] || fail "$(sed -n 102p out)"
[ "$(tail -n 1 out)" = "400,0.10000000000000001,0.90000000000000002,1" ] || fail "$(tail -n 1 out)"
awk -F, 'NR > 1 && ($1 != NR - 2 || NF != 4 || $2 < 0.1 || $2 > 0.7) { exit 1 }' out || fail "CSV rows"
"$GYRE" schedule c.json --csv --set schedule.cycles=1.5 >out 2>err || fail "--csv of a run that ends high"
[ "$(wc -l <out)" -eq 402 ] || fail "a warning on stdout"
[ "$(cat err)" = 'gyre: warning: the run ends at a peak, with rate 0.7: take schedule.cycles 1 or 2, or "end": "low" to add half a cycle' ] ||
    fail "warning: $(cat err)"

# ---- words
"$GYRE" schedule c.json >out 2>err || fail "schedule: $(cat err)"
diff out - <<'J' || fail "the list of cycles"
401 steps, 2 cycles
step 0: lr 0.1, momentum 0.9
step 400: lr 0.1, momentum 0.9

cycle   first    peak    last   lowest lr  highest lr
    1       0     100     200         0.1         0.7
    2     201     300     400         0.1         0.7
J
"$GYRE" schedule c.json --set schedule.cycles=100 | awk 'NR > 4 && length != 53 { exit 1 }' ||
    fail "100 cycles are not one table"
"$GYRE" schedule c.json --set schedule.policy=constant --set schedule.cycles=null --set schedule.max_lr=0 >out ||
    fail "a policy without cycles"
[ "$(cat out)" = "$(printf '401 steps\nstep 0: lr 0.1, momentum 0.9\nstep 400: lr 0.1, momentum 0.9')" ] ||
    fail "$(cat out)"
"$GYRE" schedule c.json --set optimizer.name=adam --set optimizer.beta1=0.8 | grep -q 'momentum 0.8$' ||
    fail "adam's beta1 is not the momentum"
"$GYRE" schedule c.json --csv >/dev/full 2>err
[ $? -eq 3 ] || fail "a full disk: exit $?, $(cat err)"

# ---- errors: one line, the right code
refused() { # code, words, arguments...
    local code=$1 words=$2 rc
    shift 2
    "$GYRE" schedule "$@" >out 2>err
    rc=$?
    [ $rc -eq "$code" ] || fail "exit $rc instead of $code: schedule $* ($(cat err))"
    [ "$(wc -l <err)" -eq 1 ] && grep -q '^gyre: error: ' err || fail "not one line of error: $(cat err)"
    grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
    [ ! -s out ] || fail "an error, and yet: $(cat out)"
}
refused 2 "one config was expected"
refused 2 "one config was expected" c.json c.json
refused 2 "unknown option '--cvs'" c.json --cvs
refused 2 "missing value after '--plot'" c.json --plot
refused 2 "found 2.2" c.json --set schedule.cycles=2.2
refused 2 "unknown key schedule.cycle;" c.json --set schedule.cycle=2
refused 2 "length" c.json --set length=null
refused 3 "missing.json" missing.json
refused 2 "without data.path" c.json --set 'schedule.warmup={"epochs": 1}'
refused 2 'found "1e999"' c.json --set optimizer.momentum=1e999
refused 2 'or "find", found "1e999"' c.json --set schedule.max_lr=1e999
refused 2 "without batch.size" c.json --set 'length={"epochs": 2}' --set data.path=missing.h5
refused 3 "missing.h5" c.json --set 'length={"epochs": 2}' --set data.path=missing.h5 --set batch.size=10
refused 2 ".svg or .png" c.json --plot figure.pdf

# ---- the rates that come out are looked at
"$GYRE" schedule c.json --set schedule.base_lr=0 --set 'schedule.warmup={"steps": 20}' >out 2>err || fail "a warm-up to 0: $(cat err)"
grep -q '^gyre: warning: schedule.warmup: 20 steps from rate 0 to 0' err || fail "a warm-up to 0: $(cat err)"
refused 2 "schedule.gamma: exp_range needs a factor per step below 1" c.json --set schedule.policy=exp_range
refused 2 "c.json: schedule.stages[1].base_lr: expected a number above 0" c.json --set length=null --set \
    'schedule.stages=[{"length": {"steps": 9}}, {"length": {"steps": 9}, "policy": "constant", "base_lr": 0}]'

# ---- epochs, with a dataset beside the config (not beside the caller)
mkdir sub
/usr/bin/python3 - <<'P' || { echo "h5py is needed for the rest"; exit 77; }
import h5py, numpy as np
with h5py.File("sub/d.h5", "w") as f:
    for part in ("train", "test"):
        f[f"{part}/images"] = np.zeros((105, 4, 4, 1), np.uint8)
        f[f"{part}/labels"] = np.zeros(105, np.int32)
P
sed 's/{"steps": 401}/{"epochs": 10}, "data": {"path": "d.h5"}, "batch": {"size": 10}/' c.json >sub/e.json
"$GYRE" schedule sub/e.json >out 2>err || fail "epochs: $(cat err)"
[ "$(head -n 1 out)" = "100 steps (10 epochs of 10), 2 cycles" ] || fail "$(head -n 1 out)"

"$GYRE" schedule sub/e.json --set schedule.cycles=null --set 'schedule.stepsize={"epochs": 1.25}' >out 2>err ||
    fail "12.5 steps: $(cat err)"
[ "$(head -n 1 out)" = "100 steps (10 epochs of 10), 4 cycles" ] ||
    fail "half a cycle of 12.5 steps: $(cat out err)"

# ---- a figure
command -v gnuplot >/dev/null || { echo "gnuplot is missing; no figure was drawn"; exit 77; }
"$GYRE" schedule c.json --plot figure.svg >out 2>err || fail "--plot: $(cat err)"
[ "$(tail -n 1 out)" = figure.svg ] && grep -q '<svg' figure.svg || fail "no figure: $(cat out)"
"$GYRE" schedule c.json --plot figure.svg >out 2>err || fail "the same figure again: $(cat err)"
echo '<svg/>' >mine.svg
ln -s mine.svg link.svg
for name in mine.svg link.svg; do
    refused 3 "'$name' would be overwritten, but gyre did not write it" c.json --plot $name
done
[ "$(cat mine.svg)" = '<svg/>' ] && [ ! -e mine.gp ] || fail "somebody's figure was touched"
"$GYRE" schedule c.json --csv --plot figure.png >out 2>err || fail "--csv --plot: $(cat err)"
[ "$(wc -l <out)" -eq 402 ] && [ "$(head -c 4 figure.png | tail -c 3)" = PNG ] || fail "--csv --plot"
exit 0
