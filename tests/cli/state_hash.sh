#!/usr/bin/env bash
# `gyre inspect --hash=state`: of all that a result hangs on. Any number of ranks and launches has one; another
# step, or another running statistic, has another.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 300 60
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 40, "shards": 4},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 6}, "checkpoint": {"every": {"steps": 3}}
}
JSON
hash_of() { "$GYRE" inspect "$@" || fail "inspect $*"; }
for n in 1 2 4; do ends 0 mpirun -q -np $n "$GYRE" train config.json --out "run$n" --quiet; done
state=$(hash_of run1 --hash=state)
[[ $state =~ ^[0-9a-f]{16}$ ]] || fail "no hash: $state"
[ "$(hash_of run2 --hash=state)" = "$state" ] && [ "$(hash_of --hash=state run4)" = "$state" ] || fail "it depends on the ranks"
[ "$(hash_of run1/checkpoints/step-000000006.h5 --hash=state)" = "$state" ] || fail "a folder is its newest checkpoint"
ends 0 "$GYRE" train config.json --out parts --quiet --stop-after 4
[ "$(hash_of parts --hash=state)" != "$state" ] || fail "another step, the same state"
ends 0 mpirun -q -np 2 "$GYRE" train config.json --out parts --quiet
[ "$(hash_of parts --hash=state)" = "$state" ] || fail "it depends on the launches"

# Without updates the parameters stay, the statistics do not; --hash sees the first alone.
still=("$GYRE" train config.json --quiet --set 'model.freeze=["conv1", "bn1", "conv2", "bn2", "conv3", "bn3"]' --set schedule.base_lr=1e-30 --out)
ends 0 "${still[@]}" still
one=still/checkpoints/step-000000003.h5 two=still/checkpoints/step-000000006.h5
[ "$(hash_of $one --hash)" = "$(hash_of $two --hash)" ] && [ "$(hash_of $one --hash)" = "$(hash_of $one --hash=parameters)" ] ||
    fail "--hash is of the parameters"
[ "$(hash_of $one --hash=state)" != "$(hash_of $two --hash=state)" ] || fail "statistics are not in it"
ends 0 "$GYRE" inspect run1
grep -q "^  state        $state$" out || fail "$(cat out)"
refused 2 "--hash=weights" "$GYRE" inspect run1 --hash=weights
refused 3 "images.h5' is not a checkpoint" "$GYRE" inspect images.h5 --hash=state
exit 0
