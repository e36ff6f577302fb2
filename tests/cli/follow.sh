#!/usr/bin/env bash
# gyre plot --follow: the figure is drawn again while a run grows, is whole at every moment, and the
# command ends with the run, or at Ctrl-C.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
[ -n "$(command -v gnuplot)" ] || { echo "no gnuplot"; exit 77; }
make_dataset images.h5 300 60
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 500}},
    "length": {"steps": 10000000}, "evaluate": {"every": {"steps": 1000}}, "checkpoint": {"every": {"steps": 100000}}
}
JSON
figure=run/plots/curves.svg
begin() { # a run in the background: its process is $run
    "$GYRE" train config.json --quiet --set threads=1 --out "$1" 2>/dev/null &
    run=$!
    for _ in $(seq 200); do
        [ -s "$1/lock" ] && [ -s "$1/metrics.h5" ] && return
        sleep 0.1
    done
    fail "no run began"
}
# Waits for the figure to be another file than $seen; a half one would lack its end.
redrawn() {
    for _ in $(seq 300); do
        now=$(stat -c %i,%Y,%s "$figure" 2>/dev/null)
        if [ -n "$now" ] && [ "$now" != "$seen" ]; then
            tail -c 100 "$figure" | grep -q 'gyre checksum' || fail "half a figure"
            seen=$now
            return
        fi
        kill -0 "$plot" 2>/dev/null || fail "it ended: $(cat err)"
        sleep 0.1
    done
    fail "not drawn again: $(cat err)"
}

begin run
"$GYRE" plot run --follow=1 >out 2>err &
plot=$! seen=
redrawn
[ "$(cat out)" = $figure ] || fail "the path is not printed at once: $(cat out)"
redrawn
redrawn
# The run ends: the last rows are drawn, and so ends the command.
kill -USR1 $run
wait $run
[ $? -eq 99 ] || fail "the run did not stop"
wait $plot || fail "exit $? of --follow: $(cat err)"
[ ! -s err ] && [ "$(cat out)" = $figure ] || fail "more words: $(cat out err)"
steps=$(/usr/bin/python3 -c 'import h5py; print(len(h5py.File("run/metrics.h5")["train"]))')
grep -q "^# learning rate, .* of $steps\b" run/plots/curves.dat || fail "not all $steps rows: $(grep '^#' run/plots/curves.dat)"

# A run that is over: once. One that was killed is over, too.
cp $figure first.svg
ends 0 "$GYRE" plot run --follow
cmp $figure first.svg || fail "another figure of the same rows"
begin run
kill -9 $run
wait $run 2>/dev/null
ends 0 "$GYRE" plot run --follow -o killed.png
[ -s killed.png ] || fail "no figure of a killed run"

# Ctrl-C: code 130, a figure, and on a terminal a line that says how it stands.
begin other
cat >interrupt.py <<'PY'
import os, signal, subprocess, sys, time
command = subprocess.Popen(sys.argv[2:], preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
command.send_signal(signal.SIGINT)
sys.exit(command.wait())
PY
rc=0
/usr/bin/python3 "$lib/on_terminal.py" 80 24 /usr/bin/python3 interrupt.py two.svg "$GYRE" plot run other --follow=1 -o two.svg >shown || rc=$?
[ $rc -eq 130 ] || fail "exit $rc at Ctrl-C: $(cat shown)"
tail -c 100 two.svg | grep -q 'gyre checksum' || fail "half a figure at Ctrl-C"
grep -q 'gyre: error: interrupted' shown && grep -q 'waiting for the first rows\|drawn 1 time, last at [0-9:]*; Ctrl-C ends\|two.svg' shown || fail "$(cat shown)"
kill -9 $run
wait $run 2>/dev/null

# A run that has only begun has no rows: it is waited for.
mkdir begun && cp run/config.json begun/ && echo "host $(hostname), process $$" >begun/lock
"$GYRE" plot begun --follow=1 >out 2>err &
plot=$! figure=begun/plots/curves.svg seen=
sleep 1
kill -0 $plot || fail "it did not wait: $(cat err)"
cp run/metrics.h5 begun/metrics.h5
redrawn
: >begun/lock
wait $plot || fail "exit $? after the run's end: $(cat err)"

# A run whose folder is not there yet is waited for, and named; a signal ends that.
"$GYRE" plot later --follow=1 >out 2>err &
plot=$! figure=later/plots/curves.svg seen=
sleep 1
kill -0 $plot || fail "it did not wait for the folder: $(cat err)"
grep -qx "waiting for the run 'later' to begin; Ctrl-C ends" err || fail "$(cat err)"
begin later
redrawn
[ "$(grep -c waiting err)" -eq 1 ] || fail "$(cat err)"
kill -9 $run
wait $run 2>/dev/null
wait $plot || fail "exit $? after the run's end: $(cat err)"
"$GYRE" plot never --follow -o never.svg >out 2>err &
plot=$!
sleep 1
kill -TERM $plot
wait $plot
[ $? -eq 130 ] && grep -q "gyre: error: interrupted" err && [ ! -e never ] && [ ! -e never.svg ] || fail "$(cat err)"
rm begun/metrics.h5
refused 3 "holds no rows of a run" "$GYRE" plot begun --follow

for wrong in 0 -1 1.5 x; do
    refused 2 "--follow=$wrong: a whole number of seconds above 0 was expected" "$GYRE" plot run --follow=$wrong
done
refused 2 "several runs need -o FILE" "$GYRE" plot run other --follow
/usr/bin/python3 -c 'import h5py; h5py.File("find.h5", "w")'
refused 2 "--follow is for runs, and 'find.h5' is none" "$GYRE" plot find.h5 --follow
refused 2 "there is no run '3'; seconds stand behind an equals sign, as --follow=3" "$GYRE" plot run --follow 3
refused 2 "there is no run '2'" "$GYRE" plot --follow 2
exit 0
