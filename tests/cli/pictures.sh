#!/usr/bin/env bash
# configs/experiment/pictures: a dataset is cut into all images but a class's and a few of that class,
# without a sample in two places; the networks that are fine-tuned begin to train; one goes on with the
# few.
set -u
. "$(dirname "$0")/lib/common.sh"
configs=$PWD/configs/experiment/pictures
make_dataset "$T/images.h5" 400 100 8 3
cd "$T" || exit 1
mkdir data
"$configs/leave_out.py" images.h5 --class 5 -o data/cifar10 --counts 4,10 --validation 8 >out || fail "leave_out.py"
/usr/bin/python3 - <<'P' || fail "it is cut in another way"
import h5py, numpy as np
rows = lambda f, part: {images.tobytes() for images in h5py.File(f)[f"{part}/images"][:]}
labels = lambda f, part: h5py.File(f)[f"{part}/labels"][:]
chosen = h5py.File("images.h5")["train/labels"][:] == 5
assert len(rows("data/cifar10-others.h5", "train")) == (~chosen).sum()
assert 5 not in labels("data/cifar10-others.h5", "train") and 5 not in labels("data/cifar10-others.h5", "test")
four, ten = rows("data/cifar10-4.h5", "train"), rows("data/cifar10-10.h5", "train")
assert len(four) == 4 and len(ten) == 10 and four < ten
held = rows("data/cifar10-10.h5", "validation")
assert len(held) == 8 and held == rows("data/cifar10-4.h5", "validation") and not held & ten
assert set(labels("data/cifar10-10.h5", "test")) == {5}
P
ends 1 "$configs/leave_out.py" images.h5 --class 5 -o data/cifar10 --counts 4
grep -q 'is there already' err || fail "$(cat err)"
ends 1 "$configs/leave_out.py" images.h5 --class 5 -o data/more --counts 4000
grep -q 'training images; 4000 and 256 were expected' err || fail "$(cat err)"

short=(--set "batch.size=4" --set "length.steps=12" --set "evaluate.pairs=1" --set "evaluate.every.steps=12" --quiet)
cp "$configs/cifar10.json" .
ends 0 "$GYRE" train cifar10.json "${short[@]}" --out first
ends 0 "$GYRE" train cifar10.json "${short[@]}" --out few --set data.path=data/cifar10-10.h5 \
    --set data.validation=validation --set model.init_from=first/checkpoints/step-000000012.h5
make_dataset grey.h5 400 100 8 1
"$configs/leave_out.py" grey.h5 --class 8 -o data/fashion --counts 4 --validation 8 >out || fail "leave_out.py"
cp "$configs/fashion.json" .
ends 0 "$GYRE" train fashion.json "${short[@]}" --out grey

# Study files: all arms, and a stepsize in epochs that does not fit is left out and said.
cp "$configs/fashion.safetensors" .
arms() { "$configs/arms.py" --base "$configs/few.json" --data data/fashion --seeds 2 --max-lr 1e-4 "$@" >said; }
arms --count 4 --steps 66 -o study.json || fail "arms.py"
[ ! -s said ] || fail "arms.py: $(cat said)"
ends 0 "$GYRE" study study.json --count
[ "$(cat out)" = 24 ] || fail "$(cat out) cells, not 2 of 12 arms"
arms --count 40 --steps 66 -o large.json || fail "arms.py"
grep -q '^x10: .* 100 steps and does not fit into 66$' said || fail "arms.py: $(cat said)"
[ "$(grep -c '"name": "x' large.json)" -eq 2 ] || fail "x10 is an arm although it does not fit"
arms --count 4 --steps 66 -o study.json 2>err && fail "a study file is replaced"
grep -q 'study.json is there already' err || fail "$(cat err)"
