#!/usr/bin/env bash
# Each wait of a stream for an event, dropped one at a time: some order must give other parameters
# (or fail), or the thread sanitizer must see the race. The right program passes all of them.
#
# A wait for what the host knows to be done does not count (FAKE_DROP_WAIT).
set -u
. "$(dirname "$0")/lib.sh"
config "$T/config.json" cifar10_quick 4
export TSAN_OPTIONS="exitcode=66 ignore_noninstrumented_modules=1 report_signal_unsafe=0 suppressions=$PWD/tests/gpu/fakes/tsan.supp"
checks=0 missed=0

# run FOLDER ORDER RANKS GRAPH: prints its outcome, or how it failed.
run() {
    rm -rf "$T/run"
    if FAKE_ORDER=$2 on_fakes "$1" "$3" "$GYRE" train "$T/config.json" --quiet --out "$T/run" --set reduce=fast --set graph="$4"; then
        grep -q 'the step cannot be recorded' "$T/err" && echo "not recorded" && return
        outcome_of "$T/run"
    else
        echo "exit $?"
    fi
}

# waits RANKS GRAPH: how many there are (of rank 0).
waits() {
    FAKE_LOG=$T/log run "$FAKES" eager "$1" "$2" >/dev/null
    cat "$T"/log "$T"/log.0 2>/dev/null | grep -c '^needed wait '
    rm -f "$T"/log*
}

# caught RANKS GRAPH K: by what.
caught() {
    local order
    export FAKE_DROP_WAIT=$3 FAKE_RANK=0
    for order in early:0 early:1 early:2 early:3 early:4 lazy eager seed:1; do
        [ "$(run "$FAKES" $order "$1" "$2")" = "$right" ] || { echo "order $order"; return; }
    done
    [ "$(run "$FAKES_TSAN" lazy "$1" "$2")" = "$right" ] || echo "thread sanitizer"
}

for ranks in 1 2; do
    for graph in false true; do
        right=$(run "$FAKES" eager $ranks $graph)
        [[ $right =~ ^[0-9a-f]{16}\ [0-9.]+$ ]] || fail "$ranks ranks, graph $graph: $right: $(tail -n 5 "$T/err")"
        watched=$(run "$FAKES_TSAN" lazy $ranks $graph)
        [ "$watched" = "$right" ] || fail "$ranks ranks, graph $graph, thread sanitizer: $watched: $(grep -m1 -A12 WARNING "$T/err")"
        all=$(waits $ranks $graph)
        [ "$all" -gt 0 ] || fail "$ranks ranks: no wait at all: the log is empty?"
        for k in $(seq "$all"); do
            checks=$((checks + 1))
            by=$(caught $ranks $graph "$k")
            [ -n "$by" ] || { missed=$((missed + 1)); echo "MISSED: $ranks ranks, graph $graph: wait $k of $all"; }
            echo "  $ranks ranks, graph $graph, wait $k of $all: ${by:-not caught}"
        done
    done
done
echo "waits: $((checks - missed)) of $checks dropped waits caught"
[ $missed -eq 0 ]
