#!/usr/bin/env bash
# Several nodes: ranks are numbered by node however the launcher dealt them out, rank 0 stays, a run
# has the same bits wherever its ranks are, and nodes that are no subtrees are told once. The nodes
# are made up (lib/hosts.c).
set -u
. "$(dirname "$0")/lib/common.sh"
program=$PWD/$O/tests/mpi/mpi_comm
[ "${O#/}" = "$O" ] || program=$O/tests/mpi/mpi_comm
cd "$T" || exit 1
mpicc -O1 -shared -fPIC -o hosts.so "$lib/hosts.c" || fail "the preload library"

# mpirun_on HOSTS: the launch line in $launch, a rank for each number.
mpirun_on() {
    local commas=${1//[^,]/}
    launch=(mpirun -q -np $((${#commas} + 1)) -x "LD_PRELOAD=$T/hosts.so" -x "FAKE_HOSTS=$1")
}

numbered() { # HOSTS BLOCK LAUNCHED END: the launcher's numbers of rank 0, 1...; how the lines end
    mpirun_on "$1"
    ends 0 "${launch[@]}" "$program" nodes
    sort -V out >lines
    [ "$(sed 's/rank [0-9]* was \([0-9]*\) .*/\1/' lines | tr '\n' ' ')" = "$3 " ] || fail "$1: other numbers: $(cat lines)"
    [ "$(grep -c "block $2, nodes $4\$" lines)" -eq "$(wc -l <lines)" ] || fail "$1: not block $2, nodes $4: $(cat lines)"
    [ ! -s err ] || fail "$1: $(cat err)"
}
numbered 0 1 "0" "1 to 1"
numbered 0,0,0,0 4 "0 1 2 3" "4 to 4"
numbered 0,0,1,1 2 "0 1 2 3" "2 to 2"
numbered 0,1,0,1 2 "0 2 1 3" "2 to 2"
numbered 1,0,1,0 2 "0 2 1 3" "2 to 2"
numbered 3,2,1,0 1 "0 1 2 3" "1 to 1"
numbered 0,1,1,0,0,1,0,1 4 "0 3 4 6 1 2 5 7" "4 to 4"
numbered 0,0,0,1 1 "0 1 2 3" "1 to 3, uneven"
numbered 0,1,0,1,0,0,0,0 2 "0 2 4 5 6 7 1 3" "2 to 6, uneven"

make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 8}, "threads": 1,
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2},
 "length": {"steps": 12}, "evaluate": {"every": {"steps": 6}}}
JSON
ends 0 "$GYRE" train config.json --out alone
trained() { # HOSTS TOLD OPTION...: how often the run tells of its nodes
    local run="run-$1-$#"
    mpirun_on "$1"
    ends 0 "${launch[@]}" "$GYRE" train config.json --out "$run" "${@:3}"
    told=$(cat out err | grep -c 'warning: the nodes have 1 to 3 ranks: .*blocks of 1 of them')
    [ "$told" -eq "$2" ] || fail "$*: told $told times: $(cat out err)"
    [ $# -gt 2 ] || [ "$("$GYRE" inspect "$run" --hash)" = "$expected" ] || fail "$1: other bits"
}
expected=$("$GYRE" inspect alone --hash)
trained 0,0,1,1 0
trained 0,1,0,1 0
trained 1,0,0,0 1
trained 1,0,0,0 0 --set reduce=fast
