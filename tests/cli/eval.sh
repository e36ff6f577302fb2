#!/usr/bin/env bash
# What gyre eval scores: it says which checkpoint, the samples are those that the run used, and where
# a thing is missing it names the way.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 600 200
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5", "validation": {"split": 0.25}, "subset": 300}, "model": {"name": "mlp"},
    "batch": {"size": 20, "shards": 2}, "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 40},
    "evaluate": {"every": {"steps": 10}}, "checkpoint": {"every": {"steps": 10}, "keep": 2, "best": true}
}
JSON
ends 0 "$GYRE" train config.json --out run --quiet

# The split and the subset are the run's: the last row of /validation comes back.
ends 0 "$GYRE" eval run --part validation
grep -q '^checkpoint run/checkpoints/step-000000040.h5, after step 40.*; on the samples that the run held out$' err || fail "$(cat err)"
/usr/bin/python3 - "$(head -n 1 out)" <<'P' || fail "not the run's validation: $(cat out)"
import h5py, sys
row = h5py.File("run/metrics.h5")["validation"][-1]
assert sys.argv[1] == f"validation: 150 samples, loss {row['loss']:.4f}, accuracy {100 * row['accuracy']:.2f} %"
P
ends 0 mpirun -q -np 2 "$GYRE" eval run/checkpoints/step-000000040.h5 --part train
grep -q '^train: 300 samples' out && grep -q 'that the run trained on' err || fail "$(cat out err)"
cp run/checkpoints/step-000000040.h5 alone.h5
ends 0 "$GYRE" eval alone.h5 --data images.h5 --part train # it holds its config
grep -q '^train: 300 samples' out && grep -q 'that the run trained on' err || fail "$(cat out err)"

# Another dataset is not cut: it holds no sample of the run.
make_dataset other.h5 500 100
ends 0 "$GYRE" eval run --data other.h5 --part train
grep -q '^train: 500 samples' out || fail "$(cat out)"
refused 3 "'other.h5' has no part 'validation'; it has train (500 images) and test (100)" "$GYRE" eval run --data other.h5 --part validation
/usr/bin/python3 -c 'import h5py; f = h5py.File("bare.h5", "w"); h5py.File("images.h5").copy("train", f)'
refused 3 "'bare.h5' has no part 'test'; it has train (600 images); the run was evaluated on a split of the dataset that it was trained on, which is another" \
    "$GYRE" eval run --data bare.h5

# Images of another size, or of other channels, are named, and not the parameters that they make.
make_dataset large.h5 40 20 16
make_dataset colour.h5 40 20 8 3
for other in "large.h5' has images of 16 x 16 x 1" "colour.h5' has images of 8 x 8 x 3"; do
    refused 3 "'$other (height, width, channels), the network of 'run/checkpoints/step-000000040.h5' was trained on 8 x 8 x 1" \
        "$GYRE" eval run --data "${other%%\'*}"
done

# Nor is one that was written anew at the run's own path scored in silence.
cp images.h5 kept.h5
make_dataset images.h5 600 300
for part in test train validation; do
    refused 3 "'$T/images.h5' has other images or labels than the dataset that the run was trained on" "$GYRE" eval run --part $part
done
ends 0 "$GYRE" eval run --data images.h5
grep -q '^test: 300 samples' out || fail "$(cat out)"
refused 3 "the run was evaluated on a split of the dataset that it was trained on, which is another" "$GYRE" eval run --data images.h5 --part validation
mv kept.h5 images.h5

# A config of another run above the checkpoint, as projects have one, decides nothing.
mkdir -p project/models
cp alone.h5 project/models/best.h5
foreign="'project/models/../config.json' is not the config that the checkpoint was trained with; the one that the checkpoint holds is taken"
for text in "$(sed 's/"batch"/"seed": 2, "batch"/' config.json)" '{"model_type": "bert"}'; do
    echo "$text" >project/config.json
    ends 0 "$GYRE" eval project/models/best.h5 --part validation
    grep -q '^validation: 150 samples' out && grep -qF "$foreign" err || fail "$(cat out err)"
    ends 0 "$GYRE" eval project/models/best.h5 --part train --data images.h5
    grep -q '^train: 300 samples' out && grep -qF "$foreign" err || fail "$(cat out err)"
done
cp -r run edited
sed -i 's/"seed":\s*1/"seed": 2/' edited/config.json
ends 0 "$GYRE" eval edited --part validation
grep -q '^validation: 150 samples' out && grep -q "'edited/config.json' is not the config" err || fail "$(cat out err)"

# best.h5 is named beside the newest, and taken where it is the only one.
best=$(sed -n 's/.*checkpoint after \([0-9]*\) updates.*/\1/p' <("$GYRE" inspect run/checkpoints/best.h5))
ends 0 "$GYRE" eval run
grep -q "(best.h5 beside it: after step $best)" err || fail "$(cat err)"
rm run/checkpoints/step-*
ends 0 "$GYRE" eval run
grep -q "^checkpoint run/checkpoints/best.h5, after step $best\$" err || fail "$(cat err)"
"$GYRE" inspect run >out
grep -q "^no checkpoint of a step .*best.h5 is there" out && grep -q "^run/checkpoints/best.h5: checkpoint after $best updates" out ||
    fail "inspect passes over best.h5: $(cat out)"

# A loss that is no number is warned of.
/usr/bin/python3 - <<'P' || fail "h5py"
import h5py, numpy as np
with h5py.File("run/checkpoints/best.h5") as f, h5py.File("huge.h5", "w") as huge:
    for name, w in f["parameters"].items():
        huge["parameters/" + name] = np.sign(w[:]).astype("f4") * np.float32(3e38)
P
ends 0 "$GYRE" eval huge.h5 --model config.json --part train
grep -q "loss -\?nan" out && [ "$(grep -c '^gyre: warning: the loss is not finite' err)" -eq 1 ] || fail "$(cat out err)"
rm run/checkpoints/best.h5
"$GYRE" inspect run | grep -qx "no checkpoint yet" || fail "inspect of a run without any"
refused 3 "'run' holds no checkpoint" "$GYRE" eval run

# A project that was moved.
ends 0 "$GYRE" train config.json --out run2 --quiet --stop-after 10
mkdir new
mv images.h5 run2 new
refused 3 "'$T/images.h5', the dataset of the run, is not there; when it was moved, give it by --data FILE" "$GYRE" eval new/run2
ends 0 "$GYRE" eval new/run2 --data new/images.h5 --part validation
grep -q '^validation: 150 samples' out || fail "$(cat out)"
refused 3 "\`--set data.path=FILE\` names one that was moved" "$GYRE" train new/run2/config.json --out new/run2
moved=("$GYRE" train new/run2/config.json --out new/run2 --quiet --set data.path="$T/new/images.h5")
cp new/run2/config.json kept.json
refused 2 "a resume here may differ" env DNNL_MAX_CPU_ISA=SSE41 "${moved[@]}"
cmp kept.json new/run2/config.json || fail "a launch that was refused changed the config"
ends 0 "${moved[@]}" --set threads=1 --stop-after 20
grep -q '"event":"resume".*"data":"'"$T/new/images.h5"'"' new/run2/log.jsonl || fail "$(cat new/run2/log.jsonl)"
cp new/run2/config.json kept.json
ends 0 "$GYRE" eval new/run2 --part validation # its config names the dataset since
ends 0 "$GYRE" train new/run2/config.json --out new/run2 --quiet
cmp kept.json new/run2/config.json || fail "a resume changed the config"
! grep -q '"threads": *1,' new/run2/config.json || fail "more than the path was kept"

make_dataset images.h5 600 200
# The loss is the run's, also where only its checkpoint or its weights are there.
ends 0 "$GYRE" train config.json --out squares --quiet --set model.loss=one_hot_squared_error
last=$(/usr/bin/python3 -c 'import h5py; r = h5py.File("squares/metrics.h5")["validation"][-1]; print(f"{r[3]:.4f}")')
ends 0 "$GYRE" eval squares --part validation
grep -q "^validation: 150 samples, loss $last, " out || fail "$last was expected: $(cat out)"
ends 0 "$GYRE" eval squares --part test
test=$(head -n 1 out)
cp squares/checkpoints/step-000000040.h5 alone.h5
ends 0 "$GYRE" inspect alone.h5
grep -qx '  loss         one_hot_squared_error' out || fail "inspect names no loss: $(cat out)"
ends 0 "$GYRE" inspect new/run2
! grep -q '^  loss ' out || fail "a checkpoint of the default loss names one: $(cat out)"
ends 0 "$GYRE" eval alone.h5 --data images.h5
[ "$(head -n 1 out)" = "$test" ] || fail "$test was expected: $(cat out)"
ends 0 "$GYRE" eval alone.h5 --model squares/config.json
[ "$(head -n 1 out)" = "$test" ] || fail "$test was expected: $(cat out)"
exit 0
