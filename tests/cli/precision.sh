#!/usr/bin/env bash
# bf16 on processors that compute in it, that make it of f32 operations, and that have no kernels for
# it; DNNL_MAX_CPU_ISA plays the lesser ones.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 200 60 8
cat >"$T/config.json" <<'JSON'
{
    "precision": "bf16",
    "data": {"path": "images.h5"},
    "model": {"name": "small_cnn"},
    "batch": {"size": 32, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.05},
    "length": {"steps": 20}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --out)

for isa in SSE41 AVX2; do
    export DNNL_MAX_CPU_ISA=$isa
    refused 4 "no bf16 kernels for" "${train[@]}" "$T/$isa"
    grep -q 'take "f32", or unset DNNL_MAX_CPU_ISA' "$T/err" || fail "no way out in: $(cat "$T/err")"
    [ ! -e "$T/$isa" ] || fail "a run folder was made"
done

export DNNL_MAX_CPU_ISA=AVX512_CORE
if ! "${train[@]}" "$T/emulated" 2>"$T/err"; then
    grep -q "no bf16 kernels" "$T/err" || fail "$(cat "$T/err")"
    echo "this processor has no AVX-512"
    exit 77
fi
grep -q "warning: precision: .*avx512_core make bf16 out of f32" "$T/err" || fail "no warning: $(cat "$T/err")"
ends 0 mpirun -q -np 2 "${train[@]}" "$T/two"
[ "$(grep -c "warning: precision" "$T/err")" -eq 1 ] || fail "not one warning: $(cat "$T/err")"

# The instruction set is part of what a run remembers, and an evaluation computes as the run did.
"$GYRE" inspect "$T/emulated" | grep -q "kernels for avx512_core," || fail "no instruction set in the record"
unset DNNL_MAX_CPU_ISA
"$GYRE" doctor | grep -q "kernels for avx512_core_\(bf16\|amx\|fp16\)" || exit 0
ends 0 "${train[@]}" "$T/native"
[ ! -s "$T/err" ] || fail "something to say: $(cat "$T/err")"
ends 0 "$GYRE" eval "$T"/native/checkpoints/step-*20.h5 --data "$T/images.h5"
