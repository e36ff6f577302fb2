#!/usr/bin/env bash
# Slow.
# slurm/train.sbatch under a real Slurm: the hash of a run by mpirun, with either launcher and with a
# task for each GPU; a run that meets its time limit is queued again and ends like one that was not
# disturbed, a cancelled one is not; ranks that srun starts without PMIx are refused.
set -u
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/slurm.sh"
export GYRE_HOME=$PWD
make_dataset "$T/images.h5" 900 230
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 128, "shards": 4},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 700}},
    "length": {"steps": 3000}, "evaluate": {"every": {"steps": 1000}},
    "checkpoint": {"every": {"steps": 1000}}, "backend": "cpu", "threads": 1
}
JSON
cp "$T/config.json" "$T/short.json"
sed -i 's/3000/30/; s/1000/10/' "$T/short.json"
hash_of() { "$GYRE" inspect "$T/$1" --hash; }
same() { [ "$(hash_of "$1")" = "$(hash_of "$2")" ] || fail "$1 has another hash than $2: $(tail "$T/$1.out")"; }
ends 0 mpirun -q -np 2 "$GYRE" train "$T/short.json" --quiet --out "$T/short"
LIMIT=200 ends 0 "$GYRE" train "$T/config.json" --quiet --out "$T/whole" # ranks change no bit

slurm_start
submit() { # run folder, config, sbatch options...: prints the job's number
    local run=$1 config=$2
    shift 2
    sbatch --parsable --output="$T/$run.out" --time=9 "$@" slurm/train.sbatch "$T/$config.json" --quiet --out "$T/$run"
}
finished() { # run folder, job
    slurm_until 100 "end of $1" slurm_has_ended "$2"
    slurm_in_state "$2" COMPLETED || fail "$1 is $(slurm_state "$2"): $(cat "$T/$1.out")"
}

# Submitted all at once; two have room at a time.
srun_job=$(submit by-srun short --ntasks=2)
mpirun_job=$(GYRE_LAUNCHER=mpirun submit by-mpirun short --ntasks=2)
gpu_job=$(submit by-gpu short --gpus-per-node=2 --cpus-per-gpu=1)
# An srun that ends with 0 and has started nothing, because the PMIx plugin's folder is there.
mkdir "$slurm/tmp/spmix_appdir_0_$((gpu_job + 1)).0"
nothing_job=$(submit nothing short --ntasks=2)
finished by-srun "$srun_job"
finished by-mpirun "$mpirun_job"
finished by-gpu "$gpu_job"
for run in by-srun by-mpirun by-gpu; do same $run short; done
grep -q 'srun --mpi=pmix --ntasks=2' "$T/by-srun.out" || fail "$(cat "$T/by-srun.out")"
grep -q 'mpirun -q -np 2' "$T/by-mpirun.out" || fail "$(cat "$T/by-mpirun.out")"
grep -q -- '--ntasks=2' "$T/by-gpu.out" || fail "not a task for each GPU: $(cat "$T/by-gpu.out")"
grep -q -- '--gpu-bind=none' "$T/by-gpu.out" || fail "GPUs may be hidden from tasks: $(cat "$T/by-gpu.out")"
! grep -q -- '--gpu-bind' "$T/by-srun.out" || fail "speaks of GPUs where there are none: $(cat "$T/by-srun.out")"

slurm_until 100 "end of nothing" slurm_has_ended "$nothing_job"
slurm_in_state "$nothing_job" FAILED && grep -q '^gyre: nothing was started' "$T/nothing.out" ||
    fail "it is $(slurm_state "$nothing_job"): $(cat "$T/nothing.out")"

# Plain srun: Open MPI finds no PMIx, or (5) would give two runs of one rank.
ends 2 srun --ntasks=2 "$GYRE" train "$T/short.json" --quiet --out "$T/plain"
grep '^gyre: error: ' "$T/err" >"$T/lines"
grep -q 'srun started 2 tasks but without PMIx.*use `srun --mpi=pmix`' "$T/lines" || fail "$(cat "$T/err")"
[ "$(grep -vc '^srun: error: ' "$T/err")" -eq "$(wc -l <"$T/lines")" ] || fail "more than gyre's lines: $(cat "$T/err")"
[ ! -e "$T/plain" ] || fail "a refused launch has begun a run"

# mpirun in a batch script, with fewer ranks than the job has tasks: not unless it is meant.
fewer="mpirun -q -np 1 '$GYRE' train '$T/short.json' --quiet --out '$T/fewer'"
refused_job=$(sbatch --parsable --output="$T/refused.out" --ntasks=2 --wrap "$fewer")
slurm_until 100 "end of refused" slurm_has_ended "$refused_job"
slurm_in_state "$refused_job" FAILED && grep -q '^gyre: error: mpirun started 1 rank in a Slurm job of 2 tasks' "$T/refused.out" ||
    fail "it is $(slurm_state "$refused_job"): $(cat "$T/refused.out")"
[ ! -e "$T/fewer" ] || fail "a refused launch has begun a run"
fewer_job=$(sbatch --parsable --output="$T/fewer.out" --ntasks=2 --wrap "unset SLURM_NTASKS; $fewer")
finished fewer "$fewer_job"
same fewer short

# Ended by a warning.
went_on() { # run folder, job
    finished "$1" "$2"
    for line in "$2, start 1: " "$2 goes back into the queue" "$2, start 2: "; do
        grep -q "^gyre: job $line" "$T/$1.out" || fail "no '$line' in $1: $(cat "$T/$1.out")"
    done
    same "$1" whole
    same_tables "$T/whole" "$T/$1" || fail "the tables of $1 differ"
}

# By Slurm, which looks at its jobs twice a minute, between 20 and 50 s before the limit; meanwhile
# another job gets the same signal from us.
slurm_make_held "*"
limited=$(GYRE=$T/held submit limited config --ntasks=2 --time=1 --signal=B:USR1@20)
asked=$(GYRE=$T/held GYRE_LAUNCHER=mpirun submit asked config --ntasks=2)
slurm_hold "$limited"
slurm_hold "$asked"
scancel --batch --signal=USR1 "$asked"
slurm_let_go_warned "$asked"
went_on asked "$asked"
slurm_let_go_warned "$limited"
went_on limited "$limited"

cancelled=$(GYRE=$T/held submit cancelled config --ntasks=2)
slurm_hold "$cancelled"
scancel "$cancelled"
slurm_let_go "$cancelled"
slurm_until 100 "end of cancelled" slurm_has_ended "$cancelled"
slurm_in_state "$cancelled" CANCELLED || fail "it is $(slurm_state "$cancelled")"
grep -q "goes back" "$T/cancelled.out" && fail "a cancelled job is queued again"
exit 0
