"""Networks that gyre exports as ONNX, run by onnxruntime.

    python3 onnx_export.py GYRE [NETWORK...]

Each network of the zoo, and tests/cli/lib/every_node.json with a node of every type, is trained for a few steps from its initial
weights, exported, checked by ONNX's checker, and run by onnxruntime on pixels from 0 to 255: its logits against those
of `gyre eval --predictions`, as the largest difference over the largest logit, and as the largest of all.
"""
import json, pathlib, subprocess, sys, tempfile

import h5py, numpy as np, onnx, onnxruntime

IMAGES, CLASSES, BATCH = 500, 10, 50
SIDES = {"lenet": 28, "cifar10_quick": 32, "cifar10_full": 32, "mlp": 28, "every_node.json": 23}
LARGE = ["resnet18", "resnet34", "resnet50", "resnet101", "vgg16_bn", "densenet121", "mobilenet_v2", "efficientnet_b0",
         "convnext_tiny"]
# Untrained deep networks make logits of thousands out of pixels that are not scaled.
SCALED = ["channel", {"mean": [0.48, 0.45, 0.41], "std": [0.23, 0.22, 0.22]}]
NORMALIZE = {"mlp": "raw", "lenet": "raw", "cifar10_quick": "mean_image", "cifar10_full": "mean_image"}


def run(gyre, folder, *arguments):
    done = subprocess.run([gyre, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"gyre {' '.join(arguments)}: {done.stderr.strip()[-900:]}")
    return done.stdout


def dataset(path, side):
    r = np.random.RandomState(1)
    with h5py.File(path, "w") as f:
        for part, n in (("train", 200), ("test", IMAGES)):
            labels = r.randint(0, CLASSES, n).astype("i4")
            images = r.randint(0, 200, (n, side, side, 3)) + 5 * labels[:, None, None, None]
            f[part + "/images"], f[part + "/labels"] = images.astype("u1"), labels
        f["names"] = np.array([f"class {i}" for i in range(CLASSES)], "S")
        return f["test/images"][:]


def compare(gyre, name, normalize, folder):
    side = SIDES.get(name, 64 if name in LARGE else 32)
    images = dataset(folder / "images.h5", side)
    file = pathlib.Path(__file__).parent.parent / "tests/cli/lib" / name
    config = {"data": {"path": "images.h5", "augment": {"normalize": normalize}},
              "model": {"file": str(file.resolve())} if file.suffix else {"name": name}, "batch": {"size": 20},
              "length": {"steps": 3}, "schedule": {"policy": "constant", "base_lr": 1e-3 if normalize != "raw" else 1e-7}}
    (folder / "config.json").write_text(json.dumps(config))
    run(gyre, folder, "train", "config.json", "--out", "run", "--quiet")
    run(gyre, folder, "export", "onnx", "run", "-o", "net.onnx")
    run(gyre, folder, "eval", "run", "--predictions", "out.csv")
    mine = np.loadtxt(folder / "out.csv", delimiter=",", skiprows=1)[:, 3:]
    model = onnx.load(folder / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), providers=["CPUExecutionProvider"])
    x = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype("f4")
    theirs = np.concatenate([session.run(["logits"], {"input": x[i:i + BATCH]})[0] for i in range(0, len(x), BATCH)])
    off = np.abs(mine - theirs).max()
    same = int((mine.argmax(1) == theirs.argmax(1)).sum())
    kind = normalize if isinstance(normalize, str) else "given"
    return (f"| {name} | {side} | {kind} | {len(model.graph.node)} | {off:.1e} | {off / np.abs(mine).max():.1e} | "
            f"{same} of {len(images)} |")


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    listed = subprocess.run([sys.argv[1], "help", "models"], capture_output=True, text=True).stdout.splitlines()
    zoo = [line.split()[0] for line in listed[:listed.index("")] if not line.startswith(" ")]
    zoo.remove("unet")  # begins with noise, which no operator of ONNX draws
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, opset 17\n")
    print("| network | side | normalize | operators | apart | of the largest logit | same class |\n" + "|---" * 7 + "|")
    for i, name in enumerate(sys.argv[2:] or ["every_node.json", *zoo]):
        with tempfile.TemporaryDirectory() as t:
            print(compare(sys.argv[1], name, NORMALIZE.get(name, SCALED[i % 2]), pathlib.Path(t)), flush=True)
