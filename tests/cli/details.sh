#!/usr/bin/env bash
# Settings that must reach the run: label smoothing, the replica check, kept minima, checkpoints by the
# clock, the test part after a split; the lines in a log file; a second interrupt.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 40, "shards": 2},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 2},
    "length": {"steps": 100}, "evaluate": {"every": {"steps": 20}, "batch": 1000000}
}
JSON
train=("$GYRE" train "$T/config.json" --out)
column() { /usr/bin/python3 -c "import h5py; print(*h5py.File('$T/$1/metrics.h5')['$2']['$3'][:])"; }

# Lines in a log file: the last one is the last step, each tenth of the run has one.
ends 0 "${train[@]}" "$T/plain"
grep -q '^step 100/100  100 %  lr 0.001  cycle 2 of 2  loss [0-9.]*  [0-9]* samples/s  0 s left$' "$T/err" ||
    fail "no last line: $(cat "$T/err")"
[ "$(grep -c '^step [0-9]*/100 ' "$T/err")" -ge 9 ] || fail "few lines: $(cat "$T/err")"

# A uniform target makes a first loss that differs, and never less than the entropy of its mixture.
ends 0 "${train[@]}" "$T/smooth" --quiet --set optimizer.label_smoothing=0.5
[ "$(column plain train loss | cut -d' ' -f1)" != "$(column smooth train loss | cut -d' ' -f1)" ] || fail "label smoothing"
awk '{ exit !($NF > 1.6) }' <<<"$(column smooth train loss)" || fail "a smoothed loss of $(column smooth train loss)"

# Threads without a shard: what more shards would change depends on the network.
if [ "$(nproc)" -ge 2 ]; then
    for change in "mlp the last bits of results" "small_cnn batch-norm statistics"; do
        ends 0 "${train[@]}" "$T/idle-${change%% *}" --quiet --set threads=2 --set batch.shards=1 --set model.name=${change%% *} --set length.steps=5
        grep -q "; 2 would use them, and change ${change#* }\$" "$T/err" || fail "idle: $(cat "$T/err")"
    done
fi

# Parameters that differ between ranks are found at the next check, not later.
mpicc -shared -fPIC -o "$T/flip.so" "$lib/flip.c" || fail "the preload library"
ends 5 mpirun -q -np 2 -x LD_PRELOAD="$T/flip.so" "${train[@]}" "$T/flip" --quiet --set verify_replicas=7
grep -q 'rank 0 (.*), rank 1 (.*) hold different parameters after 7 steps' "$T/err" || fail "$(cat "$T/err")"

# A run that may differ from call to call, or with its sums, resumes only where that is meant.
for loose in deterministic=false 'reduce="fast"'; do
    ends 0 "${train[@]}" "$T/loose-$loose" --quiet --set "$loose" --stop-after 20
    refused 2 "may differ in the last bits with ${loose%%=*}" "${train[@]}" "$T/loose-$loose" --quiet --set "$loose"
    ends 0 "${train[@]}" "$T/loose-$loose" --quiet --set "$loose" --stop-after 30 --allow-inexact
done

# Checkpoints at minima stay beside the newest.
ends 0 "${train[@]}" "$T/minima" --quiet --set checkpoint.minima=true --set checkpoint.keep=1 --set checkpoint.every.steps=30
[ "$(ls "$T/minima/checkpoints")" = "$(printf 'step-%09d.h5\n' 51 90 100)" ] || fail "$(ls "$T/minima/checkpoints")"

# After a split the test part is looked at once, whole.
ends 0 "${train[@]}" "$T/split" --set 'data.validation={"split": 0.2}'
tested=$(sed -n 's/^test loss \([0-9.]*\), accuracy \([0-9.]*\) %$/\1 \2/p' "$T/err")
ends 0 "$GYRE" eval "$T/split" --part test
[ "$(sed -n 's/^test: 200 samples, loss \([0-9.]*\), accuracy \([0-9.]*\) %$/\1 \2/p' "$T/out")" = "$tested" ] ||
    fail "tested $tested, eval says $(cat "$T/out")"
ends 0 "${train[@]}" "$T/lone" --quiet --set 'data.validation={"split": 1e-9}'
grep -q "split 1e-09 sets 1 of 1000 training images aside, so that each is 100 % of the accuracy" "$T/err" || fail "$(cat "$T/err")"
# ... and a checkpoint alone is enough.
cp "$T/split/checkpoints/step-000000100.h5" "$T/alone.h5"
ends 0 "$GYRE" eval "$T/alone.h5" --data "$T/images.h5"
grep -q "loss ${tested% *}, accuracy ${tested#* } %" "$T/out" || fail "a lone checkpoint: $(cat "$T/out")"
mv "$T/images.h5" "$T/away.h5"
refused 3 "give it by --data FILE" "$GYRE" eval "$T/alone.h5"
mv "$T/away.h5" "$T/images.h5"

# Where the weights come from: by content, needed only at the start.
cp "$T/plain/checkpoints/step-000000100.h5" "$T/w.h5"
from=("${train[@]}" "$T/from" --set model.init_from="$T/w.h5")
ends 0 "${from[@]}" --stop-after 5
grep -q "^6 of 6 parameters from '$T/w.h5'$" "$T/err" || fail "init_from: $(cat "$T/err")"
cp "$T/alone.h5" "$T/w.h5"
refused 2 "model.init_from: '$T/w.h5' is not the file that the run began from" "${from[@]}"
refused 2 "model.init_from: the run began from a file" "${train[@]}" "$T/from"
rm "$T/w.h5"
ends 0 "${from[@]}"
! grep -q 'parameters from' "$T/err" || fail "read again: $(cat "$T/err")"

# By the clock: a fifth of a second, so that even a slow machine has one in ten.
"${train[@]}" "$T/clock" --quiet --set length.steps=10000000 --set checkpoint.every.minutes=0.0035 2>"$T/err" &
pid=$!
for _ in $(seq 500); do
    ls "$T"/clock/checkpoints/*.h5 >"$T/out" 2>/dev/null && break
    sleep 0.02
done
kill -TERM $pid
wait $pid
[ -s "$T/out" ] || fail "no checkpoint by the clock"

# A second interrupt ends at once: the disk is slow, and the first one's checkpoint still under way.
make_fault
LD_PRELOAD="$T/fault.so" FAULT_PATH=/checkpoints FAULT=slow FAULT_AT=1 FAULT_COUNT=1000 FAULT_LOG="$T/hits" \
    "${train[@]}" "$T/twice" --quiet --set length.steps=10000000 2>"$T/err" &
pid=$!
for _ in $(seq 500); do
    [ -s "$T/twice/metrics.h5" ] && break
    sleep 0.02
done
kill -INT $pid
for _ in $(seq 500); do
    [ -s "$T/hits" ] && break
    sleep 0.02
done
sleep 1.1
kill -INT $pid
rc=0
wait $pid || rc=$?
[ $rc -eq 130 ] || fail "exit $rc after a second interrupt: $(cat "$T/err")"
exit 0
