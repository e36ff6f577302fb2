#!/usr/bin/env python3
"""Writes reference.txt: lr(t) of all policies to 50 digits, rounded to the nearest double.

Follows the formulas of docs/schedules.md in rational and 50-digit arithmetic and shares nothing with
src/schedule. Needs python3-mpmath:  python3 make_reference.py > reference.txt
"""
import json
from fractions import Fraction
from math import floor

from mpmath import cos, mp, mpf, pi, sqrt

mp.dps = 50
DEFAULTS = dict(base_lr=0.0, max_lr=0.0, gamma=1.0, shape="linear", start="low", up_fraction=0.5, t_mult=1,
                closed=False, hf_cycles=0.5)
ONE_CYCLE = dict(form="pytorch2", pct_start=0.3, div_factor=25.0, final_div_factor=10000.0, anneal="cosine")


def real(x):
    """A double or a fraction as a number of 50 digits."""
    x = Fraction(x)
    return mpf(x.numerator) / mpf(x.denominator)


def rounded(x):
    return floor(Fraction(x) + Fraction(1, 2))


def window(shape, a):
    a = real(a)
    return {"linear": a, "cosine": (1 - cos(pi * a)) / 2, "welch": a * (2 - a),
            "sqrt": 1 - sqrt(1 - a)}[shape]


def extremes(s, n):
    """b_0 .. b_H of fitted cycles."""
    halves = int(2 * s["cycles"])
    assert halves == 2 * s["cycles"]
    high = s["start"] == "high"
    if s.get("end") == "low" and (halves % 2 == 1) != high:
        halves += 1
    rise = Fraction(rounded(10**6 * Fraction(s["up_fraction"])), 10**6)
    way = [Fraction(0)]
    for j in range(halves):
        way.append(way[-1] + (rise if (j % 2 == 0) != high else 1 - rise))
    return [rounded(w * (n - 1) / way[-1]) for w in way]


def triangle(s, u, n):
    """(a, k): height between minimum and peak, index of the peak."""
    high = s["start"] == "high"
    if "cycles" in s:
        b = extremes(s, n)
        j = next(j for j in range(len(b) - 1) if u <= b[j + 1])
        a = Fraction(u - b[j], b[j + 1] - b[j])
        return (a if (j % 2 == 0) != high else 1 - a), (j + 1) // 2 if high else j // 2
    period = 2 * s["stepsize"]["steps"]
    up = min(max(rounded(period * Fraction(s["up_fraction"])), 1), period - 1)
    v = u + (up if high else 0)
    r = v % period
    return (Fraction(r, up) if r <= up else Fraction(period - r, period - up)), v // period


def cyclic(s, u, n):
    a, k = triangle(s, u, n)
    base, top = real(s["base_lr"]), real(s["max_lr"])
    decay = s.get("peak_decay", 0.5 if s["policy"] == "triangular2" else 1.0)
    rise = real(decay)**k * window(s["shape"], a)
    shrink = real(s["gamma"])**u
    if s["policy"] == "exp_range":
        return shrink * (base + (top - base) * rise)
    if s["policy"] == "exp_range_amplitude":
        return base + (top - base) * rise * shrink
    return base + (top - base) * rise


def sgdr(s, u, n):
    first, period = 0, s["t0"]["steps"]
    while u >= first + period:
        first, period = first + period, period * s["t_mult"]
    whole = period - 1 if s["closed"] else period
    a = Fraction(u - first, whole) if whole else Fraction(0)
    base, top = real(s["base_lr"]), real(s["max_lr"])
    return base + (top - base) * (1 + cos(pi * real(a))) / 2


def one_cycle(s, u, n):
    c = {**ONE_CYCLE, **s.get("one_cycle", {})}
    top = real(s["max_lr"])
    first = top / real(c["div_factor"])
    least = first / real(c["final_div_factor"])
    share = Fraction(c["pct_start"])
    if c["form"] == "pytorch2":
        phases = [(share * n - 1, first, top), (Fraction(n - 1), top, least)]
    elif c["form"] == "pytorch3":
        phases = [(share * n - 1, first, top), (2 * share * n - 2, top, first), (Fraction(n - 1), first, least)]
    else:
        rise = rounded(share * (n - 1))
        phases = [(Fraction(rise), first, top), (Fraction(2 * rise), top, first), (Fraction(n - 1), first, least)]
    begin = Fraction(0)
    for end, a, b in phases:
        if u <= end or end == phases[-1][0]:
            p = (u - begin) / (end - begin)
            w = window("cosine" if c["anneal"] == "cosine" else "linear", p)
            return a + (b - a) * w
        begin = end


def hf_cosine(s, u, n, warmup):
    width = max(1, s["decay_steps"] - warmup)
    p = Fraction(s["hf_cycles"]) * u / width
    base, top = real(s["base_lr"]), real(s["max_lr"])
    return base + (top - base) * (1 + cos(2 * pi * real(p))) / 2


def wsd(s, u, n):
    base, top = real(s["base_lr"]), real(s["max_lr"])
    left = min(n - 1 - u, s["decay_steps"])
    return base + (top - base) * window(s["shape"], Fraction(left, s["decay_steps"]))


def rate(s, t, steps):
    warmup = s.get("warmup", {}).get("steps", 0)
    u, n = t - warmup, steps - warmup
    if u < 0:
        start = real(s["warmup"].get("from", 0.0))
        return start + (rate(s, warmup, steps) - start) * t / warmup
    policy = s["policy"]
    if policy == "constant":
        return real(s["base_lr"])
    if policy == "linear":
        return real(s["max_lr"]) + (real(s["base_lr"]) - real(s["max_lr"])) * u / (n - 1)
    if policy == "wsd":
        return wsd(s, u, n)
    if policy == "exp":
        return real(s["base_lr"]) * real(s["gamma"])**u
    if policy == "multistep":
        return real(s["base_lr"]) * real(s["gamma"])**sum(m <= t for m in s["milestones"]["steps"])
    if policy == "sgdr":
        return sgdr(s, u, n)
    if policy == "one_cycle":
        return one_cycle(s, u, n)
    if policy == "hf_cosine":
        return hf_cosine(s, u, n, warmup)
    return cyclic(s, u, n)


def cases():
    both = dict(base_lr=0.001, max_lr=0.006)
    for policy in ("triangular", "triangular2", "exp_range", "exp_range_amplitude"):
        for shape in ("linear", "cosine", "welch"):
            yield dict(policy=policy, shape=shape, gamma=0.99994, stepsize=dict(steps=2000), **both), 70000
            yield dict(policy=policy, shape=shape, gamma=0.999, cycles=5.5, start="high", max_lr=0.3), 1234
    yield dict(policy="exp_range", gamma=0.999995, stepsize=dict(steps=30000), base_lr=0.006, max_lr=0.014), 460000
    yield dict(policy="exp_range_amplitude", gamma=0.99998, stepsize=dict(steps=30000), max_lr=0.026), 460000
    yield dict(policy="triangular", shape="cosine", up_fraction=0.1, cycles=7, end="low", **both), 911
    yield dict(policy="triangular", shape="welch", up_fraction=0.875, stepsize=dict(steps=7), peak_decay=0.9,
               start="high", **both), 300
    yield dict(policy="triangular", cycles=100, up_fraction=0.3, warmup={"steps": 100, "from": 1e-5}, **both), 25000
    yield dict(policy="triangular", cycles=12.5, end="low", base_lr=1e-7, max_lr=3.0), 9007199254740
    yield dict(policy="triangular2", shape="cosine", stepsize=dict(steps=1000003), base_lr=0.1, max_lr=3.0,
               warmup={"steps": 17, "from": 5.0}), 10**9
    yield dict(policy="constant", base_lr=0.05, warmup=dict(steps=30)), 100
    yield dict(policy="linear", max_lr=0.1), 781
    yield dict(policy="linear", warmup=dict(steps=50), **both), 1000
    yield dict(policy="wsd", decay_steps=200, warmup=dict(steps=50), **both), 1000
    yield dict(policy="wsd", decay_steps=781, max_lr=0.1), 781
    for shape in ("cosine", "welch", "sqrt"):
        yield dict(policy="wsd", shape=shape, decay_steps=300, **both), 1000
    yield dict(policy="triangular", shape="sqrt", cycles=5.5, start="high", max_lr=0.3), 1234
    yield dict(policy="exp", base_lr=0.1, gamma=0.99994), 70000
    yield dict(policy="multistep", base_lr=0.35, gamma=0.1, milestones=dict(steps=[50000, 70000]),
               warmup=dict(steps=400)), 80000
    yield dict(policy="sgdr", t0=dict(steps=10), t_mult=2, max_lr=0.05), 700
    yield dict(policy="sgdr", t0=dict(steps=390), base_lr=1e-5, max_lr=0.1, closed=True), 3900
    yield dict(policy="sgdr", t0=dict(steps=1), t_mult=3, max_lr=0.1, closed=True, warmup=dict(steps=9)), 400
    for form in ("pytorch2", "pytorch3", "paper"):
        for anneal in ("cosine", "linear"):
            yield dict(policy="one_cycle", max_lr=0.1, one_cycle=dict(form=form, anneal=anneal)), 1000
            yield dict(policy="one_cycle", max_lr=3.0, warmup=dict(steps=5),
                       one_cycle=dict(form=form, anneal=anneal, pct_start=0.23, div_factor=10.0)), 105
    yield dict(policy="one_cycle", max_lr=0.1, one_cycle=dict(form="pytorch3", anneal="linear")), 1000003
    yield dict(policy="one_cycle", max_lr=0.1, one_cycle=dict(form="pytorch3", anneal="linear", pct_start=0.43)), 77777
    yield dict(policy="triangular", shape="cosine", stepsize=dict(steps=5000), max_lr=1.0), 10000
    yield dict(policy="hf_cosine", max_lr=1.5e-6, decay_steps=50, warmup=dict(steps=1)), 550
    yield dict(policy="hf_cosine", decay_steps=1000, hf_cycles=0.7, warmup=dict(steps=20), **both), 10000


def interesting(s, steps):
    """Ends of the run, some steps spread over it, and what lies around the extremes."""
    found = {0, 1, 2, steps - 2, steps - 1, s.get("warmup", {}).get("steps", 0)}
    found |= {steps * i // 23 + i % 3 for i in range(23)}
    if "stepsize" in s:
        for j in (1, 2, 3, 10, 11):
            found |= {s["stepsize"]["steps"] * j + d for d in (-1, 0, 1)}
    warmup = s.get("warmup", {}).get("steps", 0)
    if s["policy"] == "wsd":
        found |= {steps - s["decay_steps"] + d for d in (-2, -1, 0, 1, 2)}
    if s["policy"] == "one_cycle":
        share = {**ONE_CYCLE, **s.get("one_cycle", {})}["pct_start"] * (steps - warmup)
        found |= {warmup + int(at) + d for at in (share, 2 * share) for d in range(-4, 4)}
    if "cycles" in s:
        b = extremes(s, steps - warmup)
        for at in b[1:4] + b[-3:-1]:
            found |= {warmup + at + d for d in (-1, 0, 1)}
    return sorted(t for t in found if 0 <= t < steps)


print("# config: a run; below it, step and lr of that step. Made by make_reference.py.")
for given, steps in cases():
    config = {"schedule": given, "length": {"steps": steps}}
    print("config", json.dumps(config, separators=(",", ":")))
    for t in interesting({**DEFAULTS, **given}, steps):
        print(t, float.hex(float(rate({**DEFAULTS, **given}, t, steps))))
