"""Reads the PNG files that `gyre sample` writes, and finds pictures in them."""
import struct
import zlib

import numpy as np


def read_png(name):
    data, at, idat, size = open(name, "rb").read(), 8, b"", None
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            size = struct.unpack(">IIBB", body[:10])
        idat += body if kind == b"IDAT" else b""
        at += 12 + length
    w, h, depth, color = size
    assert (depth, color) == (8, 2)
    raw, out = np.frombuffer(zlib.decompress(idat), "u1").reshape(h, 1 + 3 * w), np.zeros((h + 1, 3 * w + 3), int)
    for y in range(h):
        kind, line = raw[y, 0], raw[y, 1:].astype(int)
        for x in range(3 * w):  # PNG's filters
            a, b, c = out[y + 1, x], out[y, x + 3], out[y, x]
            p = a + b - c
            near = min(((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c)))[2]
            out[y + 1, x + 3] = (line[x] + [0, a, b, (a + b) // 2, near][kind]) & 255
    return out[1:, 3:].reshape(h, w, 3)


def find(picture, rows, zoom=12):
    """{(row, k)} of the images rows[row][k] that are in the picture, enlarged."""
    found, side = set(), rows[0].shape[1] * zoom
    for y in range(picture.shape[0] - side):
        for x in range(picture.shape[1] - side):
            if picture[y, x].sum() == 765:
                continue
            cell = picture[y:y + side:zoom, x:x + side:zoom]
            found |= {(row, k) for row, images in enumerate(rows) for k, image in enumerate(images)
                      if np.array_equal(cell, image)}
    return found
