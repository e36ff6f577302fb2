#!/usr/bin/env bash
# optimizer.schedule_free: what evaluation takes is the mean of the weights that the optimizer moves,
# the same bits on any number of ranks and after a resume, and what does not go with it is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 300 60 10
cd "$T" || exit 1
cat >mlp.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 4},
 "optimizer": {"name": "sgd", "momentum": 0.8, "weight_decay": 0.001, "schedule_free": true},
 "schedule": {"policy": "constant", "base_lr": 0.05, "warmup": {"steps": 3}}, "length": {"steps": 12},
 "evaluate": {"every": {"steps": 6}}, "checkpoint": {"every": {"steps": 1}, "keep": 100}}
JSON

# ---- x is the mean of z after the warm-up, and what is evaluated
ends 0 "$GYRE" train mlp.json --out run
grep -q "average of the weights: schedule-free, all weights after step 3; evaluation takes it" err || fail "$(cat err)"
/usr/bin/python3 - <<'PY' || fail "not the mean of the weights"
import glob, h5py, numpy as np
z = []
for path in sorted(glob.glob("run/checkpoints/step-*.h5")):
    with h5py.File(path) as f:
        step = int(path.split("-")[-1].split(".")[0])
        y, ahead, x = (f[g]["fc1.weight"][:].astype("f8") for g in ("parameters", "optimizer/z_minus_y", "average"))
        z.append((step, y + ahead))
        mean = np.mean([w for s, w in z if s > 3] or [z[-1][1]], axis=0)
        # roundings of 12 steps, of weights below 1
        assert abs(x - mean).max() < 12 * 2**-24, (step, abs(x - mean).max())
        assert step == 1 or abs(y - (0.2 * (y + ahead) + 0.8 * x)).max() < 2**-22
assert len(z) >= 12 and abs(z[-1][1] - x).max() > 1e-4
PY

# ---- ranks, threads, a resume; a network with batch norm, and adamw
sed 's/"mlp"/"small_cnn"/; s/"sgd", "momentum": 0.8/"adamw"/; s/0.05/0.005/' mlp.json >cnn.json
for net in mlp cnn; do
    ends 0 "$GYRE" train $net.json --quiet --out $net-whole
    hash=$("$GYRE" inspect $net-whole --hash=state)
    for n in 2 4; do
        ends 0 mpirun -q -np $n "$GYRE" train $net.json --quiet --out $net-$n
        [ "$("$GYRE" inspect $net-$n --hash=state)" = "$hash" ] || fail "$net: other bits on $n ranks"
        same_tables $net-whole $net-$n || fail "$net: other tables on $n ranks"
    done
    ends 0 "$GYRE" train $net.json --quiet --out $net-left --stop-after 5
    ends 0 "$GYRE" train $net.json --quiet --out $net-left --set threads=2
    [ "$("$GYRE" inspect $net-left --hash=state)" = "$hash" ] || fail "$net: other bits after a resume"
    same_tables $net-whole $net-left || fail "$net: other tables after a resume"
done

# ---- beside other schedules in a study
cat >study.json <<'JSON'
{"base": {"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20}, "length": {"steps": 20},
          "optimizer": {"name": "sgd", "nesterov": true}, "average": {"kind": "ema"},
          "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.05}},
 "seeds": 1, "cycles": [1], "controls": ["linear", "wsd", "schedule_free"]}
JSON
ends 0 "$GYRE" study study.json --out study --quiet
for arm in 1-cycle linear wsd schedule_free; do
    [ -s study/cells/$arm/seed-1/result.json ] || fail "no arm $arm: $(ls study/cells)"
done
grep -q '"schedule_free":[[:space:]]*true' study/cells/schedule_free/seed-1/config.json || fail "the arm is another optimizer"
grep -q '"policy":[[:space:]]*"wsd"' study/cells/wsd/seed-1/config.json || fail "the arm wsd has another policy"
sed 's/"wsd", /"wsd", "wsd", /' study.json >twice.json
refused 2 "each at most once of midpoint, max_lr, linear, wsd and schedule_free" "$GYRE" study twice.json --out twice

# ---- what does not go with it
set_of() { refused 2 "$1" "$GYRE" train mlp.json --out x "${@:2}"; }
set_of "optimizer.schedule_free: it has a momentum of its own" --set optimizer.nesterov=true
set_of "optimizer.schedule_free: it is a form of sgd, adam and adamw" --set optimizer.name=rmsprop
set_of "optimizer.schedule_free: its momentum (beta1 of adam) is above 0" --set optimizer.momentum=0
set_of "optimizer.schedule_free: its own mean is taken" --set average.kind=ema
set_of "schedule.momentum: schedule-free optimizers need a constant one" --set 'schedule.momentum={"min": 0.8, "max": 0.9}'
set_of 'average.kind: schedule_free belongs to "optimizer.schedule_free"' --set optimizer.schedule_free=false --set average.kind=schedule_free
refused 2 "optimizer.schedule_free: a range is for cycles" "$GYRE" find mlp.json --out range
ends 0 "$GYRE" train mlp.json --quiet --out beside --set average.beside.ema=true
exit 0
