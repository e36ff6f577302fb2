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
exit 0
