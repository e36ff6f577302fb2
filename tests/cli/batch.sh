#!/usr/bin/env bash
# What the batch scripts pass on, seen by an sbatch and an srun that only write down their arguments:
# tests/cli/slurm_*.sh run the scripts under a real Slurm.
set -u
. "$(dirname "$0")/lib/common.sh"
root=$PWD
export GYRE GYRE_HOME=$root
mkdir "$T/fakes"
printf '#!/bin/sh\necho "$*" >>"%s/sbatch"\necho 17\n' "$T" >"$T/fakes/sbatch"
# srun: what is behind its own options is run.
printf '#!/bin/bash\n[ "$1" != --mpi=list ] || exec echo pmix\necho "$*" >>"%s/srun"\nwhile [[ $1 = --* ]]; do shift; done\nexec "$@"\n' "$T" >"$T/fakes/srun"
chmod +x "$T"/fakes/*
export PATH=$T/fakes:$PATH
make_dataset "$T/images.h5" 200 40
cat >"$T/study.json" <<'J'
{"seeds": 2, "cycles": [1], "controls": false, "base": {
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 20},
    "schedule": {"base_lr": 0.001, "max_lr": 0.02}}}
J
has() { grep -qF -- "$2" "$T/$1" || fail "no '$2' in $1: $(cat "$T/$1")"; }

# Where the next part of an array meets another processor: gyre's option goes to gyre, the others to sbatch.
ends 0 slurm/study.sh "$T/study.json" "$T/cells" --ntasks=2 --allow-inexact --time=9
has sbatch "--array=0-1 --ntasks=2 --time=9 $root/slurm/study.sbatch $T/study.json $T/cells --allow-inexact"
job=(env SLURM_JOB_ID=17 SLURM_JOB_NUM_NODES=1 SLURM_SUBMIT_DIR="$root")
ends 0 "${job[@]}" SLURM_ARRAY_TASK_ID=1 bash slurm/study.sbatch "$T/study.json" "$T/cells" --allow-inexact
has srun "study $T/study.json --out $T/cells --cell 1 --quiet --allow-inexact"
[ "$(find "$T/cells" -name result.json)" = "$T/cells/cells/1-cycle/seed-2/result.json" ] || fail "not that cell: $(find "$T/cells")"
ends 0 "${job[@]}" SLURM_ARRAY_TASK_ID=0 bash slurm/study.sbatch "$T/study.json" "$T/cells"
! tail -n 1 "$T/srun" | grep -q -e --allow-inexact -e --gpu-bind || fail "options that nobody gave: $(cat "$T/srun")"
ends 0 "${job[@]}" bash slurm/train.sbatch "$T/cells/cells/1-cycle/seed-1/config.json" --out "$T/run" --quiet --allow-inexact
has srun "--out $T/run --quiet --allow-inexact"

# On GPUs every task sees all of its node's.
ends 0 "${job[@]}" SLURM_GPUS_ON_NODE=2 bash slurm/train.sbatch "$T/run/config.json" --out "$T/gpus" --quiet
tail -n 1 "$T/srun" | grep -q -- '--ntasks=2 .*--gpu-bind=none' || fail "GPUs are hidden: $(cat "$T/srun")"
exit 0
