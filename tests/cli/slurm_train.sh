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
    slurm_until 60 "end of $1" slurm_has_ended "$2"
    slurm_in_state "$2" COMPLETED || fail "$1 is $(slurm_state "$2"): $(cat "$T/$1.out")"
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

# Plain srun: Open MPI finds no PMIx, or (5) would give two runs of one rank.
ends 2 srun --ntasks=2 "$GYRE" train "$T/short.json" --quiet --out "$T/plain"
grep '^gyre: error: ' "$T/err" >"$T/lines"
grep -q 'srun started 2 tasks but without PMIx.*use `srun --mpi=pmix`' "$T/lines" || fail "$(cat "$T/err")"
[ "$(grep -vc '^srun: error: ' "$T/err")" -eq "$(wc -l <"$T/lines")" ] || fail "more than gyre's lines: $(cat "$T/err")"
[ ! -e "$T/plain" ] || fail "a refused launch has begun a run"

# Ended by a warning. The ranks are held still until it has come, so that no machine is too fast or
# too slow for this.
ranks_of() { for pid in $(pgrep -x gyre); do grep -qzxF "$T/$1" "/proc/$pid/cmdline" && echo "$pid"; done; }
in_training() { [ -s "$T/$1/metrics.h5" ] && [ "$(ranks_of "$1" | wc -l)" -eq 2 ]; }
is_warned() { grep -q '^ShdPnd:.*2[0-9a-f][0-9a-f]$' "/proc/$1/status"; } # USR1 waits for it
hold() { # run folder
    slurm_until 30 "first step of $1" in_training "$1"
    # shellcheck disable=SC2046 # words
    kill -STOP $(ranks_of "$1")
}
let_go() { # run folder
    mapfile -t ranks < <(ranks_of "$1")
    slurm_until 60 "warning of $1" is_warned "${ranks[0]}"
    kill -CONT "${ranks[@]}"
}
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
limited=$(submit limited config --ntasks=2 --signal=B:USR1@20)
hold limited
asked=$(GYRE_LAUNCHER=mpirun submit asked config --ntasks=2)
hold asked
scancel --batch --signal=USR1 "$asked"
let_go asked
went_on asked "$asked"
let_go limited
went_on limited "$limited"

cancelled=$(submit cancelled config --ntasks=2)
hold cancelled
scancel "$cancelled"
# shellcheck disable=SC2046 # words
kill -CONT $(ranks_of cancelled)
slurm_until 30 "end of cancelled" slurm_has_ended "$cancelled"
slurm_in_state "$cancelled" CANCELLED || fail "it is $(slurm_state "$cancelled")"
grep -q "goes back" "$T/cancelled.out" && fail "a cancelled job is queued again"
exit 0
