#!/usr/bin/env bash
# Ranks that were started with different commands or configs say so at once: they would wait for each
# other, or add up numbers of different things.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 20},
 "threads": 1, "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2}}
JSON
sed 's/"threads"/"evaluate": {"batch": 50}, "threads"/' config.json >other.json
ranks=()
# differ CODE WORDS FIRST SECOND: the ends of gyre's command lines on rank 0 and rank 1.
differ() {
    local code=$1 words=$2 rc=0 said
    # shellcheck disable=SC2086 # words
    said=$(LIMIT=60 timeout 60 mpirun -q -np 1 "$GYRE" $3 : -np 1 "$GYRE" $4 2>&1) || rc=$?
    [ $rc -eq "$code" ] && grep -q -- "$words" <<<"$said" || fail "exit $rc: $3 / $4: $said"
}
n=0
for key in checkpoint.every.steps=5 evaluate.every.steps=5 evaluate.batch=50 verify_replicas=3 checkpoint.best=true seed=3; do
    differ 5 'hold different settings: start all ranks from one installation, config and dataset' \
        "train config.json --quiet --out $((n += 1))" "train config.json --quiet --out $n --set $key" &
    ranks+=($!)
done
extension='{"policy":"constant","base_lr":0.1,"length":{"steps":2}}'
while read -r first second; do
    differ 5 'hold different arguments: start all ranks with one command' "${first//,/ }" "${second//,/ }" &
    ranks+=($!)
done <<LINES
train,config.json,--out,a,-q train,config.json,--out,a,-q,--stop-after,3
train,config.json,--out,b,-q train,other.json,--out,b,-q
train,config.json,--out,c,-q find,config.json,-q,--out,c
find,config.json,-q,--out,d find,config.json,-q,--out,d,--steps,50
LINES
for p in "${ranks[@]}"; do wait "$p" || exit 1; done
differ 5 'hold different arguments' 'train config.json --out e -q' "train config.json --out e -q --extend $extension"
# What may differ from host to host.
cp images.h5 copy.h5
ends 0 mpirun -q -np 1 "$GYRE" train config.json --out f -q : -np 1 "$GYRE" train config.json -o elsewhere -q --set data.path=copy.h5 --set threads=2
[ -d f ] && [ ! -e elsewhere ] || fail "$(ls)"
exit 0
