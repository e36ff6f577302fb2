#!/usr/bin/python3
"""Makes a dataset of a few training images out of a larger one, as many of each class, from its test
part: images that a network trained on the larger one has not seen. The next ones are the test part.

    few_images.py cifar10.h5 -o twenty.h5 [--count 20] [--test 2000] [--seed 1]
"""
import argparse
import hashlib
import os
import sys

import h5py
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("source")
parser.add_argument("-o", dest="out", required=True)
parser.add_argument("--count", type=int, default=20)
parser.add_argument("--test", type=int, default=2000)
parser.add_argument("--seed", type=int, default=1)
a = parser.parse_args()

if os.path.exists(a.out):
    sys.exit(f"few_images.py: {a.out} is there already; remove it, or give another -o")
with h5py.File(a.source) as f:
    if "test" not in f:
        sys.exit(f"few_images.py: {a.source} has no test part to take images from")
    images, labels = f["test/images"][:], f["test/labels"][:]
    names = f["names"][:] if "names" in f else None

classes = np.unique(labels)
if a.count < 1 or a.count % len(classes) != 0:
    sys.exit(f"few_images.py: --count {a.count}: a multiple of the {len(classes)} classes was expected")
# By a hash, not by a generator, whose numbers may change with the library's version.
order = sorted(range(len(labels)), key=lambda row: hashlib.sha256(b"%d %d" % (a.seed, row)).digest())
chosen, of_class = [], dict.fromkeys(classes.tolist(), 0)
for row in order:
    label = int(labels[row])
    if of_class[label] < a.count // len(classes):
        of_class[label] += 1
        chosen.append(row)
if len(chosen) < a.count:
    sys.exit(f"few_images.py: a class of {a.source} has too few test images for --count {a.count}")
taken = set(chosen)
rest = [row for row in order if row not in taken][: a.test]
with h5py.File(a.out, "x") as f:
    for part, rows in (("train", chosen), ("test", rest)):
        if rows:
            f[f"{part}/images"], f[f"{part}/labels"] = images[rows], labels[rows].astype("<i4")
    if names is not None:
        f["names"] = names
print(f"{a.out}: {len(chosen)} training and {len(rest)} test images of {len(classes)} classes")
