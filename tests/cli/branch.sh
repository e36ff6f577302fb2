#!/usr/bin/env bash
# --from-step K leaves a run after K steps for another schedule, in a folder of its own: the same bits as in one go from
# its config, on any number of ranks and after an interruption; the run that it leaves stays as it was.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 2, "shape": "cosine",
                 "warmup": {"steps": 4}},
    "length": {"epochs": 1}, "evaluate": {"every": {"steps": 5}}, "average": {"kind": "ema", "decay": 0.9},
    "checkpoint": {"every": {"steps": 10}, "keep": 9, "best": true}
}
JSON
gyre=$(realpath "$GYRE")
cd "$T" || exit 1
hash_of() { "$gyre" inspect "$1" --hash; }
all_of() { (cd "$1" && find . -type f -exec cksum {} + | sort); }
ends 0 "$gyre" train config.json --quiet --out run
all_of run >before

cool=(--set schedule.policy=linear --set schedule.base_lr=0 --set schedule.max_lr=0.004)
# branched NAME STEPS FROM OPTION...: a branch, and the same run in one go
branched() {
    local name=$1 steps=$2 from=$3
    shift 3
    ends 0 "$gyre" train "$from" --quiet --out "$name" "$@"
    "$gyre" inspect "$name" | grep -q "checkpoint after $steps updates, the end of its run" || fail "$name: $("$gyre" inspect "$name")"
    ends 0 "$gyre" train "$name/config.json" --quiet --out "$name-whole"
    [ "$(hash_of "$name")" = "$(hash_of "$name-whole")" ] || fail "$name is not the run in one go"
    same_tables "$name" "$name-whole" || fail "$name: its tables differ from those of the run in one go"
}
branched cool 50 run --from-step 20 "${cool[@]}"
branched short 27 run/config.json --from-step 20 "${cool[@]}" --set length.steps=7
branched epoch 70 run --from-step 20 "${cool[@]}" --set length.epochs=1
branched cycles 40 run --from-step 20 --set schedule.cycles=3 --set schedule.shape=linear --set length.steps=20
branched twig 50 cool --from-step 30 --set schedule.policy=constant --set schedule.base_lr=0.002
branched twig_short 25 short --from-step 20 --set schedule.policy=constant --set schedule.base_lr=0.002 --set length.steps=5
all_of run | cmp -s - before || fail "the run that was left is another: $(all_of run | diff - before)"
grep -q "\"event\":\"branch\",\"from\":\"$(realpath run)\",\"step\":20" cool/log.jsonl || fail "$(cat cool/log.jsonl)"

# At the run's end a branch is what --extend adds, in another folder.
stage='{"policy": "linear", "base_lr": 0, "max_lr": 0.004, "length": {"steps": 10}}'
ends 0 "$gyre" train run --quiet --out later --from-step 50 "${cool[@]}" --set length.steps=10
cp -r run extended
ends 0 "$gyre" train config.json --quiet --out extended --extend "$stage"
[ "$(hash_of later)" = "$(hash_of extended)" ] || fail "the branch at the end is not the run that was extended"

# On several ranks, interrupted, and killed before its first checkpoint was there.
ends 0 mpirun -q -np 2 --oversubscribe "$gyre" train run --quiet --out two --from-step 20 "${cool[@]}" --stop-after 33
ends 0 mpirun -q -np 4 --oversubscribe "$gyre" train run --quiet --out two --from-step 20 "${cool[@]}"
[ "$(hash_of two)" = "$(hash_of cool)" ] || fail "on several ranks it is another run"
rm two/checkpoints/*
ends 0 "$gyre" train run --quiet --out two --from-step 20 "${cool[@]}"
[ "$(hash_of two)" = "$(hash_of cool)" ] || fail "after an early end it is another run"
# It needs the other run no more.
ends 0 "$gyre" train run --quiet --out alone --from-step 20 "${cool[@]}" --stop-after 21
mv run away
ends 0 "$gyre" train alone/config.json --quiet --out alone
[ "$(hash_of alone)" = "$(hash_of cool)" ] || fail "without the other run it is another one"
mv away run

# The best state is that of all steps, of which the branch has those up to there.
branched worse 50 run --from-step 40 --set schedule.policy=constant --set schedule.base_lr=1e-30
best_of() { "$gyre" inspect "$1/checkpoints/best.h5" --hash; }
[ "$(best_of worse)" = "$(best_of worse-whole)" ] || fail "another best.h5 than in one go"

refused 2 "'run' has no checkpoint after step 15, but after 10, 20, 30, 40, 50" "$gyre" train run --out no --from-step 15
refused 2 '--from-step: the run has 50 steps; 1 to 50 was expected' "$gyre" train run --out no --from-step 51
refused 2 'the run ends there; give the length of the branch' "$gyre" train run --out no --from-step 50
refused 2 'a branch has another schedule and length, and all else from its run: seed: run has 1, config has 2' \
    "$gyre" train run --out no --from-step 20 --set seed=2
for schedule in 'schedule.stages=[{"length": {"steps": 10}, "policy": "constant"}]' 'schedule={"policy": "constant"}'; do
    refused 2 "the stages up to there are the run's" "$gyre" train run --out no --from-step 20 --set "$schedule"
done
refused 2 '"find" is for the rates that a run begins with' "$gyre" train run --out no --from-step 20 --set schedule.max_lr=find
refused 2 "'config.json' is no run" "$gyre" train config.json --out no --from-step 20
refused 2 'the run was started with other settings' "$gyre" train run --out run --from-step 20 "${cool[@]}"
refused 2 'one of the two was expected' "$gyre" train run --out no --from-step 20 --extend "$stage"
[ ! -e no ] || fail "a folder was made"
all_of run | cmp -s - before || fail "the run that was left is another: $(all_of run | diff - before)"
exit 0
