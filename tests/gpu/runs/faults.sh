#!/usr/bin/env bash
# Each call of a CUDA, NCCL or cuDNN function made to fail, one at a time: gyre ends with a message
# and exit code 4 (5 where another rank is meant), in time, and holds no device memory at its end.
#
# Of set-up and of one step, the calls that pass through a place in the program (a call, at any depth)
# where no failure came from before: every way that an error takes is taken. SOAK=1: every call of
# the first configuration, and all places again with two ranks. RANKS=1 or 2: half of the work.
set -u
. "$(dirname "$0")/lib.sh"
export LIMIT=${LIMIT_EACH:-60}
STEPS=3 # the first makes things, the second is recorded
config "$T/a.json" cifar10_quick $STEPS
config "$T/b.json" cifar10_quick $((STEPS + 1))
checks=0 failed=0 ranks_before=0

train() { # RANKS CONFIG
    rm -rf "$T/run"
    FAKE_ORDER=eager on_fakes "$FAKES" "$1" "$GYRE" train "$T/$2.json" --quiet --out "$T/run" --set graph="$graph" --set reduce="$reduce" --set watchdog.seconds="${later:-15}" --set watchdog.first_step_seconds="${first:-15}"
}

# Failures that need not end a run: of releasing things, of asking for what is nice to know (the
# second ncclGetVersion is for a description), of one
# engine where cuDNN has others, and of one poll of many that asks only for bad news.
may_pass='^(cuda(Free|FreeHost|EventDestroy|StreamDestroy|GraphDestroy|GraphExecDestroy|MemGetInfo|DeviceGetPCIBusId|DeviceGetAttribute|DeviceGetStreamPriorityRange)|cudnn(Destroy|BackendFinalize)|ncclGetVersion|ncclComm(Destroy|Abort|Finalize))$'

# What a run says that calls its steps, since one of them could not be recorded.
called='the step cannot be recorded as a CUDA graph'

# bad TEXT
bad() {
    failed=$((failed + 1))
    echo "FAILED: $* ($(tail -n 3 "$T/err" | tr '\n' ' '))"
}

# fault RANKS FUNCTION K
fault() {
    local rc=0 want=4
    # News of a peer, or none; and a rank that does not connect leaves the others waiting.
    [[ ! $2 =~ ^nccl(CommGetAsyncError|CommInitRankConfig|Stall|Hello)$ ]] || want=5
    checks=$((checks + 1))
    FAKE_FAIL=$2:$3 FAKE_RANK=$(($1 - 1)) train "$1" a || rc=$?
    if ! grep -q "as ordered" "$T/err"; then
        # How often it is asked for news while a rank waits is another thing each time.
        [ "$2" = ncclCommGetAsyncError ] && [ "$3" -gt 1 ] && checks=$((checks - 1)) && return
        bad "$1 ranks, $2 call $3: not reached"
        return
    fi
    if [ $rc -eq 0 ]; then
        [[ $2 =~ $may_pass ]] || grep -q "$called" "$T/err" || bad "$1 ranks, $2 call $3: nobody noticed"
        [[ ! $2 =~ ^cudnn ]] && ! grep -q "$called" "$T/err" || [ "$(hash_of "$T/run")" = "$right" ] || bad "$1 ranks, $2 call $3: other parameters"
        return
    fi
    case $rc in
    124 | 137) bad "$1 ranks, $2 call $3: hangs" ;;
    "$want") ;;
    *) bad "$1 ranks, $2 call $3: exit $rc instead of $want" ;;
    esac
    grep -q '^gyre: error' "$T/err" || bad "$1 ranks, $2 call $3: no message"
    [ -z "$(sed -En 's/^gyre: error( \([^)]*\))?: //p' "$T/err" | sort | uniq -d)" ] || bad "$1 ranks, $2 call $3: a message twice"
    # The others only say that a rank does not connect; it says why itself.
    [ "$2" != ncclCommInitRankConfig ] || grep -q "^gyre: error.* failed in phase 'opening the GPU'" "$T/err" ||
        bad "$1 ranks, $2 call $3: the cause is not said"
    # A device that did not answer in time is left as it is: to free its memory would wait for it.
    grep -qE 'did not (finish|come to an end)' "$T/err" ||
        ! grep -q 'leak: [0-9]* bytes of device memory' "$T/err" || bad "$1 ranks, $2 call $3: $(grep leak: "$T/err")"
}

# Which calls to let fail, as "function k" lines, from the logs of two runs that differ by one step:
# what is alike at their beginnings ends with the last step of the shorter. Of set-up and of that
# step: all calls, or those that pass through a place that is not in the file of places SEEN; the
# first of a function with so many ranks, and its last one in set-up, are always among them.
chosen() { # all|places SEEN RANKS LOG LONGER_LOG
    /usr/bin/python3 - "$@" <<'P'
import itertools, os, sys

# How often a rank polls, and when its device does what, is another thing each time.
TIMED = {"cudaEventQuery", "result of cudaEventQuery", "ncclCommGetAsyncError", "needed wait", "execution", "ncclStall"}

def read(path):
    for line in open(path):
        call, places = line.split(";")
        function, k = call.rsplit(" ", 1)
        yield function, k, places.split()

def fresh(calls, seen, ranks):
    first_time = set()
    for function, k, places in calls:
        if (function, ranks) not in seen:
            first_time.add(function)
        if not seen.issuperset([(function, ranks), *places]):
            yield function, k, places
        seen.update([(function, ranks), *places])
    yield from {c[0]: c for c in calls if c[0] in first_time}.values()

how, seen_file, ranks, short, longer = *sys.argv[1:4], *(list(read(f)) for f in sys.argv[4:6])
a, b = ([c[0] for c in calls if c[0] not in TIMED] for calls in (short, longer))
same = len(list(itertools.takewhile(lambda p: p[0] == p[1], zip(a, b))))
step = len(b) - len(a)
assert 0 < step < same, (len(a), len(b), same)
place = [i for i, c in enumerate(short) if c[0] not in TIMED]
setup = short[:place[same - step]] # with the first steps, which make and record what later ones use
last = short[place[same - step]:place[same - 1] + 1]
seen = set(eval(open(seen_file).read())) if os.path.exists(seen_file) else set()
places_of = [*fresh(setup, seen, ranks), *fresh(last, seen, ranks)]
open(seen_file, "w").write(repr(seen))
for function, k in dict.fromkeys(c[:2] for c in (setup + last if how == "all" else places_of)):
    if function != "needed wait":
        print(function.replace(" ", "_"), k)
P
}

# configuration RANKS GRAPH REDUCE
configuration() {
    local ranks=$1 graph=$2 reduce=$3 how=places of=''
    [ "$ranks" = 1 ] || of=.$((ranks - 1)) # the log of the last rank
    FAKE_LOG=$T/log-b train "$ranks" b || fail "the run fails by itself: $(tail -n 5 "$T/err")"
    FAKE_LOG=$T/log-a train "$ranks" a || fail "the run fails by itself: $(tail -n 5 "$T/err")"
    right=$(hash_of "$T/run")
    [ -z "${SOAK:-}" ] || [ "$ranks" = "$ranks_before" ] || rm -f "$T/seen"
    ranks_before=$ranks
    [ -z "${SOAK:-}" ] || [ "$*" != "1 false fast" ] || how=all
    chosen $how "$T/seen" "$ranks" "$T/log-a$of" "$T/log-b$of" >"$T/chosen" || fail "the logs make no sense"
    [ -s "$T/chosen" ] || [ "$*" != "1 false fast" ] || fail "no calls to let fail"
    [[ ${RANKS:-1 2} == *$ranks* ]] || return # the other half only needs to know the places
    [ "$ranks" = 1 ] || fault "$ranks" cudaSetDevice 1 </dev/null # one GPU of several is in exclusive use
    while read -r function k; do
        fault "$ranks" "${function//_of_/ of }" "$k" </dev/null
    done <"$T/chosen"
    echo "  ranks $ranks, graph $graph, $reduce sums: $checks failures so far"
}

# deadline KEY FUNCTION K: a stall that KEY ends, which is short while the other one is long.
deadline() {
    local rc=0
    checks=$((checks + 1))
    graph=true reduce=fast first=60 later=60
    [ "$1" = watchdog.seconds ] && later=6 || first=6
    FAKE_FAIL=$2:$3 FAKE_RANK=1 train 2 a || rc=$?
    [ $rc -eq 5 ] && grep -qE "did not .*; $1 sets the limit|stands still .* $1, 6 s, sets the limit" "$T/err" || bad "$2 call $3: exit $rc, or not ended by $1"
}

# An abort of NCCL that never ends: the reason is out before, and the process ends in seconds.
stuck_abort() {
    local rc=0
    checks=$((checks + 1))
    graph=true reduce=fast first=60 later=60
    FAKE_FAIL=ncclAllReduce:2,ncclAbortHang:1 FAKE_RANK=1 train 2 a || rc=$?
    [ $rc -eq 4 ] && [ "$(grep -c '^gyre: error (rank 1 on .*ncclAllReduce failed' "$T/err")" -eq 1 ] &&
        grep -q "^gyre: error (rank 1 on .*abort did not end in 5 s" "$T/err" || bad "an abort that hangs: exit $rc"
}

for graph in false true; do configuration 1 $graph fast; done
for graph in false true; do
    for reduce in fast exact; do
        [ "${RANKS:-2}" = 1 ] || configuration 2 $graph $reduce
    done
done
if [ "${RANKS:-2}" != 1 ]; then
    deadline watchdog.first_step_seconds ncclHello 1
    deadline watchdog.seconds ncclStall 3
    stuck_abort
fi
echo "faults: $((checks - failed)) of $checks failures end as they should"
[ $failed -eq 0 ]
