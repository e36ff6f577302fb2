#!/usr/bin/env bash
# Weights from elsewhere (model.init_from, `gyre eval --model`): with PyTorch's names for running statistics a
# frozen network scores as it was trained. What a file lacks, holds besides, or has in another order is said,
# and is an error where the result hangs on it.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 600 200 8 3
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 40, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.05}, "length": {"steps": 30}
}
JSON
ends 0 "$GYRE" train config.json --out run --quiet
/usr/bin/python3 - <<'P' || fail "files of weights"
import h5py, numpy as np
with h5py.File("run/checkpoints/step-000000030.h5") as f:
    ours = {k: v[:] for k, v in f["parameters"].items()}
    statistics = {k: v[:] for k, v in f["state/buffers"].items()}
torch = {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in ours.items()}
tensorflow = {k: v.transpose(1, 2, 3, 0) if v.ndim == 4 else v.T for k, v in ours.items()}
def write(name, *parts, **more):
    with h5py.File(name + ".h5", "w") as f:
        for k, v in [(k, v) for part in parts for k, v in part.items()]:
            f["parameters/" + k] = v
            if k.endswith("running_var"):
                f["parameters/" + k.replace("running_var", "num_batches_tracked")] = np.int64(30)
        for k, v in more.items():
            f[k.replace("__", "/").replace("_dot_", ".")] = v
write("good", ours, statistics)
write("wide", {k: v.astype("f8") for k, v in {**ours, **statistics}.items()})
write("bare", ours)
write("torch", torch, statistics)
write("tensorflow", tensorflow, statistics)
write("one", {**ours, "conv3.weight": torch["conv3.weight"]}, statistics)
write("head", {**ours, "fc.weight": np.zeros((7, 64), "f4"), "fc.bias": np.zeros(7, "f4")}, statistics)
write("more", ours, statistics, parameters__layer9_dot_weight=np.zeros((3, 4), "f4"), notes=np.zeros(5, "i4"))
write("many", ours, statistics, **{f"parameters__x{i}": np.zeros(i + 1, "f4") for i in range(30)})
write("half", {k: v for k, v in ours.items() if not k.startswith("conv2")},
      {k: v for k, v in statistics.items() if k != "bn3.running_var"})
write("silent", {k: ours[k] for k in ("conv1.weight", "bn1.weight", "bn1.bias")})
write("strange", {"a" + k: v for k, v in ours.items()})
write("root", {}, **{k.replace(".", "_dot_"): v for k, v in ours.items()})
for name, key, value in [("nan", "conv2.weight", np.nan), ("infinite", "fc.bias", -np.inf), ("huge", "bn1.weight", 1e39),
                         ("mean", "bn2.running_mean", np.nan), ("negative", "bn2.running_var", -1e-3)]:
    bad = {k: v.astype("f8") for k, v in {**ours, **statistics}.items()}
    bad[key].flat[5] = value
    write(name, bad)
write("whole", {**ours, "conv2.weight": np.zeros((32, 3, 3, 16), "i4")}, statistics)
P

# Frozen batch norm: the score is the trained network's, to the last bit.
start=("$GYRE" train config.json --quiet --set length.steps=1 --set schedule.base_lr=1e-30)
frozen=("${start[@]}" --set model.batch_norm=frozen)
same_score() { /usr/bin/python3 -c '
import sys, h5py
a, b = [h5py.File(f + "/metrics.h5")["validation"][-1] for f in sys.argv[1:]]
assert a["loss"] == b["loss"] and a["accuracy"] == b["accuracy"] > 0.5, (a, b)' "$1" run || fail "$1: another score"; }
for file in good wide run/checkpoints/step-000000030; do
    name=${file##*/}
    ends 0 "${frozen[@]}" --out "f-$name" --set model.init_from="$file.h5"
    grep -q "^11 of 11 parameters and 6 of 6 running statistics from '$T/$file.h5'$" err || fail "$(cat err)"
    ! grep -q "drawn\|but not\|variance\|tell" err || fail "$file: $(cat err)"
    same_score "f-$name"
done
ends 0 mpirun -q -np 2 "${frozen[@]}" --set batch.shards=2 --out two --set model.init_from=good.h5
[ "$(grep -c "from '$T/good.h5'" err)" -eq 1 ] || fail "$(cat err)"
same_score two

# Statistics that are missing: an error where they decide, a line where training makes them.
lacks="lacks running statistics: bn1.running_mean (16), bn1.running_var (16), bn2.running_mean (32), bn2.running_var (32), bn3.running_mean (64), bn3.running_var (64); "
refused 3 "model.init_from: '$T/bare.h5' ${lacks}model.batch_norm \"frozen\" needs all of them" "${frozen[@]}" --out x --set model.init_from=bare.h5
refused 3 "lacks running statistics: bn3.running_var (64); " "${frozen[@]}" --out x --set model.init_from=half.h5
"$GYRE" model small_cnn --json | sed '/"bn2"/s/"relu": true/&, "frozen": true/' > bn2.json
grep -q '"bn2".*"frozen": true' bn2.json || fail "$(cat bn2.json)"
part=("${start[@]}" --set model.name=null --set model.file=bn2.json)
refused 3 "lacks running statistics: bn2.running_mean (32), bn2.running_var (32); the nodes' option \"frozen\" needs all of them" \
    "${part[@]}" --out x --set model.init_from=bare.h5
ends 0 "${part[@]}" --out part --set model.init_from=half.h5
ends 0 "${start[@]}" --out bare --set model.init_from=bare.h5
grep -q "^11 of 11 parameters and 0 of 6 running statistics" err || fail "$(cat err)"
grep -q "^mean 0 and variance 1 to begin with, since the file has none: bn1.running_mean (16), " err || fail "$(cat err)"

# Everything else that is not as it was meant, by name and shape.
said() { # file, line
    ends 0 "${start[@]}" --out "said-$1" --set model.init_from="$1.h5"
    grep -qxF -- "$2" err || fail "$1: no '$2' in: $(cat err)"
}
said half "drawn, since the file has none: conv2.weight (32, 3, 3, 16)"
said head "drawn, since the file has another shape: fc.weight (7, 64) for (10, 64), fc.bias (7) for (10)"
said more "in the file, but not of this network: /notes (5), layer9.weight (3, 4)"
said many "in the file, but not of this network: x0 (1), x1 (2), x10 (11), x11 (12), x12 (13), x13 (14) and 24 more"
said silent "the shape of conv1.weight (16, 3, 3, 3) does not tell the order of its axes; (k, r, s, c) is assumed"
refused 3 "has no parameter of model small_cnn with the same name and shape; one was expected at /parameters/conv1.weight, the file has abn1.bias (16), " \
    "${start[@]}" --out x --set model.init_from=strange.h5
refused 3 "the file has /bn1.bias (16), " "${start[@]}" --out x --set model.init_from=root.h5

# Another order of axes: both shapes, and the order that fits. conv1.weight, (16, 3, 3, 3) in both, is judged by the others.
refused 3 "'$T/torch.h5': /parameters/conv2.weight has the shape (32, 16, 3, 3), the network's is (32, 3, 3, 16): its axes have another order; write w.transpose(0, 2, 3, 1), as docs/formats.md shows (2 of the file's arrays need it; so do, by this, 1 whose shape does not tell (conv1.weight))" \
    "${start[@]}" --out x --set model.init_from=torch.h5
refused 3 "(3, 3, 3, 16), the network's is (16, 3, 3, 3): its axes have another order; write w.transpose(3, 0, 1, 2)" \
    "$GYRE" eval tensorflow.h5 --model config.json
refused 3 "conv3.weight has the shape (64, 32, 3, 3)" "${start[@]}" --out x --set model.init_from=one.h5

# What was taken is kept with the run.
ends 0 "${start[@]}" --out kept --set model.init_from=head.h5
grep -qF '"event":"init_from","path":"'"$T"'/head.h5","taken":"9 of 11 parameters and 6 of 6 running statistics; of another shape there: fc.weight (7, 64) for (10, 64), fc.bias (7) for (10)"}' \
    kept/log.jsonl || fail "$(cat kept/log.jsonl)"

# Values that are no numbers.
bad() { refused 3 "$2" "${start[@]}" --out x --set model.init_from="$1.h5"; }
bad nan "value 5 of /parameters/conv2.weight is nan; a finite 32-bit float was expected"
bad infinite "value 5 of /parameters/fc.bias is -inf"
bad huge "value 5 of /parameters/bn1.weight is inf"
bad mean "value 5 of /parameters/bn2.running_mean is nan"
bad negative "value 5 of /parameters/bn2.running_var is -0.001; a variance of 0 or more was expected"
bad whole "/parameters/conv2.weight does not hold floats"
[ ! -e x ] || fail "a run folder was begun"

# gyre eval WEIGHTS --model CONFIG: the same score; all of the network must be there.
ends 0 "$GYRE" eval run
cp out own
ends 0 "$GYRE" eval good.h5 --model config.json
cmp own out || fail "another score: $(cat out)"
grep -qx "weights good.h5" err || fail "$(cat err)"
grep -Eqx "input: normalised by 0[.0-9]+ [+]- 0[.0-9]+, .*, of the training images of './images.h5'; data.augment.normalize takes other numbers" err ||
    fail "$(cat err)"
mkdir elsewhere
cp images.h5 elsewhere/other.h5
ends 0 mpirun -q -np 2 "$GYRE" eval good.h5 --model config.json --data elsewhere/other.h5
cmp own out || fail "another score: $(cat out)"
ends 0 "$GYRE" eval good.h5 --model config.json --part train
grep -q '^train: 600 samples' out || fail "$(cat out)"
refused 3 "'bare.h5' ${lacks}a score needs all of them" "$GYRE" eval bare.h5 --model config.json
refused 3 "'half.h5' lacks parameters: conv2.weight (32, 3, 3, 16); a score needs" "$GYRE" eval half.h5 --model config.json
refused 3 "'head.h5' has another shape of parameters: fc.weight (7, 64) for (10, 64), " "$GYRE" eval head.h5 --model config.json
refused 3 "'nan.h5': value 5 of /parameters/conv2.weight is nan" mpirun -q -np 2 "$GYRE" eval nan.h5 --model config.json
refused 3 "'good.h5' is not a checkpoint of gyre, or its first bytes are damaged; weights from elsewhere are scored with --model CONFIG" \
    "$GYRE" eval good.h5 --data images.h5
refused 3 "'./images.h5' has no part 'validation'; it has train (600 images) and test (200)" "$GYRE" eval good.h5 --model config.json --part validation
! grep -q "run was" err || fail "no run: $(cat err)"
refused 3 "none.h5" "$GYRE" eval none.h5 --model config.json
# With the numbers of the normalisation no training image is needed.
echo '{"model": {"name": "small_cnn"}}' >bare.json
refused 2 "bare.json names no dataset; give one by --data FILE" "$GYRE" eval good.h5 --model bare.json
refused 2 "and data.path is not there; give the numbers" "$GYRE" eval good.h5 --model bare.json --data images.h5
/usr/bin/python3 - <<'P' || fail "config with numbers"
import json, h5py
with h5py.File("run/checkpoints/step-000000030.h5") as f:
    m, s = f["state/input/mean"][0, 0].astype("f8"), f["state/input/scale"][:].astype("f8")
numbers = {"mean": list(m / 255), "std": list(1 / (255 * s))}
json.dump({"model": {"name": "small_cnn"}, "data": {"augment": {"normalize": numbers}}}, open("bare.json", "w"))
P
ends 0 "$GYRE" eval good.h5 --model bare.json --data images.h5
cmp own out || fail "another score: $(cat out)"
grep -q "^input: normalised by the config's 0" err || fail "$(cat err)"
# Statistics of images of another kind are none for these.
make_dataset large.h5 40 20 16 3
make_dataset gray.h5 40 20 8 1
sed 's|"images.h5"|"images.h5", "augment": {"normalize": "mean_image"}|' config.json >mean.json
refused 3 "'large.h5' has images of 16 x 16 x 3, '$T/images.h5', which the config normalises by, of 8 x 8 x 3" \
    "$GYRE" eval good.h5 --model "$T/mean.json" --data large.h5
refused 3 "'gray.h5' has images of 8 x 8 x 1, " "$GYRE" eval good.h5 --model config.json --data gray.h5

# A checkpoint of other classes, or of other pixels, says so.
/usr/bin/python3 - <<'P' || fail "datasets"
import shutil, h5py, numpy as np
for name, first in (("named", "cat"), ("others", "cow")):
    shutil.copy("images.h5", name + ".h5")
    with h5py.File(name + ".h5", "r+") as f:
        f["names"] = np.array([first] + [f"n{i}" for i in range(1, 10)], "S8")
        if name == "others": f["train/images"][:] = 255 - f["train/images"][:]
P
ends 0 "${start[@]}" --set data.path=named.h5 --out named
ends 0 "${start[@]}" --set data.path=others.h5 --out others --set model.init_from="$(echo named/checkpoints/*.h5)"
grep -q "^its run had other classes: class 0 is 'cow' in this dataset, 'cat' in that file$" err || fail "$(cat err)"
grep -q "^its run normalised images by other numbers (/state/input), which are not taken; " err || fail "$(cat err)"
sed 's/images.h5/others.h5/' config.json >others.json
refused 3 "was trained on other classes: class 0 is 'cow'" "$GYRE" eval named/checkpoints/step-000000001.h5 --model others.json
exit 0
