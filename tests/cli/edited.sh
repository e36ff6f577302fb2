#!/usr/bin/env bash
# A run resumes only as what it was: with a config.json that was not edited, from the files that
# its study began with. A folder with somebody else's config.json is no run, and nothing in it is
# touched. What --stop-after and --extend leave undone is told, and not forgotten.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset data.h5
cat >config.json <<'JSON'
{
    "data": {"path": "data.h5"}, "model": {"name": "mlp"}, "batch": {"size": 50},
    "length": {"steps": 40}, "threads": 1, "backend": "cpu",
    "schedule": {"base_lr": 0.01, "max_lr": 0.1, "cycles": 2}
}
JSON
train=("$GYRE" train config.json --quiet --out)

# ---- config.json
ends 0 "${train[@]}" run --stop-after 20
cp -r run untouched
for edit in 's/"max_lr":\s*0.1/"max_lr": 0.5/' 's/"seed":\s*1/"seed": 2/' 's/"weight_decay":\s*[0-9.e-]*/"weight_decay": 0.5/'; do
    sed "$edit" untouched/config.json >run/config.json
    cmp -s untouched/config.json run/config.json && fail "nothing to edit: $edit"
    picture_of run >before
    refused 2 "'run/config.json' has other settings than the run was trained with up to step 20" \
        "$GYRE" train run/config.json --out run --quiet
    refused 2 "'run/config.json' has other settings than the run was trained with" "${train[@]}" run
    picture_of run | cmp -s before - || fail "a refusal has changed the run"
done
sed 's/"threads":\s*1/"threads": 2/' untouched/config.json >run/config.json # decides nothing
ends 0 "$GYRE" train run/config.json --out run --quiet
ends 0 "${train[@]}" whole
[ "$("$GYRE" inspect --hash run)" = "$("$GYRE" inspect --hash whole)" ] || fail "another run"

# An extended run resumes from a checkpoint of before, and with its own config.
stage='{"policy": "constant", "base_lr": 0.01, "length": {"steps": 10}}'
other='{"policy": "constant", "base_lr": 0.001, "length": {"steps": 10}}'
ends 0 "${train[@]}" run --extend "$stage" --stop-after 42
ends 0 "$GYRE" train run/config.json --out run --quiet --extend "$other" --stop-after 42
grep -q -- "--stop-after 42 ends the run here" err || fail "$(cat err)"
[ "$(grep -c '"constant"' run/config.json)" -eq 2 ] || fail "the second stage is forgotten"
refused 2 'resumes with all its stages' "${train[@]}" run --extend "$other"
grep -qF 'gyre train run/config.json --out run --extend STAGE' err || fail "$(cat err)"
ends 0 "$GYRE" train run/config.json --out run --quiet
sed -i 's/"max_lr":\s*0.1/"max_lr": 0.2/' run/config.json
refused 2 "has other settings" "$GYRE" train run/config.json --out run --quiet --extend "$other"

# ---- files of the run that were put back, renamed, or have blanks in their names
ends 0 "${train[@]}" "my run" --stop-after 10
cp "my run/metrics.h5" older.h5
ends 0 "${train[@]}" "my run" --stop-after 20
cp older.h5 "my run/metrics.h5"
ends 0 "${train[@]}" "my run" --stop-after 30
grep -q "warning: 'my run/metrics.h5' is older than the checkpoint: its rows end at step 10, the run resumes at 20" err || fail "$(cat err)"
ends 0 "${train[@]}" "my run"
grep -q older err && fail "a hole of before is told again"
refused 2 "gyre train 'my run/config.json' --out 'my run' --extend '{" "${train[@]}" "my run" --set length.steps=45
eval "$(sed -n 's/.*add a stage: gyre /"$GYRE" /p' err)" 2>err || fail "the advice fails: $(cat err)"
refused 2 "is a run's folder; a file was expected, as '$T/my run/checkpoints/step-000000045.h5'" "${train[@]}" from --set model.init_from="my run"
long=$(printf 'd%.0s' $(seq 190))
ends 0 "${train[@]}" "$long/$long"
refused 2 "gyre train CONFIG --out RUN --extend '{" "${train[@]}" "$long/$long" --set length.steps=45
ends 0 "${train[@]}" named --stop-after 20
mv named/checkpoints/step-000000020.h5 named/checkpoints/step-000000030.h5
ends 3 "${train[@]}" named
grep -q "'named/checkpoints/step-000000030.h5' is the checkpoint of step 20; its name is 'named/checkpoints/step-000000020.h5'" err || fail "$(cat err)"

# A run folder that the config names: its own config means itself, also when it was moved.
sed 's/"length"/"output": {"dir": "there"}, "length"/' config.json >named.json
ends 0 "$GYRE" train named.json --quiet --stop-after 20
mv there elsewhere
ends 0 "$GYRE" train elsewhere/config.json --quiet
[ ! -e elsewhere/there ] && [ ! -e there ] || fail "another run was begun"
[ "$("$GYRE" inspect --hash elsewhere)" = "$("$GYRE" inspect --hash whole)" ] || fail "not the same run"

# ---- a folder of somebody else
mkdir hf own
echo '{"model_type": "bert"}' >hf/config.json
echo weights >hf/model.safetensors.tmp.1
cp data.h5 config.json own
for folder in hf own; do
    picture_of $folder >before
    refused 3 "'$folder' holds a config.json, but no run of gyre" "${train[@]}" $folder
    picture_of $folder | cmp -s before - || fail "a refusal has changed $folder"
    [ ! -e $folder/lock ] || fail "a lock in $folder"
done
# Nor is what another program is writing beside a run's files.
echo mine | tee untouched/notes.tmp.12 >untouched/config.json.tmp.12
ends 0 "${train[@]}" untouched
[ -e untouched/notes.tmp.12 ] && [ ! -e untouched/config.json.tmp.12 ] || fail "$(ls untouched)"

# ---- the files that a study begins with
ends 0 "${train[@]}" first --set length.steps=10
ends 0 "${train[@]}" second --set length.steps=10 --set seed=9
study() { # weights
    cp -f "$1"/checkpoints/step-*.h5 weights.h5
    shift
    ends "$1" "$GYRE" study study.json --out "$study" --quiet "${@:2}"
}
cat >study.json <<'JSON'
{
    "seeds": 2, "cycles": [1], "controls": false,
    "base": {
        "data": {"path": "data.h5"}, "model": {"name": "mlp", "init_from": "weights.h5"},
        "batch": {"size": 50}, "length": {"steps": 10}, "threads": 1, "backend": "cpu",
        "schedule": {"base_lr": 0.01, "max_lr": 0.1}
    }
}
JSON
study=one
study first 0 --cell 0
study second 2
grep -q "model.init_from: '.*weights.h5' has another content" err || fail "$(cat err)"
study first 0
# One that is missing at first may come later, and stays the same then.
study=two
rm weights.h5
ends 3 "$GYRE" study study.json --out two --quiet
study first 0 --cell 0
study second 2

# ---- cells that lie in other places than they were made in
study=one
study first 0
# One that was extended by hand is compared as far as the others go.
cell=one/cells/1-cycle/seed-1
ends 0 "$GYRE" train $cell/config.json --out $cell --quiet --extend "$stage"
ends 0 "$GYRE" report one
/usr/bin/python3 - <<'P' || fail "steps that only one cell has: $(tail -n 3 one/report/curves.csv)"
import csv
assert max(int(row["step"]) for row in csv.DictReader(open("one/report/curves.csv"))) == 10
P
for move in 'mv one/cells/1-cycle/seed-1 one/cells/away; mv one/cells/1-cycle/seed-2 one/cells/1-cycle/seed-1; mv one/cells/away one/cells/1-cycle/seed-2' \
    'rm -r one/cells/1-cycle/seed-2; cp -r one/cells/1-cycle/seed-1 one/cells/1-cycle/seed-2'; do
    eval "$move"
    ends 3 "$GYRE" study study.json --out one --quiet
    grep -q "result.json' is the result of 1-cycle with seed [12]; put the folders of the cells back" err || fail "$(cat err)"
    ends 0 "$GYRE" report one
    grep -q "is the result of 1-cycle with seed" one/report/index.html || fail "the page does not name the cell"
done
exit 0
