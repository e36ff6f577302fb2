#!/usr/bin/env python3
"""Writes a dataset that is larger than memory and takes next to no room on disk: all pixels are 0,
in holes of the file. FILE GIB [SIDE [noise]]; with noise the pixels are written, and take the room."""
import sys
import h5py, numpy as np

path, gib = sys.argv[1], float(sys.argv[2])
side = int(sys.argv[3]) if len(sys.argv) > 3 else 64
rows = int(gib * 2**30) // (side * side * 3)
with h5py.File(path, "w") as f:
    space = h5py.h5s.create_simple((rows, side, side, 3))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    group = f.create_group("train")
    images = h5py.Dataset(h5py.h5d.create(group.id, b"images", h5py.h5t.STD_U8LE, space, plist))
    group["labels"] = (np.arange(rows) % 10).astype("<i4")
    if len(sys.argv) > 4:
        random = np.random.default_rng(7)
        for first in range(0, rows, 4096):
            last = min(first + 4096, rows)
            images[first:last] = random.integers(0, 256, (last - first, side, side, 3), "u1")
