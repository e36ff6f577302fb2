#!/usr/bin/env bash
# Each call of a CUDA, NCCL or cuDNN function made to fail, one at a time: gyre ends with a message
# and exit code 4 (5 where another rank is meant), in time, and holds no device memory at its end.
#
# A sample: of every function the first call, the last one of set-up, and the first of the last
# step. SOAK=1: every call of set-up and of the last step.
set -u
. "$(dirname "$0")/lib.sh"
export LIMIT=${LIMIT_EACH:-60}
STEPS=4
config "$T/a.json" cifar10_quick $STEPS
config "$T/b.json" cifar10_quick $((STEPS + 1))
checks=0 failed=0

train() { # RANKS CONFIG
    rm -rf "$T/run"
    FAKE_ORDER=eager on_fakes "$FAKES" "$1" "$GYRE" train "$T/$2.json" --quiet --out "$T/run" --set graph=${graph:-false} --set reduce="${reduce:-fast}" --set watchdog.seconds=15
}

# Failures that need not end a run: of releasing things, of asking for what is nice to know (the
# second ncclGetVersion is for a description), of one
# engine where cuDNN has others, and of one poll of many that asks only for bad news.
may_pass='^(cuda(Free|FreeHost|EventDestroy|StreamDestroy|GraphDestroy|GraphExecDestroy|MemGetInfo|DeviceGetPCIBusId|DeviceGetStreamPriorityRange)|cudnn(Destroy|BackendFinalize)|ncclGetVersion|ncclComm(Destroy|Abort|Finalize))$'

# bad TEXT
bad() {
    failed=$((failed + 1))
    echo "FAILED: $* ($(tail -n 3 "$T/err" | tr '\n' ' '))"
}

# fault RANKS FUNCTION K
fault() {
    local rc=0
    checks=$((checks + 1))
    FAKE_FAIL=$2:$3 FAKE_RANK=$(($1 - 1)) train "$1" a || rc=$?
    grep -q "as ordered" "$T/err" || { bad "$1 ranks, $2 call $3: not reached"; return; }
    if [ $rc -eq 0 ]; then
        [[ $2 =~ $may_pass ]] || bad "$1 ranks, $2 call $3: nobody noticed"
        [[ ! $2 =~ ^cudnn ]] || [ "$(hash_of "$T/run")" = "$right" ] || bad "$1 ranks, $2 call $3: other parameters"
        return
    fi
    case $rc in
    124 | 137) bad "$1 ranks, $2 call $3: hangs" ;;
    4) ;;
    5) [ "$1" -gt 1 ] || bad "$1 ranks, $2 call $3: exit 5 without another rank" ;;
    *) bad "$1 ranks, $2 call $3: exit $rc" ;;
    esac
    grep -q '^gyre: error' "$T/err" || bad "$1 ranks, $2 call $3: no message"
    # A device that did not answer in time is left as it is: to free its memory would wait for it.
    grep -qE 'did not (finish|come to an end)' "$T/err" ||
        ! grep -q 'leak: [0-9]* bytes of device memory' "$T/err" || bad "$1 ranks, $2 call $3: $(grep leak: "$T/err")"
}

# Which calls to let fail, as "function k" lines, from the logs of two runs that differ by one step:
# what is alike at their beginnings ends with the last step of the shorter.
chosen() { # LOG LONGER_LOG
    /usr/bin/python3 - "$@" "${SOAK:-}" <<'P'
import itertools, sys
polls = {"cudaEventQuery", "result of cudaEventQuery", "ncclCommGetAsyncError", "needed wait"}
short, longer = ([tuple(l.rsplit(" ", 1)) for l in open(f)] for f in sys.argv[1:3])
names = lambda calls: [c[0] for c in calls if c[0] not in polls]
a, b = names(short), names(longer)
same = len(list(itertools.takewhile(lambda p: p[0] == p[1], zip(a, b))))
step = len(b) - len(a)
assert 0 < step < same, (len(a), len(b), same)
place = [i for i, c in enumerate(short) if c[0] not in polls]
end, begin = place[same - 1] + 1, place[same - step]
setup = short[:place[max(0, same - 4 * step)]]  # before the first of the 4 steps
last = short[begin:end]
if sys.argv[3]:
    picked = setup + last
else:
    picked = []
    for part in (setup, setup[::-1], last):
        seen = set()
        for c in part:
            if c[0] not in seen:
                seen.add(c[0])
                picked.append(c)
for c in dict.fromkeys(picked):
    if c[0] == "needed wait": continue
    print(c[0].replace(" ", "_"), c[1].strip())
P
}

for ranks in 1 2; do
    for graph in false true; do
        [ $ranks = 1 ] || [ $graph = false ] || [ -n "${SOAK:-}" ] || continue
        FAKE_LOG=$T/log-b train $ranks b || fail "the run fails by itself: $(tail -n 5 "$T/err")"
        FAKE_LOG=$T/log-a train $ranks a || fail "the run fails by itself: $(tail -n 5 "$T/err")"
        right=$(hash_of "$T/run")
        of=$([ $ranks = 1 ] || echo ".$((ranks - 1))")
        chosen "$T/log-a$of" "$T/log-b$of" >"$T/chosen" || fail "the logs make no sense"
        [ -s "$T/chosen" ] || fail "no calls to let fail"
        [ $ranks = 1 ] || fault $ranks cudaSetDevice 1 </dev/null # one GPU of several is in exclusive use
        while read -r function k; do
            # once per step and rank would do: with two ranks only what one rank does not call
            [ $ranks = 1 ] || [ -n "${SOAK:-}" ] || [[ $function =~ ^(nccl|cudaEvent|cudaLaunch|cudaMalloc$) ]] || continue
            fault $ranks "${function//_of_/ of }" "$k" </dev/null
        done <"$T/chosen"
    done
done
echo "faults: $((checks - failed)) of $checks failures end as they should"
[ $failed -eq 0 ]
