#!/usr/bin/env bash
# gyre doctor: prints once for all ranks, knows libraries, cores and threads, and finds what is made
# wrong on purpose.
set -u
. "$(dirname "$0")/lib/common.sh"
unset OMP_NUM_THREADS DNNL_MAX_CPU_ISA SLURM_JOB_ID

# What the program printed is the best hint.
fail() {
    echo "FAILED: $*"
    cat "$T/out"
    exit 1
}
says() { # words, command...
    local words=$1
    shift
    timeout 60 "$@" >"$T/out" 2>&1 || fail "exit $?: $*"
    grep -qE -- "$words" "$T/out" || fail "no '$words': $*"
}
silent() { ! grep -qE -- "$1" "$T/out" || fail "says '$1'"; }

says '^gyre [0-9.]+, Open MPI [0-9.]+, oneDNN [0-9.]+, .*cJSON [0-9.]+.*; compiled by (gcc|clang) [0-9]' \
    "$GYRE" doctor
grep -q '^ranks     1; .*: rank 0 on core' "$T/out" || fail "no ranks"
grep -qE '^device    cpu: oneDNN .*kernels for .*caches' "$T/out" || fail "no device"
grep -qE '^memory    [1-9][0-9.]* GiB, [0-9.]+ available' "$T/out" || fail "no memory"

says '^ranks     2; ' mpirun -q -np 2 --oversubscribe "$GYRE" doctor
[ "$(grep -c '^gyre ' "$T/out")" -eq 1 ] || fail "not printed once"
silent 'power of two'
says '3 ranks can only use .*start 2 or 4' mpirun -q -np 3 --oversubscribe "$GYRE" doctor

says "OMP_NUM_THREADS asks for $((4 * $(nproc --all))) threads in all" \
    env OMP_NUM_THREADS=$((2 * $(nproc --all))) mpirun -q -np 2 --oversubscribe --bind-to none "$GYRE" doctor
says 'DNNL_MAX_CPU_ISA=SSE41 holds' env DNNL_MAX_CPU_ISA=SSE41 "$GYRE" doctor
says 'no gnuplot, so no figures: apt-get install gnuplot-nox' env PATH="$T" "$GYRE" doctor
grep -q 'no mpirun' "$T/out" || fail "mpirun is not missed"
if [ "$(id -u)" -eq 0 ]; then
    says 'you are root' env -u OMPI_ALLOW_RUN_AS_ROOT "$GYRE" doctor
fi
if [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
    says 'this folder is on tmpfs' env -C /dev/shm "$GYRE" doctor
fi
if [ "$(nproc)" -gt 1 ]; then
    says 'bound to 1 of [0-9]+ cores.*--bind-to none' mpirun -q -np 1 --bind-to core "$GYRE" doctor
    grep -q '^threads   1$' "$T/out" || fail "more threads than cores"
    says "^threads   $(nproc)\$" mpirun -q -np 1 --bind-to none "$GYRE" doctor
    silent 'stay idle'
    says '^threads   1 in each rank$' mpirun -q -np "$(nproc)" --bind-to none "$GYRE" doctor
fi
rc=0
"$GYRE" doctor now >"$T/out" 2>&1 || rc=$?
[ $rc -eq 2 ] || fail "exit $rc for an argument too many"
exit 0
