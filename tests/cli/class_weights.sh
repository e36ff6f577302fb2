#!/usr/bin/env bash
# model.class_weights: the same run on 1, 2 and 4 ranks and after a resume; "balanced" is recorded
# as the numbers that follow from the training labels, of samples and of pixels; evaluation weighs
# as the run did; what cannot be is refused in a line.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
/usr/bin/python3 "$lib/make_arrays.py" "$T" || fail "no arrays"
cd "$T" || exit 1
ends 0 "$GYRE" data import array table.npy classes.npy -o classes.h5
ends 0 "$GYRE" data import array scans.npy masks.npy -o masks.h5

config() { # NAME LAYERS WEIGHTS DATA
    cat >"$1.json" <<EOF
{"data": {"path": "$4.h5", "validation": {"split": 0.25}}, "model": {"layers": $2, "class_weights": $3},
 "batch": {"size": 16, "shards": 4}, "length": {"steps": 16}, "evaluate": {"every": {"steps": 8}},
 "optimizer": {"label_smoothing": 0.1},
 "schedule": {"policy": "triangular", "base_lr": 0.005, "max_lr": 0.05, "stepsize": {"steps": 8}}}
EOF
}
dense='[{"name": "fc1", "type": "linear", "out": 16, "relu": true}, {"name": "fc2", "type": "linear", "out": "classes"}]'
pixels='[{"name": "c1", "type": "conv", "channels": "classes", "size": 3, "pad": 1}]'
config given "$dense" '[0.25, 3]' classes
config counted "$dense" '"balanced"' classes
config masked "$pixels" '"balanced"' masks

state_of() { "$GYRE" inspect --hash=state "$1"; }
for name in given counted masked; do
    ends 0 "$GYRE" train $name.json --out $name-1 --quiet
    for ranks in 2 4; do
        ends 0 mpirun -n $ranks "$GYRE" train $name.json --out $name-$ranks --quiet
        [ "$(state_of $name-1)" = "$(state_of $name-$ranks)" ] || fail "$name: other bits on $ranks ranks"
    done
    ends 0 "$GYRE" train $name.json --out $name-parts --quiet --stop-after 5
    ends 0 "$GYRE" train $name.json --out $name-parts --quiet
    [ "$(state_of $name-1)" = "$(state_of $name-parts)" ] || fail "$name: other bits after a resume"
    ends 0 "$GYRE" train $name.json --out $name-plain --quiet --set model.class_weights=null
    [ "$(state_of $name-1)" != "$(state_of $name-plain)" ] || fail "$name: weights change nothing"
done
ends 0 "$GYRE" train given.json --out given-one --quiet --set 'model.class_weights=[1, 1]'
[ "$(state_of given-one)" = "$(state_of given-plain)" ] || fail "weights of 1 are other bits"

# Labels lie beside the samples that the split left for training: those of half the runs are all.
for name in counted masked; do
    ends 0 "$GYRE" train $name.json --out $name-all --quiet --set data.validation=none
done
/usr/bin/python3 - <<'PYTHON' || fail "balanced weights, or the loss of evaluation"
import collections, h5py, json
for name, data in (("counted", "classes"), ("masked", "masks")):
    with h5py.File(data + ".h5") as f:
        part = f["train"]
        values = part["labels" if "labels" in part else "targets"][:].ravel()
    counts = collections.Counter(int(x) for x in values if x >= 0)
    all = sum(counts.values())
    want = [all / (len(counts) * counts[j]) for j in range(len(counts))]
    assert json.load(open(name + "-all/config.json"))["model"]["class_weights"] == want, (name, want)
    cut = json.load(open(name + "-1/config.json"))["model"]["class_weights"]
    assert cut != want and len(cut) == len(want), (name, cut)
assert "class_weights" not in json.load(open("given-plain/config.json"))["model"]
PYTHON

# A class without a sample has weight 0; the others are balanced among each other.
ends 0 "$GYRE" train counted.json --out more --quiet --set model.classes=3
grep -A4 '"class_weights"' more/config.json | tr -d ' \n' | grep -q ',0\]' || fail "the third class: $(grep -A4 class_weights more/config.json)"

# One pixel in two million: its weight is beyond a million, and the run goes on by its config. Without any
# pixel of a class there is nothing to balance.
/usr/bin/python3 - <<'PYTHON' || fail "no rare class"
import numpy
mask = numpy.zeros((2, 1100, 1100), "i4")
numpy.save("rare_x.npy", numpy.zeros(mask.shape, "u1"))
numpy.save("none_y.npy", mask - 1)
mask[0, 0, 0] = 1
numpy.save("rare_y.npy", mask)
PYTHON
for name in rare none; do
    ends 0 "$GYRE" data import array rare_x.npy ${name}_y.npy -o $name.h5
    config $name "${pixels/\"classes\"/2}" '"balanced"' $name
done
rare=("$GYRE" train rare.json --out rare --quiet --set data.validation=none --set batch.size=2 --set batch.shards=1)
ends 0 "${rare[@]}" --set length.steps=2 --stop-after 1
ends 0 "${rare[@]}" --set length.steps=2
grep -A2 '"class_weights"' rare/config.json | tr -d ' \t\n' | grep -q ',1210000\]' || fail "the rare class: $(grep -A2 class_weights rare/config.json)"
ends 0 "$GYRE" eval rare --part train
ends 2 "$GYRE" train none.json --out no --set data.validation=none --set batch.size=2 --set batch.shards=1 --set model.classes=2
grep -q '"balanced" counts classes, and no training sample has one' err || fail "without a class: $(cat err)"

# Evaluation gives the last validation's loss, also of a checkpoint alone: it holds the config.
loss_of() { sed -n 's/.*loss \([0-9.]*\).*/\1/p' out; }
last=$(/usr/bin/python3 -c 'import h5py
print("%.4f" % h5py.File("given-1/metrics.h5")["validation"][-1]["loss"])')
ends 0 "$GYRE" eval given-1 --part validation
[ "$(loss_of)" = "$last" ] || fail "eval says $(cat out), the run $last"
mkdir alone
cp "$(ls given-1/checkpoints/step-*.h5 | tail -1)" alone/c.h5
ends 0 "$GYRE" eval alone/c.h5 --data classes.h5 --part validation
[ "$(loss_of)" = "$last" ] || fail "eval of the checkpoint alone says $(cat out), the run $last"

train=("$GYRE" train given.json --out no)
refused 2 'model.class_weights: expected 2 numbers, one for each class, found 3' "${train[@]}" --set 'model.class_weights=[1, 2, 3]'
refused 2 'model.class_weights: expected "balanced" or a list of numbers 0..1e+15' "${train[@]}" --set 'model.class_weights=[1, -1]'
refused 2 'one for each class and one above 0, found [0,0]' "${train[@]}" --set 'model.class_weights=[0, 0]'
refused 2 'did you mean "balanced"' "${train[@]}" --set 'model.class_weights="balance"'
refused 2 'model.class_weights: expected "balanced"' "${train[@]}" --set 'model.class_weights=[]'
refused 2 'model.class_weights: expected none, since the loss one_hot_squared_error has none' "${train[@]}" --set model.loss=one_hot_squared_error --set optimizer.label_smoothing=0
refused 2 'since the loss one_hot_squared_error has none' "$GYRE" train counted.json --out no --set model.loss=one_hot_squared_error --set optimizer.label_smoothing=0
[ ! -e no ] || fail "a refused run left a folder"
