#!/usr/bin/env bash
# Augmentations from outside, each on its own and all together: the same run on one rank, two and
# four, with other threads and after a resume; another run than without it; evaluation of images as
# they are; and which datasets are refused.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset data.h5 160 40 12 3
cat >config.json <<'JSON'
{
    "data": {"path": "data.h5", "augment": {"mirror": true, "crop": 2}},
    "model": {"name": "small_cnn"}, "batch": {"size": 16, "shards": 4}, "checkpoint": {"every": {"steps": 7}},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 20}, "evaluate": {"every": {"steps": 20}}
}
JSON
ends 0 "$GYRE" train config.json --out plain --quiet

# same_anywhere NAME KEY=VALUE...: a run of its own, the same in all places
same_anywhere() {
    local name=$1 sets=() set
    shift
    for set in "$@"; do sets+=(--set "data.augment.$set"); done
    ends 0 "$GYRE" train config.json --out "$name-1" --quiet "${sets[@]}"
    same_tables plain "$name-1" >/dev/null 2>&1 && fail "$name changes nothing"
    ends 0 mpirun -q -np 2 "$GYRE" train config.json --out "$name-2" --quiet --set threads=2 "${sets[@]}"
    same_tables "$name-1" "$name-2" || fail "$name: two ranks train another run"
    ends 0 mpirun -q -np 4 "$GYRE" train config.json --out "$name-4" --quiet "${sets[@]}"
    same_tables "$name-1" "$name-4" || fail "$name: four ranks train another run"
    rm -f "$name-2"/checkpoints/step-*20.h5 "$name-2"/checkpoints/step-*14.h5
    ends 0 "$GYRE" train config.json --out "$name-2" --quiet "${sets[@]}"
    same_tables "$name-1" "$name-2" || fail "$name: a resumed run is another"
}

erasing=(random_erasing.probability=0.5 random_erasing.value=noise)
same_anywhere erasing "${erasing[@]}"
same_anywhere reflect crop_fill=reflect mirror=alternate

jitter=(color_jitter.brightness=0.4 color_jitter.contrast=0.4 color_jitter.saturation=0.4 color_jitter.hue=0.1)
same_anywhere jitter "${jitter[@]}"
same_anywhere randaugment randaugment.ops=2 randaugment.magnitude=12
same_anywhere crops crop=0 resized_crop.size=8 "${jitter[@]}"
same_anywhere mixup mixup.alpha=0.4
same_anywhere cutmix cutmix.alpha=1
same_anywhere all mixup.alpha=0.2 cutmix.alpha=1 randaugment.ops=1 "${jitter[@]}" "${erasing[@]}"

# Nothing is drawn in evaluation: it is that of the run, of the same weights.
ends 0 "$GYRE" eval erasing-1 --part test
/usr/bin/python3 - <<'P' || fail "evaluation is augmented"
import h5py, re
with h5py.File("erasing-1/metrics.h5") as f:
    loss = f["validation"]["loss"][-1]
assert abs(float(re.search(r"loss\s+([0-9.]+)", open("out").read()).group(1)) - loss) < 1e-3
P

refused 2 "random_erasing: min_scale 0.9 is above max_scale 0.5" "$GYRE" train config.json --out no \
    --set data.augment.random_erasing.probability=1 --set data.augment.random_erasing.min_scale=0.9 \
    --set data.augment.random_erasing.max_scale=0.5
/usr/bin/python3 - <<'P' || fail "numpy is needed"
import numpy as np
rng = np.random.default_rng(1)
np.save("x.npy", rng.normal(size=(60, 5)).astype("f4"))
np.save("y.npy", np.arange(60) % 2)
np.save("images.npy", rng.integers(0, 255, (60, 8, 8, 3)).astype("u1"))
np.save("masks.npy", rng.integers(0, 3, (60, 8, 8)))
P
ends 0 "$GYRE" data import array x.npy y.npy -o table.h5
ends 0 "$GYRE" data import array images.npy masks.npy -o masks.h5
plain=(--out no --set data.validation=none --set data.augment.crop=0 --set data.augment.mirror=false)
refused 2 "the dataset has samples of 1 x 1 pixels" "$GYRE" train config.json "${plain[@]}" --set data.path=table.h5 \
    --set data.augment.random_erasing.probability=1
refused 2 "the dataset has a target for each pixel" "$GYRE" train config.json "${plain[@]}" --set data.path=masks.h5 \
    --set data.augment.random_erasing.probability=1
refused 2 "has a target for each, which would stay" "$GYRE" train config.json "${plain[@]}" --set data.path=masks.h5 \
    --set data.augment.randaugment.ops=2
refused 2 "color_jitter is for pictures of bytes with 1 or 3 channels, but the dataset has 5 channels of f32" "$GYRE" \
    train config.json "${plain[@]}" --set data.path=table.h5 --set data.augment.color_jitter.brightness=0.1
make_dataset gray.h5 60 20 12 1
refused 2 "gray pictures have no saturation and no hue" "$GYRE" train config.json --out no --set data.path=gray.h5 \
    --set data.augment.color_jitter.hue=0.1
refused 2 "mixup is for samples with one class each, but the dataset has other targets" "$GYRE" train config.json \
    "${plain[@]}" --set data.path=masks.h5 --set data.augment.mixup.alpha=1
refused 2 "cutmix is for samples of a height and a width" "$GYRE" train config.json "${plain[@]}" \
    --set data.path=table.h5 --set data.augment.cutmix.alpha=1
refused 2 "which the loss one_hot_squared_error cannot take" "$GYRE" train config.json --out no \
    --set model.loss=one_hot_squared_error --set data.augment.mixup.alpha=1
[ ! -e no ] || fail "a run folder was made"
ends 0 "$GYRE" train config.json --out gray --quiet --set data.path=gray.h5 --set data.augment.randaugment.ops=3
exit 0
