#!/usr/bin/env bash
# Which GPUs a rank is given and what is said where they will not do; what `auto`, --profile and
# doctor do with them. On fakes.
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

FAKE_GPUS=1 says 4 "more ranks than GPUs: 2 ranks on $(hostname) see 1 GPU, and each needs one of its own (ranks 0, 1 see GPU-01010101); start fewer" 2
FAKE_CAPABILITY=9.0,8.0 says 4 "rank 0 has a GPU of compute capability 9.0" 2
FAKE_CAPABILITY=7.5 says 4 "GPU 0 has compute capability 7.5, gyre needs 8.0" 1
FAKE_DRIVER=12040 says 4 "the NVIDIA driver is for CUDA 12.4 at most" 1
FAKE_DRIVER=0 says 4 "no NVIDIA driver is loaded" 1
FAKE_FAIL=cudaGetDeviceCount:1:802 says 4 "nvidia-fabricmanager" 1
FAKE_NCCL=22200 says 4 "NCCL: this program was built for" 1
FAKE_CUDNN=90800 says 4 "cuDNN: this program was built for" 1
FAKE_CUDNN=100000 says 4 "cuDNN: this program was built for" 1
FAKE_RUNTIME=12080 says 4 "CUDA: this program was built for" 1

# auto goes without, and says why among what the run is: once, and with --quiet not at all.
FAKE_GPUS=1 says 0 "on the CPU: more ranks than GPUs" 2 --set backend=auto
[ "$(grep -c 'more ranks than GPUs' "$T/err")" -eq 1 ] || fail "said more than once: $(cat "$T/err")"
FAKE_DRIVER=0 says 0 "on the CPU: no NVIDIA driver is loaded" 1 --set backend=auto
FAKE_DRIVER=0 says 0 "" 1 --set backend=auto --quiet
silent "NVIDIA"
# A library of the same minor version serves, whatever its patch.
FAKE_NCCL=22801 FAKE_RUNTIME=13001 says 0 "" 1 --set backend=auto
silent "on the CPU"
right=$(hash_of "$T/run")
# What the settings cost, once, and on a GPU alone.
[ "$(grep -c '^f32 without TF32: .* by estimate' "$T/err")" -eq 1 ] && [ "$(grep -c '^2 shards on 1 GPU, 2 at a time: .* the last bits of results' "$T/err")" -eq 1 ] || fail "does not say once what f32 and shards cost: $(cat "$T/err")"
says 0 "" 1 --set tf32=true --set batch.shards=1
silent "by estimate"
silent "at a time"
says 0 "" 1 --set backend=cpu
silent "by estimate"
silent "at a time"

# A profile has each layer, though steps would be replayed without; the bits stay.
says 0 "profile of rank 0" 1 --profile
[ "$(hash_of "$T/run")" = "$right" ] || fail "--profile changes the bits"
awk '$1 == "conv1" && NF == 4 && $2 > 0 && $3 > 0 { found = 1 } END { exit !found }' "$T/run/profile.txt" ||
    fail "no times of conv1: $(cat "$T/run/profile.txt")"
# doctor shows the GPUs also where none opens or all stay idle, and says why: once, and as advice.
examines() { # CODE DEVICE ADVICE RANKS
    local rc=0
    checks=$((checks + 1))
    on_fakes "$FAKES" "$4" "$GYRE" doctor || rc=$?
    [ $rc -eq "$1" ] || fail "doctor: exit $rc instead of $1: $(tail -n 5 "$T/err")"
    grep -q "^device    $2" "$T/out" && grep -q '^gpu 0 .*Fake GPU' "$T/out" && grep -q '^cuda .*driver for CUDA' "$T/out" ||
        fail "doctor does not show what is there: $(cat "$T/out")"
    [ "$(grep -c "^  - .*$3" "$T/out")" -eq 1 ] || fail "doctor: not one line of advice with '$3': $(cat "$T/out")"
}
FAKE_FAIL=cudaSetDevice:1 examines 4 "none could be opened: .*cudaSetDevice failed" "no device opens: .*cudaSetDevice failed" 1
FAKE_FAIL=cudaSetDevice:1 FAKE_RANK=1 examines 4 "none could be opened: rank 1, " "no device opens: rank 1, .*cudaSetDevice failed" 2
FAKE_FAIL=ncclCommInitRankConfig:1 examines 4 "none could be opened: .*ncclCommInitRankConfig" "no device opens: .*ncclCommInitRankConfig" 2
FAKE_NCCL=22200 examines 4 "none could be opened: NCCL" "NCCL: this program was built for" 1
FAKE_CUDNN=90800 examines 4 "none could be opened: cuDNN" "cuDNN: this program was built for" 1
FAKE_PEERS=0 examines 0 "cuda: " "GPUs 0 and 1 (and others) do not reach each other" 1
FAKE_GPUS=1 examines 0 "cpu: .*no GPU: more ranks than GPUs" "GPUs stay idle: more ranks than GPUs" 2
FAKE_CAPABILITY=9.0,8.0 examines 0 "cpu: .*no GPU: rank 0 has a GPU" "GPUs stay idle: rank 0 has a GPU of compute capability 9.0" 2

# One rank's sums through NCCL, which a machine with one GPU is tried with: the same bits.
says 0 "" 1 --set reduce=fast
right=$(hash_of "$T/run")
GYRE_NCCL_ALONE=1 FAKE_LOG=$T/log says 0 "" 1 --set reduce=fast
[ "$(hash_of "$T/run")" = "$right" ] && grep -q '^ncclAllReduce ' "$T/log" || fail "GYRE_NCCL_ALONE changes the bits, or calls no NCCL"

# What NVML says of GPUs; without it nothing is missing.
nvml() { # FAULTS, LINE THAT MATCHES, or "! LINE" that none may
    checks=$((checks + 1))
    FAKE_NVML=$1 on_fakes "$FAKES" 1 "$GYRE" doctor || fail "doctor with NVML $1: $(tail -n 5 "$T/err")"
    if [ "${2#! }" = "$2" ]; then grep -q -- "$2" "$T/out"; else ! grep -q -- "${2#! }" "$T/out"; fi ||
        fail "NVML $1: '$2' is not so in: $(cat "$T/out")"
}
nvml none '^state     driver 580.99.01, SM 345 of 1980 MHz, memory 2619 MHz, 71 of 700 W, 31 C, ECC on$'
nvml none '! GPU 0 runs slowly'
nvml missing '! ^state '
nvml throttle:64 'GPU 0 runs slowly: it is too hot, so the hardware'
nvml ecc:2 'GPU 0 has had 2 errors of memory that were not corrected'
nvml pending:1 'GPU 0 has rows of memory to replace'
nvml failed:1 'GPU 0 cannot replace bad rows'
nvml fabric:2 'GPU 0 has not joined its NVSwitch fabric'
NCCL_ALGO=Ring nvml none '^nccl      .*NCCL_ALGO=Ring'
NCCL_ALGO=Ring says 0 "" 1
grep -q '"device_state":"driver 580.99.01, .*NCCL_ALGO=Ring' "$T/run/log.jsonl" || fail "the run's record has no state of the device"
FAKE_NVML=xid:79 FAKE_FAIL=execution:40 says 4 "the driver reports Xid 79" 1
echo "devices: $checks checks passed"
