#!/usr/bin/env bash
# What becomes of a run whose files go away: checkpoints that were removed are missed, a folder that
# is moved in mid-run is followed, one that is removed ends the run; nothing is begun anew in silence.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 300 60
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 60}, "evaluate": {"every": {"steps": 20}},
    "checkpoint": {"every": {"steps": 30}, "best": true}
}
JSON
train=("$GYRE" train config.json --quiet --set threads=1 --out)

# Checkpoints are gone, of a run that is done or was stopped; with --extend; with best.h5 left.
ends 0 "${train[@]}" ended
ends 0 "${train[@]}" stopped --stop-after 10
for run in ended stopped; do
    mv $run/checkpoints kept
    before=$(picture_of $run)
    refused 3 "but its checkpoints are gone" "${train[@]}" $run
    refused 3 "put them back to resume, or move the run away" "${train[@]}" $run \
        --extend '{"length": {"steps": 5}, "policy": "constant", "base_lr": 0.001}'
    mkdir $run/checkpoints
    cp kept/best.h5 $run/checkpoints 2>/dev/null
    before=$(picture_of $run)
    refused 3 "but its checkpoints are gone" "${train[@]}" $run --stop-after 1
    [ "$(picture_of $run)" = "$before" ] || fail "$run was touched"
    mv $run/log.jsonl log.kept # the rows alone tell it too
    refused 3 "but its checkpoints are gone" "${train[@]}" $run
    mv log.kept $run/log.jsonl
    rm -r $run/checkpoints
    mv kept $run/checkpoints
    ends 0 "${train[@]}" $run
    [ "$("$GYRE" inspect $run --hash)" = "$("$GYRE" inspect ended --hash)" ] || fail "$run: another run"
done

# Killed between the first best.h5 and the first checkpoint of a step: begins again at 0.
make_fault
rc=0
env LD_PRELOAD="$T/fault.so" FAULT_PATH=step-000000030 FAULT=kill FAULT_AT=1 "${train[@]}" early 2>err || rc=$?
[ $rc -eq 137 ] && [ "$(ls early/checkpoints)" = best.h5 ] || fail "exit $rc, $(ls early/checkpoints)"
ends 0 "${train[@]}" early
[ "$("$GYRE" inspect early --hash)" = "$("$GYRE" inspect ended --hash)" ] || fail "early: another run"

# The folder is moved, replaced or removed while the run continues.
long=("$GYRE" train config.json --quiet --set threads=1 --set length.steps=20000000 --set evaluate.every.steps=1000000
    --set checkpoint.every.steps=200000 --out)
begin() { # folder
    "${long[@]}" "$1" 2>err &
    pid=$!
    for _ in $(seq 600); do
        [ -s "$1/metrics.h5" ] && [ -s "$1/log.jsonl" ] && break # the last of its files
        sleep 0.02
    done
}
ended() { # code, words
    local rc=0
    wait $pid || rc=$?
    [ $rc -eq "$1" ] && grep -qF -- "$2" err || fail "exit $rc, no '$2': $(cat err)"
}
begin run
mkdir else
mv run else/moved
kill -USR1 $pid
ended 99 "the same command resumes from there, with --out $T/else/moved"
grep -qF "gyre: warning: the run folder 'run' was moved to '$T/else/moved'; the run continues there" err || fail "$(cat err)"
[ ! -e run ] || fail "the old place was used"
steps=$(sed -n 's/.*after \([0-9]*\) of.*/\1/p' err)
"$GYRE" inspect else/moved | grep -q "checkpoint after $steps updates" || fail "$(ls -R else)"
[ "$(/usr/bin/python3 -c 'import h5py; print(len(h5py.File("else/moved/metrics.h5")["train"]))')" -eq "$steps" ] || fail "rows are missing"
ends 0 "${long[@]}" else/moved --stop-after $((steps + 1))

begin run
rm -r run
ended 3 "the run folder 'run' was removed, or moved out of reach, while the run was working"
[ ! -e run ] || fail "the folder was made again: $(ls -R run)"
begin run
rm -r run
cp -r ended run # another run in its place
before=$(picture_of run)
ended 3 "the run folder 'run' was removed"
[ "$(picture_of run)" = "$before" ] || fail "another run's files were touched: $(diff <(echo "$before") <(picture_of run))"
rm -r run
begin run
rm -r run/*
ended 3 "the files of the run in 'run' were removed while it was working"
[ -z "$(ls run)" ] || fail "files were made again: $(ls run)"
exit 0
