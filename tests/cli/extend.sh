#!/usr/bin/env bash
# --extend adds a stage to a run that is done or stopped: the steps before stay as they were, the
# same command resumes after an interruption, and what would change a completed step is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 2, "shape": "cosine"},
    "length": {"epochs": 1}, "evaluate": {"every": {"steps": 5}}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --set threads=1 --out)
stage='{"length": {"steps": 20}, "policy": "linear", "base_lr": 0.0001, "max_lr": 0.001}'
more='{"length": {"epochs": 0.2}, "policy": "constant", "base_lr": 0.0005}'
hash_of() { "$GYRE" inspect "$T/$1" --hash; }

ends 0 "${train[@]}" "$T/run"
cp -r "$T/run" "$T/short"
ends 0 "${train[@]}" "$T/run" --extend "$stage"
"$GYRE" inspect "$T/run" | grep -q 'checkpoint after 70 updates, the end of its run' || fail "not extended"
expected=$(hash_of run)

# In one go, from a config with both stages; interrupted; and by its own resolved config.
cat >"$T/both.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"stages": [
        {"length": {"steps": 50}, "policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 2,
         "shape": "cosine"},
        {"length": {"steps": 20}, "policy": "linear", "base_lr": 0.0001, "max_lr": 0.001}]},
    "evaluate": {"every": {"steps": 5}}
}
JSON
ends 0 "$GYRE" train "$T/both.json" --quiet --set threads=1 --out "$T/both"
[ "$(hash_of both)" = "$expected" ] || fail "an extended run is not the run in one go"
same_tables "$T/both" "$T/run" || fail "its tables differ"
ends 0 "${train[@]}" "$T/short" --extend "$stage" --stop-after 61
ends 0 mpirun -q -np 1 "${train[@]}" "$T/short" --extend "$stage"
[ "$(hash_of short)" = "$expected" ] || fail "an interrupted extension is another run"
ends 0 "$GYRE" train "$T/run/config.json" --out "$T/run"
grep -q 'already done' "$T/err" || fail "the resolved config does not know the stage: $(cat "$T/err")"

# By the run's own config the same command resumes too, until the stage is done; then it adds another.
for stop in 50 61 0; do
    ends 0 "${train[@]}" "$T/own$stop"
    [ $stop = 0 ] || ends 0 "$GYRE" train "$T/own$stop/config.json" --out "$T/own$stop" --quiet --extend "$stage" --stop-after $stop
    ends 0 mpirun -q -np 1 "$GYRE" train "$T/own$stop/config.json" --out "$T/own$stop" --quiet --extend "$stage"
    [ "$(hash_of own$stop)" = "$expected" ] || fail "the same command after step $stop is another run"
    [ "$(grep -c '"policy":[[:space:]]*"linear"' "$T/own$stop/config.json")" -eq 1 ] || fail "the stage is there twice: $(cat "$T/own$stop/config.json")"
done
ends 0 "$GYRE" train "$T/own0/config.json" --out "$T/own0" --quiet --extend "$stage"
"$GYRE" inspect "$T/own0" | grep -q 'checkpoint after 90 updates, the end of its run' || fail "a second stage was not added"

# A stage that diverges before it has a checkpoint may be changed where the message says.
ends 0 "${train[@]}" "$T/steep"
ends 6 "$GYRE" train "$T/steep/config.json" --out "$T/steep" --quiet --extend "${stage//0.001/1e30}"
grep -q "; lower schedule.stages\[1\].max_lr in $T/steep/config.json\$" "$T/err" || fail "$(cat "$T/err")"
sed -i 's/"max_lr":\s*1e+30/"max_lr": 0.001/; s/"base_lr":\s*1e30/"base_lr": 0.0001/' "$T/steep/config.json"
ends 0 "$GYRE" train "$T/steep/config.json" --out "$T/steep" --quiet
[ "$(hash_of steep)" = "$expected" ] || fail "the mended stage is another run"
ends 6 "${train[@]}" "$T/wild" --set 'schedule={"policy": "constant", "base_lr": 1e30}'
grep -q "; lower schedule.base_lr or set optimizer.clip_norm" "$T/err" || fail "$(cat "$T/err")"

# A run that is to be longer: the error holds a whole command that works; after it the run's own config.
ends 0 "${train[@]}" "$T/plain"
refused 2 "to train on past its end, add a stage: gyre train $T/plain/config.json --out $T/plain --extend" "${train[@]}" "$T/plain" --set length.epochs=2
sed 's/.*add a stage: //; s/^gyre/"$GYRE"/' "$T/err" >"$T/way.sh"
ends 0 env GYRE="$GYRE" sh "$T/way.sh"
"$GYRE" inspect "$T/plain" | grep -q 'checkpoint after 100 updates, the end of its run' || fail "not what was asked for: $(cat "$T/way.sh")"
refused 2 "the run was extended since: \`gyre train $T/plain/config.json --out $T/plain\` resumes" "${train[@]}" "$T/plain"
refused 2 "put them back" "${train[@]}" "$T/plain" --set optimizer.momentum=0.8

# A config that is shorter is no extension; nor is one that other images make longer.
refused 2 "length: run has" "${train[@]}" "$T/both" --set length.epochs=1
! grep -q -- "--extend" "$T/err" || fail "a longer run for a shorter config: $(cat "$T/err")"
ends 0 "${train[@]}" "$T/grown"
cp "$T/images.h5" "$T/before.h5"
make_dataset "$T/images.h5" 1200
refused 2 "images.h5' has other images or labels than the dataset this run was trained on" "${train[@]}" "$T/grown"
refused 2 "has other images or labels" "${train[@]}" "$T/grown" --extend "$stage"
mv "$T/before.h5" "$T/images.h5"

# So does the example of docs/schedules.md.
example=$(sed -n 's/^    gyre \(train run.config.json .*--extend .*\)/\1/p' docs/schedules.md)
[ "$(echo "$example" | grep -c .)" -eq 1 ] || fail "no example in docs/schedules.md"
mkdir "$T/page"
ends 0 "${train[@]}" "$T/page/run"
ends 0 env -C "$T/page" sh -c "\"$GYRE\" $example"
"$GYRE" inspect "$T/page/run" | grep -q 'checkpoint after 550 updates, the end of its run' || fail "the example: $(cat "$T/err")"

# The same stage again is the one that is there, and the way to another one works.
ends 0 "${train[@]}" "$T/run" --extend "$stage"
grep -qF "already done: 70 of 70 steps, with the stage that --extend names; to add it once more: gyre train $T/run/config.json --out $T/run --extend STAGE" "$T/err" ||
    fail "$(cat "$T/err")"
cp -r "$T/run" "$T/twice"
ends 0 "$GYRE" train "$T/twice/config.json" --quiet --out "$T/twice" --extend "$stage"
"$GYRE" inspect "$T/twice" | grep -q 'checkpoint after 90 updates' || fail "the way to a second stage"

# Again, behind two stages.
ends 0 "$GYRE" train "$T/run/config.json" --quiet --out "$T/run" --extend "$more"
"$GYRE" inspect "$T/run" | grep -q 'checkpoint after 80 updates' || fail "not extended again"

# Refusals: the run without its stage, another run's stage, an incomplete or misspelled stage.
refused 2 "schedule.stages: run has 3 stages, config has 0" "${train[@]}" "$T/run"
refused 2 "optimizer.momentum: run has 0.9" "${train[@]}" "$T/both" --extend "$more" --set optimizer.momentum=0.5
refused 2 '--extend: schedule.stages[1]: no "length"' "${train[@]}" "$T/run" --extend '{"policy": "constant"}'
refused 2 "unknown key" "${train[@]}" "$T/run" --extend '{"length": {"steps": 5}, "polcy": "constant"}'
refused 2 '--extend: the stage has no rate: give base_lr and max_lr' "${train[@]}" "$T/run" --extend '{"cycles": 2, "length": {"steps": 50}}'
refused 2 'schedule.stages[3].max_lr: triangular needs a number of at least base_lr 0.001' "$GYRE" train "$T/run/config.json" --quiet --out "$T/run" \
    --extend '{"cycles": 2, "base_lr": 0.001, "length": {"steps": 50}}'
"$GYRE" inspect "$T/run" | grep -q 'checkpoint after 80 updates' || fail "a stage without a rate was trained"
for rates in '"base_lr": "find"' '"base_lr": 0.001, "max_lr": "find"'; do
    refused 2 '"find" is for the rates that a run begins with; give a number' "${train[@]}" "$T/run" --extend "{\"length\": {\"steps\": 5}, $rates}"
done
refused 2 "JSON syntax error" "${train[@]}" "$T/run" --extend '{"length"'
exit 0
