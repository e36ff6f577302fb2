#!/usr/bin/env bash
# Runs the tests named by kind (unit, mpi, cli) or by kind and name (cli/train), and counts. O is the
# build folder; RANKS are the numbers of ranks of MPI tests.
# A test passes with exit 0, is skipped with exit 77 (its last line says why), else fails; the
# output of a failing test is shown, all outputs are kept in $O/test-logs.
set -u
cd "$(dirname "$0")/.." || exit 2
O=${O:-build/cpu}
export O GYRE="$PWD/$O/gyre"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
logs=$O/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

run() { # name, command...
    local name=$1 log rc start=$SECONDS
    shift
    log=$logs/${name//[\/ ]/_}.log
    timeout -k 5 "${TEST_TIMEOUT:-240}" "$@" >"$log" 2>&1 </dev/null
    rc=$?
    case $rc in
    0) passed=$((passed + 1)) && printf '  ok    %s (%d s)\n' "$name" $((SECONDS - start)) ;;
    77) skipped=$((skipped + 1)) && printf '  skip  %s: %s\n' "$name" "$(tail -n 1 "$log")" ;;
    *)
        failed=$((failed + 1))
        printf '  FAIL  %s (exit %d), %s:\n' "$name" $rc "$log"
        tail -n 40 "$log" | sed 's/^/        /'
        ;;
    esac
}

# Is this the name that was asked for, and a test?
wanted() {
    # shellcheck disable=SC2053 # a pattern
    [[ ${1##*/} == $name ]] && [ -x "$1" ] && [ -f "$1" ]
}

for what in "$@"; do
    kind=${what%%/*} name='*'
    [ "$kind" = "$what" ] || name=${what#*/}
    case $kind in
    unit) for t in "$O"/tests/unit/test_*; do wanted "$t" && run "${t#"$O"/tests/}" "$t"; done ;;
    mpi)
        for t in "$O"/tests/mpi/mpi_*; do
            for n in ${RANKS:-1 2 4}; do wanted "$t" && run "${t#"$O"/tests/} np $n" mpirun -q -np "$n" "$t"; done
        done
        ;;
    cli) for t in tests/cli/$name.sh; do [ -f "$t" ] && run "${t#tests/}" bash "$t"; done ;;
    *) echo "tests/run.sh: unknown kind '$kind' (unit, mpi, cli)" >&2 && exit 2 ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
