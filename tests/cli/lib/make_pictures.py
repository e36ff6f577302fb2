#!/usr/bin/env python3
"""make_pictures.py FOLDER: small gray pictures, FOLDER/0.png to 255.png, of which no two are the same.
make_pictures.py FOLDER DATASET: the training pictures of a dataset, as FOLDER/CLASS/ROW.png."""
import os, struct, sys, zlib


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write(path, width, height, rgb, pixels):
    """pixels: bytes, row by row."""
    row = width * (3 if rgb else 1)
    rows = b"".join(b"\0" + pixels[k:k + row] for k in range(0, height * row, row))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if rgb else 0, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def gray(folder, side=8):
    os.makedirs(folder)
    for k in range(256):
        write(f"{folder}/{k}.png", side, side, False, side * side * bytes([k]))


def of_dataset(folder, path):
    import h5py
    with h5py.File(path) as f:
        images, labels = f["train/images"][:], f["train/labels"][:]
    for k, (image, label) in enumerate(zip(images, labels)):
        os.makedirs(f"{folder}/{label}", exist_ok=True)
        write(f"{folder}/{label}/{k}.png", image.shape[1], image.shape[0], image.shape[2] == 3, image.tobytes())


gray(sys.argv[1]) if len(sys.argv) == 2 else of_dataset(*sys.argv[1:])
