#!/usr/bin/env bash
# Ranks on unlike machines, played by oneDNN's limit of the instruction set: what they compute hangs
# on which rank is on which, so a run resumes in silence only on the same ones in the same order.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 120 40 8 1
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 20, "shards": 2},
    "schedule": {"base_lr": 0.001, "max_lr": 0.02, "cycles": 1}, "length": {"steps": 12}
}
JSON
one=("$GYRE" train config.json --quiet --out)
lesser=(env DNNL_MAX_CPU_ISA=SSE41)
mixed() { # CODE RUN OPTIONS...: rank 0 on this machine, rank 1 on a lesser one
    ends "$1" mpirun -q -np 1 "${one[@]}" "${@:2}" : -np 1 "${lesser[@]}" "${one[@]}" "${@:2}"
}
"${lesser[@]}" "$GYRE" doctor | grep -q 'DNNL_MAX_CPU_ISA=SSE41 holds' || { echo "this processor has no more than SSE4.1" && exit 77; }
differ="a resume here may differ in the last bits: the run was on"

mixed 0 whole
[ "$(grep -c "warning: 2 ranks on unlike machines (.*): rank 0 on gyre .*, rank 1 on gyre .*; a run elsewhere" err)" -eq 1 ] || fail "$(cat err)"
mixed 0 half --stop-after 6
refused 2 "$differ \"2 ranks on unlike machines" "${one[@]}" half
refused 2 "$differ \"2 ranks on unlike machines" "${lesser[@]}" "${one[@]}" half
refused 2 "$differ \"2 ranks on unlike machines" mpirun -q -np 2 "${one[@]}" half
ends 2 mpirun -q -np 1 "${lesser[@]}" "${one[@]}" half : -np 1 "${one[@]}" half
grep -qF "$differ \"2 ranks on unlike machines" err || fail "the other order: $(cat err)"
mixed 0 half
[ "$("$GYRE" inspect half --hash=state)" = "$("$GYRE" inspect whole --hash=state)" ] || fail "other bits on the same machines"

# Begun on one machine, gone on with where one rank's is another.
ends 0 "${one[@]}" alone --stop-after 6
mixed 2 alone
grep -qF "$differ \"gyre " err || fail "$(cat err)"
mixed 0 alone --allow-inexact
ends 0 mpirun -q -np 2 "${one[@]}" alike --stop-after 6
ends 0 "${one[@]}" alike
