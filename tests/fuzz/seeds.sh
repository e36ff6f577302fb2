#!/usr/bin/env bash
# seeds.sh GYRE DIR: whole files of every kind, small, for tests/fuzz/fuzz.c to damage.
set -eu
gyre=$1 dir=$2
here=$(cd "$(dirname "$0")" && pwd)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ASAN_OPTIONS=detect_leaks=0
mkdir -p "$dir"
cd "$dir"
/usr/bin/python3 "$here/../cli/lib/make_dataset.py" plain.h5 60 20
/usr/bin/python3 - <<'P'
import gzip, os, struct, zlib
import h5py, numpy as np

r = np.random.RandomState(1)
with h5py.File("plain.h5") as f, h5py.File("latest.h5", "w", libver="latest") as to:
    for part in ("train", "test"):
        for what in ("images", "labels"):
            to[f"{part}/{what}"] = f[f"{part}/{what}"][...]

for name in ("cifar", "idx", "gz", "photos/cat", "photos/dog"):
    os.makedirs(name, exist_ok=True)
for i in range(1, 7):
    rows = b"".join(bytes([k]) + r.bytes(3072) for k in range(4))
    open("cifar/test_batch.bin" if i == 6 else f"cifar/data_batch_{i}.bin", "wb").write(rows)
open("cifar/batches.meta.txt", "w").write("\n".join("plane car bird cat deer dog frog horse ship truck".split()) + "\n")
for part, n in (("train", 12), ("t10k", 6)):
    images = struct.pack(">IIII", 0x803, n, 8, 8) + r.bytes(64 * n)
    labels = struct.pack(">II", 0x801, n) + bytes(i % 3 for i in range(n))
    for kind, data in (("images-idx3", images), ("labels-idx1", labels)):
        open(f"idx/{part}-{kind}-ubyte", "wb").write(data)
        gzip.open(f"gz/{part}-{kind}-ubyte.gz", "wb").write(data)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(path, interlaced):
    rows = b"".join(b"\0" + r.bytes(24) for _ in range(8))
    if interlaced:
        rows += r.bytes(64)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, interlaced))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

for i in range(3):
    png(f"photos/cat/{i}.png", 0)
    png(f"photos/dog/{i}.png", 0)
open("labels.csv", "w").write("file,label\n" + "".join(f"{k}/{i}.png,{k}\n" for k in ("cat", "dog") for i in range(3)))
# baseline JPEG, gray, 8 x 8, written by hand: the standard's own tables, one DC difference
dc = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1] + [0] * 7) + bytes(range(12))
ac = bytes([0, 1] + [0] * 14) + b"\0"
def segment(marker, data):
    return bytes([255, marker]) + struct.pack(">H", len(data) + 2) + data
open("photo.jpg", "wb").write(
    b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + segment(0xDB, b"\0" + bytes([8] * 64)) +
    segment(0xC0, struct.pack(">BHHB", 8, 8, 8, 1) + bytes([1, 0x11, 0])) +
    segment(0xC4, b"\0" + dc) + segment(0xC4, b"\x10" + ac) + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) +
    b"\x0f\xff\xd9")
open("config.json", "w").write("""{ // all of it
    "data": {"path": "plain.h5", "augment": {"mirror": true}}, "model": {"name": "small_cnn"},
    "batch": {"size": 16, "shards": 2}, "optimizer": {"name": "sgd", "momentum": 0.9},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 1},
    "average": {"kind": "ema"}, "length": {"steps": 8}, "evaluate": {"every": {"steps": 2}}, "checkpoint": {"every": {"steps": 2}}
}
""")
config = open("config.json").read()
open("study.json", "w").write('{"base": ' + config + ', "cycles": [1, 2], "seeds": 1, "controls": false}\n')
P
"$gyre" data import folder photos -o photos.h5 > /dev/null
"$gyre" data import idx idx -o sealed.h5 > /dev/null
"$gyre" data manifest sealed.h5 -o manifest.json > /dev/null
"$gyre" train config.json --out run --quiet --stop-after 2
"$gyre" find config.json --out range --quiet --steps 40 --repeats 1 > /dev/null
"$gyre" study study.json --out cells --quiet > /dev/null
find cells -name result.json -exec cp {} . \;
for name in small_cnn resnet20 cifar10_full; do "$gyre" model "$name" --json > "$name.json"; done
cp "$here/network.json" .
onnx=$here/../data/onnx
cp "$onnx"/{squeeze.preserve,squeeze.dynamo_training,plain.dynamo,table.training}.onnx "$onnx"/*.data .
"$gyre" export onnx run -o exported.onnx > /dev/null
step=$(ls run/checkpoints/step-*.h5)
cp "$step" checkpoint.h5
cp run/metrics.h5 range/find.h5 .
"$gyre" export tensorboard run -o events > /dev/null
cp events/events.out.tfevents.* events.bin
/usr/bin/python3 - <<'P'
import h5py
with h5py.File("checkpoint.h5") as f, h5py.File("weights.h5", "w") as to:
    f.copy("parameters", to)
P
"$gyre" export safetensors run -o net.safetensors > /dev/null
/usr/bin/python3 - "$here" <<'P'
import json, sys
sys.path.insert(0, sys.argv[1] + "/../cli/lib")
from safetensors_file import read, write

state = read("net.safetensors")[1]
write("half.safetensors", {k: v.astype("f2") for k, v in state.items()})
json.dump({"metadata": {}, "weight_map": {k: "net.safetensors" for k in state}}, open("net.safetensors.index.json", "w"))
P
