#!/usr/bin/env python3
"""Small gray pictures, FOLDER/0.png to 255.png, of which no two are the same."""
import os, struct, sys, zlib

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

SIDE = 8
os.makedirs(sys.argv[1])
for k in range(256):
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    rows = SIDE * (b"\0" + SIDE * bytes([k]))
    with open(f"{sys.argv[1]}/{k}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
