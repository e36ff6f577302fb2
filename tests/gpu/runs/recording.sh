#!/usr/bin/env bash
# A step that one rank cannot record: all ranks learn it, warn once, and call each step instead, with
# the same bits.
set -u
. "$(dirname "$0")/lib.sh"
config "$T/config.json" cifar10_quick 4
checks=0

# run RANKS [FAILURE]: its outcome
run() {
    rm -rf "$T/run"
    FAKE_ORDER=${order:-lazy} FAKE_FAIL=${2:-} FAKE_RANK=$(($1 - 1)) on_fakes "$FAKES" "$1" "$GYRE" train "$T/config.json" --quiet --out "$T/run" ||
        fail "$*: exit $?: $(tail -n 5 "$T/err")"
    outcome_of "$T/run"
}

# degrades RANKS FAILURE
degrades() {
    local mine
    checks=$((checks + 1))
    mine=$(run "$@") || { echo "$mine" && exit 1; }
    grep -q 'as ordered' "$T/err" || fail "$*: not reached"
    [ "$(grep -c 'warning: the step cannot be recorded as a CUDA graph' "$T/err")" -eq 1 ] || fail "$*: not one warning: $(cat "$T/err")"
    ! grep '^fake: .*leak' "$T/err" || fail "$*: it leaks"
    [ "$mine" = "$right" ] || fail "$*: $mine, with the graph $right"
}

# in_capture FUNCTION: a call of it that a recording makes, by the log of a run
in_capture() {
    FAKE_LOG=$T/log FAKE_ORDER=lazy on_fakes "$FAKES" 1 "$GYRE" train "$T/config.json" --quiet --out "$T/logged" >/dev/null || fail "the run fails by itself"
    awk -v f="$1" '/^cudaStreamBeginCapture/ { inside = 1 } inside && $1 == f && ++n == 20 { print $2; exit }' "$T/log" | tr -d ';'
    rm -rf "$T/log" "$T/logged"
}

for ranks in 1 2; do
    right=$(run $ranks) || { echo "$right" && exit 1; }
    for failure in cudaStreamBeginCapture:1 cudaStreamEndCapture:1 cudaGraphInstantiate:1; do degrades $ranks $failure; done
done
right=$(run 1) || { echo "$right" && exit 1; }
for function in cudaLaunchKernel cudnnBackendExecute; do
    code=900 # a launch that CUDA does not record
    [ $function = cudaLaunchKernel ] || code=''
    degrades 1 $function:"$(in_capture $function)${code:+:$code}"
done
order=seed:1 degrades 1 cudaStreamEndCapture:1
echo "recording: $checks steps that are not recorded go on"
