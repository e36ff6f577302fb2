#!/usr/bin/env bash
# The demo: Fashion-MNIST to HDF5, a small CNN under three cycles of triangular2 on two ranks, and
# the run's figure. Everything it makes is in demo/; `rm -r demo` begins anew. O is the build folder.
set -eu
cd "$(dirname "$0")/.."
gyre=${O:-build/cpu}/gyre
source=/usr/share/datasets/fashion-mnist
run=demo/run

say() { printf '\n== %s\n' "$*"; }

unset SLURM_NTASKS # two ranks, also inside of a larger job
# mpirun wants to be told that root means it, and that there may be fewer cores than ranks.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1

mkdir -p demo
if [ ! -e demo/fashion.h5 ]; then
    say "gyre data import idx $source -o demo/fashion.h5"
    "$gyre" data import idx "$source" -o demo/fashion.h5
fi

say "gyre schedule configs/demo.json"
"$gyre" schedule configs/demo.json --set data.path="$PWD/demo/fashion.h5"

say "mpirun -np 2 gyre train configs/demo.json --out $run"
mpirun -q -np 2 "$gyre" train configs/demo.json --set data.path="$PWD/demo/fashion.h5" --out "$run"

say "gyre plot $run"
"$gyre" plot "$run" # to $run/plots/curves.svg
"$gyre" plot "$run" -o "$run/plots/curves.png" >/dev/null

say "done; look at"
printf '  %-32s %s\n' \
    "$run/plots/curves.svg" "rate, loss and accuracy, the minima marked (curves.png is the same)" \
    "$run/metrics.h5" "the same as tables: gyre export csv $run" \
    "$run/config.json" "the config with every default written out" \
    "$run/log.jsonl" "what happened when" \
    "$run/checkpoints" "the network: gyre eval $run, gyre inspect $run"
