#!/usr/bin/env python3
"""Makes the folder of a study that never was: DIR [--seeds N] [--groups A,B] [--state ARM:SEED=STATE]...
[--no-plan] [--no-controls] [--arms NAMES] [--effect POINTS].
Arms are 1, 5 and 20 cycles and the three controls; 5 cycles are better by `effect` points."""
import argparse, json, math, os
import h5py, numpy as np

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--seeds", type=int, default=6)
p.add_argument("--groups", default="")
p.add_argument("--state", action="append", default=[])
p.add_argument("--no-plan", action="store_true")
p.add_argument("--no-controls", action="store_true")
p.add_argument("--arms", default="1-cycle,5-cycles,20-cycles")
p.add_argument("--effect", type=float, default=1.0)
p.add_argument("--name", default="cycles")
p.add_argument("--seconds", type=float, default=12.5)
a = p.parse_args()

STEPS, EVERY, BATCH = 400, 20, 8
base = [(n, False) for n in a.arms.split(",")]
controls = [] if a.no_controls else [(n, True) for n in ("midpoint", "max_lr", "linear")]
groups = a.groups.split(",")
states = dict(s.split("=") for s in a.state)

def table(names, whole):
    return np.dtype([(n, "<i8" if n in whole else "<f8") for n in names.split()])

TRAIN = table("step epoch cycle lr momentum loss grad_norm samples_per_s seconds", ("step", "epoch", "cycle"))
VALID = table("step epoch cycle loss accuracy seconds", ("step", "epoch", "cycle"))
CYCLE = table("cycle end_step lr loss accuracy", ("cycle", "end_step"))

def schedule_of(name):
    if name == "midpoint":
        return {"policy": "constant", "base_lr": 0.055}, 0
    if name == "max_lr":
        return {"policy": "constant", "base_lr": 0.1}, 0
    if name == "linear":
        return {"policy": "linear", "max_lr": 0.1}, 0
    cycles = int(name.split("-")[0])
    return {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": cycles}, cycles

def make_cell(folder, arm, control, seed, size, state):
    os.makedirs(folder)
    schedule, cycles = schedule_of(arm)
    json.dump({"seed": seed, "data": {"path": "images.h5", "validation": {"split": 0.1}}, "model": {"name": "mlp"},
               "batch": {"size": BATCH}, "schedule": schedule, "length": {"steps": STEPS}},
              open(os.path.join(folder, "config.json"), "w"))
    rng = np.random.default_rng([seed, cycles, int(control), size, len(arm)])
    shared = np.random.default_rng([seed, size])
    done = STEPS if state in ("done", "nan") else STEPS // 2
    final = 80 + 3 * size + shared.normal() + (0 if control else a.effect * (arm == "5-cycles")) + rng.normal() * 0.2
    ends = [STEPS * (i + 1) // cycles for i in range(cycles)]
    steps = sorted(set(range(EVERY, done + 1, EVERY)) | {e for e in ends if e <= done})
    rows = []
    for s in steps:
        share = 1 - math.exp(-5 * s / STEPS)
        dip = 0 if s in ends or not cycles else rng.uniform(0, 3) * (1 - s / STEPS)
        rows.append((s, 0, 0, 2.3 - 1.7 * share + 0.02 * dip, (10 + (final - 10) * share - dip) / 100, 0))
    validation = np.array(rows, VALID)
    if rows and done == STEPS:
        validation["accuracy"][-1] = math.nan if state == "nan" else final / 100
    t = np.arange(done)
    train = np.zeros(done, TRAIN)
    train["step"], train["lr"], train["momentum"], train["seconds"] = t, 0.05, 0.9, a.seconds * (t + 1) / STEPS
    train["loss"] = 0.3 + 2 * np.exp(-5 * t / STEPS) + rng.normal(size=done) * 0.05
    if state == "diverged":
        train["loss"][-1] = math.nan
    at = {int(r["step"]): r for r in validation}
    minima = np.array([(i, e, 0.01, at[e]["loss"], at[e]["accuracy"]) for i, e in enumerate(ends) if e in at], CYCLE)
    with h5py.File(os.path.join(folder, "metrics.h5"), "w") as f:
        for name, data in (("train", train), ("validation", validation), ("cycles", minima)):
            f.create_dataset(name, data=data, maxshape=(None,), chunks=(1024,))
    if state == "interrupted":
        return
    number = lambda x: None if x != x else float(x)
    last = validation[-1]
    result = {"arm": os.path.basename(os.path.dirname(folder)), "seed": seed, "state": "done" if state == "nan" else state, "steps": done,
              "loss": None, "accuracy": None, "best_accuracy": None, "test_loss": None, "test_accuracy": None,
              "seconds": a.seconds, "hash": f"{seed * 7919 + cycles:016x}",
              "message": {"diverged": "the loss was not finite", "failed": "disk full <of \"logs\">"}.get(state, "")}
    if state in ("done", "nan"):
        result.update(loss=float(last["loss"]), accuracy=number(last["accuracy"]),
                      best_accuracy=number(np.nanmax(validation["accuracy"])))
        if state == "done":
            result.update(test_loss=0.7, test_accuracy=final / 100 - 0.01)
    json.dump(result, open(os.path.join(folder, "result.json"), "w"))

arms = []
for g, group in enumerate(groups):
    for name, control in base + controls:
        full = name if len(groups) == 1 else f"{name}-{group.replace(' ', '-')}"
        sentence = f"schedule.cycles {name.split('-')[0]}" if not control else f"control {name}"
        arms.append({"name": full, "sentence": sentence, "control": control, "group": g, "data_hash": "0" * 16, "config": {}})
        for seed in range(1, a.seeds + 1):
            state = states.get(f"{full}:{seed}", states.get(f"*:{seed}", states.get(f"{full}:*", states.get("*:*", "done"))))
            if state != "missing":
                make_cell(os.path.join(a.folder, "cells", full, f"seed-{seed}"), name, control, seed, g, state)
os.makedirs(a.folder, exist_ok=True)
names = [x["name"] for x in arms]
per = len(base) + len(controls)
plan = (-1, -1) if a.no_plan or a.no_controls else ((len(groups) - 1) * per + min(1, len(base) - 1), (len(groups) - 1) * per + len(base))
json.dump({"format": 1, "name": a.name, "seeds": list(range(1, a.seeds + 1)), "groups": groups, "budget_steps": STEPS,
           "evaluate_steps": EVERY, "validation_split": 0.1, "planned_arm": plan[0], "planned_control": plan[1], "arms": arms},
          open(os.path.join(a.folder, "study.json"), "w"))
