#!/usr/bin/env bash
# Ways to start: eight ranks on few cores, no mpirun at all, an srun whose ranks do not find each
# other, ranks bound in several ways; and one rank that aborts ends all with its code and one line.
set -u
. "$(dirname "$0")/lib/common.sh"
program=$O/tests/mpi/mpi_comm

# What the program printed is the best hint.
fail() {
    echo "FAILED: $*"
    cat "$T/out"
    exit 1
}
ends() { # code, command...; both streams in $T/out
    local code=$1 rc=0
    shift
    timeout 60 "$@" >"$T/out" 2>&1 || rc=$?
    [ $rc -eq "$code" ] || fail "exit $rc instead of $code: $*"
}

ends 0 mpirun -q -np 8 "$program"
[ ! -s "$T/out" ] || fail "eight ranks are not silent"
ends 0 "$program"
[ ! -s "$T/out" ] || fail "one rank without mpirun is not silent"
ends 0 env PATH=/nowhere "$program"
for _ in $(seq 6); do # many at once, starting while others end
    for _ in $(seq 8); do { "$program" || echo "alone among others: exit $?" >>"$T/alone"; } >/dev/null 2>&1 & done
    sleep 0.05
done
wait
[ ! -e "$T/alone" ] || fail "$(cat "$T/alone")"
ends 0 mpirun -q -np 2 --bind-to none "$program"
ends 0 mpirun -q -np 1 --bind-to core "$program"

for found in 'without PMIx' 'MPI sees 1 rank'; do # the second where a launcher says that it has PMI
    ends 2 env SLURM_NTASKS=4 SLURM_PROCID=1 SLURM_STEP_ID=0 "$program"
    grep -q "srun started 4 tasks but $found.*srun --mpi=pmix" "$T/out" || fail "no advice"
    [ "$(wc -l <"$T/out")" -eq 1 ] || fail "not one line"
    export PMI_RANK=1
done
unset PMI_RANK
ends 0 env SLURM_NTASKS=4 "$program" # a batch script is no step
ends 0 env SLURM_NTASKS=2 SLURM_PROCID=0 SLURM_STEP_ID=0 mpirun -q -np 1 "$program"

# A rank that is bound to one core of several says so, unless the run has no more shards.
if [ "$(nproc)" -gt 1 ]; then
    make_dataset "$T/images.h5" 60 20
    echo '{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 1}, "schedule": {"policy": "constant", "base_lr": 0.01}}' >"$T/c.json"
    ends 0 mpirun -q -np 1 --bind-to core "$GYRE" train "$T/c.json" --out "$T/bound"
    [ "$(grep -c 'the rank is bound to 1 of [0-9]* cores.*--bind-to none' "$T/out")" -eq 1 ] || fail "no word of the binding"
    for costless in "--bind-to none $GYRE train $T/c.json --out $T/free" "--bind-to core $GYRE train $T/c.json --out $T/one --set batch.shards=1"; do
        # shellcheck disable=SC2086 # words
        ends 0 mpirun -q -np 1 $costless
        ! grep -q 'bound to' "$T/out" || fail "a word of a binding that costs nothing"
    done
fi

# The launcher of another MPI: each process would be alone, and do the same as the others.
for command in "doctor" "train $T/none.json --out $T/none" "find $T/none.json" "study $T/none.json --count"; do
    # shellcheck disable=SC2086 # words
    ends 2 env PMI_RANK=1 PMI_SIZE=2 MPI_LOCALNRANKS=2 MPI_LOCALRANKID=1 "$GYRE" $command
    grep -q "another MPI's launcher started 2 processes (PMI_SIZE).*use Open MPI's own mpirun" "$T/out" || fail "no advice"
done
ends 3 env PMI_SIZE=2 MPI_LOCALNRANKS=2 mpirun -q -np 1 "$GYRE" study "$T/none.json" --count # left over around mpirun

# A batch script's mpirun with another number of ranks than the job has tasks. Open MPI itself is not
# to believe that there is a Slurm.
job=(env SLURM_JOB_ID=1 SLURM_NTASKS=4 OMPI_MCA_ras='^slurm' OMPI_MCA_plm='^slurm' OMPI_MCA_ess='^slurm')
ends 2 "${job[@]}" mpirun -q -np 2 "$GYRE" study "$T/none.json" --count
grep -v '^\[warn\] Epoll' "$T/out" | grep -v '^$' >"$T/lines"
grep -q '^gyre: error: mpirun started 2 ranks in a Slurm job of 4 tasks.*mpirun -np 4.*unset SLURM_NTASKS' "$T/lines" || fail "no advice"
[ "$(wc -l <"$T/lines")" -eq 1 ] || fail "not one line"
ends 3 "${job[@]}" mpirun -q -np 4 "$GYRE" study "$T/none.json" --count # which is not there
ends 3 "${job[@]}" env -u SLURM_NTASKS mpirun -q -np 2 "$GYRE" study "$T/none.json" --count
ends 3 "${job[@]}" env SLURM_STEP_ID=0 mpirun -q -np 2 "$GYRE" study "$T/none.json" --count # a step's say other things

# mpirun's libevent may complain of its own descriptors as it kills the others.
ends 3 mpirun -q -np 4 "$program" abort
[ "$(grep -v '^\[warn\] Epoll' "$T/out" | grep -vc '^$')" -eq 1 ] || fail "not one line"
grep -q '^gyre: error (rank 3 on .*): the disk is gone$' "$T/out" || fail "no message"
exit 0
