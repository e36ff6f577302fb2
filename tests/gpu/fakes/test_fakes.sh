#!/bin/bash
# The fakes' own tests: that the right programs pass under every order, and that each planted bug is
# caught by some order and by the thread sanitizer. Prints one line per failure and a count.
set -uo pipefail
O=${O:-build/cuda}
plain=$O/fakes/tests/gpu/fakes/test_fakes watched=$O/fakes-tsan/tests/gpu/fakes/test_fakes
nccl=$O/fakes/tests/gpu/fakes/test_fake_nccl cudnn=$O/fakes/tests/gpu/fakes/test_fake_cudnn
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_odls_base_sigkill_timeout=0
export OMPI_MCA_btl_vader_single_copy_mechanism=none
export TSAN_OPTIONS=exitcode=66
orders="eager lazy early:0 early:1 early:2 late:0 late:1 late:2 seed:1 seed:2 seed:3"
checks=0 failed=0
real=${LD_LIBRARY_PATH:-} # of the NVIDIA libraries; each program finds its own fakes by itself
unset LD_LIBRARY_PATH
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

bad() {
    failed=$((failed + 1))
    echo "FAILED: $*"
    sed 's/^/    /' "$T/out" | tail -n 5
}

# expect CODE WORDS COMMAND...: the exit code, and output that has the words.
expect() {
    local code=$1 words=$2 rc=0
    shift 2
    checks=$((checks + 1))
    timeout 100 "$@" >"$T/out" 2>&1 || rc=$?
    [ $rc -eq "$code" ] && grep -qF -- "$words" "$T/out" || bad "exit $rc instead of $code, or no '$words': $*"
}

# What a program prints under an order; "code N" where it fails.
answer() { FAKE_ORDER=$1 timeout 20 "${@:2}" 2>/dev/null || echo "code $?"; }

right=$(answer eager "$plain" loop)
for kind in loop graph; do
    for order in $orders; do
        FAKE_ORDER=$order expect 0 "$right" "$plain" $kind
        ! grep -q leak "$T/out" || bad "$kind leaks"
    done
    for order in eager lazy early:1; do FAKE_ORDER=$order expect 0 "$right" "$watched" $kind; done
    for bug in staging slot before after input ticket host; do
        caught=
        for order in $orders; do
            [ "$(answer "$order" "$plain" $kind $bug)" = "$right" ] || caught="$caught $order"
        done
        checks=$((checks + 2))
        [ -n "$caught" ] || bad "$kind with bug $bug: no order shows it"
        [ "$(answer lazy "$watched" $kind $bug | tail -n 1)" != "$right" ] || bad "$kind with bug $bug: the sanitizer misses it"
    done
    # every wait dropped in turn
    waits=$(FAKE_LOG=$T/log "$plain" $kind >/dev/null; grep -c "^needed wait" "$T/log")
    for k in $(seq "$waits"); do
        checks=$((checks + 1))
        [ "$(FAKE_DROP_WAIT=$k answer lazy "$watched" $kind | tail -n 1)" != "$right" ] || bad "$kind: wait $k dropped, not seen"
    done
done
expect 0 cudaErrorStreamCaptureUnjoined "$plain" unjoined
expect 0 cudaErrorStreamCaptureInvalidated "$plain" capture
expect 0 "never recorded" "$plain" unrecorded
expect 99 "behind an allocation of 100 bytes" "$plain" slack
expect 99 "outside every allocation" "$plain" guard
expect 99 "in store" "$plain" freed
expect 0 "" "$plain" under-way
FAKE_FREE=at-once expect 99 "in store" "$plain" under-way
expect 99 "pageable host memory" "$plain" pageable
expect 99 "cudaProfilerStart was called" "$plain" unknown
expect 0 "leak: 1000 bytes of device memory" "$plain" leaks
expect 0 "leak: 1 events" "$plain" leaks
FAKE_FAIL=cudaMalloc:3 expect 1 cudaErrorMemoryAllocation "$plain" loop
FAKE_FAIL=cudaEventRecord:2:999 expect 1 cudaErrorUnknown "$plain" loop
FAKE_FAIL=execution:1 expect 0 cudaErrorLaunchFailure "$plain" sticky
FAKE_MEMORY=2000 expect 1 cudaErrorMemoryAllocation "$plain" loop
for order in $orders; do
    FAKE_ORDER=$order expect 0 "right" mpirun -n 2 "$nccl" right
done
expect 99 "ranks differ in collective" mpirun -n 2 "$nccl" mismatch
expect 0 "aborted" env FAKE_FAIL=ncclStall:1 FAKE_RANK=1 mpirun -n 2 "$nccl" stall
expect 99 "a graph holds calls" mpirun -n 2 "$nccl" held
FAKE_ORDER=seed:1 expect 99 "still in progress" mpirun -n 2 "$nccl" hasty
expect 0 "duplicate GPU" mpirun -n 2 "$nccl" duplicate
expect 0 "right" mpirun -n 3 "$nccl" right
expect 0 "right" env FAKE_DEVICE_JSON="$PWD/tests/gpu/devices/h100.json" LD_LIBRARY_PATH="$O/fakes:$real" "$cudnn"
echo "fakes: $((checks - failed)) of $checks checks passed"
[ $failed -eq 0 ]
