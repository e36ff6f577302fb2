#!/usr/bin/env python3
"""Writes a dataset of small images in 10 classes: FILE [TRAIN [TEST [SIDE [CHANNELS]]]].
Each class has a pattern of its own under noise, so that a net can learn them."""
import sys
import h5py, numpy as np

path = sys.argv[1]
train, test, side, channels = [int(a) for a in sys.argv[2:]] + [1000, 200, 8, 1][len(sys.argv) - 2:]
random = np.random.RandomState(7)
patterns = random.randint(0, 160, (10, side, side, channels))
with h5py.File(path, "w") as f:
    for part, count in (("train", train), ("test", test)):
        labels = random.randint(0, 10, count).astype("<i4")
        noise = random.randint(0, 96, (count, side, side, channels))
        f[part + "/images"] = (patterns[labels] + noise).astype("u1")
        f[part + "/labels"] = labels
