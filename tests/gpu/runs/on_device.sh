#!/usr/bin/env bash
# Programs that test the CPU backend, on the CUDA backend (on_device.c): on the fakes, or with FAKES=no
# on a GPU; those that use MPI on 1, 2 and 4 ranks, as far as GPUs go.
# Copies are made as soon as they may be, compute and sums as late (FAKE_ORDER); what is freed is
# gone at once (FAKE_FREE). The test of lifetimes runs in every order.
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

for program in "$@"; do
    case $program in
    */mpi_lifetimes) for order in "${ORDERS[@]}"; do FAKE_ORDER=$order on_ranks "$program"; done ;;
    */mpi_*) on_ranks "$program" ;;
    *) test_on 1 "$program" ;;
    esac
done
echo "device: $((count - failed)) of $count programs passed"
[ $failed -eq 0 ]
