#!/usr/bin/env python3
"""Writes torch.txt: rates and momenta from PyTorch's own schedulers, run step by step or asked for a
step, and from diffusers' cosine formula.

Needs python3-torch (written with 1.13 of Debian 12):  python3 make_torch.py > torch.txt
"""
import json
import math
import warnings

import torch
from torch.optim.lr_scheduler import (CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR, LambdaLR, MultiStepLR,
                                      OneCycleLR)

warnings.filterwarnings("ignore")


def optimizer(lr):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)


def emit(schedule, steps, period, rows):
    config = {"schedule": schedule, "length": {"steps": steps}}
    print("config", json.dumps(config, separators=(",", ":")))
    print("period", period)
    for t, lr, momentum in rows:
        print(t, float.hex(lr), float.hex(momentum))


def walk(o, scheduler, steps, wanted):
    """Takes `steps` steps; the rows of the wanted ones."""
    for t in range(steps):
        if t in wanted:
            yield t, o.param_groups[0]["lr"], o.param_groups[0]["momentum"]
        o.step()
        scheduler.step()


def some(steps, every):
    return set(range(0, steps, every)) | {steps - 1}


def cyclic(policy, mode, up, down, steps, base, top, gamma=1.0, momentum=None):
    o = optimizer(base)
    low, high = momentum or (0.9, 0.9)
    s = CyclicLR(o, base, top, up, down, mode=mode, gamma=gamma, cycle_momentum=momentum is not None,
                 base_momentum=low, max_momentum=high)
    schedule = dict(policy=policy, base_lr=base, max_lr=top, gamma=gamma, stepsize=dict(steps=(up + down) // 2),
                    up_fraction=up / (up + down))
    if momentum:
        schedule["momentum"] = dict(min=low, max=high)
    rows = []
    for t in sorted(some(steps, max(1, steps // 30)) | {up, up + down - 1, up + down, up + down + 1}):
        if t >= steps:
            continue
        s.last_epoch = t  # get_lr() is a function of it, and writes the momentum as a side effect
        rows.append((t, s.get_lr()[0], o.param_groups[0]["momentum"]))
    emit(schedule, steps, up + down, rows)


def one_cycle(steps, top, form, anneal, pct=0.3, div=25.0, final=1e4, momentum=(0.85, 0.95)):
    o = optimizer(top)
    s = OneCycleLR(o, top, total_steps=steps, pct_start=pct, div_factor=div, final_div_factor=final,
                   anneal_strategy={"cosine": "cos", "linear": "linear"}[anneal], three_phase=form == "pytorch3",
                   base_momentum=momentum[0], max_momentum=momentum[1])
    rows = list(walk(o, Bounded(s, steps), steps, some(steps, max(1, steps // 30)) | {steps - 2}))
    emit(dict(policy="one_cycle", max_lr=top, momentum=dict(min=momentum[0], max=momentum[1]),
              one_cycle=dict(form=form, anneal=anneal, pct_start=pct, div_factor=div, final_div_factor=final)),
         steps, steps, rows)


class Bounded:
    """OneCycleLR must not be stepped past its last step."""

    def __init__(self, scheduler, steps):
        self.scheduler, self.left = scheduler, steps - 1

    def step(self):
        self.left -= 1
        if self.left >= 0:
            self.scheduler.step()


def sgdr(t0, t_mult, steps, base, top):
    o = optimizer(top)
    s = CosineAnnealingWarmRestarts(o, t0, t_mult, eta_min=base)
    emit(dict(policy="sgdr", base_lr=base, max_lr=top, t0=dict(steps=t0), t_mult=t_mult), steps, t0,
         list(walk(o, s, steps, some(steps, max(1, steps // 30)) | {t0 - 1, t0, t0 + 1})))


def hf_cosine(decay, warmup, cycles, steps, top):
    """diffusers.optimization.get_cosine_schedule_with_warmup, word for word."""

    def factor(step):
        if step < warmup:
            return float(step) / float(max(1, warmup))
        progress = float(step - warmup) / float(max(1, decay - warmup))
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * float(cycles) * 2.0 * progress)))

    o = optimizer(top)
    emit(dict(policy="hf_cosine", max_lr=top, decay_steps=decay, hf_cycles=cycles), steps, (decay - warmup) / cycles,
         list(walk(o, LambdaLR(o, factor), steps, some(steps, max(1, steps // 30)))))


print("# config: a run; below it the steps of a period, then step, lr and momentum. Made by make_torch.py with",
      torch.__version__)
for policy, mode in (("triangular", "triangular"), ("triangular2", "triangular2"),
                     ("exp_range_amplitude", "exp_range")):
    for momentum in (None, (0.8, 0.9)):
        cyclic(policy, mode, 10, 10, 100, 0.001, 0.006, 0.99, momentum)
        cyclic(policy, mode, 30, 70, 1000, 0.1, 3.0, 0.999, momentum)
        cyclic(policy, mode, 2000, 2000, 70000, 0.001, 0.006, 0.99994, momentum)
for steps in (10, 100, 101, 105, 1000):
    for form in ("pytorch2", "pytorch3"):
        for anneal in ("cosine", "linear"):
            one_cycle(steps, 0.1, form, anneal)
            one_cycle(steps, 3.0, form, anneal, pct=0.45, div=10.0, final=100.0, momentum=(0.8, 0.95))
one_cycle(50, 0.1, "pytorch2", "linear", pct=0.0)
one_cycle(50, 0.1, "pytorch2", "cosine", pct=1.0)
one_cycle(50, 0.1, "pytorch3", "cosine", pct=0.5)
for t0, t_mult, steps in ((10, 1, 95), (10, 2, 700), (10, 3, 1300), (1, 3, 130), (1, 10, 120), (50, 1, 20000)):
    sgdr(t0, t_mult, steps, 0.0, 0.05)
    sgdr(t0, t_mult, steps, 1e-4, 0.1)
o = optimizer(0.1)
s = ExponentialLR(o, 0.999)
s.last_epoch = 0
rows = []
for t in range(0, 5000, 83):
    s.last_epoch = t
    rows.append((t, s._get_closed_form_lr()[0], 0.9))
emit(dict(policy="exp", base_lr=0.1, gamma=0.999), 5000, 5000, rows)
o = optimizer(0.1)
emit(dict(policy="multistep", base_lr=0.1, gamma=0.1, milestones=dict(steps=[60, 80])), 100, 100,
     list(walk(o, MultiStepLR(o, [60, 80]), 100, some(100, 1))))
for decay, steps in ((40, 800), (8, 100), (50, 550), (1000, 1000)):
    hf_cosine(decay, int(decay / 50), 0.5, steps, 1.5e-6)
hf_cosine(1000, 20, 2.5, 1000, 0.1)
