"""How far single convolutions are from double precision: gyre's, and PyTorch's in NCHW and NHWC (channels_last).

    python3 convolution_rounding.py GYRE

Random weights, samples from a ReLU; the root of the mean squared difference, relative to that of the exact values.
"""
import json, pathlib, sys, tempfile

import h5py, numpy as np, torch

from torch_common import run

SAMPLES = 4
SHAPES = [  # channels in and out, size of the kernel, side of the image
    (3, 64, 3, 64), (64, 64, 3, 64), (128, 128, 3, 32), (256, 256, 3, 16), (512, 512, 3, 8), (512, 512, 3, 4),
    (64, 256, 1, 16), (256, 64, 1, 16), (512, 128, 1, 8), (1024, 256, 1, 4), (2048, 512, 1, 2), (512, 2048, 1, 2)]


def of_torch(x, w, layout):
    """x (n, h, w, c), w (k, r, s, c) as gyre has them; so is what comes back, in double precision."""
    x, w = (a.permute(0, 3, 1, 2).contiguous(memory_format=layout) for a in (x, w))
    return torch.nn.functional.conv2d(x, w, padding=w.shape[2] // 2).permute(0, 2, 3, 1).double().numpy()


def of_gyre(gyre, x, w, folder):
    k, size = w.shape[:2]
    shape = (*x.shape[:3], k)
    with h5py.File(folder / "data.h5", "w") as f:
        for part in ("train", "test"):
            f[part + "/arrays"], f[part + "/targets"] = x, np.zeros(shape, "f4")
    with h5py.File(folder / "weights.h5", "w") as f:
        f["parameters/conv.weight"] = w
    node = {"name": "conv", "type": "conv", "channels": k, "size": size, "pad": size // 2, "bias": False}
    config = {"data": {"path": "data.h5", "augment": {"normalize": "raw"}},
              "model": {"layers": [node], "loss": "mean_squared_error"}, "batch": {"size": SAMPLES},
              "length": {"steps": 1}, "schedule": {"policy": "constant", "base_lr": 0.1}}
    (folder / "config.json").write_text(json.dumps(config))
    run([gyre, "eval", "weights.h5", "--model", "config.json", "--data", "data.h5", "--predictions", "out.csv"], folder)
    rows = np.genfromtxt(folder / "out.csv", delimiter=",", skip_header=1)
    return rows[:, -x.shape[1] * x.shape[2] * k:].reshape(shape)


def distances(gyre, c, k, size, side):
    draw = np.random.RandomState(1)
    x = np.maximum(draw.randn(SAMPLES, side, side, c), 0).astype("f4")
    w = (draw.randn(k, size, size, c) * (2 / (c * size * size)) ** 0.5).astype("f4")
    tx, tw = torch.from_numpy(x), torch.from_numpy(w)
    exact = of_torch(tx.double(), tw.double(), torch.contiguous_format)
    with tempfile.TemporaryDirectory() as t:
        found = [of_gyre(gyre, x, w, pathlib.Path(t))]
    found += [of_torch(tx, tw, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    return [(np.mean((f - exact) ** 2) / np.mean(exact ** 2)) ** 0.5 for f in found]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    print("| convolution | image | gyre | PyTorch NCHW | PyTorch NHWC |\n|---|---|---|---|---|")
    for c, k, size, side in SHAPES:
        row = " | ".join(f"{d:.1e}" for d in distances(program, c, k, size, side))
        print(f"| {size} x {size}, {c} to {k} | {side} x {side} | {row} |", flush=True)
