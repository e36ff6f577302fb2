# Memory that runs out in the program itself, $gyre, which tests/unit/oom.c is linked into (tests/unit/oom.h): what
# tests/cli/oom*.sh share, sourced after common.sh. The number of attempts is in $tried.
# shellcheck shell=bash
gyre=$PWD/$O/oom/gyre
jobs=${JOBS:-8} # a run spends most of its time asleep in MPI_Init
: >"$T/failures"

words_of() { addr2line -s -f -p -e "$gyre" "$@" | grep -v ' oom.c:\|??' | head -n 6 | tr '\n' ' '; }
request_of() { sed -n "s/^$2 //p" "$1.log" | head -n 1; } # the addresses of what failed, or leaks

# wrong NAME WORDS: a complaint about one attempt.
wrong() {
    local name=$1
    shift
    # shellcheck disable=SC2046 # addresses are words
    echo "$name: $*; $(tail -n 2 "$T/$name.err" | tr '\n' ' '); request from $(words_of 0x0 $(request_of "$T/$name" failed))" >>"$T/failures"
}

# judge NAME CODE: how a program whose memory failed has ended.
judge() {
    local name=$1 code=$2 said
    said=$(grep -c '^gyre: error' "$T/$name.err")
    case $code in
    0) [ "$said" -eq 0 ] || wrong "$name" "an error, but exit 0" ;;
    3 | 4)
        [ "$said" -eq 1 ] || wrong "$name" "$said errors"
        # 3 is a file's: fopen and opendir failed
        grep '^gyre: error' "$T/$name.err" | grep -q "$([ "$code" -eq 3 ] && echo 'Cannot allocate memory' || echo 'memory\|cannot start')" ||
            wrong "$name" "exit $code, but the error does not tell why"
        ;;
    124 | 137) wrong "$name" "hangs" ;;
    *) wrong "$name" "exit $code" ;;
    esac
    # shellcheck disable=SC2046
    ! grep -q '^leak' "$T/$name.log" || wrong "$name" "leaks what came from $(words_of $(request_of "$T/$name" leak))"
}

# attempt_reading KIND K COMMAND...: a command that writes no file. It ends as judge() asks.
attempt_reading() {
    local name=$1.$2 k=$2 code=0
    shift 2
    OOM_LOG=$T/$name.log timeout -k 5 "${LIMIT:-10}" env OOM_AT="$k" "$@" >"$T/$name.out" 2>"$T/$name.err" || code=$?
    judge "$name" $code
    rm -f "$T/$name".*
}

# sample COUNT STRIDE COMMAND...: COMMAND k for each k, or every STRIDE-th of them.
sample() {
    local k n=$1 stride=$2
    shift 2
    [ "${OOM:-}" != all ] || stride=1
    for ((k = 1 + RANDOM % stride; k <= n; k += stride)); do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        "$1" "$2" "$k" "${@:3}" &
        tried=$((tried + 1))
    done
    wait
    [ ! -s "$T/failures" ] && return
    head -n 40 "$T/failures"
    fail "$(wc -l <"$T/failures") complaints about $2"
}

requests() { # command...: how many it makes
    rm -f "$T/count"
    OOM_LOG=$T/count "$@" >"$T/out" 2>"$T/err" || fail "$*: $(cat "$T/err")"
    ! grep -q leak "$T/count" || fail "$* leaks: $(cat "$T/count")"
    sed -n 's/^count //p' "$T/count"
}

tried=0
RANDOM=${SEED:-1}
