"""Weights and images from an integer hash, so that nothing large need be stored.

Needs numpy only (h5py for the command). As a command it writes the weights of a model in gyre's
layout, the way a user would bring weights from another framework:

    python3 recipe.py resnet20 weights.h5
"""
import sys

import numpy as np

BATCHES, CLASSES = 5, 10
IMAGENET = ("resnet18", "resnet50")
FIRST = {"resnet18": 1000}  # tensors' numbers; the README says why


def size(model):
    """Steps, images of a batch, and their side."""
    return (3, 2, 64) if model in IMAGENET else (50, 16, 32)


def mix(x):
    """A 32-bit integer hash (lowbias32)."""
    x = np.asarray(x, np.uint32).copy()
    with np.errstate(over="ignore"):
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return x


def uniform(number, count):
    """`count` values in [-1, 1) for tensor `number`, exact in float32."""
    bits = mix(mix(np.uint32(number)) + np.arange(count, dtype=np.uint32))
    return (bits >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def resnet20_shapes():
    shapes = [("conv1.weight", (16, 3, 3, 3)), ("bn1.weight", (16,)), ("bn1.bias", (16,))]
    width_in = 16
    for stage, width in enumerate((16, 32, 64), 1):
        for block in range(3):
            for i, c in ((1, width_in), (2, width)):
                name = f"layer{stage}.{block}."
                shapes.append((f"{name}conv{i}.weight", (width, c, 3, 3)))
                shapes += [(f"{name}bn{i}.weight", (width,)), (f"{name}bn{i}.bias", (width,))]
            width_in = width
    return shapes + [("fc.weight", (CLASSES, 64)), ("fc.bias", (CLASSES,))]


def cifar10_quick_shapes():
    return [
        ("conv1.weight", (32, 3, 5, 5)), ("conv1.bias", (32,)),
        ("conv2.weight", (32, 32, 5, 5)), ("conv2.bias", (32,)),
        ("conv3.weight", (64, 32, 5, 5)), ("conv3.bias", (64,)),
        ("ip1.weight", (64, 64 * 4 * 4)), ("ip1.bias", (64,)),
        ("ip2.weight", (CLASSES, 64)), ("ip2.bias", (CLASSES,)),
    ]  # fmt: skip


def cifar10_full_shapes():
    ip1 = [("ip1.weight", (CLASSES, 64 * 4 * 4)), ("ip1.bias", (CLASSES,))]
    return cifar10_quick_shapes()[:6] + ip1


def imagenet_resnet_shapes(blocks, widening):
    shapes = []

    def conv_norm(conv, norm, k, c, r):
        shapes.append((f"{conv}.weight", (k, c, r, r)))
        shapes.extend([(f"{norm}.weight", (k,)), (f"{norm}.bias", (k,))])

    conv_norm("conv1", "bn1", 64, 3, 7)
    before = 64
    for stage, count in enumerate(blocks):
        inner = 64 << stage
        kernels = ((inner, 3), (inner, 3)) if widening == 1 else ((inner, 1), (inner, 3), (4 * inner, 1))
        for block in range(count):
            name, c = f"layer{stage + 1}.{block}.", before
            for i, (k, r) in enumerate(kernels, 1):
                conv_norm(f"{name}conv{i}", f"{name}bn{i}", k, c, r)
                c = k
            if before != c:
                conv_norm(f"{name}downsample.0", f"{name}downsample.1", c, before, 1)
            before = c
    return shapes + [("fc.weight", (CLASSES, before)), ("fc.bias", (CLASSES,))]


SHAPES = {
    "resnet20": resnet20_shapes(),
    "cifar10_quick": cifar10_quick_shapes(),
    "cifar10_full": cifar10_full_shapes(),
    "resnet18": imagenet_resnet_shapes((2, 2, 2, 2), 1),
    "resnet50": imagenet_resnet_shapes((3, 4, 6, 3), 4),
}


def weights(model):
    """Name -> float64 array in PyTorch's layout; every value is exact in float32."""
    out = {}
    for number, (name, shape) in enumerate(SHAPES[model], FIRST.get(model, 0)):
        values = uniform(number, int(np.prod(shape))).reshape(shape)
        if len(shape) > 1:  # variance 1 / fan_in
            values = values * np.sqrt(3.0 / np.prod(shape[1:]))
        elif "bn2.weight" in name or "bn3.weight" in name:  # small, so that 50 steps do not blow rounding up to 1e-3
            values = 0.25 + values / 16
        elif ".weight" in name:
            values = 1 + values / 4
        else:
            values = values / 8
        out[name] = values.astype(np.float32).astype(np.float64)
    return out


def to_gyre(name, array):
    """PyTorch's layout to gyre's: (k, c, r, r) -> (k, r, r, c), and the input of a linear layer
    behind an image from (c, h, w) to (h, w, c)."""
    if array.ndim == 4:
        return array.transpose(0, 2, 3, 1)
    if name == "ip1.weight":
        return array.reshape(-1, 64, 4, 4).transpose(0, 2, 3, 1).reshape(len(array), -1)
    return array


def batch(model, index):
    """Raw pixels (n, h, w, c) and labels of one batch: 4 x 4 patches in each image, and noise."""
    _, count, side = size(model)
    n, y, x, c = np.meshgrid(*(np.arange(k, dtype=np.uint32) for k in (count, side, side, 3)),
                             indexing="ij")
    sample, edge = np.uint32(index * count) + n, side // 4
    patch = mix(((sample * 4 + y // edge) * 4 + x // edge) * 3 + c + np.uint32(1 << 24))
    noise = mix(((sample * side + y) * side + x) * 3 + c + np.uint32(1 << 25))
    labels = mix(np.uint32(index * count) + np.arange(count, dtype=np.uint32) + np.uint32(1 << 26))
    return (patch % 128 + noise % 128).astype(np.uint8), (labels % CLASSES).astype(np.int64)


if __name__ == "__main__":
    import h5py

    with h5py.File(sys.argv[2], "w") as f:
        for name, array in weights(sys.argv[1]).items():
            f["parameters/" + name] = np.ascontiguousarray(to_gyre(name, array), np.float32)
