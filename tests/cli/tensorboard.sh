#!/usr/bin/env bash
# Event files hold every row of metrics.h5 once: of a run that nobody stopped, of one that was killed and
# resumed, that met a full disk, or was exported. They change no bit of a run.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 300 60
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 60},
    "evaluate": {"every": {"steps": 7}}, "checkpoint": {"every": {"steps": 10}}
}
JSON
train=("$GYRE" train config.json --quiet --set threads=1)
live=("${train[@]}" --set output.tensorboard=true --out)
# same RUN WORDS: the event files are the tables, of so many rows.
same() {
    [ "$(/usr/bin/python3 "$lib/read_events.py" "$1" 2>&1 | tail -n 1)" = "$2" ] || fail "$1: $(/usr/bin/python3 "$lib/read_events.py" "$1" 2>&1 | tail -n 3)"
    [ -z "${board:-}" ] || [ "$(TENSORBOARD=yes "$board" "$lib/read_events.py" "$1" 2>&1 | tail -n 1)" = "$2" ] ||
        fail "TensorBoard reads $1: $(TENSORBOARD=yes "$board" "$lib/read_events.py" "$1" 2>&1 | tail -n 3)"
}
files() { find "$1" -maxdepth 1 -name 'events.out.tfevents.*' | wc -l; }
# A Python that has TensorBoard and h5py, should there be one: its own reader must agree.
for python in ${TENSORBOARD_PYTHON:-} /usr/bin/python3 python3; do
    "$python" -c 'import tensorboard, h5py' 2>/dev/null && board=$python && break
done

ends 0 "${train[@]}" --out plain
[ "$(files plain)" -eq 0 ] || fail "event files that nobody asked for"
ends 0 "${live[@]}" whole
same whole "60 9 ended"
[ "$("$GYRE" inspect whole --hash=state)" = "$("$GYRE" inspect plain --hash=state)" ] || fail "another run"
ends 0 mpirun -q -np 2 "${live[@]}" ranks
[ "$(files ranks)" -eq 1 ] || fail "$(ls ranks)"
same ranks "60 9 ended"

# Stopped and resumed; killed behind a checkpoint, whose rows up to the kill are void.
ends 0 "${live[@]}" stopped --stop-after 25
same stopped "25 3 open"
ends 0 "${live[@]}" stopped
[ "$(files stopped)" -eq 2 ] || fail "$(ls stopped)"
same stopped "60 9 ended"
make_fault
for k in 2 3 4; do # the first call opens the file
    rc=0
    (env LD_PRELOAD="$T/fault.so" FAULT_PATH=/events.out FAULT=tear FAULT_AT=$k "${live[@]}" torn-$k; exit) >/dev/null 2>&1 || rc=$?
    [ $rc -eq 137 ] || fail "torn-$k: exit $rc"
    ends 0 "${live[@]}" torn-$k
    same torn-$k "60 9 ended"
done
[ "$(files torn-4)" -eq 2 ] || fail "no run was killed while it wrote an event file"
(
    "${live[@]}" killed --set length.steps=100000 --set evaluate.every.steps=1000 --set checkpoint.every.steps=500 &
    pid=$!
    until [ -n "$(find killed/checkpoints -name 'step-*.h5' 2>/dev/null)" ] && [ "$(files killed)" -gt 0 ]; do sleep 0.1; done
    sleep 1
    kill -9 $pid
) >/dev/null 2>&1
at=$("$GYRE" inspect killed | sed -n 's/.*step \([0-9]*\).*/\1/p' | head -n 1)
"${live[@]}" killed --set length.steps=100000 --set evaluate.every.steps=1000 --set checkpoint.every.steps=500 \
    --stop-after $((at + 700)) >/dev/null 2>&1
[ "$(files killed)" -eq 2 ] || fail "$(ls killed)"
same killed "$((at + 700)) $(((at + 700) / 1000)) open"

# Asked for when the run is resumed: its first rows are there too.
ends 0 "${train[@]}" --out late --stop-after 30
ends 0 "${live[@]}" late
same late "60 9 ended"

# A disk that is full for a while: rows wait, with a warning, and none is lost.
for k in 1 2; do
    env LD_PRELOAD="$T/fault.so" FAULT_PATH=/events.out FAULT=ENOSPC FAULT_AT=$k "${live[@]}" full-$k 2>err || fail "$(cat err)"
done
grep -q "^gyre: warning: cannot write an event file in 'full-2': No space left on device; training continues, and rows wait" err || fail "$(cat err)"
for k in 1 2; do same full-$k "60 9 ended"; done

# The score of the test part, live and exported; a run that is extended has two, and one launch without points.
ends 0 "${live[@]}" tested --set data.validation.split=0.2
same tested "60 9 ended"
ends 0 "$GYRE" train tested/config.json --out tested --quiet --set output.tensorboard=false \
    --extend '{"policy": "constant", "base_lr": 0.01, "length": {"steps": 20}}'
ends 0 "$GYRE" export tensorboard tested -o exported
cp tested/{metrics.h5,config.json,log.jsonl} exported
same exported "80 13 open"
[ "$(grep -c '"event":"test"' exported/log.jsonl)" -eq 2 ] || fail "$(cat exported/log.jsonl)"

# ---- gyre export tensorboard
[ "$("$GYRE" export tensorboard plain)" = "$(echo plain/events.out.tfevents.*.export)" ] || fail "export"
same plain "60 9 open"
cp plain/events.out.tfevents.*.export first
ends 0 "$GYRE" export tensorboard plain
cmp first plain/events.out.tfevents.*.export || fail "a second export is another"
ends 0 "$GYRE" export tensorboard whole -o "other place"
cp whole/metrics.h5 whole/config.json "other place"
same "other place" "60 9 open"
refused 3 "'whole' holds event files already, and TensorBoard would show both" "$GYRE" export tensorboard whole
refused 3 "'other place' holds event files already" "$GYRE" export tensorboard killed -o "other place"
truncate -s -1 plain/events.out.tfevents.*.export
refused 3 "'plain' holds event files already" "$GYRE" export tensorboard plain
refused 3 "'images.h5' is a dataset" "$GYRE" export tensorboard images.h5
refused 3 "'nowhere' holds no rows of a run" "$GYRE" export tensorboard nowhere
rm plain/log.jsonl plain/events.out.*
[ "$("$GYRE" export tensorboard plain)" = plain/events.out.tfevents.0000000000.export ] || fail "a run without its log"
same plain "60 9 open"
cp plain/events.out.tfevents.0000000000.export first
"$GYRE" export tensorboard plain >/dev/null && cmp first plain/events.out.tfevents.0000000000.export || fail "a second export without a log"

# Each cell of a study has its own.
cat >study.json <<'JSON'
{"base": "config.json", "seeds": [1], "controls": [], "arms": [
    {"name": "low", "set": {"schedule.base_lr": 0.005}}, {"name": "high", "set": {"schedule.base_lr": 0.02}}]}
JSON
sed -i 's/"length"/"output": {"tensorboard": true}, "length"/' config.json
"$GYRE" study study.json --out study --quiet >/dev/null 2>err || fail "$(cat err)"
[ "$(find study -name 'events.out.tfevents.*' | wc -l)" -eq 2 ] || fail "$(find study)"
for cell in study/cells/*/seed-1; do [ "$(files "$cell")" -eq 1 ] || fail "$cell: $(ls "$cell")"; done
exit 0
