# Slurm for real on this machine: source it after common.sh. slurm_start gives munged, slurmctld and
# a slurmd on loopback, on ports of their own, with all their files in $T/slurm. They end with the
# test: by its exit trap or, where even that cannot run (a kill), by a guard that outlives it.
# shellcheck shell=bash
slurm=$T/slurm
slurm_packages="slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge"
daemons=()

skip() {
    echo "$*"
    exit 77
}

for program in munged slurmctld slurmd sbatch; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null ||
        skip "no $program; apt-get install $slurm_packages"
done
[ "$(id -u)" -eq 0 ] || skip "slurmd starts jobs as root only"
PATH=$PATH:/usr/sbin
trap 'slurm_stop; rm -rf "$T"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export OMPI_MCA_mpi_yield_when_idle=1 # mpirun sees to that by itself, on a busy machine srun does not
# A test may itself run inside a job of another Slurm.
for name in $(compgen -e SLURM_) $(compgen -e SBATCH_); do unset "$name"; done

free_ports() { # count
    /usr/bin/python3 -c 'import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])' "$1"
}

slurm_daemon() { # command...
    "$@" >>"$slurm/daemons.log" 2>&1 &
    daemons+=($!)
}

# Waits for the test's end, and kills what knows our slurm.conf: daemons, steps and their programs.
slurm_guard() {
    # shellcheck disable=SC2016 # for the other bash
    setsid bash -c '
        tail --pid="$1" -f /dev/null
        for process in /proc/[0-9]*; do
            grep -qzxF "SLURM_CONF=$2/slurm/slurm.conf" "$process/environ" && kill -KILL "${process#/proc/}"
        done
        rm -rf "$2"' _ $$ "$T" >/dev/null 2>&1 &
}

# The nodes: this machine; or, where a test sets slurm_nodes="n1 n2", as many on it, each with a slurmd.
slurm_nodes=
slurm_name_nodes() {
    local node host
    host=$(hostname -s)
    if [ -z "$slurm_nodes" ]; then
        echo "NodeName=$host NodeAddr=127.0.0.1 CPUs=4 Gres=gpu:2"
    else
        for node in $slurm_nodes; do
            mkdir "$slurm/spool-$node" "$slurm/tmp-$node"
            echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_ports 1) CPUs=4"
        done
    fi
    echo "PartitionName=all Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP"
}

# Devices that are no GPUs but can be given to jobs as if they were. Open MPI names its shared memory
# after the job's number: two tests at once must not both have a job 1.
slurm_configure() { # ports...
    local host own=${slurm_nodes:+-%n}
    host=$(hostname -s)
    cat >"$slurm/slurm.conf" <<CONF
ClusterName=gyre
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$1
SlurmdPort=$2
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket,cred_expire=5
FirstJobId=$(($$ * 10))
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool$own
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd$own.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd$own.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1
MpiDefault=none
ReturnToService=2
KillWait=2
TmpFS=$slurm/tmp$own
GresTypes=gpu
$(slurm_name_nodes)
CONF
    [ -z "$slurm_nodes" ] || return 0
    echo "Name=gpu File=/dev/null" >"$slurm/gres.conf"
    echo "Name=gpu File=/dev/zero" >>"$slurm/gres.conf"
}

slurm_start() {
    local node
    mkdir -p "$slurm/state" "$slurm/spool" "$slurm/tmp"
    chmod 755 "$T" "$slurm" # munged needs a path that others may search
    # shellcheck disable=SC2046 # two words
    slurm_configure $(free_ports 2)
    head -c 128 /dev/urandom >"$slurm/munge.key"
    chmod 600 "$slurm/munge.key"
    slurm_guard
    export SLURM_CONF=$slurm/slurm.conf
    slurm_daemon munged --foreground --force --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" \
        --pid-file="$slurm/munged.pid" --log-file="$slurm/munged.log" --seed-file="$slurm/munge.seed"
    slurm_until 20 "munged" test -S "$slurm/munge.socket"
    slurm_daemon slurmctld -D -c -f "$SLURM_CONF"
    for node in $slurm_nodes; do slurm_daemon slurmd -D -N "$node" -f "$SLURM_CONF"; done
    [ -n "$slurm_nodes" ] || slurm_daemon slurmd -D -f "$SLURM_CONF"
    slurm_until 30 "an idle node" slurm_is_idle_or_refused
    ! slurm_is_refused || skip "slurmd does not start here: $(grep -hi cgroup "$slurm"/slurmd*.log | tail -n 1 | sed "s|.*error: ||")"
}
slurm_is_idle_or_refused() { [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] || slurm_is_refused; }
# slurmd ends at once where no cgroup file system is mounted, as in a chroot or a container.
slurm_is_refused() { ! kill -0 "${daemons[2]}" 2>/dev/null && grep -qhi cgroup "$slurm"/slurmd*.log; }

# slurm_until SECONDS WHAT COMMAND...: asks ten times a second.
slurm_until() {
    local seconds=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "no $what within $seconds s: $(slurm_tell)"
        sleep 0.1
    done
}
slurm_tell() {
    squeue 2>&1
    tail -n 20 "$slurm"/*.log "$T"/*.slurm/*.out "$T"/*.out 2>/dev/null
}

# The states of a job, or of an array's tasks.
slurm_state() { scontrol show job "$1" --oneliner | sed -n 's/.* JobState=\([A-Z_]*\) .*/\1/p' | sort -u; }
slurm_has_ended() { # job
    local states
    states=$(slurm_state "$1") && [ -n "$states" ] && ! grep -qvxE 'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL' <<<"$states"
}
slurm_in_state() { [ "$(slurm_state "$1")" = "$2" ]; } # job, state

# A run can be held still until a signal has come, so that no machine is too fast or too slow for a
# test: with GYRE=$T/held rank 0 stops itself before its first checkpoint, and thereby all ranks, but
# not those of a job that was queued again. Nobody watches from outside, who may get no processor.
slurm_make_held() { # shell pattern of the jobs, of an array the tasks, that are held
    make_fault
    cat >"$T/held" <<HELD
#!/bin/sh
job=\${SLURM_ARRAY_TASK_ID:-\$SLURM_JOB_ID}
case \$job,\${SLURM_RESTART_COUNT:-0} in
$1,0) export LD_PRELOAD="$T/fault.so" FAULT=hold FAULT_AT=1 FAULT_PATH=/checkpoints/ FAULT_LOG="$T/held-\$job" ;;
esac
exec "$GYRE" "\$@"
HELD
    chmod +x "$T/held"
}
slurm_is_held() { [ -s "$T/held-$1" ] && grep -q '^State:.*stopped' "/proc/$(slurm_held "$1")/status"; } # job
slurm_held() { sed 's/.* //' "$T/held-$1"; }                                                         # job: rank 0
slurm_is_warned() { grep -q '^ShdPnd:.*2[0-9a-f][0-9a-f]$' "/proc/$(slurm_held "$1")/status"; }      # USR1 waits for it
slurm_hold() { slurm_until 100 "first checkpoint of $1" slurm_is_held "$1"; }
slurm_let_go() { kill -CONT "$(slurm_held "$1")"; }
slurm_let_go_warned() {
    slurm_until 100 "warning of $1" slurm_is_warned "$1"
    slurm_let_go "$1"
}

# Jobs first: what a slurmd has started outlives it.
slurm_stop() {
    local left
    if [ ${#daemons[@]} -gt 1 ]; then
        scancel --full --user=root 2>/dev/null
        for _ in $(seq 100); do
            left=$(squeue -h 2>/dev/null) && [ -z "$left" ] && break
            sleep 0.1
        done
    fi
    [ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}" 2>/dev/null
    wait "${daemons[@]}" 2>/dev/null
    daemons=()
}
