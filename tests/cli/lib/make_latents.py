"""A dataset of latents with contexts, as python/latents.py writes them: make_latents.py FILE N H W C M TOKENS CHANNELS [bad].

bad: what is wrong with it: range, lone, table, nan, odd, names.
"""
import sys

import h5py, numpy as np

path, bad = sys.argv[1], (sys.argv[9:] or [""])[0]
n, h, w, c, m, tokens, channels = map(int, sys.argv[2:9])
r = np.random.default_rng(n)
mean, deviation = r.normal(0, 1, (n, h, w, c)), r.uniform(0, 0.2, (n, h, w, c))
latents = np.concatenate([mean, deviation], -1).astype("f4")
contexts, which = r.normal(0, 1, (m, tokens, channels)).astype("f2"), (np.arange(n) % (m - 1) + 1).astype("i4")
if bad == "range":
    which[n // 4 + 3] = m
if bad == "nan":
    contexts[1, 0, 0] = np.nan
if bad == "odd":
    latents = latents[..., :-1]
with h5py.File(path, "w") as f:
    held = n // 4
    for part, rows in (("train", slice(held, n)), ("test", slice(0, held))):
        f[f"{part}/latents"] = latents[rows]
        f[f"{part}/{'labels' if bad == 'table' else 'contexts'}"] = which[rows]
    if bad != "lone":
        f["contexts"] = contexts
    if bad == "names":
        f["names"] = np.array(["a"] * (m - 1), "S8")
