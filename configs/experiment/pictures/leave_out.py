#!/usr/bin/python3
"""Cuts a dataset for fine-tuning on a class that the network has never seen:

    leave_out.py fashion.h5 --class 8 -o data/fashion

writes data/fashion-others.h5, all images but that class's, to train the network on first, and for each
--counts N data/fashion-N.h5: N training images of the class; 256 others for evaluations along a run
(part validation); 1,000 for the one at its end (part test). The smaller training sets lie in the
larger ones. The images held out are the same for all N.
"""
import argparse
import hashlib
import os
import sys

import h5py
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("source")
parser.add_argument("--class", dest="label", type=int, required=True, help="its number")
parser.add_argument("-o", dest="out", required=True, help="beginning of the files' names")
parser.add_argument("--counts", default="20,100,500,5000")
parser.add_argument("--validation", type=int, default=256)
parser.add_argument("--seed", type=int, default=1)
a = parser.parse_args()


def write(path, parts, names):
    if os.path.exists(path):
        sys.exit(f"leave_out.py: {path} is there already; remove it, or give another -o")
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with h5py.File(path, "x") as f:
        for part, (images, labels) in parts.items():
            f[f"{part}/images"], f[f"{part}/labels"] = images, labels.astype("<i4")
        if names is not None:
            f["names"] = names
    print(f"{path}: " + ", ".join(f"{len(v[1])} {part}" for part, v in parts.items()))


with h5py.File(a.source) as f:
    source = {part: (f[f"{part}/images"][:], f[f"{part}/labels"][:]) for part in ("train", "test")}
    names = f["names"][:] if "names" in f else None

chosen = {part: labels == a.label for part, (_, labels) in source.items()}
write(f"{a.out}-others.h5",
      {part: (images[~chosen[part]], labels[~chosen[part]]) for part, (images, labels) in source.items()}, names)

# By a hash, not by a generator, whose numbers may change with the library's version.
rows = np.flatnonzero(chosen["train"])
rows = np.array(sorted(rows, key=lambda row: hashlib.sha256(b"%d %d" % (a.seed, row)).digest()))
most = max(int(n) for n in a.counts.split(","))
if most + a.validation > len(rows):
    sys.exit(f"leave_out.py: class {a.label} has {len(rows)} training images; {most} and {a.validation} were expected")
images, labels = source["train"]
held_out = rows[len(rows) - a.validation:]
for n in (int(n) for n in a.counts.split(",")):
    write(f"{a.out}-{n}.h5",
          {"train": (images[rows[:n]], labels[rows[:n]]), "validation": (images[held_out], labels[held_out]),
           "test": tuple(x[chosen["test"]] for x in source["test"])}, names)
