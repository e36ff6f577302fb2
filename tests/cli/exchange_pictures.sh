#!/usr/bin/env bash
# dataset_to_gyre with pictures of every mode that Pillow has: the pixels are those that `gyre data import folder` reads
# from the same files; larger numbers stay numbers; as targets, the numbers of a palette stay.
set -u
. "$(dirname "$0")/lib/common.sh"
python=${PYTHON:-/usr/bin/python3}
$python -c "import h5py, PIL" 2>/dev/null || {
    echo "h5py and PIL are needed (PYTHON names another interpreter)"
    exit 77
}
export PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1
cd "$T" || exit 1
mkdir -p photos/a photos/b
cat >make.py <<'P'
import numpy as np
from PIL import Image

r = np.random.RandomState(1)
for k in range(4):
    rgb = Image.fromarray(r.randint(0, 256, (9, 9, 3), dtype="u1"))
    alpha = Image.fromarray(r.randint(0, 256, (9, 9), dtype="u1"))
    rgba, la, few = rgb.copy(), rgb.convert("L"), rgb.quantize(5 + k)
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    save = lambda image, name, **options: image.save(f"photos/{'ab'[k % 2]}/{name}-{k}.{'jpg' if name == 'cmyk' else 'png'}", **options)
    save(rgb, "rgb")
    save(rgb.convert("L"), "gray")
    save(rgb.convert("1"), "bits")
    save(rgba, "rgba")
    save(la, "la")
    save(few, "palette")
    save(few, "seen_through", transparency=bytes(range(0, 250, 50)))
    save(few, "hole", transparency=2)
    save(rgb.convert("L"), "gray_hole", transparency=int(np.asarray(rgb.convert("L"))[0, 0]))
    save(rgb.convert("CMYK"), "cmyk")
P
$python make.py || fail "pictures"
ends 0 "$GYRE" data import folder photos -o want.h5 --size 9

cat >take.py <<'P'
import glob, warnings

import h5py
import numpy as np
from PIL import Image
from gyre_exchange import dataset_to_gyre


class Pictures:
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def taken(*items, **options):
    dataset_to_gyre(Pictures(*items), "own.h5", force=True, **options)
    with h5py.File("own.h5") as f:
        return {name: f["train"][name][:] for name in f["train"]}


def apart(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max()


warnings.simplefilter("error")
gray, seen = {"gray", "bits", "la", "gray_hole"}, set()
with h5py.File("want.h5") as f:
    want, labels = f["train/images"][:], f["train/labels"][:]
for path, pixels, label in zip(sorted(glob.glob("photos/a/*")) + sorted(glob.glob("photos/b/*")), want, labels):
    kind = path.split("/")[-1].split("-")[0]
    found = taken((Image.open(path), int(label)))["images"][0]
    assert found.shape == ((9, 9, 1) if kind in gray else (9, 9, 3)), (path, found.shape)
    # Of CMYK, JPEG decoders and Pillow round otherwise.
    assert apart(found, pixels) <= (2 if kind == "cmyk" else 0), (path, apart(found, pixels))
    seen.add(kind)
assert len(seen) == 10, seen

# Larger numbers are numbers; as pixels they are refused.
numbers = np.arange(81, dtype="u2").reshape(9, 9) * 700
for image in Image.fromarray(numbers), Image.fromarray(numbers.astype("i4")), Image.fromarray(numbers.astype("f4") / 7):
    arrays = taken((image, 0))["arrays"]
    assert arrays.dtype == "f4" and (arrays[0] == np.asarray(image)).all(), image.mode
for image, kind, words in ((Image.fromarray(numbers), "images", "sample 0 holds no pixels"),
                           (Image.new("LAB", (9, 9)), "auto", "a picture of mode LAB; hand over image.convert('RGB')")):
    try:
        taken((image, 0), kind=kind)
    except ValueError as e:
        assert words in str(e), e
    else:
        raise AssertionError(words)

# As targets, classes.
few = Image.open("photos/a/palette-0.png")
assert few.mode == "P" and (taken((few, few))["targets"][0] == np.asarray(few)).all()
P
$python take.py || fail "other pixels"
exit 0
