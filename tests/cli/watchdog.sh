#!/usr/bin/env bash
# A rank that stands still, wherever it does, ends the whole job with exit code 5, and is named with
# what it was doing; nothing of the job is left.
set -u
. "$(dirname "$0")/lib/common.sh"
program=$PWD/$O/tests/mpi/mpi_comm
[ "${O#/}" = "$O" ] || program=$O/tests/mpi/mpi_comm
cd "$T" || exit 1
mpicc -shared -fPIC -o stop.so "$lib/stop.c" -ldl || fail "the preload library"
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 4}, "threads": 1,
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2},
 "length": {"steps": 20}, "evaluate": {"every": {"steps": 10}}, "checkpoint": {"every": {"steps": 10}},
 "watchdog": {"seconds": 4, "first_step_seconds": 4}}
JSON
export GYRE_START_SECONDS=4
export TSAN_OPTIONS=report_thread_leaks=0 # of a process that is ended in the middle

# hangs NAME RANKS RANK FUNCTION PATH AT WORDS [VARIABLE]: at that call the rank stops.
hangs() {
    local name=$1 ranks=$2 rank=$3 function=$4 path=$5 at=$6 words=$7 rc=0
    timeout -k 1 50 mpirun -q -np "$ranks" -x LD_PRELOAD="$T/stop.so" -x STOP_RANK="$rank" -x STOP_IN="$function" \
        -x STOP_PATH="$path" -x STOP_AT="$at" ${8:+-x "$8"} "$GYRE" train config.json --out "run-$name" --quiet >"$name.err" 2>&1 || rc=$?
    [ $rc -eq 5 ] || fail "$name: exit $rc ($(cat "$name.err"))"
    grep -qE -- "$words" "$name.err" || fail "$name: no '$words' in: $(cat "$name.err")"
    sleep 0.3
    ! pgrep -f "run-$name( |$)" >"$name.left" || fail "$name: $(tr '\n' ' ' <"$name.left") left"
}
together=()
at_once() {
    "$@" &
    together+=($!)
}
stopped='^gyre: error \(rank [0-9] on .*\): rank 1 \(process [0-9]+\) stands still in'
self='^gyre: error \(rank 1 on .*\): rank 1 stands still in'
at_once hangs init 2 1 init '' 1 "^gyre: error \(rank 0 on .*\): 'MPI_Init' has not returned.*GYRE_START_SECONDS, 4 s"
at_once hangs after 2 1 after_init '' 1 "GYRE_START_SECONDS, 4 s"
at_once hangs open 2 1 open images.h5 1 "$stopped 'opening the dataset': its process is stopped"
at_once hangs read 2 1 pread images.h5 1 "$self 'opening the dataset': a disk" STOP_SLEEP=1
at_once hangs reduction 4 2 reduction '' 30 "rank 2 \(process [0-9]+\) stands still in 'adding gradients over ranks' of step [0-9]+: its process is stopped, and others wait for it; watchdog.seconds, 4 s"
at_once hangs evaluation 2 1 evaluation '' 2 "$stopped 'evaluating'"
for p in "${together[@]}"; do wait "$p" || exit 1; done
together=()
at_once hangs metrics 2 0 fsync metrics.h5 1 "^gyre: error \(rank 0 on .*\): rank 0 stands still in 'opening the run's files': a disk.*first_step_seconds" STOP_SLEEP=1
at_once hangs checkpoint 2 0 fsync step-000000020 1 "rank 0 stands still in 'writing a checkpoint' of step 20: a disk" STOP_SLEEP=1
at_once hangs barrier 2 1 barrier '' 1 "$stopped 'the barrier at the end': its process is stopped"
at_once hangs finalize 2 1 finalize '' 1 "$stopped 'MPI_Finalize': its process is stopped"
at_once hangs alone 1 0 fsync step-000000020 1 "rank 0 stands still in 'writing a checkpoint'" STOP_SLEEP=1
for p in "${together[@]}"; do wait "$p" || exit 1; done

# Those who wait let the one that can speak do so.
out=$(timeout 60 mpirun -q -np 2 "$program" stuck 2>&1)
rc=$?
[ $rc -eq 5 ] || fail "exit code $rc, expected 5: $out"
grep -q "^gyre: error (rank 1 on .*): rank 1 stands still in 'reduction' of step 12: .*watchdog.first_step_seconds, 0.5 s" <<<"$out" || fail "$out"
[ "$(grep -c 'gyre: error' <<<"$out")" = 1 ] || fail "more than one error: $out"
