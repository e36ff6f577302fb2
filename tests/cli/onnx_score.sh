#!/usr/bin/env bash
# The script of docs/formats.md that scores JPEG files with an exported network, word for word, by onnxruntime: it
# names the class of every picture that the network was trained on.
set -u
. "$(dirname "$0")/lib/common.sh"
python=${PYTHON:-python3}
"$python" -c "import numpy, onnxruntime, PIL" 2>/dev/null || {
    echo "numpy, onnxruntime and PIL are needed (PYTHON names another interpreter)"
    exit 77
}
docs=$PWD/docs/formats.md
cd "$T" || exit 1
"$python" - "$docs" <<'P' || fail "no script, or no pictures"
import os, re, sys
import numpy as np
from PIL import Image

text = open(sys.argv[1]).read()
open("score.py", "w").write(re.search(r"<!-- score.py -->\n```python\n(.*?)```", text, re.S)[1])
r = np.random.RandomState(1)
for name, color in (("red", (200, 60, 60)), ("green", (60, 200, 60)), ("blue", (60, 60, 200))):
    os.makedirs("photos/" + name)
    for i in range(40):
        pixels = np.clip(np.array(color) + r.randint(-50, 50, (24, 24, 3)), 0, 255).astype("u1")
        Image.fromarray(pixels).save(f"photos/{name}/{i}.jpg", quality=95)
P
[ "$(wc -l <score.py)" -le 12 ] || fail "the script is longer than it says"
cat >config.json <<'JSON'
{
    "data": {"path": "photos.h5", "validation": "none"}, "model": {"name": "small_cnn"}, "batch": {"size": 20},
    "schedule": {"policy": "constant", "base_lr": 0.05}, "length": {"steps": 40}
}
JSON
ends 0 "$GYRE" data import folder photos -o photos.h5 --size 24
ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" export onnx run -o net.onnx
ends 0 "$python" score.py photos/*/*.jpg
[ "$(wc -l <out)" -eq 120 ] || fail "$(cat out err)"
while read -r path class; do
    [ "$(basename "$(dirname "$path")")" = "$class" ] || fail "$path is $class"
done <out

# What the docs call in Pillow cuts and resizes as the import does, by 1 of 255; bars are taken where they are equal.
mkdir -p shapes/a shapes/b
cat >shapes.py <<'P'
import glob, re, sys

import h5py
import numpy as np
from PIL import Image, ImageOps

if sys.argv[1] == "make":
    r = np.random.RandomState(2)
    for i, (wide, high) in enumerate(((90, 40), (41, 93), (60, 60), (33, 200), (120, 30), (48, 48))):
        small = r.randint(0, 256, (high // 6, wide // 6, 3), dtype="u1")
        Image.fromarray(small).resize((wide, high), Image.BICUBIC).save(f"shapes/{'ab'[i % 2]}/{i}.jpg", quality=95)
    sys.exit()
fit, docs = sys.argv[1:]
text = open(docs).read()
call = re.search(r"np.asarray\((.*?), \"float32\"", text)[1]
if fit != "crop":
    call = re.search(rf"\| `{fit}` \| `(.*?)`", text)[1]
with h5py.File("shapes.h5") as f:
    for path, want in zip(sorted(glob.glob("shapes/a/*")) + sorted(glob.glob("shapes/b/*")), f["train/images"][:]):
        image, (h, w, _) = Image.open(path), want.shape
        bars = max(h - image.height * w / image.width, w - image.width * h / image.height)
        if fit != "pad" or round(bars) % 2 == 0:
            apart = np.abs(np.asarray(eval(call)).astype(int) - want).max()
            assert apart <= 1, (path, fit, apart)
P
"$python" shapes.py make || fail "shapes"
for size in 24 20x32 36x16; do
    for fit in crop stretch pad; do
        ends 0 "$GYRE" data import folder shapes -o shapes.h5 --size $size --fit $fit --force --quiet
        "$python" shapes.py $fit "$docs" || fail "$fit $size: other pixels"
    done
done
exit 0
