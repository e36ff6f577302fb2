#!/usr/bin/env bash
# Two nodes of a real Slurm (two slurmd on this machine): however srun deals the ranks out, they are
# numbered by node, a run has the same bits, and nodes with unlike numbers of ranks are told.
set -u
. "$(dirname "$0")/lib/common.sh"
. "$(dirname "$0")/lib/slurm.sh"
slurm_nodes="n1 n2"
tell=$PWD/$O/tests/mpi/mpi_comm
[ "${O#/}" = "$O" ] || tell=$O/tests/mpi/mpi_comm
make_dataset "$T/images.h5" 200 40
cat >"$T/config.json" <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 4}, "threads": 1, "backend": "cpu",
 "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 12}, "evaluate": {"every": {"steps": 6}}}
JSON
ends 0 "$GYRE" train "$T/config.json" --quiet --out "$T/alone"
slurm_start
export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo # shared memory does not cross nodes

# dealt NAME LAUNCHED END WARNINGS OPTION...: srun's numbers of rank 0, 1...; how the lines end
dealt() {
    local name=$1 launched=$2 end=$3 warnings=$4
    shift 4
    ends 0 srun --quiet --mpi=pmix --nodes=2 --ntasks=4 "$@" "$tell" nodes
    sort -V "$T/out" >"$T/lines"
    [ "$(sed 's/rank [0-9]* was \([0-9]*\) .*/\1/' "$T/lines" | tr '\n' ' ')" = "$launched " ] || fail "$name: other numbers: $(cat "$T/lines")"
    [ "$(grep -c ", $end\$" "$T/lines")" -eq 4 ] || fail "$name: not '$end': $(cat "$T/lines")"
    ends 0 srun --quiet --mpi=pmix --nodes=2 --ntasks=4 "$@" "$GYRE" train "$T/config.json" --quiet --out "$T/$name"
    [ "$("$GYRE" inspect "$T/$name" --hash)" = "$("$GYRE" inspect "$T/alone" --hash)" ] || fail "$name: other bits"
    [ "$(grep -c 'warning: the nodes have 1 to 3 ranks' "$T/err")" -eq "$warnings" ] || fail "$name: $(cat "$T/err")"
}
dealt block "0 1 2 3" "block 2, nodes 2 to 2" 0 --ntasks-per-node=2
dealt cyclic "0 2 1 3" "block 2, nodes 2 to 2" 0 --ntasks-per-node=2 --distribution=cyclic
dealt uneven "0 1 2 3" "block 1, nodes 1 to 3, uneven" 1 # the first node takes as many as fit
