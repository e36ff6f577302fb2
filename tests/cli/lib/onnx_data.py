"""Samples for the networks of tests/data/onnx: onnx_data.py FILE.h5 C H W, or FILE.h5 COLUMNS."""
import sys

import numpy as np

SAMPLES, CLASSES = 16, 10


def samples(shape):
    """What gyre stores, and what the network reads: (pixel / 255 - 0.5) / 0.25 in the order (n, c, h, w)."""
    g = np.random.RandomState(1)
    if len(shape) == 1:
        x = g.randn(SAMPLES, 1, 1, *shape).astype("f4")
        return x, x.reshape(SAMPLES, -1).astype("f8")
    c, h, w = shape
    x = g.randint(0, 256, (SAMPLES, h, w, c), dtype="u1")
    return x, np.ascontiguousarray(((x.astype("f8") / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2))


def write(path, shape):
    import h5py
    x, _ = samples(shape)
    with h5py.File(path, "w") as f:
        for part in ("train", "test"):
            f[f"{part}/{'arrays' if len(shape) == 1 else 'images'}"] = x
            f[part + "/labels"] = (np.arange(SAMPLES) % CLASSES).astype("i4")


if __name__ == "__main__":
    write(sys.argv[1], tuple(map(int, sys.argv[2:])))
