#!/usr/bin/env python3
"""Writes reference.txt: quantiles, intervals and permutation tests as SciPy computes them.

    pip install scipy
    python3 make_reference.py > reference.txt
"""
import random

import numpy as np
from scipy import stats

random.seed(1)

for degrees in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 19, 30, 99, 200, 999):
    for p in (0.005, 0.1, 0.5, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9995):
        print("quantile", degrees, p, float(stats.t.ppf(p, degrees)).hex())

for count in (2, 3, 5, 6, 10, 21):
    x = np.array([round(random.gauss(0.3, 1), 3) for _ in range(count)])
    low, high = stats.t.interval(0.95, count - 1, loc=x.mean(), scale=stats.sem(x))
    print("summary", count, *x, *(float(v).hex() for v in (x.mean(), x.std(ddof=1), low, high)))

for count in (2, 3, 4, 5, 6, 8, 11):
    for digits in (0, 3):  # whole numbers: many ties
        d = np.array([round(random.gauss(0.7, 1), digits) for _ in range(count)])
        p = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf,
                                   alternative="two-sided").pvalue
        # SciPy doubles the smaller side; where the sum found is 0 that is more than the whole.
        print("flip", count, *d, float(min(1.0, p)).hex())
