"""Are the running statistics of an average those of its parameters?

    update_bn.py CHECKPOINT GROUP DATASET BATCH SHARDS BATCHES

small_cnn in float64: the mean over the first batches of the dataset, in its order, of the mean over
a batch's shards of each shard's mean and unbiased variance, as torch.optim.swa_utils.update_bn has
them of whole batches: tests/data/torch/check_swa.py compares those with torch's own.
"""
import sys

import h5py
import numpy as np


def conv(x, w):  # 3x3, padding 1; w is (k, r, s, c)
    h, wide = x.shape[1:3]
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(x[:, r:r + h, s:s + wide] @ w[:, r, s].T for r in range(3) for s in range(3))


def pool(x):  # of 2, sizes rounded up
    odd = [(0, side % 2) for side in x.shape[1:3]]
    x = np.pad(x, [(0, 0), *odd, (0, 0)], constant_values=-np.inf)
    n, h, wide, c = x.shape
    return x.reshape(n, h // 2, 2, wide // 2, 2, c).max((2, 4))


def moments(x, average):
    """Mean and unbiased variance of what each batch norm reads."""
    found = {}
    for i in "123":
        x = conv(x, average[f"conv{i}.weight"])
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        count = x[..., 0].size
        found[f"bn{i}.running_mean"], found[f"bn{i}.running_var"] = mean, var * count / (count - 1)
        x = (x - mean) / np.sqrt(var + 1e-5) * average[f"bn{i}.weight"] + average[f"bn{i}.bias"]
        x = pool(np.maximum(x, 0))
    return found


def main(checkpoint, group, dataset, batch, shards, batches):
    f, images = h5py.File(checkpoint), h5py.File(dataset)["train/images"]
    average = {n: f[group][n][()].astype(float) for n in f[group]}
    mean, scale = f["state/input/mean"][()].astype(float), f["state/input/scale"][()].astype(float)
    total, size = {}, batch // shards
    for i in range(batches * shards):
        x = (images[i * size:(i + 1) * size].astype(float) - mean) * scale
        for n, value in moments(x, average).items():
            total[n] = total.get(n, 0) + value / (batches * shards)
    for n, want in total.items():
        # f32 through three layers; what is compared is of the order of its largest value
        off = np.abs(average[n] - want).max() / np.abs(want).max()
        assert off < 1e-5, f"{n}: {off}"


main(*sys.argv[1:4], *map(int, sys.argv[4:]))
