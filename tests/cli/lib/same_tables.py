#!/usr/bin/env python3
"""Whether run folders hold equal tables, bit for bit, in every column but those that tell the time."""
import os, sys
import h5py, numpy as np

CLOCKS = {"samples_per_s", "seconds"}

def tables(folder):
    with h5py.File(os.path.join(folder, "metrics.h5"), "r") as f:
        return {name: f[name][:] for name in ("train", "validation", "cycles", "bands") if name in f}

first = tables(sys.argv[1])
for folder in sys.argv[2:]:
    found = tables(folder)
    assert found.keys() == first.keys(), f"{folder}: tables {list(found)}, {sys.argv[1]} has {list(first)}"
    for name, rows in found.items():
        assert len(rows) == len(first[name]), f"{folder}: {len(rows)} rows in /{name}, {sys.argv[1]} has {len(first[name])}"
        for column in set(rows.dtype.names) - CLOCKS:
            a, b = rows[column].view("u8"), first[name][column].view("u8")
            assert np.array_equal(a, b), f"{folder}: /{name}.{column} differs first in row {np.argmax(a != b)}"
