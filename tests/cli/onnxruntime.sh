#!/usr/bin/env bash
# The script of docs/pytorch.md scores JPEG files by onnxruntime as gyre scores them. PYTHON: an interpreter
# that has onnxruntime and Pillow.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
python=${PYTHON:-python3}
"$python" -c 'import onnxruntime, PIL, numpy' 2>/dev/null || {
    echo "onnxruntime and Pillow are needed; PYTHON can name an interpreter that has them"
    exit 77
}
sed -n '/^<!-- test: score -->$/,/^```$/{/^import/,/^```$/{/^```/!p}}' docs/pytorch.md >"$T/score.py"
grep -q InferenceSession "$T/score.py" || fail "no script in docs/pytorch.md"
config=$PWD/configs/examples/pictures/config.json
cd "$T" || exit 1
make_dataset learnable.h5 600 10 24 3
/usr/bin/python3 "$lib/make_pictures.py" pictures learnable.h5 || fail "no pictures"
"$python" - <<'PYTHON' || fail "no JPEG files"
import pathlib
from PIL import Image
for p in pathlib.Path("pictures").rglob("*.png"):
    folder = pathlib.Path("photos") / ("class-" + p.parent.name)
    folder.mkdir(parents=True, exist_ok=True)
    Image.open(p).resize((96, 80)).save(folder / (p.stem + ".jpg"), quality=95)
PYTHON
ends 0 "$GYRE" data import folder photos -o photos.h5 --size 54
ends 0 "$GYRE" train "$config" --set data.path="$T/photos.h5" --set data.validation=none --set length.epochs=3 --out run --quiet
ends 0 "$GYRE" eval run --part train --predictions gyre.csv
ends 0 "$GYRE" export onnx run -o net.onnx
find photos -name '*.jpg' | LC_ALL=C sort >names
xargs "$python" score.py <names >scored || fail "the script ends with $?"
"$python" - <<'PYTHON' || fail "onnxruntime gives other classes"
import csv
rows = list(csv.reader(open("gyre.csv")))
mine = [rows[0][3 + int(r[2])] for r in rows[1:]]
theirs = [line.split()[1] for line in open("scored")]
assert len(mine) == len(theirs) == 600 and len(set(mine)) > 2, (len(mine), len(theirs), set(mine))
same = sum(a == b for a, b in zip(mine, theirs))
print(same, "of 600")
assert same >= 588 # a level of one pixel decides where two outputs are nearly equal
PYTHON
exit 0
