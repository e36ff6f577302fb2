#!/usr/bin/env bash
# Which GPUs a rank is given and what is said where they will not do; what `auto` and --profile do
# with them. On fakes.
set -u
. "$(dirname "$0")/lib.sh"
export LIMIT=60
config "$T/config.json" cifar10_quick 4
checks=0

# says CODE WORDS RANKS ARGUMENTS...: exit code, and words on stderr.
says() {
    local code=$1 words=$2 rc=0
    checks=$((checks + 1))
    rm -rf "$T/run"
    on_fakes "$FAKES" "$3" "$GYRE" train "$T/config.json" --out "$T/run" "${@:4}" || rc=$?
    [ $rc -eq "$code" ] && grep -qF -- "$words" "$T/err" || fail "exit $rc instead of $code, or no '$words': $(tail -n 5 "$T/err")"
}
silent() { ! grep -qF -- "$1" "$T/err" || fail "says '$1'"; }

FAKE_GPUS=1 says 4 "more ranks than GPUs: the 2 ranks on $(hostname) see 1 GPU, ranks 0 and 1 the same" 2
FAKE_GPUS=2 says 4 "more ranks than GPUs: 3 ranks on this host, but 2 visible GPUs" 3 --set reduce=fast --set batch.size=9 --set batch.shards=3
FAKE_CAPABILITY=9.0,8.0 says 4 "rank 0 has a GPU of compute capability 9.0" 2
FAKE_CAPABILITY=7.5 says 4 "GPU 0 has compute capability 7.5, gyre needs 8.0" 1
FAKE_DRIVER=12040 says 4 "the NVIDIA driver is for CUDA 12.4 at most" 1
FAKE_DRIVER=0 says 4 "no NVIDIA driver is loaded" 1
FAKE_NCCL=22200 says 4 "NCCL: this program was built for" 1

# auto goes without, and says why among what the run is: once, and with --quiet not at all.
FAKE_GPUS=1 says 0 "on the CPU: more ranks than GPUs" 2 --set backend=auto
[ "$(grep -c 'more ranks than GPUs' "$T/err")" -eq 1 ] || fail "said more than once: $(cat "$T/err")"
FAKE_DRIVER=0 says 0 "on the CPU: no NVIDIA driver is loaded" 1 --set backend=auto
FAKE_DRIVER=0 says 0 "" 1 --set backend=auto --quiet
silent "NVIDIA"
says 0 "" 1 --set backend=auto
silent "on the CPU"
right=$(hash_of "$T/run")

# A profile has each layer, though steps would be replayed without; the bits stay.
says 0 "profile of rank 0" 1 --profile
[ "$(hash_of "$T/run")" = "$right" ] || fail "--profile changes the bits"
awk '$1 == "conv1" && NF == 4 && $2 > 0 && $3 > 0 { found = 1 } END { exit !found }' "$T/run/profile.txt" ||
    fail "no times of conv1: $(cat "$T/run/profile.txt")"
echo "devices: $checks checks passed"
