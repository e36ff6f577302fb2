#!/usr/bin/env bash
# Bad datasets, bad places and bad numbers of ranks: one line, the same exit code on one rank and on
# two, within 10 s, and nothing made or touched.
set -u
. "$(dirname "$0")/lib/common.sh"
mkdir "$T/data" "$T/used"
make_dataset "$T/data/good.h5" 300 60
/usr/bin/python3 - "$T/data" <<'P' || fail "h5py is needed"
import os, sys
import h5py, numpy as np

folder = sys.argv[1]
images, labels = np.zeros((300, 8, 8, 1), "u1"), np.zeros(300, "<i4")

def write(name, **parts):
    with h5py.File(os.path.join(folder, name), "w") as f:
        for key, value in parts.items():
            f[key.replace("__", "/")] = value

write("no_train.h5", test__images=images, test__labels=labels)
write("no_labels.h5", train__images=images)
write("shape.h5", train__images=images.reshape(300, 64), train__labels=labels)
write("type.h5", train__images=images.astype("f4"), train__labels=labels)
write("count.h5", train__images=images, train__labels=labels[:-1])
write("parts.h5", train__images=images, train__labels=labels,
      test__images=np.zeros((20, 9, 9, 1), "u1"), test__labels=labels[:20])
bad = labels.copy()
bad[17] = -3
write("label.h5", train__images=images, train__labels=bad, test__images=images, test__labels=labels)
with h5py.File(os.path.join(folder, "packed.h5"), "w") as f:
    f.create_dataset("train/images", data=images, compression="gzip")
    f["train/labels"] = labels
whole = open(os.path.join(folder, "good.h5"), "rb").read()
open(os.path.join(folder, "short.h5"), "wb").write(whole[:len(whole) * 2 // 3])
open(os.path.join(folder, "noise.h5"), "wb").write(np.random.RandomState(1).bytes(5000))
open(os.path.join(folder, "empty.h5"), "wb")
P
echo mine >"$T/used/notes.txt"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "data/good.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 3}
}
JSON
before=$(picture_of "$T/data")

bad() { # code, words, arguments...
    local code=$1 words=$2
    shift 2
    refused "$code" "$words" "$GYRE" train "$T/config.json" "$@"
    refused "$code" "$words" mpirun -q -np 2 "$GYRE" train "$T/config.json" "$@"
}
bad_data() { # file, words
    bad 3 "$2" --out "$T/run" --set data.path="$T/data/$1"
    grep -qF "$1" "$T/err" || fail "the file is not named: $(cat "$T/err")"
    [ ! -e "$T/run" ] || fail "$1: a run folder was made"
}

bad_data missing.h5 "data.path: "
bad_data empty.h5 "is empty, a dataset file was expected"
bad_data noise.h5 "is not an HDF5 file; \`gyre data import\`"
bad_data short.h5 "damaged"
bad_data no_train.h5 "/train/images"
bad_data no_labels.h5 "/train/labels"
bad_data shape.h5 "/train/images"
bad_data type.h5 "/train/images"
bad_data count.h5 "/train/labels"
bad_data parts.h5 "images of /test are 9 x 9 x 1"
bad_data label.h5 "-3"
bad_data packed.h5 "/train/images"

bad 2 "data.path" --out "$T/run" --set data.path=null
bad 2 'did you mean "lenet"' --out "$T/run" --set model.name=lanet
bad 2 "model.classes" --out "$T/run" --set model.classes=4
bad 2 "300" --out "$T/run" --set batch.size=512 --set batch.shards=2
bad 3 "not empty" --out "$T/used"
bad 2 "there are small_cnn, mlp, lenet" --out "$T/run" --set model.name=transformer
bad 3 "run folder (--out, output.dir): cannot make folder '/proc/run'" --out /proc/run
if [ "$(id -u)" -ne 0 ]; then
    mkdir -m 500 "$T/closed"
    bad 3 "$T/closed" --out "$T/closed/run"
fi
echo file >"$T/file"
bad 3 "$T/file" --out "$T/file/run"
bad 2 "no run folder"
bad 2 "--stop-after: expected whole number >= 1, found 'soon'" --out "$T/run" --stop-after soon
bad 2 "unknown option '--pot'" --pot "$T/run"
refused 2 "4 ranks cannot share the 2 shards" mpirun -q -np 4 "$GYRE" train "$T/config.json" --out "$T/run"
grep -q "1 or 2 ranks\|at most 2 ranks" "$T/err" || fail "no ranks that fit: $(cat "$T/err")"
refused 2 "3 ranks" mpirun -q -np 3 "$GYRE" train "$T/config.json" --out "$T/run" --set batch.size=96 --set batch.shards=4

[ ! -e "$T/run" ] || fail "a run folder was made"
[ "$(ls "$T/used")" = notes.txt ] && [ "$(cat "$T/used/notes.txt")" = mine ] || fail "a user's file was touched"
[ "$(picture_of "$T/data")" = "$before" ] || fail "a dataset was touched"
exit 0
