#!/usr/bin/env bash
# Launch lines: what each rank sees of its host's GPUs, which one gyre gives it, and what it says.
# The table of docs/gpu.md, row by row; by doctor, which opens the GPUs as a run does, and NCCL. On
# fakes.
set -u
. "$(dirname "$0")/lib.sh"
export LIMIT=60 FAKE_TELL=1
host=$(hostname)
checks=0
hidden='but not the one of rank'
far='every batch crosses over'

# row NAME RANKS CODE GPUS [WORDS]: doctor's exit code, the GPU of each rank ("0 1", "" where none is
# opened), and what it says; without WORDS neither of hidden GPUs nor of distances.
row() {
    local name=$1 ranks=$2 code=$3 gpus=$4 words=${5:-} rc=0 took
    checks=$((checks + 1))
    on_fakes "$FAKES" "$ranks" "$GYRE" doctor || rc=$?
    took=$(sed -n 's/^fake: rank \([0-9]*\): takes GPU \([0-9]*\)$/\1 \2/p' "$T/err" | sort -n | cut -d ' ' -f 2 | tr '\n' ' ')
    [ "$took" = "${gpus:+$gpus }" ] || fail "$name: ranks take GPUs '$took' instead of '$gpus': $(tail -n 5 "$T/err")"
    [ $rc -eq "$code" ] || fail "$name: exit $rc instead of $code: $(tail -n 5 "$T/err")"
    if [ -z "$words" ]; then
        ! grep -e "$hidden" -e "$far" -e 'more ranks than GPUs' "$T/out" "$T/err" || fail "$name: warns"
        return
    fi
    grep -q "^  - .*$words" "$T/out" || fail "$name: no advice with '$words': $(cat "$T/out")"
    [ -z "$gpus" ] || [ "$(grep -c "^gyre: warning: $host: .*$words" "$T/err")" -eq 1 ] || fail "$name: not one warning with '$words' before NCCL starts: $(cat "$T/err")"
}

export FAKE_GPUS=4
# --gpus-per-node=4 --gpu-bind=none, mpirun: all see all
row "all" 4 0 "0 1 2 3"
row "fewer ranks than GPUs" 2 0 "0 1"
# one list for all, in an order of its own, by numbers and by UUIDs
CUDA_VISIBLE_DEVICES=3,1 row "reordered list" 2 0 "3 1"
CUDA_VISIBLE_DEVICES=GPU-04,GPU-02020202-0202 row "list of UUIDs" 2 0 "3 1"
CUDA_VISIBLE_DEVICES=2 row "one GPU for two ranks" 2 0 "" "more ranks than GPUs: 2 ranks on $host see 1 GPU, .*ranks 0, 1 see GPU-03030303"
# --gpus-per-task=1: each sees its own alone
FAKE_VIEWS='0;1' row "one each" 2 0 "0 1" "rank 0 sees 1 GPU, $hidden 1.*srun --gpus-per-node=2 --gpu-bind=none"
FAKE_VIEWS='1;0' row "one each, crosswise" 2 0 "1 0" "$hidden"
FAKE_VIEWS='3' row "the same one" 2 0 "" "more ranks than GPUs: 2 ranks on $host see 1 GPU"
# --gpu-bind=closest: those of the rank's own NUMA node
FAKE_VIEWS='0,1;0,1;2,3;2,3' row "halves" 4 0 "0 1 2 3" "rank 0 sees 2 GPUs, $hidden 2"
FAKE_VIEWS='0,1;2,3;0,1;2,3' row "halves, dealt out" 4 0 "0 2 1 3" "$hidden"
FAKE_VIEWS='0,1;0,1;0,1;2,3' row "an uneven half" 4 0 "" "more ranks than GPUs: 3 ranks on $host see 2 GPUs, .*(ranks 0, 1, 2 see GPU-01010101, GPU-02020202)"
# CUDA_VISIBLE_DEVICES by hand: the rank with one choice keeps it
FAKE_VIEWS='0,1,2;0,1;0' row "overlapping lists" 3 0 "2 1 0" "$hidden"
FAKE_VIEWS='1,0;0' row "overlapping, reordered" 2 0 "1 0" "$hidden"
FAKE_VIEWS='0,1;0;1' row "overlapping, too few" 3 0 "" "(rank 0 sees GPU-01010101, GPU-02020202; rank 1 sees GPU-01010101; rank 2 sees GPU-02020202)"
# NUMA: two processors of two cores with two GPUs each
export FAKE_NUMA=0,0,1,1 FAKE_NODES='0-1;2-3'
FAKE_CORES='0-1;0-1;2-3;2-3' row "ppr:2:numa" 4 0 "0 1 2 3"
FAKE_CORES='0-1;2-3;0-1;2-3' row "--map-by numa" 4 0 "0 2 1 3"
FAKE_CORES='2;0' row "two ranks, each beside" 2 0 "2 1"
FAKE_CORES='0-3' row "cores not bound" 4 0 "0 1 2 3"
FAKE_CORES='0;1;1' row "all on one processor" 3 0 "0 1 2" "rank 2 may run on core 1 only, but its GPU GPU-03030303 hangs on NUMA node 1 (cores 2-3).*ppr:1:numa"
FAKE_CORES='2' CUDA_VISIBLE_DEVICES=0 row "one rank, far" 1 0 "0" "rank 0 may run on core 2 only.*NUMA node 0 (cores 0-1).*$far"
FAKE_CORES='2' row "one rank, a near one there" 1 0 "2"
# A rank leaves the cores that are far from its GPU, unless the launcher has bound it closer, or too few are left.
bound() { # NAME RANKS CORES: what each rank binds itself to, "0:0,1 ..."
    local took
    row "$1" "$2" 0 "$(seq -s ' ' 0 $(($2 - 1)))"
    took=$(sed -n 's/^fake: rank \([0-9]*\): binds itself to cores \(.*\)$/\1:\2/p' "$T/err" | sort -n | tr '\n' ' ')
    [ "$took" = "${3:+$3 }" ] || fail "$1: ranks bind themselves to '$took' instead of '$3'"
    [ -z "$3" ] || grep -m 1 '^fake: rank 0: ' "$T/err" | grep -q binds || fail "$1: a GPU is opened before its rank is bound"
    [ -z "$3" ] || grep -m 1 '^fake: rank 0: ' "$T/err" | grep -q binds || fail "$1: a GPU is opened before its rank is bound"
}
FAKE_CORES='0-3' bound "one core each near: not bound" 4 ""
FAKE_CORES='0-3' bound "fewer ranks: bound" 1 "0:0,1"
export FAKE_NODES='0-3;4-7'
FAKE_CORES='0-7' bound "all cores" 4 "0:0,1,2,3 1:0,1,2,3 2:4,5,6,7 3:4,5,6,7"
FAKE_CORES='0-5' bound "some cores" 4 "0:0,1,2,3 1:0,1,2,3"
FAKE_CORES='0-3;0-3;4-7;4-7' bound "bound to nodes" 4 ""
FAKE_CORES='1;2;5;6' bound "bound to cores" 4 ""
unset FAKE_NUMA FAKE_NODES
# GPUs that are too old are left out; unlike ones do not go together
FAKE_CAPABILITY=7.5,9.0 row "an old one beside" 2 0 "1 2"
FAKE_CAPABILITY=9.0,8.0 row "unlike ones" 2 0 "" "rank 0 has a GPU of compute capability 9.0"
FAKE_NAMES='H100 SXM,H100 PCIe' row "one capability, two names" 2 0 "0 1"
grep -q '^  - rank 1 on .* has "cuda: H100 PCIe, .*rank 0 "cuda: H100 SXM, .*last bits' "$T/out" || fail "unlike names: $(cat "$T/out")"
# Cells side by side: each rank by itself, on a GPU of its own.
config "$T/config.json" mlp 1
echo '{"name": "parts", "base": "config.json", "seeds": [1, 2], "policies": ["constant"], "evaluations": 1, "validation_split": 0.5}' >"$T/study.json"
checks=$((checks + 1))
FAKE_VIEWS='1,0;1' on_fakes "$FAKES" 2 "$GYRE" study "$T/study.json" --out "$T/study" --parallel-cells 2 || fail "study: exit $?: $(tail -n 5 "$T/err")"
[ "$(sed -n 's/^fake: rank \(.*\): takes GPU \(.*\)$/\1:\2/p' "$T/err" | sort -u | tr '\n' ' ')" = "0:0 1:1 " ] || fail "parts of a study take other GPUs: $(grep takes "$T/err")"
! grep "$hidden" "$T/err" || fail "ranks of different runs need not see each other's GPUs"
# MIG: a process sees one slice; NCCL 2.28 takes no two ranks on one GPU
export FAKE_MIG=2
FAKE_VIEWS='MIG-81010101;MIG-8202' row "slices of two GPUs" 2 0 "0 1"
FAKE_VIEWS='MIG-81010101;MIG-82010101' row "slices of one GPU" 2 0 "" "ranks 0 and 1 on $host have slices (MIG) of one GPU, PCI 0000:01:00, and NCCL 2.28.9"
FAKE_VIEWS='MIG-81010101' row "the same slice" 2 0 "" "more ranks than GPUs: 2 ranks on $host see 1 GPU, .*ranks 0, 1 see MIG-81010101"
FAKE_VIEWS='MIG-82010101' row "one rank, one slice" 1 0 "0"
echo "views: $checks launch lines end as they should"
