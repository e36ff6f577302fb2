#!/usr/bin/env bash
# The ten lines of docs/pytorch.md, from an ONNX file through a range test, a run and a study to an ONNX file that
# onnxruntime scores JPEG files with. A smaller picture and fewer seeds are all that is changed.
# Slow.
set -u
. "$(dirname "$0")/lib/common.sh"
python=${PYTHON:-python3}
scores=yes
"$python" -c "import numpy, onnxruntime, PIL" 2>/dev/null || scores=
root=$PWD
PATH="$(realpath "$(dirname "$GYRE")"):$PATH"
export OMP_NUM_THREADS=1
cd "$T" || exit 1
make_dataset learnable.h5 800 10 16 3
/usr/bin/python3 "$lib/make_pictures.py" photos learnable.h5 || fail "no pictures"
cp "$root/tests/data/onnx/plain.preserve.onnx" mine.onnx
sed -n '/^<!-- score.py -->$/,/^```$/{//!{/^```/!p}}' "$root/docs/formats.md" >score.py
[ "$(wc -l <score.py)" -gt 5 ] || fail "no score.py in docs/formats.md"
[ -z "$scores" ] || "$python" - <<'P' || fail "no JPEG files"
import pathlib
from PIL import Image
for path in pathlib.Path("photos").glob("*/*.png"):
    Image.open(path).save(path.with_suffix(".jpg"), quality=95)
    path.unlink()
P

sed -n '/^<!-- tour -->$/,/^```$/{//!{/^```/!p}}' "$root/docs/pytorch.md" >lines
[ "$(wc -l <lines)" -eq 10 ] || fail "not ten lines in docs/pytorch.md: $(cat lines)"
sed 's/--size 32/--size 16/; s/"seeds": 6/"seeds": 2/' lines |
    sed "s|^python3|$python|; \$s|\$| >scored|" >script
[ -n "$scores" ] || sed -i '$d' script
bash -eu script >said 2>err || fail "docs/pytorch.md: $(tail -3 err)"
for file in range/find.svg found.json run/config.json cycles/report/index.html net.onnx; do
    [ -s $file ] || fail "docs/pytorch.md leaves no $file"
done
[ "$(find cycles -name result.json | wc -l)" -eq 6 ] || fail "not three arms with two seeds"
for cell in cycles/cells/*/seed-?; do
    grep -q '"taken":"10 of 10 parameters"' "$cell/log.jsonl" || fail "$cell: other weights"
done
if [ -z "$scores" ]; then
    echo "all but the scores: numpy, onnxruntime and PIL are needed (PYTHON names another interpreter)"
    exit 77
fi

# onnxruntime names the classes that gyre does. Pillow may round a decoded pixel otherwise.
[ "$(wc -l <scored)" -eq 800 ] || fail "$(head -3 scored)"
right=$(while read -r path class; do [ "$(basename "$(dirname "$path")")" != "$class" ] || echo; done <scored | wc -l)
hits=0
for part in train test; do
    ends 0 "$GYRE" eval run --part $part --predictions $part.csv
    hits=$((hits + $(awk -F, 'NR > 1 && $2 == $3' $part.csv | wc -l)))
done
echo "$right of 800 named rightly by onnxruntime, $hits by gyre"
[ $hits -ge 600 ] || fail "nothing was learned"
[ $((right > hits ? right - hits : hits - right)) -le 8 ] || fail "onnxruntime names other classes"
exit 0
