#!/usr/bin/env python3
"""Writes x.npy, y.npy, x_test.npy and y_test.npy: rows of ten numbers in [0, 1), and a value for each row.

The value is Friedman's first function (1991) and normal noise of deviation 1, so that no network can have a root
mean squared error below 1. The last five columns say nothing about it.
"""
import numpy as np

random = np.random.RandomState(1)
for part, rows in (("", 4000), ("_test", 1000)):
    x = random.uniform(size=(rows, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    np.save(f"x{part}.npy", x.astype("f4"))
    np.save(f"y{part}.npy", (y + random.normal(size=rows)).astype("f4"))
