#!/usr/bin/env bash
# Slow.
# A run folder from outside: its files, what a second start does, signals, divergence, evaluation.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    // comments are fine
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 40, "shards": 2},
    "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 2},
    "length": {"epochs": 4}, "evaluate": {"every": {"steps": 10}}, "checkpoint": {"every": {"steps": 30}, "keep": 2, "best": true}
}
JSON
run=$T/run
train=("$GYRE" train "$T/config.json" --out)

ends 0 "${train[@]}" "$run"
for f in config.json metrics.h5 log.jsonl checkpoints/step-000000100.h5 checkpoints/step-000000090.h5 checkpoints/best.h5; do
    [ -s "$run/$f" ] || fail "no $f"
done
[ "$(ls "$run/checkpoints" | wc -l)" -eq 3 ] || fail "checkpoint.keep: $(ls "$run/checkpoints")"
grep -q '^100 of 100 steps done in ' "$T/err" || fail "no last words: $(cat "$T/err")"
grep -q '^step 100: test loss [0-9.]*, accuracy [0-9.]* %$' "$T/err" || fail "no score"
! grep -q $'\r' "$T/err" || fail "a terminal's line without a terminal"
/usr/bin/python3 - "$run" <<'P' || fail "the run folder is not as documented"
import json, sys
import h5py, numpy as np
run = sys.argv[1]
config = json.load(open(run + "/config.json"))
assert config["length"] == {"steps": 100} and config["batch"]["shards"] == 2, config
events = [json.loads(line) for line in open(run + "/log.jsonl")]
assert events[0]["event"] == "start" and events[-1]["event"] == "end" and events[-1]["code"] == 0
with h5py.File(run + "/metrics.h5", "r") as f:
    train, validation, cycles = f["train"][:], f["validation"][:], f["cycles"][:]
assert list(train["step"]) == list(range(100)) and list(train["epoch"]) == [t // 25 for t in range(100)]
assert list(validation["step"]) == sorted([*range(10, 101, 10), 51]), validation["step"]
assert validation["accuracy"][-1] > 0.9, validation["accuracy"]
assert list(cycles["end_step"]) == [51, 100] and cycles["lr"][-1] == 0.01, cycles
assert train["lr"][0] == 0.01 and train["lr"].max() == 0.1
assert set(train["cycle"]) == {0, 1}
P

# A finished run is left alone; so is one that another config describes.
before=$(picture_of "$run")
ends 0 "${train[@]}" "$run"
grep -q 'already done' "$T/err" || fail "$(cat "$T/err")"
refused 2 "optimizer.momentum: run has 0.9" "${train[@]}" "$run" --set optimizer.momentum=0.8
[ "$(picture_of "$run")" = "$before" ] || fail "a finished run was touched"

# The resolved config describes the same run.
ends 0 "$GYRE" train "$run/config.json" --out "$T/again" --quiet
[ ! -s "$T/err" ] || fail "--quiet is not: $(cat "$T/err")"
[ "$("$GYRE" inspect "$T/again" --hash)" = "$("$GYRE" inspect "$run" --hash)" ] || fail "config.json is another run"

# Evaluation gives what the run saw; twice the ranks give the same.
ends 0 "$GYRE" eval "$run"
cp "$T/out" "$T/one"
ends 0 mpirun -q -np 2 "$GYRE" eval "$run/checkpoints/step-000000100.h5" --data "$T/images.h5" --part test
cmp "$T/one" "$T/out" || fail "eval differs on two ranks"
grep -q "^step 100: $(sed -n 's/^test: 200 samples, /test /p' "$T/one")$" <("$GYRE" train "$run/config.json" --out "$T/third" 2>&1) ||
    fail "eval is not the run's own score: $(cat "$T/one")"
refused 3 "missing.h5" "$GYRE" eval "$run" --data "$T/missing.h5"
refused 2 "--part everything" "$GYRE" eval "$run" --part everything

# inspect: words for everything, and damage is found.
ends 0 "$GYRE" inspect "$run"
grep -q 'checkpoint after 100 updates, the end of its run; checksum right' "$T/out" || fail "$(cat "$T/out")"
ends 0 "$GYRE" inspect "$run/metrics.h5"
ends 0 "$GYRE" inspect "$T/images.h5"
cp "$run/checkpoints/best.h5" "$T/bad.h5"
printf 'x' | dd of="$T/bad.h5" bs=1 seek=3000 conv=notrunc status=none
refused 3 "bad.h5" "$GYRE" inspect "$T/bad.h5"
mkdir "$T/empty"
refused 3 "holds no run" "$GYRE" inspect "$T/empty"

# A signal: checkpoint, exit 99, and the same command resumes to the same end.
long=("$GYRE" train "$T/config.json" --set length.steps=4000 --set evaluate.every.steps=1000 --out)
ends 0 "${long[@]}" "$T/whole" --quiet
for signal in USR1 TERM INT; do
    "${long[@]}" "$T/$signal" --quiet 2>"$T/err" &
    pid=$!
    for _ in $(seq 600); do
        [ -s "$T/$signal/metrics.h5" ] && break
        sleep 0.02
    done
    kill -"$signal" $pid
    rc=0
    wait $pid || rc=$?
    [ $rc -eq 99 ] || fail "exit $rc after $signal: $(cat "$T/err")"
    grep -q '^gyre: stopped by a signal after [0-9]* of 4000 steps, with a checkpoint' "$T/err" || fail "$(cat "$T/err")"
    ends 0 "${long[@]}" "$T/$signal" --quiet
    [ "$("$GYRE" inspect "$T/$signal" --hash)" = "$("$GYRE" inspect "$T/whole" --hash)" ] || fail "another run after $signal"
    same_tables "$T/whole" "$T/$signal" || fail "other tables after $signal"
done

# Divergence: exit 6 on any number of ranks, no bad checkpoint, the rows up to it.
wild=("$GYRE" train "$T/config.json" --quiet --set schedule.policy=constant --set schedule.cycles=null
    --set schedule.max_lr=null     --set model.name=mlp --set schedule.base_lr=1e9 --out)
for n in 1 2; do
    ends 6 mpirun -q -np $n "${wild[@]}" "$T/wild$n"
    [ "$(wc -l <"$T/err")" -eq 1 ] && grep -q 'diverged at step [0-9]* with lr 1e+09' "$T/err" || fail "$(cat "$T/err")"
done
same_tables "$T/wild1" "$T/wild2" || fail "divergence depends on the ranks"

# Two jobs on one folder: the second is refused.
endless=("$GYRE" train "$T/config.json" --set length.steps=100000000 --set evaluate.every.steps=1000 --out)
"${endless[@]}" "$T/locked" --quiet 2>/dev/null &
pid=$!
for _ in $(seq 600); do
    [ -s "$T/locked/metrics.h5" ] && break
    sleep 0.02
done
refused 3 "another job is training in '$T/locked'" "${endless[@]}" "$T/locked"
kill -INT $pid
wait $pid
exit 0
