#!/usr/bin/env python3
"""Writes x.npy, y.npy, x_test.npy and y_test.npy: grey pictures of 32 x 32 pixels, and a class for each pixel.

A picture has a bright square (class 1) and a dark disc (class 2) on a grey ground (class 0), under noise as strong as
their contrast: a pixel's own value does not tell its class, but its surroundings do.
"""
import numpy as np

SIDE = 32
random = np.random.RandomState(1)
row, column = np.mgrid[:SIDE, :SIDE]
for part, count in (("", 512), ("_test", 128)):
    x, y = np.zeros((count, SIDE, SIDE), "u1"), np.zeros((count, SIDE, SIDE), "i4")
    for picture, classes in zip(x, y):
        for kind in (1, 2):
            size, (top, left) = random.randint(5, 9), random.randint(8, SIDE - 8, 2)
            down, across = abs(row - top), abs(column - left)
            classes[(np.maximum(down, across) if kind == 1 else np.hypot(down, across)) <= size] = kind
        picture[:] = np.clip(np.array([128, 168, 88])[classes] + 40 * random.normal(size=(SIDE, SIDE)), 0, 255)
    np.save(f"x{part}.npy", x)
    np.save(f"y{part}.npy", y)
