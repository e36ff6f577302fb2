#!/usr/bin/env bash
# The rates that come out are judged alike by every command that reads a config: schedule, train, the
# config that find writes, and a study. One that cannot be trained with is refused before any work.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 40
config() { # NAME SCHEDULE LENGTH
    cat >"$1.json" <<J
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
 "schedule": {"base_lr": 0.001, "max_lr": 0.1, $2}, "length": $3}
J
    echo "{\"base\": \"$1.json\", \"seeds\": 1, \"controls\": false, \"arms\": [{\"name\": \"a\", \"set\": {}}]}" >"$1-study.json"
}
find=("$GYRE" find --quiet --steps 80 --repeats 2 --every 4 --from 1e-6)

# Cycles that fade: one warning from each.
config faded '"policy": "triangular2", "cycles": 40' '{"steps": 400}'
said() {
    ends 0 "$@"
    [ "$(grep -c 'warning: .*from cycle 8 of 40 on the height is below 1 %' err)" -eq 1 ] || fail "$*: $(cat err)"
}
said "$GYRE" schedule faded.json
said "$GYRE" train faded.json --out run --quiet --stop-after 1
said "$GYRE" study faded-study.json --count
said "${find[@]}" faded.json --out range --write new.json

# A gamma of 1: one error from each, and nothing is made; with lengths in epochs too.
config still '"policy": "exp"' '{"steps": 400}'
config epochs '"policy": "exp"' '{"epochs": 40}'
for name in still epochs; do
    words='schedule.gamma: exp needs a factor per step below 1, found 1 or none; add "gamma": 0.99'
    refused 2 "$words" "$GYRE" schedule $name.json
    refused 2 "$words" "$GYRE" train $name.json --out none
    refused 2 "$words" "$GYRE" study $name-study.json --out none
    refused 2 "--write: $words" "${find[@]}" $name.json --out none --write none.json
    [ ! -s out ] || fail "$name: after the search: $(cat out)"
    [ ! -e none ] && [ ! -e none.json ] || fail "$name: something was made: $(ls)"
done
ends 0 "${find[@]}" still.json --out other # without --write the schedule does not matter
exit 0
