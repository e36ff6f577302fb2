#!/usr/bin/env bash
# slurm/train.sbatch under a real Slurm: the hash of a run by mpirun, with either launcher and with a
# task for each GPU; a run that meets its time limit is queued again and ends like one that nobody
# disturbed, a cancelled one is not; ranks that srun starts without PMIx are refused.
set -u
. "$(dirname "$0")/lib/common.sh"
. "$lib/slurm.sh"
export GYRE_HOME=$PWD
make_dataset "$T/images.h5" 900 230
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 128, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 700}},
    "length": {"steps": 3000}, "evaluate": {"every": {"steps": 1000}},
    "backend": "cpu", "threads": 1
}
JSON
cp "$T/config.json" "$T/short.json"
sed -i 's/3000/30/; s/1000/10/' "$T/short.json"
hash_of() { "$GYRE" inspect "$T/$1" --hash; }
same() { [ "$(hash_of "$1")" = "$(hash_of "$2")" ] || fail "$1 has another hash than $2: $(tail "$T/$1.out")"; }
ends 0 mpirun -q -np 2 "$GYRE" train "$T/short.json" --quiet --out "$T/short"
ends 0 mpirun -q -np 2 "$GYRE" train "$T/config.json" --quiet --out "$T/whole"

slurm_start
submit() { # run folder, config, sbatch options...: prints the job's number
    local run=$1 config=$2
    shift 2
    sbatch --parsable --output="$T/$run.out" --time=1 "$@" slurm/train.sbatch "$T/$config.json" --quiet --out "$T/$run"
}
finished() { # run folder, job
    slurm_until 60 "end of $1: $(cat "$T/$1.out")" slurm_in_state "$2" COMPLETED
}

# Submitted all at once; two have room at a time.
srun_job=$(submit by-srun short --ntasks=2)
mpirun_job=$(GYRE_LAUNCHER=mpirun submit by-mpirun short --ntasks=2)
gpu_job=$(submit by-gpu short --gpus-per-node=2 --cpus-per-gpu=1)
finished by-srun "$srun_job"
finished by-mpirun "$mpirun_job"
finished by-gpu "$gpu_job"
for run in by-srun by-mpirun by-gpu; do same $run short; done
grep -q 'srun --mpi=pmix --ntasks=2' "$T/by-srun.out" || fail "$(cat "$T/by-srun.out")"
grep -q 'mpirun -q -np 2' "$T/by-mpirun.out" || fail "$(cat "$T/by-mpirun.out")"
grep -q -- '--ntasks=2' "$T/by-gpu.out" || fail "not a task for each GPU: $(cat "$T/by-gpu.out")"
