#!/usr/bin/env bash
# A path that holds something else of gyre's than the command reads: the message says what it is and
# which command is for it. What a folder stands for is found: a range test's find.h5.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2}, "length": {"steps": 20},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2}}
JSON
echo '{"name": "s", "base": "config.json", "seeds": 1, "cycles": [1], "controls": false}' >study.json
ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" study study.json --out studied --quiet
ends 0 "$GYRE" find config.json --steps 40 --repeats 1 --from 1e-5 --out range --quiet
ends 0 "$GYRE" data manifest images.h5 -o all.json
checkpoint=$(ls run/checkpoints/*.h5 | tail -n 1)
cp run/metrics.h5 tables.h5 # names tell nothing
cp range/find.h5 swept.h5
cp "$checkpoint" weights.h5
cp study.json plan.json

# told WORDS COMMAND...: refused with what the path is.
told() {
    local words=$1
    shift
    "$@" >out 2>err && fail "accepted: $*"
    [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$words" err || fail "no '$words' from $*: $(cat err)"
}
for command in plot inspect "export csv" eval; do
    # shellcheck disable=SC2086
    told "'studied' is a study's folder; it is for \`gyre report\`" "$GYRE" $command studied
done
for command in plot report eval "export csv"; do
    # shellcheck disable=SC2086
    told "'images.h5' is a dataset; it is for \`gyre data info\`" "$GYRE" $command images.h5
done
told "'all.json' is a dataset" "$GYRE" report all.json
for command in report eval "export csv" "data info"; do
    # shellcheck disable=SC2086
    told "'range' is the folder of a range test; it is for \`gyre plot\`" "$GYRE" $command range
    # shellcheck disable=SC2086
    told "'swept.h5' is the result of a range test" "$GYRE" $command swept.h5
done
for command in schedule "train --out new" "find --out new" "study --out new" "data info"; do
    # shellcheck disable=SC2086
    told "'run' is a run's folder; it is for \`gyre plot\`" "$GYRE" $command run
    # shellcheck disable=SC2086
    told "'weights.h5' is a checkpoint; it is for \`gyre eval\`" "$GYRE" $command weights.h5
done
told "'tables.h5' is the tables of a run" "$GYRE" plot tables.h5
for command in schedule "train --out new" plot inspect; do
    # shellcheck disable=SC2086
    told "'plan.json' is a study file; it is for \`gyre study\`" "$GYRE" $command plan.json
done
for command in "study --out new" plot inspect report; do
    # shellcheck disable=SC2086
    told "'config.json' is a config; it is for \`gyre train\`" "$GYRE" $command config.json
done
[ ! -e new ] || fail "a refusal made a folder"
# What is nothing of gyre's keeps its own words.
mkdir other
told "'other' holds no rows of a run" "$GYRE" plot other
told "cannot open 'nothing'" "$GYRE" schedule nothing

# A range test by its folder.
ends 0 "$GYRE" inspect range
grep -q "^range/find.h5: range test from" "$T/out" || fail "$(cat "$T/out")"
if command -v gnuplot >/dev/null; then
    rm -f range/find.svg
    ends 0 "$GYRE" plot range
    [ -s range/find.svg ] && [ "$(cat "$T/out")" = range/find.svg ] || fail "plot range: $(cat "$T/out")"
    for i in $(seq 29); do cp -r run "r$i"; done
    refused 2 "29 runs: 1 to 28 can be drawn in a figure; draw fewer, or let \`gyre report DIR\`" "$GYRE" plot r[0-9]* -o all.svg
    ends 0 "$GYRE" report run --target 20
    grep -q "20.00 %" run/report/index.html || fail "the target is not on a run's page"
fi
exit 0
