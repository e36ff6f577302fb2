#!/usr/bin/env bash
# gyre eval --ensemble: each snapshot at a minimum of the rate scores as it does alone, the ensembles of the last ones as
# the mean of their softmax; on any number of ranks; what has none is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 400 110 10
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 32, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.3, "stepsize": {"steps": 3}},
    "length": {"steps": 26}, "evaluate": {"every": {"steps": 26}, "minima": false, "batch": 25},
    "checkpoint": {"every": {"steps": 5}, "minima": true, "keep": 1}
}
JSON
train=("$GYRE" train config.json --quiet --out)
ends 0 "${train[@]}" run
[ "$(ls run/checkpoints)" = "$(printf 'step-0000000%s.h5\n' 06 12 18 24 26)" ] || fail "$(ls run/checkpoints)"
ends 0 "$GYRE" eval run --ensemble
grep -q "^4 snapshots of 'run' at minima of the rate, their last weights$" err || fail "$(cat err)"
cp out alone
for step in 06 12 18 24; do
    ends 0 "$GYRE" eval run/checkpoints/step-0000000$step.h5 --predictions $step.csv
    head -n 1 out >score.$step
done
/usr/bin/python3 - <<'P' || fail "not the ensembles: $(cat alone)"
import csv, re, numpy as np
lines = open("alone").read().splitlines()
assert lines[0].startswith("test: 110 samples;"), lines[0]
total, rows = 0, lines[2:]
assert len(rows) == 4, rows
accuracies = set()
for count, (step, row) in enumerate(zip(("24", "18", "12", "06"), rows), 1):
    table = list(csv.reader(open(step + ".csv")))[1:]
    labels = np.array([int(r[1]) for r in table])
    x = np.array([[float(v) for v in r[3:]] for r in table])
    p = np.exp(x - x.max(1, keepdims=True))
    total = total + p / p.sum(1, keepdims=True)
    found = row.replace("%", "").split()
    own = re.search(r"loss ([\d.]+), accuracy ([\d.]+) %", open("score." + step).read()).groups()
    loss = -np.log(total[np.arange(110), labels] / count).mean()
    accuracy = 100 * (total.argmax(1) == labels).mean()
    assert found[0] == str(int(step)) and tuple(found[1:3]) == own, (row, own)
    assert int(found[3]) == count and abs(float(found[4]) - loss) < 1e-4, (row, loss)
    assert abs(float(found[5]) - accuracy) < 0.01, (row, accuracy)
    accuracies.add(found[5])
assert found[4:6] != found[1:3]
P
for n in 2 4; do
    ends 0 mpirun -q -np $n "$GYRE" eval run --ensemble
    cmp -s out alone || fail "on $n ranks: $(cat out)"
done
ends 0 "$GYRE" eval run --ensemble --part train --data images.h5
grep -q "^train: 400 samples" out || fail "$(cat out)"

# Snapshots that are missing, or averages of weights.
rm run/checkpoints/step-000000012.h5
ends 0 "$GYRE" eval run --ensemble
grep -q "warning: 1 of 4 minima so far have no checkpoint; checkpoint.minima keeps them" err || fail "$(cat err)"
ends 0 "${train[@]}" averaged --set average.kind=ema
ends 0 "$GYRE" eval averaged --ensemble --weights average
grep -q "at minima of the rate, the average of their weights$" err || fail "$(cat err)"
cp out average
ends 0 "$GYRE" eval averaged --ensemble
! cmp -s out average && cmp -s out alone || fail "not their last weights: $(cat out)"

refused 2 "give it without --predictions" "$GYRE" eval run --ensemble --predictions p.csv
refused 2 "is no run's folder" "$GYRE" eval run/checkpoints/step-000000024.h5 --ensemble
ends 0 "${train[@]}" none --set checkpoint.minima=false
refused 3 "has no checkpoint at a minimum of its rate, of which it had 4; checkpoint.minima keeps them" "$GYRE" eval none --ensemble
ends 0 "${train[@]}" squares --set model.loss=one_hot_squared_error --set schedule.max_lr=0.01
refused 2 "--ensemble: the mean of softmax probabilities is of networks with the loss cross_entropy" "$GYRE" eval squares --ensemble
exit 0
