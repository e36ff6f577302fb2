#!/usr/bin/env python3
"""Makes a run folder with the tables of a run that never was: DIR ROWS CYCLES KIND.
KIND: "whole", "plain" (no evaluation) or "nan" (not finite from two thirds on)."""
import json, math, os, sys
import h5py, numpy as np

folder, rows, cycles, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.makedirs(folder, exist_ok=True)
schedule = {"policy": "triangular2", "base_lr": 0.01, "max_lr": 0.1, "cycles": cycles}
if cycles == 0:
    schedule = {"policy": "constant", "base_lr": 0.01}
with open(os.path.join(folder, "config.json"), "w") as f:
    json.dump({"data": {"path": "images.h5", "validation": "none" if kind == "plain" else "test"},
               "model": {"name": "mlp"}, "batch": {"size": 8}, "schedule": schedule,
               "length": {"steps": rows}}, f)

def table(names, whole):
    return np.dtype([(n, "<i8" if n in whole else "<f8") for n in names.split()])

train = np.zeros(rows, table("step epoch cycle lr momentum loss grad_norm samples_per_s seconds",
                             ("step", "epoch", "cycle")))
validation_type = table("step epoch cycle loss accuracy seconds", ("step", "epoch", "cycle"))
cycle_type = table("cycle end_step lr loss accuracy", ("cycle", "end_step"))
t = np.arange(rows)
train["step"], train["epoch"], train["lr"], train["momentum"] = t, 10 * t // rows, 0.01, 0.9
train["loss"] = 0.2 + 2 * np.exp(-5 * t / rows) * (1 + 0.2 * np.sin(37.0 * t))
if kind == "nan":
    train["loss"][rows * 2 // 3:] = np.nan
ends = [] if kind == "plain" else [(i + 1) * rows // max(cycles, 1) for i in range(max(cycles, 1))]
validation = np.array([(e, 0, i, 1 / e, 1 - 1 / (e + 2), 0) for i, e in enumerate(ends)], validation_type)
ended = np.array([(i, e, 0.01, 1 / e, math.nan if kind == "nan" else 1 - 1 / (e + 2))
                  for i, e in enumerate(ends)][:cycles], cycle_type)
with h5py.File(os.path.join(folder, "metrics.h5"), "w") as f:
    for name, data in (("train", train), ("validation", validation), ("cycles", ended)):
        f.create_dataset(name, data=data, maxshape=(None,), chunks=(1024,))
