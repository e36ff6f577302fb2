#!/usr/bin/python3
"""Writes the study file of the experiment for one number of pictures:

    arms.py --count 20 --steps 800 --max-lr 1e-4 -o study-20.json

The rates go from 0 to --max-lr, as `gyre find` found it, times --times. A stepsize of 2 or 10 epochs
that is longer than the run is left out, with a line that says so."""
import argparse
import json
import os
import sys

p = argparse.ArgumentParser()
p.add_argument("--base", default="few.json", help="the config: data, weights and optimizer")
p.add_argument("--data", default="data/fashion", help="beginning of the datasets' names, as leave_out.py has it")
p.add_argument("--count", type=int, required=True, help="pictures that are trained on")
p.add_argument("--steps", type=int, required=True)
p.add_argument("--max-lr", type=float, required=True, help="upper bound of the range")
p.add_argument("--times", type=float, default=1, help="the upper bound is multiplied by this")
p.add_argument("--batch", type=int, default=4)
p.add_argument("--seeds", type=int, default=6)
p.add_argument("--samples", type=int, default=64)
p.add_argument("--features", help="a classifier's checkpoint or run")
p.add_argument("-o", dest="out", required=True)
a = p.parse_args()
if os.path.exists(a.out):
    sys.exit(f"arms.py: {a.out} is there already; remove it, or give another -o")

top = a.max_lr * a.times
epoch = a.count // a.batch
arms = []


def arm(name, **schedule):
    schedule = {"policy": "triangular", "base_lr": 0, "max_lr": top, "shape": "cosine", "cycles": None, **schedule}
    arms.append({"name": name, "set": {"schedule": schedule}})


for epochs in 10, 2:
    stepsize = epochs * epoch
    if stepsize >= a.steps:
        print(f"x{epochs}: a stepsize of {epochs} epochs is {stepsize} steps and does not fit into {a.steps}")
        continue
    for start in "high", "low":
        arm(f"x{epochs}-{start}", start=start, stepsize={"steps": stepsize})
# 5.5 cycles of the whole run end low where they start high; from the minimum they end at the peak
for start in "high", "low":
    arm(f"5.5-{start}", start=start, cycles=5.5)
# 3, 2 and 1.5 cycles at the whole, a half and a quarter of the range
ends = [round(a.steps * cycles / 6.5) for cycles in (3, 5, 6.5)]
lengths = [end - begin for begin, end in zip([0] + ends, ends)]
for start in "high", "low":
    stages = [{"length": {"steps": n}, "cycles": cycles, "max_lr": top * part}
              for n, cycles, part in zip(lengths, (3, 2, 1.5), (1, 0.5, 0.25))]
    arm(f"staged-{start}", start=start, stages=stages)
# as the trainer really ran its 5.5 cycles: the warm-up is taken from the period
decay = round(a.steps / 11)
arm("hf-cosine", policy="hf_cosine", shape=None, decay_steps=decay, warmup={"steps": max(1, decay // 50)})

common = {"data.path": f"{a.data}-{a.count}.h5", "batch.size": a.batch, "length": {"steps": a.steps},
          "sample.every": {"steps": a.steps}}
with open(a.base) as f:
    lines = [line for line in f if not line.lstrip().startswith("//")]
base = json.loads("".join(lines))
for key, value in common.items():
    *path, last = key.split(".")
    place = base
    for k in path:
        place = place[k]
    place[last] = value
base["schedule"]["max_lr"] = top
study = {"name": os.path.splitext(os.path.basename(a.out))[0], "base": base, "seeds": a.seeds, "arms": arms,
         "evaluations": 10, "planned": {"arm": "5.5-high", "control": "midpoint"}, "samples": a.samples}
if a.features:
    study["features"] = a.features
with open(a.out, "x") as f:
    json.dump(study, f, indent=1)
    f.write("\n")
