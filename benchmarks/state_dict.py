"""State_dicts in safetensors between torchvision's networks and gyre, both ways.

    python3 state_dict.py GYRE [MODEL...]

In: gyre's logits with the file that PyTorch wrote, against PyTorch's. Out: PyTorch's with the file that gyre exports
after a step of training, against `gyre eval --predictions`, and how many images both give the same class.
"""
import json, pathlib, subprocess, sys, tempfile

import h5py, numpy as np, torch
from safetensors.torch import load_file, save_file

from torchvision_logits import CLASSES, MODELS, SIDE, network

IMAGES = 100


def run(gyre, folder, *arguments):
    done = subprocess.run([gyre, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"gyre {' '.join(arguments)}: {done.stderr.strip()[-600:]}")


def predictions(path):
    outputs = np.loadtxt(path, delimiter=",", skiprows=1)[:, 3:]
    path.unlink()
    return outputs


def logits(net, images):
    x = torch.from_numpy((images.astype("f4") / 255 - 0.5) / 0.25).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        return net.eval()(x).numpy()


def compare(gyre, model, images, folder):
    net, out = network(model), folder / "out.csv"
    save_file(net.state_dict(), folder / "in.safetensors")
    config = {"data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": {"name": model, "init_from": "in.safetensors"}, "batch": {"size": 20}, "length": {"steps": 1},
              "schedule": {"policy": "constant", "base_lr": 1e-3}}
    (folder / "config.json").write_text(json.dumps(config))
    apart = lambda a, b: np.abs(a - b).max() / np.abs(b).max()
    run(gyre, folder, "eval", "in.safetensors", "--model", "config.json", "--predictions", "out.csv")
    into = apart(predictions(out), logits(net, images))
    run(gyre, folder, "train", "config.json", "--out", model, "--quiet")
    run(gyre, folder, "export", "safetensors", model, "-o", f"{model}.safetensors")
    run(gyre, folder, "eval", model, "--predictions", "out.csv")
    net.load_state_dict(load_file(folder / f"{model}.safetensors"), strict=True)
    mine, theirs = predictions(out), logits(net, images)
    same = int((mine.argmax(1) == theirs.argmax(1)).sum())
    return f"| {model} | {len(net.state_dict())} | {into:.1e} | {apart(mine, theirs):.1e} | {same} of {len(images)} |"


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    print("| network | tensors | in | out | same class |\n|---|---|---|---|---|")
    for model in sys.argv[2:] or MODELS:
        with tempfile.TemporaryDirectory() as t:
            folder = pathlib.Path(t)
            images = np.random.RandomState(1).randint(0, 256, (IMAGES, SIDE, SIDE, 3), dtype="u1")
            with h5py.File(folder / "images.h5", "w") as f:
                for part in ("train", "test"):
                    f[part + "/images"] = images
                    f[part + "/labels"] = (np.arange(IMAGES) % CLASSES).astype("i4")
            print(compare(sys.argv[1], model, images, folder), flush=True)
