#!/usr/bin/env bash
# Arrays as datasets: a table with values, several labels or classes, and a class for each pixel;
# training on 1, 2 and 4 ranks and after a resume is one run; range test, evaluation, predictions,
# study and report know such targets; what cannot be is refused in a line.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
/usr/bin/python3 "$lib/make_arrays.py" "$T" || fail "no arrays"
cd "$T" || exit 1

imports() { # NAME SAMPLES TARGETS WORDS
    ends 0 "$GYRE" data import array "$2.npy" "$3.npy" -o "$1.h5"
    grep -qF "$4" out || fail "import says: $(cat out)"
}
imports values table_f4 values "96 training and 0 test samples of 1 x 1 x 6 with targets of 1 x 1 x 1"
imports labels table labels "with targets of 1 x 1 x 2"
imports classes table_f2 classes "samples of 1 x 1 x 6 in 2 classes"
imports masks scans masks "samples of 8 x 8 x 1 in 3 classes"
imports voc scans voc "in 256 classes"
grep -q "252 of 256.*where 255 means no class, make it -1" err || fail "no word of 255: $(cat err)"
imports column table_f4 column "with targets of 1 x 1 x 1"
grep -q "'column.npy' is taken as values.*y.squeeze(-1)" err || fail "no hint: $(cat err)"
imports signs table signs "with targets of 1 x 1 x 2"
[ ! -s err ] || fail "a hint at two values: $(cat err)"
imports pairs table_f4 values "with targets of 1 x 1 x 1"
ends 0 "$GYRE" data info masks.h5
grep -q 'samples      8 x 8 x 1 (height, width, channels) of u16' out || fail "info: $(cat out)"
grep -q 'targets      8 x 8 x 1 (height, width, one class each)' out || fail "info: $(cat out)"
ends 0 "$GYRE" data info classes.h5
grep -q 'of f16' out || fail "info: $(cat out)"

dense='[{"name": "fc1", "type": "linear", "out": 16, "relu": true}, {"name": "fc2", "type": "linear", "out": "classes"}]'
pixels='[{"name": "c1", "type": "conv", "channels": 8, "size": 3, "pad": 1}, {"name": "n1", "type": "group_norm", "groups": 4}, {"name": "r1", "type": "relu"}, {"name": "c2", "type": "conv", "channels": "classes", "size": 1}]'
config() { # NAME LAYERS LOSS MORE-DATA
    cat >"$1.json" <<EOF
{"data": {"path": "$1.h5", "validation": {"split": 0.25}$4}, "model": {"layers": $2, "loss": "$3"},
 "batch": {"size": 16, "shards": 4}, "length": {"steps": 16}, "evaluate": {"every": {"steps": 8}},
 "schedule": {"policy": "triangular", "base_lr": 0.005, "max_lr": 0.05, "stepsize": {"steps": 8}}}
EOF
}
config values "$dense" mean_squared_error ''
config labels "$dense" binary_cross_entropy ''
config classes "$dense" cross_entropy ''
config masks "$pixels" cross_entropy ', "augment": {"mirror": true, "crop": 1}'

state_of() { "$GYRE" inspect --hash=state "$1"; }
for name in values labels classes masks; do
    ends 0 "$GYRE" train $name.json --out $name-1
    [ $name != labels ] || grep -q 'samples of 1 x 1 x 6, targets of 1 x 1 x 2$' err || fail "$(cat err)"
    for ranks in 2 4; do
        ends 0 mpirun -n $ranks "$GYRE" train $name.json --out $name-$ranks --quiet
        [ "$(state_of $name-1)" = "$(state_of $name-$ranks)" ] || fail "$name: other bits on $ranks ranks"
    done
    ends 0 "$GYRE" train $name.json --out $name-parts --quiet --stop-after 5
    ends 0 "$GYRE" train $name.json --out $name-parts --quiet
    [ "$(state_of $name-1)" = "$(state_of $name-parts)" ] || fail "$name: other bits after a resume"
    ends 0 "$GYRE" eval $name-1 --part validation --predictions $name.csv
    grep -q '^validation: 24 samples' out || fail "$name: $(cat out)"
    [ "$(wc -l <$name.csv)" -eq 25 ] || fail "$name: predictions"
done
head -1 values.csv | grep -qx 'index,label,prediction,out0' || fail "columns: $(head -1 values.csv)"
sed -n 2p values.csv | grep -qE '^[0-9]+,,,-?[0-9.e+-]+$' || fail "a row: $(sed -n 2p values.csv)"
sed -n 2p classes.csv | grep -qE '^[0-9]+,[01],[01],' || fail "a row: $(sed -n 2p classes.csv)"
[ "$(sed -n 2p masks.csv | tr -cd , | wc -c)" -eq $((2 + 8 * 8 * 3)) ] || fail "columns of masks"
ends 0 "$GYRE" eval values-1 --part validation
grep -q 'root mean squared error' out || fail "no metric: $(cat out)"

# The columns of metrics.h5, a range test, a study and its report.
/usr/bin/python3 - <<'PYTHON' || fail "columns of /validation"
import h5py
for name, column in (("values", "root_mean_squared_error"), ("labels", "label_accuracy"), ("masks", "accuracy")):
    with h5py.File(name + "-1/metrics.h5") as f:
        assert column in f["validation"].dtype.names, f["validation"].dtype.names
PYTHON
for name in values masks; do
    ends 0 "$GYRE" find $name.json --out $name-find
    cat >study.json <<EOF
{"base": "$name.json", "name": "s", "seeds": [1, 2], "controls": false,
 "arms": [{"name": "low", "set": {"schedule.max_lr": 0.02}}, {"name": "high", "set": {"schedule.max_lr": 0.05}}]}
EOF
    ends 0 "$GYRE" study study.json --out $name-study
    ends 0 "$GYRE" report $name-study
done

# Explicit numbers are in the array's own units: the same run on numbers that were made so before.
/usr/bin/python3 -c 'import numpy as np
np.save("moved.npy", (np.load("table_f4.npy") - np.float32(2)) / np.float32(4))'
ends 0 "$GYRE" data import array moved.npy values.npy -o moved.h5
ends 0 "$GYRE" train values.json --out given --quiet \
    --set 'data.augment.normalize={"mean": [2, 2, 2, 2, 2, 2], "std": [4, 4, 4, 4, 4, 4]}'
ends 0 "$GYRE" train values.json --out before --quiet --set data.path=moved.h5 --set data.augment.normalize=raw
[ "$("$GYRE" inspect --hash=parameters given)" = "$("$GYRE" inspect --hash=parameters before)" ] ||
    fail "explicit normalisation of an array is another run"
refused 2 "mean and std of 2 channels, but the samples have 6" "$GYRE" train values.json --out no \
    --set 'data.augment.normalize={"mean": [0, 0], "std": [1, 1]}'

refused 2 "classes; cross_entropy is the loss" "$GYRE" train classes.json --out no --set model.loss=mean_squared_error
refused 2 "has 1 values for each sample" "$GYRE" train values.json --out no --set model.loss=cross_entropy
refused 2 "needs 8 x 8 x 3 outputs" "$GYRE" train masks.json --out no --set "model.layers=$dense"

# A class for each pixel may move over the border, where there is none; a value may not.
/usr/bin/python3 -c 'import numpy as np
np.save("doubled.npy", 2 * np.load("scans.npy").astype(np.float32))'
ends 0 "$GYRE" data import array scans.npy doubled.npy -o doubled.h5
config doubled '[{"name": "c1", "type": "conv", "channels": 1, "size": 1}]' mean_squared_error ', "augment": {"mirror": true}'
ends 0 "$GYRE" train doubled.json --out doubled --quiet
refused 2 "data.augment.crop moves samples over their border" "$GYRE" train doubled.json --out no --set data.augment.crop=1

refused 2 "resized_crop is for pictures" "$GYRE" train masks.json --out no --set data.augment.crop=0 --set data.augment.resized_crop.size=4
refused 2 "'table.npy' has 96 rows, 'short.npy' has 95" "$GYRE" data import array table.npy short.npy -o no.h5
refused 2 "big-endian" "$GYRE" data import array table.npy big_endian.npy -o no.h5
refused 2 "beyond 32 bits" "$GYRE" data import array table.npy large.npy -o no.h5
refused 2 "samples are uint8, uint16" "$GYRE" data import array classes.npy values.npy -o no.h5
refused 2 "two files were expected" "$GYRE" data import array table.npy values.npy -o no.h5 --test table.npy
refused 2 "takes 2 operands, found 1" "$GYRE" data import array table.npy -o no.h5
refused 2 '--size is for `gyre data import folder`, not for array' "$GYRE" data import array table.npy values.npy -o no.h5 --size 8
refused 2 '--validation is for `gyre data import array`, not for idx' "$GYRE" data import idx . -o no.h5 --validation a,b
refused 2 "data import 'arrays' is unknown; the kinds are cifar, idx, folder and array" "$GYRE" data import arrays . -o no.h5
refused 3 "exists" "$GYRE" data import array table.npy values.npy -o values.h5
refused 3 "holds nan in sample 95" "$GYRE" data import array table.npy nan.npy -o nan.h5
refused 2 "'huge.npy' holds 9223372036854775807 in row 0, beyond 32 bits" "$GYRE" data import array table.npy huge.npy -o no.h5
refused 2 "takes targets of 0 (no) to 1 (yes), and /train/targets of '$T/signs.h5' holds -1 in sample" "$GYRE" train labels.json --out no --set data.path=signs.h5
refused 2 "0 (no) to 1 (yes)" "$GYRE" eval labels-1 --data signs.h5 --part train
refused 3 "'nan_table.npy': sample 95 of /test holds nan (as f32) at value 2" "$GYRE" data import array table_f4.npy values.npy -o no.h5 --test nan_table.npy,values.npy
refused 3 "'great_table.npy': sample 95 of /train holds inf (as f32) at value 2" "$GYRE" data import array great_table.npy values.npy -o no.h5
refused 3 "is no .npy file" "$GYRE" data import array values.h5 values.npy -o no.h5
refused 3 "no dataset" "$GYRE" data import array values.h5:/none values.npy -o no.h5
head -c 300 table.npy >cut.npy
refused 3 "cut short" "$GYRE" data import array cut.npy values.npy -o no.h5
[ ! -e no.h5 ] || fail "a refused import left no.h5"

# Messages call arrays samples.
# One of two samples weighs as much as all its pixels: half of the accuracy.
ends 0 "$GYRE" train masks.json --out masks-few --quiet --set 'data.validation={"split": 0.02}'
grep -q 'split 0.02 sets 2 of 96 training samples aside, so that each is 50 % of the accuracy' err || fail "$(cat err)"
ends 0 "$GYRE" inspect values.h5
grep -q 'dataset with targets of 1 x 1 x 1, content' out || fail "inspect: $(cat out)"
grep -q '  train        96 samples of 1 x 1 x 6' out || fail "inspect: $(cat out)"
ends 0 "$GYRE" model values.json
grep -qx 'network for samples of 1 x 1 x 6, targets of 1 x 1 x 1' out || fail "model: $(cat out)"
ends 0 "$GYRE" data import array scans.npy classes.npy -o scans.h5
refused 3 "'scans.h5' has samples of 8 x 8 x 1 (height, width, channels), the network of 'classes-1/" \
    "$GYRE" eval classes-1 --data scans.h5 --part train

# Files that no importer looked at: the sample that spoils a score is named, and has no prediction.
# A network of f32 scores no u16.
/usr/bin/python3 - <<'PYTHON' || fail "h5py is needed"
import h5py
for kind, name in (("values", "nan"), ("classes", "nan_classes"), ("values", "u16")):
    with h5py.File(kind + ".h5") as f, h5py.File(name + ".h5", "w") as out:
        x = f["train/arrays"][:]
        for part in ("train", "test"):
            for target in set(f["train"]) & {"targets", "labels"}:
                out[part + "/" + target] = f["train/" + target][:]
            if part == "test":
                x.reshape(96, -1)[3, 1] = float("nan")
            out[part + "/arrays"] = abs(x[::-1][:]).astype("u2") if name == "u16" and part == "train" else x
        if name == "u16":
            del out["test"]
PYTHON
spoilt="sample 3 of their part holds nan at value 1"
refused 3 "$spoilt" "$GYRE" train values.json --out no --quiet --set data.path=nan.h5 --set 'data.validation="test"'
ends 3 mpirun -n 2 "$GYRE" train values.json --out no2 --quiet --set data.path=nan.h5 --set 'data.validation="test"'
grep -q "$spoilt" err || fail "$(cat err)"
ends 0 "$GYRE" eval classes-1 --data nan_classes.h5 --predictions nan.csv
grep -q "sample 3 of the part holds nan at value 1" err || fail "$(cat err)"
grep -q 'loss -\?nan, accuracy -\?nan %' out || fail "an accuracy of no numbers: $(cat out)"
grep -qE '^3,[01],,-?nan' nan.csv || fail "a prediction of no numbers: $(sed -n 5p nan.csv)"
refused 3 "was trained on f32, to which they are other numbers" "$GYRE" eval values-1 --data u16.h5 --part train

# A dataset of an HDF5 file, in chunks, gives what the .npy file gives.
/usr/bin/python3 - <<'PYTHON' || fail "h5py is needed"
import h5py
with h5py.File("values.h5") as f, h5py.File("chunked.h5", "w") as out:
    out.create_dataset("x/all", data=f["train/arrays"][:].reshape(96, 6), chunks=(7, 5), compression="gzip")
    out["y"] = f["train/targets"][:].reshape(96)
    out["other"] = -out["y"][:]
PYTHON
ends 0 "$GYRE" data import array chunked.h5:/x/all chunked.h5:/y -o again.h5
content() { "$GYRE" data info "$1" | sed -n 's/^  content *//p'; }
[ "$(content again.h5)" = "$(content values.h5)" ] || fail "HDF5 gives another content"
ends 0 "$GYRE" data import array chunked.h5:/x/all chunked.h5:/other -o other.h5
# No array of the output may be read, in whatever part: the file would be lost.
before=$(cksum <chunked.h5)
ln -s chunked.h5 link.h5
refused 2 "which would be lost" "$GYRE" data import array chunked.h5:/x/all values.npy -o chunked.h5 --force
refused 2 "which would be lost" "$GYRE" data import array table_f4.npy link.h5:/y -o chunked.h5 --force
for part in validation test; do
    refused 2 "which would be lost" "$GYRE" data import array table_f4.npy values.npy -o chunked.h5 --force --$part table_f4.npy,chunked.h5:/y
done
[ "$(cksum <chunked.h5)" = "$before" ] || fail "an import destroyed its input"
ends 0 "$GYRE" data manifest values.h5 other.h5 -o both.json
grep -q '192 training, 0 validation and 0 test samples in 2 files' out || fail "manifest: $(cat out)"

# Samples of many channels: what they are normalised by is told of the first few alone.
/usr/bin/python3 - <<'PYTHON' || fail "h5py is needed"
import h5py, numpy as np
with h5py.File("wide.h5", "w") as f:
    f["train/arrays"], f["train/targets"] = np.ones((2, 1, 1, 300), "f4"), np.ones((2, 1, 1, 1), "f4")
with h5py.File("wide_weights.h5", "w") as f:
    f["parameters/fc.weight"] = np.ones((1, 300), "f4")
PYTHON
cat >wide.json <<'JSON'
{"data": {"path": "wide.h5", "augment": {"normalize": "channel"}},
 "model": {"layers": [{"name": "fc", "type": "linear", "out": 1, "bias": false}], "loss": "mean_squared_error"},
 "batch": {"size": 2}, "length": {"steps": 1}, "schedule": {"policy": "constant", "base_lr": 0.1}}
JSON
ends 0 "$GYRE" eval wide_weights.h5 --model wide.json --data wide.h5 --part train
grep -q "and 296 more, of the training" err || fail "normalised by what: $(cat err)"
