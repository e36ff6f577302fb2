# How the batch scripts start gyre; they source it. The one idea: near the time limit Slurm tells the
# batch script (--signal=B:USR1@SECONDS), which tells the launcher, which tells the ranks; they write
# a checkpoint and end with 99, and the job is put back into the queue, and resumes from there.
#
#   GYRE           the program; default: build/cuda/gyre where the job has GPUs, else build/cpu/gyre,
#                  of GYRE_HOME, else the one that is installed with these scripts, else the one in PATH
#   GYRE_LAUNCHER  srun or mpirun; default: srun where it offers PMIx
# shellcheck shell=bash

gyre_die() {
    echo "$0: $*" >&2
    exit 2
}

gyre_program() {
    local kinds=(cpu) kind
    [ "${SLURM_GPUS_ON_NODE:-0}" -eq 0 ] || kinds=(cuda cpu)
    if [ -n "${GYRE:-}" ]; then
        echo "$GYRE" && return
    fi
    for kind in "${kinds[@]}"; do
        [ -x "$GYRE_HOME/build/$kind/gyre" ] && echo "$GYRE_HOME/build/$kind/gyre" && return
    done
    [ -x "$GYRE_HOME/../../bin/gyre" ] && echo "$GYRE_HOME/../../bin/gyre" && return
    command -v gyre || gyre_die "no gyre in $GYRE_HOME/build and none in PATH; build it, or set GYRE"
}

# The tasks that were asked for; else one per GPU; else one. --ntasks or --ntasks-per-node sets
# SLURM_NTASKS, a request for GPUs alone does not.
gyre_tasks() {
    local gpus=${SLURM_GPUS_ON_NODE:-0}
    echo "${SLURM_NTASKS:-$((SLURM_JOB_NUM_NODES * (gpus > 0 ? gpus : 1)))}"
}

gyre_launcher() {
    case ${GYRE_LAUNCHER:-} in
    srun | mpirun) echo "$GYRE_LAUNCHER" ;;
    '') if srun --mpi=list 2>&1 | grep -qw pmix; then echo srun; else echo mpirun; fi ;;
    *) return 1 ;;
    esac
}

# The launcher's command line, in the array `launch`.
gyre_launch_command() {
    local launcher tasks cpus=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_PER_GPU:-1}}
    launcher=$(gyre_launcher) || gyre_die "GYRE_LAUNCHER is '$GYRE_LAUNCHER': srun or mpirun was expected"
    tasks=$(gyre_tasks)
    if [ "$launcher" = srun ]; then
        # --wait, not --kill-on-bad-exit: every rank ends with 99, and none is to be killed for it;
        # a rank that is left alone by a dead one still ends.
        launch=(srun --mpi=pmix --ntasks="$tasks" --cpus-per-task="$cpus" --wait=30)
        # Every task sees all of its node's GPUs, as NCCL needs, also where the job was asked for by
        # --gpus-per-task, which would hide the others'; gyre gives each task one of its own.
        [ "${SLURM_GPUS_ON_NODE:-0}" -eq 0 ] || launch+=(--gpu-bind=none)
    elif [ -n "${SLURM_NTASKS:-}" ]; then
        launch=(mpirun -q -np "$tasks" --map-by "slot:PE=$cpus")
    else
        launch=(mpirun -q -np "$tasks" --map-by "ppr:$((tasks / SLURM_JOB_NUM_NODES)):node:PE=$cpus")
    fi
}

# gyre_run ARGUMENTS...: gyre on all tasks of the job. Returns its exit code; after a warning of the
# time limit and exit code 99 the job is back in the queue.
gyre_run() {
    local program launch started gpus='' near_limit='' pid='' code=0
    # For the last task of an array SLURM_JOB_ID means the whole array.
    local job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
    program=$(gyre_program) || exit
    gyre_launch_command
    trap 'near_limit=yes; echo "gyre: Slurm warns of the time limit"; [ -z "$pid" ] || kill -USR1 "$pid"' USR1
    echo "gyre: job ${job:=$SLURM_JOB_ID}, start $((${SLURM_RESTART_COUNT:-0} + 1)): ${launch[*]} $program $*"
    # srun (seen in 22.05) may end with 0 although it could start nothing: the first task, which is on
    # this host, takes the file away.
    started=$(mktemp) || return
    # Tasks that are not bound to GPUs have no list of the job's own (Slurm 22.05): the batch script
    # has that of its host.
    [ "$SLURM_JOB_NUM_NODES" -ne 1 ] || gpus=${CUDA_VISIBLE_DEVICES:-}
    # shellcheck disable=SC2016 # for the other shell
    "${launch[@]}" sh -c 'rm -f "$0" && { [ -z "$1" ] || export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES-$1}"; } && shift && exec "$@"' \
        "$started" "$gpus" "$program" "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do wait "$pid"; done # a signal ends a wait early
    wait "$pid" || code=$?
    if rm "$started" 2>/dev/null; then
        echo "gyre: nothing was started (exit code $code of ${launch[0]})"
        return 5
    fi
    if [ "$code" -eq 99 ] && [ -n "$near_limit" ]; then
        echo "gyre: job $job goes back into the queue"
        scontrol requeue "$job"
    elif [ "$code" -ne 0 ]; then
        echo "gyre: job $job ended with exit code $code of ${launch[0]}"
    fi
    return "$code"
}
