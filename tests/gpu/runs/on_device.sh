#!/usr/bin/env bash
# Programs that test the CPU backend, on the CUDA backend (on_device.c): on the fakes, or with FAKES=no
# on a GPU; those that use MPI on 1, 2 and 4 ranks, as far as GPUs go.
# Copies are made as soon as they may be, compute and sums as late (FAKE_ORDER); what is freed is
# gone at once (FAKE_FREE). The test of lifetimes runs in every order, that of sums on several nodes too
# (tests/cli/lib/hosts.c), dealt out in turn and not evenly.
#   tests/gpu/runs/on_device.sh PROGRAM...
set -u
. "$(dirname "$0")/lib.sh"
export FAKE_ORDER=${FAKE_ORDER:-early:1} FAKE_FREE=${FAKE_FREE:-at-once}
failed=0 count=0

test_on() { # RANKS PROGRAM
    local rc=0
    count=$((count + 1))
    on_fakes "$FAKES" "$@" || rc=$?
    [ $rc -eq 0 ] && ! grep -q '^fake: ' "$T/err" && return
    failed=$((failed + 1))
    echo "FAILED: $2 on $1 ranks, order $FAKE_ORDER, exit $rc"
    tail -n 20 "$T/out" "$T/err"
}

on_ranks() { # PROGRAM
    for n in 1 2 4; do [ "$n" -gt "$GPUS" ] || test_on "$n" "$1"; done
}

# on_nodes PROGRAM HOSTS VIEWS SPLITS: of each rank, the node and what it sees; how often ranks are
# grouped by levels.
on_nodes() {
    local commas=${2//[^,]/} splits
    export FAKE_HOSTS=$2 FAKE_VIEWS=$3 FAKE_LOG=$T/calls PRELOAD=$T/hosts.so
    rm -f "$T"/calls*
    test_on $((${#commas} + 1)) "$1"
    splits=$(cat "$T"/calls* | grep -c 'ncclCommSplit')
    [ "$splits" -eq "$4" ] || { failed=$((failed + 1)) && echo "FAILED: $1 on nodes $2: $splits times ncclCommSplit instead of $4"; }
    unset FAKE_HOSTS FAKE_VIEWS FAKE_LOG PRELOAD
}

for program in "$@"; do
    case $program in
    */mpi_lifetimes) for order in "${ORDERS[@]}"; do FAKE_ORDER=$order on_ranks "$program"; done ;;
    */mpi_backend)
        on_ranks "$program"
        [ "$FAKES" != no ] || continue
        mpicc -O1 -shared -fPIC -o "$T/hosts.so" tests/cli/lib/hosts.c || fail "the preload library"
        on_nodes "$program" 0,0,1,1 '0,1;0,1;2,3;2,3' 8
        FAKE_ORDER=seed:1 on_nodes "$program" 0,1,0,1 '0,1;2,3;0,1;2,3' 8
        FAKE_ORDER=seed:2 on_nodes "$program" 0,1,0,1,1,0,1,0 '0,1,2,3;4,5,6,7;0,1,2,3;4,5,6,7;4,5,6,7;0,1,2,3;4,5,6,7;0,1,2,3' 16
        on_nodes "$program" 0,1,0,0 '0,1,2;3;0,1,2' 0
        ;;
    */mpi_*) on_ranks "$program" ;;
    *) test_on 1 "$program" ;;
    esac
done
echo "device: $((count - failed)) of $count programs passed"
[ $failed -eq 0 ]
