#!/usr/bin/env bash
# How an imported network reads its input: a mean image comes with the weights (data.augment.normalize "init_from"), is
# part of the run and of its checkpoints, and is refused where it cannot hold; numbers of dark pictures and of arrays
# come back in their own unit; the same from a checkpoint.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 100 30 16 3
make_dataset others.h5 100 30 16 3
make_dataset large.h5 60 20 20 3
/usr/bin/python3 - <<'P' || fail "datasets"
import h5py, numpy as np
r = np.random.RandomState(1)
with h5py.File("others.h5", "r+") as f:  # another mean image
    for part in ("train", "test"):
        f[part + "/images"][:, :8] = 255 - f[part + "/images"][:, :8]
with h5py.File("dark.h5", "w") as f, h5py.File("arrays.h5", "w") as g:
    for part, n in (("train", 80), ("test", 20)):
        f[part + "/images"] = r.randint(0, 4, (n, 12, 12, 3)).astype("u1")
        g[part + "/arrays"] = (r.randn(n, 6, 7, 2) * 20 + 40).astype("f4")
        for h in (f, g):
            h[part + "/labels"] = (np.arange(n) % 10).astype("i4")
P
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5", "augment": {"normalize": "mean_image"}}, "model": {"name": "small_cnn"},
    "batch": {"size": 20, "shards": 2}, "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 4}
}
JSON
cat >back.json <<'JSON'
{
    "data": {"path": "others.h5"}, "model": {"file": "net.onnx"},
    "batch": {"size": 20, "shards": 2}, "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 4}
}
JSON
# input A B: the normalisation that two runs' checkpoints hold is the same
input() {
    /usr/bin/python3 - "$1" "$2" <<'P'
import glob, sys
import h5py, numpy as np
a, b = [h5py.File(sorted(glob.glob(run + "/checkpoints/step*.h5"))[-1])["state/input"] for run in sys.argv[1:]]
for name in ("mean", "scale"):
    assert np.array_equal(a[name][:], b[name][:]), (name, a[name][0, 0] if name == "mean" else a[name][:])
P
}

ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" export onnx run -o net.onnx
ends 0 "$GYRE" train back.json --out back --quiet
input run back || fail "another mean image came back"
grep -q '"normalize":."init_from"' back/config.json || fail "$(grep normalize back/config.json)"
# on two ranks, and resumed without the file
ends 0 mpirun -q -np 2 "$GYRE" train back.json --out ranks --quiet
same_tables back ranks || fail "two ranks differ"
ends 0 "$GYRE" train back.json --out parts --quiet --stop-after 2
mv net.onnx away.onnx
ends 0 "$GYRE" train parts/config.json --out parts --quiet
same_tables back parts || fail "a resumed run differs"
input run parts || fail "the mean image was lost"
ends 0 "$GYRE" eval parts
mv away.onnx net.onnx
# where it does not hold
key=data.augment.normalize
refused 2 "which subtracts a mean image" "$GYRE" train back.json --out no --set $key=channel
refused 2 "'$PWD/net.onnx' normalises samples of 16 x 16 x 3, and those here are of 20 x 20 x 3" \
    "$GYRE" train back.json --out no --set data.path=large.h5
refused 2 "those are not taken; give data.augment.normalize" "$GYRE" train back.json --out no --set model.init=fresh
ends 0 "$GYRE" train back.json --out fresh --quiet --set model.init=fresh --set $key=mean_image
input fresh back 2>/dev/null && fail "the mean image of other pictures is the same"
refused 2 'is "init_from", but model.init_from names no file' "$GYRE" train config.json --out no --set $key=init_from
# Pictures of another size, where a layer reads all of one; other classes are fine.
ends 0 "$GYRE" train config.json --out plain --quiet --set $key=channel --set model.name=mlp
ends 0 "$GYRE" export onnx plain -o plain.onnx
refused 2 "fc1.weight is (256, 768) in '$PWD/plain.onnx', whose pictures are of 16 x 16 x 3; those here, of 20 x 20 x 3, \
need (256, 1200)" "$GYRE" train back.json --out no --set data.path=large.h5 --set model.file=plain.onnx
ends 0 "$GYRE" train back.json --out twelve --quiet --set model.file=plain.onnx --set model.classes=12
grep -q "fc3.weight (10, 128) for (12, 128)" "$T/err" || fail "$(cat "$T/err")"
# from a checkpoint
ends 0 "$GYRE" train config.json --out more --quiet --set data.path=others.h5 --set $key=init_from \
    --set "model.init_from=$(echo run/checkpoints/step*4.h5)"
input run more || fail "the checkpoint's mean image was not taken"
/usr/bin/python3 -c '
import h5py
with h5py.File("bare.h5", "w") as f, h5py.File("run/checkpoints/step-000000004.h5") as g: g.copy("parameters", f)'
refused 2 "does not tell how its network reads its input" "$GYRE" train config.json --out no --set $key=init_from \
    --set model.init_from=bare.h5

# Small numbers of pixels, and large ones of arrays, are what they were.
for data in dark arrays; do
    ends 0 "$GYRE" train config.json --out $data --quiet --set data.path=$data.h5 --set $key=channel --set model.name=mlp
    ends 0 "$GYRE" export onnx $data -o $data.onnx
    ends 0 "$GYRE" train back.json --out $data-back --quiet --set data.path=$data.h5 --set model.file=$data.onnx
    /usr/bin/python3 - $data <<'P' || fail "$data: another normalisation came back"
import glob, sys
import h5py, numpy as np
a, b = [h5py.File(glob.glob(f"{sys.argv[1]}{end}/checkpoints/step*4.h5")[0])["state/input"] for end in ("", "-back")]
for name in ("mean", "scale"):
    off = np.abs(a[name][:] / b[name][:] - 1).max()
    assert off <= 1e-6, (name, off)  # the config has them as decimals
P
done

# Numbers for more channels than a config has come back with the weights.
/usr/bin/python3 - <<'P' || fail "datasets"
import h5py, numpy as np
r = np.random.RandomState(1)
with h5py.File("wide.h5", "w") as f:
    for part, n in (("train", 80), ("test", 20)):
        f[part + "/arrays"] = (r.randn(n, 100) * (1 + np.arange(100)) + np.arange(100)).astype("f4")
        f[part + "/labels"] = (np.arange(n) % 10).astype("i4")
P
ends 0 "$GYRE" train config.json --out wide --quiet --set data.path=wide.h5 --set $key=channel --set model.name=mlp
ends 0 "$GYRE" export onnx wide -o wide.onnx
ends 0 "$GYRE" train back.json --out wide-back --quiet --set data.path=wide.h5 --set model.file=wide.onnx
input wide wide-back || fail "another normalisation of 100 channels came back"
exit 0
