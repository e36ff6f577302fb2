#!/usr/bin/env bash
# The first day on a node with GPUs: everything that only they can show, as one text report.
#
#   make CUDA=1                         (on a login node, if you like)
#   tests/gpu/first-day.sh [REPORT]     (first-day-HOST.txt), ten minutes at most
#
# First it builds what is missing. The ten minutes begin after that. A stage ends in one of these:
#
#   ok         it did what it should
#   FAILED     it did not; the lines above say what is wrong
#   CUT OFF    its time was over before it was through
#   NOT RUN    all time was over, or an earlier stage did not make what it needs
#   skipped    there is nothing to do on this machine, for the reason given, which is no fault
#
# None stops the ones behind it. Exit 0 when each is ok or skipped, else 1. The numbers of ranks are
# 1, 2, 4, 8 as far as GPUs go.
#
#   GPUS=N          pretends that there are N
#   WHOLE=SECONDS   in place of 600
#   REHEARSE=yes    every stage on the fakes, with a few steps of small batches: the numbers mean
#                   nothing, but that nothing is wrong with the scripts shows before the day
set -u
report=$(realpath -m "${1:-first-day-$(hostname -s).txt}")
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C O=${O:-build/cuda} REHEARSE=${REHEARSE:-} # for the stages, as is T
T=$(mktemp -d) || exit 2
export T
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

# Seconds, name in stages.sh, title; what tells most comes first. `build` is not among them.
#
# What is expected on a node of eight GPUs, 411 s in all, is a guess until a node has told. It goes
# by starts of the program: 4 s on one GPU (mpirun and libraries 1, CUDA 2, cuDNN's plans and kernels
# 1), 8 s on eight (CUDA sees to all of them, and NCCL connects). Beside that count only the steps of
# the CPU, those of 1024 images, and what compute-sanitizer does.
stages=(
    "30 doctor doctor"                                             # 15 s: nvidia-smi twice (4), 2 starts without plans
    "20 images images"                                             # 6 s: noise by Python (3), import (3)
    "45 numbers GPU against CPU"                                   # 16 s: 10 steps on the CPU (6), 2 starts
    "60 bits the same bits again, without a graph, on more ranks"  # 56 s: 6 starts, and 2 on each of 2, 4 and 8 GPUs
    "55 operations every operation against its definition"         # 45 s: 12 small programs
    "90 scaling scaling"                                           # 66 s: 9 starts (54), 150 steps each, the slowest of 30 ms
    "35 bandwidth bandwidth of sums over ranks"                    # 22 s: on 2, 4 and 8 GPUs, each connects twice; on one: 2 starts
    "25 breakdown where a step's time goes"                        # 14 s: on 1 and 8 GPUs
    "45 memcheck compute-sanitizer memcheck"                       # 30 s: 2 starts with instrumented kernels (10 each), 600 calls of 15 ms
    "70 settings training in several settings"                     # 55 s: 8 starts, on two GPUs if there are (40), 4 runs on the CPU
    "30 racecheck compute-sanitizer racecheck"                     # 25 s: 3 small programs, own kernels only
    "40 speed speed with and without graphs, beside predictions"   # 28 s: 5 starts, 300 steps each of 5 ms
    "40 resnet50 ResNet-50 at 224 px, beside predictions"          # 30 s: 3 starts, 40 steps each of 20 to 90 ms
    "10 describe the device in cuDNN's words"                      # 3 s: 1 start without plans
)
sum=0
for row in "${stages[@]}"; do sum=$((sum + ${row%% *})); done
[ $sum -le 600 ] || { echo "$0: its stages' limits add up to $sum s" >&2 && exit 2; }
whole=${WHOLE:-600}
if [ -n "$REHEARSE" ]; then
    whole=${WHOLE:-7200} # fakes take their time
    export GPUS=${GPUS:-2} FAKE_DEVICE_JSON=$PWD/tests/gpu/devices/h100.json
    export FAKE_GPUS=$GPUS OMPI_MCA_btl_vader_single_copy_mechanism=none
fi

child=
stop() { # timeout passes it on to all of the stage
    [ -z "$child" ] || { kill "$child" && wait "$child"; }
    exit 130
}
trap 'rm -rf "$T"' EXIT
trap stop INT TERM

verdict() { # WORD, DETAIL: of the stage that just ended
    echo "-- $1${2:+: $2}"
    printf '%-8s %5d s  %s%s\n' "$1" $((SECONDS - begun)) "$title" "${2:+: $2}" >>"$T/verdicts"
}

# stage TITLE SECONDS FUNCTION
stage() {
    local title=$1 limit=$2 rc=0 begun=$SECONDS
    printf '\n== %s\n' "$title"
    if [ "$limit" -le 0 ]; then
        verdict "NOT RUN" "$whole s are over"
        return
    fi
    timeout -k 5 "$limit" bash tests/gpu/first-day/stages.sh "$3" >"$T/out" 2>&1 </dev/null &
    child=$!
    wait $child || rc=$?
    child=
    cat "$T/out"
    # timeout's codes; 137 is also that of a rank that was killed.
    [ $rc -ne 124 ] && [ $rc -ne 137 ] || [ $((SECONDS - begun)) -lt "$limit" ] || rc=over
    case $rc in
    0) verdict ok ;;
    77) verdict skipped "$(tail -n 1 "$T/out")" ;;
    78) verdict "NOT RUN" "$(tail -n 1 "$T/out")" ;;
    over) verdict "CUT OFF" "not done after $limit s" ;;
    *) verdict FAILED "exit $rc" ;;
    esac
}

# What one stage leaves of its time, the next ones may use; each has at least its own.
all_stages() {
    local row limit function title start=$SECONDS due=0 now # due: by when this one is to be through
    for row in "${stages[@]}"; do
        read -r limit function title <<<"$row"
        due=$((due + limit)) now=$((SECONDS - start))
        limit=$((due - now))
        [ -z "$REHEARSE" ] && [ "$due" -le "$whole" ] || limit=$((whole - now))
        stage "$title" $limit "$function"
    done
}

exec > >(tee -i "$report") 2>&1
tee=$!
echo "${REHEARSE:+REHEARSAL on fake libraries: }gyre's first day on $(hostname), $(date -u +%Y-%m-%dT%H:%MZ), commit $(git rev-parse --short HEAD 2>/dev/null || echo '?')"
stage build 3600 build
all_stages
printf '\n== all stages\n'
cat "$T/verdicts"
bad=$(grep -cvE '^(ok|skipped) ' "$T/verdicts")
[ "$bad" = 0 ] && end="all is well" || end="NOT ALL IS WELL"
echo "$end, after $SECONDS s; the report is $report"
exec >&- 2>&- # so that tee ends, and with it the report is whole
wait $tee
[ "$bad" = 0 ]
