#!/usr/bin/env bash
# Runs the tests named by kind (gpu, cli, mpi, unit) or by kind and name (cli/train), JOBS at a time,
# and says at the end what failed, and what was skipped and why. O is the build folder; RANKS are the
# numbers of ranks of MPI tests. A gpu test is a part of the Makefile's check-gpu, built in GPU_O.
# A test passes with exit 0, is skipped with exit 77 (its last line says why), else fails; lines
# "  skip  WHAT: WHY", and cmocka's, of one that passes say what it left out. The output of a failing
# test is shown, all outputs are kept in $O/test-logs.
set -u
shopt -s extglob
cd "$(dirname "$0")/.." || exit 2
O=${O:-build/cpu}
JOBS=${JOBS:-$(($(nproc) + 2))} # many wait a good deal
export O GYRE="$PWD/$O/gyre"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
# Tests share the cores: a rank that waits gives its own away.
export OMPI_MCA_mpi_yield_when_idle=1
PATH=$PWD/tests/bin:$PATH # an mpirun whose launches share nothing
logs=$O/test-logs
mkdir -p "$logs"
scratch=$(mktemp -d)
export TMPDIR=$scratch
trap 'rm -rf "$scratch"' EXIT

# verdict NAME LOG CODE TOOK: prints what became of a test, and notes it for the end.
verdict() {
    local name=$1 log=$2 code=$3 took=$4
    case $code in
    0)
        printf '  ok    %s (%s)\n' "$name" "$took" && echo >>"$scratch/passed"
        sed -En "/listed below:$/d; s/^(  skip  |\[  SKIPPED \] )/  part of ${name//\//\\/}: /p" "$log" >>"$scratch/partly" # what it left out by itself
        ;;
    77) printf '  skip  %s: %s\n' "$name" "$(tail -n 1 "$log")" | tee -a "$scratch/skipped" ;;
    *)
        printf '  FAIL  %s (exit %d), %s\n' "$name" "$code" "$log" >>"$scratch/failed"
        printf '  FAIL  %s (exit %d), %s:\n%s\n' "$name" "$code" "$log" "$(tail -n 40 "$log" | sed 's/^/        /')"
        ;;
    esac
}

test_one() { # name, command...
    local name=$1 log=$logs/${1//[\/ ]/_}.log code=0 took TIMEFORMAT='%0R s, %P%% of a core'
    shift
    took=$({ time timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null; } 2>&1) || code=$?
    verdict "$name" "$log" $code "$took"
}

run() { # name, command...: when one of JOBS places is free
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
    test_one "$@" &
}

# Is this the name that was asked for, and a test?
wanted() {
    # shellcheck disable=SC2053 # a pattern
    [[ ${1##*/} == $name ]] && [ -x "$1" ] && [ -f "$1" ]
}

for what in "$@"; do
    kind=${what%%/*} name='*' limit=${TEST_TIMEOUT:-480}
    [ "$kind" = "$what" ] || name=${what#*/}
    case $kind in
    # The longest first, so that it is not left alone at the end.
    unit) for t in "$O"/tests/unit/test_memory "$O"/tests/unit/test_!(memory); do wanted "$t" && run "${t#"$O"/tests/}" "$t"; done ;;
    mpi)
        for t in "$O"/tests/mpi/mpi_*; do
            for n in ${RANKS:-1 2 4}; do wanted "$t" && run "${t#"$O"/tests/} np $n" mpirun -q -np "$n" "$t"; done
        done
        ;;
    # Those that say that they take long begin first, so that none is left alone at the end.
    cli)
        # shellcheck disable=SC2086 # a pattern
        for t in $(grep -l '^# Slow\.$' tests/cli/$name.sh) $(grep -L '^# Slow\.$' tests/cli/$name.sh); do
            run "${t#tests/}" bash "$t"
        done
        ;;
    gpu)
        limit=${TEST_TIMEOUT:-1200}
        if ! tools/cuda.sh >/dev/null 2>&1; then
            echo "no CUDA toolkit for the $(make -s gpu-parts | wc -w) parts of check-gpu; make deps CUDA=1 installs it" >"$logs/gpu.log"
            verdict gpu "$logs/gpu.log" 77 "0 s"
            continue
        fi
        for part in $(make -s gpu-parts); do
            # shellcheck disable=SC2053 # a pattern
            [[ $part == $name ]] && run "gpu/$part" env -u GYRE make --no-print-directory CUDA=1 O="${GPU_O:-build/cuda}" "$part"
        done
        ;;
    *) echo "tests/run.sh: unknown kind '$kind' (gpu, cli, mpi, unit)" >&2 && exit 2 ;;
    esac
done
wait

count() { if [ -f "$scratch/$1" ]; then wc -l <"$scratch/$1"; else echo 0; fi; }
failed=$(count failed) skipped=$(count skipped)
[ "$skipped$(count partly)" = 00 ] || { echo "Skipped:" && cat "$scratch"/skipped "$scratch"/partly 2>/dev/null; }
[ "$failed" -eq 0 ] || { echo "Failed:" && cat "$scratch/failed"; }
echo "$(count passed) passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
