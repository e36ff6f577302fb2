"""make_arrays.py FOLDER: small .npy files of every kind of target, without numpy."""
import os, random, struct, sys

folder = sys.argv[1]
random.seed(1)


def save(name, descr, shape, values, code):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, "".join("%d, " % d for d in shape))
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(os.path.join(folder, name), "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack("<%d%s" % (len(values), code), *values))


N, C = 96, 6
weights = [random.gauss(0, 1) for _ in range(C)]
rows = [[random.gauss(3, 2) for _ in range(C)] for _ in range(N)]
sums = [sum(a * b for a, b in zip(row, weights)) for row in rows]
flat = [x for row in rows for x in row]
save("table.npy", "<f8", (N, C), flat, "d")
save("table_f4.npy", "<f4", (N, C), flat, "f")
save("table_f2.npy", "<f2", (N, C), flat, "e")
save("values.npy", "<f4", (N,), sums, "f")
save("classes.npy", "<i8", (N,), [int(x > 0) for x in sums], "q")
save("labels.npy", "|u1", (N, 2), [int(x > limit) for x in sums for limit in (0, 3)], "B")
save("short.npy", "<f4", (N - 1,), sums[1:], "f")
save("nan.npy", "<f4", (N,), sums[1:] + [float("nan")], "f")
save("big_endian.npy", ">f4", (N,), sums, "f")
save("huge.npy", "<u8", (N,), [(1 << 64) - 2] * N, "Q")
save("large.npy", "<i8", (N,), [1 << 40] * N, "q")

SIDE = 8
pixels = [random.randrange(60000) for _ in range(N * SIDE * SIDE)]
save("scans.npy", "<u2", (N, SIDE, SIDE), pixels, "H")
save("masks.npy", "<i4", (N, SIDE, SIDE), [-1 if x < 100 else x // 20000 for x in pixels], "i")
nan = flat[:]
nan[95 * C + 2] = float("nan")
save("nan_table.npy", "<f4", (N, C), nan, "f")
nan[95 * C + 2] = 1e300
save("great_table.npy", "<f8", (N, C), nan, "d")
save("voc.npy", "|u1", (N, SIDE, SIDE), [255 if x < 100 else x // 20000 for x in pixels], "B")
save("column.npy", "<i8", (N, 1), [int(x > 0) for x in sums], "q")
save("signs.npy", "<i4", (N, 2), [1 if x > limit else -1 for x in sums for limit in (0, 3)], "i")
