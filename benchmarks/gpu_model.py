#!/usr/bin/env python3
"""Predicts images per second on GPUs from counts.

    benchmarks/gpu_model.py [--check | --rate DEVICE COUNTS MATH IMAGES]

No GPU has run gyre yet, so nothing here is measured but what CONSTANTS and DEVICES cite. The counts of
gyre's steps are those of the fakes (gpu_counts.py); PyTorch's ResNet-50 is counted below, layer by
layer. One set of constants serves both. It must reproduce the rates that NVIDIA published for PyTorch
within 15 %; --check says so by its exit code, and that the tables of docs/gpu.md are these.

A kernel takes `start`, and then the longer one of its bytes at the memory's rate and its products at
the rate of the tensor cores. Branches of a step share the GPU: each kernel takes the part of it that
its blocks fill. Collectives run beside, as in the recorded step, and take no part of the GPU.
What is left out: the host, the input, power limits, and how long an engine of cuDNN really takes.
"""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gpu_counts

# Peaks (dense), memory and multiprocessors: NVIDIA's data sheets of A100 80GB SXM, H100 SXM, H200 SXM.
# nvlink: what a ring of 8 carries per GPU: A100 NVIDIA/nccl #1048 (232), H100 NVIDIA/nccl-tests #212 (370).
# nic: per GPU, one NIC each: HDR 24 GB/s (NVIDIA/nccl #1048), NDR 46 GB/s (NVIDIA/nccl-tests #290).
DEVICES = {
    "A100": {"bf16": 312e12, "tf32": 156e12, "f32": 19.5e12, "memory": 2.039e12, "sms": 108,
             "nvlink": 232e9, "nic": 24e9},
    "H100": {"bf16": 989e12, "tf32": 494.5e12, "f32": 66.9e12, "memory": 3.35e12, "sms": 132,
             "nvlink": 370e9, "nic": 46e9},
    "H200": {"bf16": 989e12, "tf32": 494.5e12, "f32": 66.9e12, "memory": 4.8e12, "sms": 132,
             "nvlink": 370e9, "nic": 46e9},
}
# name: value, where from
CONSTANTS = {
    "memory": (0.92, "part of the memory's peak that a stream of bytes reaches: triad 3,089 of 3,350 GB/s, H100"),
    "matmul": (0.80, "part of the peak that the best matrix product reaches: 794.5 of 989, H100 (stas00/ml-engineering)"),
    "conv": (0.45, "of that the part that a convolution of many blocks reaches: fitted to the two published rates"),
    "f32": (0.75, "part of the peak without tensor cores that a convolution reaches: assumed"),
    "start": (2.5e-6, "s from one kernel's end to the next one's work: 0.5 between kernels of a graph "
                      "(NVIDIA, Getting Started with CUDA Graphs), 2 for a kernel to begin and end: assumed"),
    "call": (20e-6, "s for a small collective inside a node: assumed"),
    "hop": (13e-6, "s more for each doubling of nodes: 46 us for 2 nodes (NVIDIA/nccl #1244) less two calls: assumed to grow so"),
    "message": (1.7e-6, "s for each peer of an all-to-all: assumed"),
}
TILES = ((256, 128, 1.0), (128, 128, 1.0), (128, 64, 0.8), (64, 64, 0.6))  # rows, columns, part of the rate: assumed
NODE = 8  # GPUs


def c(name):
    return CONSTANTS[name][0]


# ---- kernels

def conv(device, math, kind, x, w, y):
    """Seconds and the part of the GPU; x, y: n c h w; w: k c r s."""
    products = y[0] * y[1] * y[2] * y[3] * w[1] * w[2] * w[3]
    rows, columns = {"conv": (y[0] * y[2] * y[3], w[0]), "conv_dx": (x[0] * x[2] * x[3], x[1]),
                     "conv_dw": (w[0], w[1] * w[2] * w[3])}[kind]
    depth = products / (rows * columns)
    rate = device[math] * (c("f32") if math == "f32" else c("matmul") * c("conv"))
    best = None
    for tall, wide, part in TILES:
        tiles = -(-rows // tall) * -(-columns // wide)
        if kind == "conv_dw":  # its sum, over all positions, is split over blocks
            waves, share = tiles / device["sms"], 1.0
        else:
            waves, share = -(-tiles // device["sms"]), min(1.0, tiles / device["sms"])
        seconds = waves * device["sms"] * 2 * tall * wide * depth / (rate * part)
        if best is None or seconds < best[0]:
            best = (seconds, share)
    return best


def kernel(device, math, row, n):
    """Seconds beside `start`, and the part of the GPU."""
    seconds = row["bytes"](n) / (device["memory"] * c("memory"))
    share = 1.0
    if row["conv"] is not None:
        kind, *shapes = row["conv"]
        shapes = [[n if v == "N" else v for v in s] for s in shapes]
        if math == "bf16" and row["f32"]:  # operands widened to f32, in TF32
            math = "tf32"
        compute, part = conv(device, math, kind, *shapes)
        if compute > seconds:
            seconds, share = compute, part
    return seconds, share


# ---- the step as a graph

def read_rows(name):
    rows = []
    for line in gpu_counts.read(name):
        stream, kind, what, read, written, read_n, written_n, _, detail = line.split("\t")
        fixed, per = int(read) + int(written), int(read_n) + int(written_n)
        row = {"stream": stream, "kind": kind, "name": what, "conv": None, "sent": int(read),
               "bytes": lambda n, fixed=fixed, per=per: fixed + per * n}
        if detail.startswith("conv"):
            parts = detail.split(",")
            shapes = [p.split()[(i == 0):] for i, p in enumerate(parts[:3])]
            shapes = [[v if v == "N" else int(v) for v in s] for s in shapes]
            kind = parts[0].split()[0]
            order = {"conv": (0, 1, 2), "conv_dx": (2, 1, 0), "conv_dw": (0, 2, 1)}[kind]
            row["conv"] = (kind, *(shapes[i] for i in order))
            row["f32"] = "bf16" not in parts[3]
        rows.append(row)
    return rows


def simulate(rows, cost):
    """Seconds of a step. cost(row) gives seconds of start, seconds of work and part of the GPU; streams
    run side by side and share the GPU."""
    queues, records, now = {}, set(), 0.0
    for row in rows:
        queues.setdefault(row["stream"], []).append(row)
    waits = {s: None for s in queues}  # [start left, work left, share] under way
    place = {s: 0 for s in queues}
    while True:
        moved = True
        while moved:  # everything that takes no time
            moved = False
            for s, queue in queues.items():
                while waits[s] is None and place[s] < len(queue):
                    row = queue[place[s]]
                    if row["kind"] == "wait" and row["name"] not in records:
                        break
                    place[s] += 1
                    moved = True
                    if row["kind"] == "record":
                        records.add(row["name"])
                    elif row["kind"] not in ("wait", "host"):
                        waits[s] = list(cost(row))
        active = [w for w in waits.values() if w is not None]
        if not active:
            if any(place[s] < len(q) for s, q in queues.items()):
                sys.exit("the graph waits for itself")
            return now
        load = sum(w[2] for w in active if w[0] <= 0)
        speed = min(1.0, 1.0 / load) if load > 0 else 1.0
        step = min(w[0] if w[0] > 0 else w[1] / speed for w in active)
        now += step
        for s, w in waits.items():
            if w is None:
                continue
            if w[0] > 0:
                w[0] -= step
            else:
                w[1] -= step * speed
            if w[0] <= 1e-15 and w[1] <= 1e-15:
                waits[s] = None
            elif w[0] <= 1e-15:
                w[0] = 0


def collective(device, gpus, reduce, size):
    """Seconds for the sum of `size` bytes over all GPUs: a ring as NCCL's, or the exact tree."""
    inside, nodes = min(gpus, NODE), -(-gpus // NODE)
    doublings = (nodes - 1).bit_length()
    if reduce == "fast":
        rate = min(device["nvlink"], device["nic"] * NODE) if nodes > 1 else device["nvlink"]
        return c("call") + doublings * c("hop") + 2 * (gpus - 1) / gpus * size / rate
    memory = device["memory"] * c("memory")
    sum_tree = lambda peers, n: 0 if peers == 1 else c("start") + n * (1 + 1 / peers) / memory
    pieces = [(inside, device["nvlink"], size), (nodes, device["nic"], size / inside)]
    if reduce == "flat":  # every rank with every other
        pieces = [(gpus, device["nic"] if nodes > 1 else device["nvlink"], size)]
    seconds = 0
    for peers, rate, n in pieces:
        if peers == 1:
            continue
        carried = n * (gpus - inside) / gpus if reduce == "flat" and nodes > 1 else n * (peers - 1) / peers
        there = c("call") + (peers - 1) * c("message") + carried / rate
        back = c("call") + (peers - 1 if reduce == "flat" else (peers - 1).bit_length()) * c("message") + \
            n * (peers - 1) / peers / (min(device["nvlink"], device["nic"] * NODE) if nodes > 1 and reduce == "flat" else rate)
        seconds += there + sum_tree(peers, n) + back
    return seconds


def step_seconds(name, device, math, n, gpus=1, reduce="exact"):
    """n: images of a shard."""
    def cost(row):
        if row["kind"] == "nccl":
            return (0, 0, 0) if gpus == 1 else (collective(device, gpus, reduce, row["sent"]), 0, 0)
        return (c("start"), *kernel(device, math, row, n))
    return simulate(read_rows(name), cost)


# ---- PyTorch's ResNet-50, channels last: layers of convolution, batch norm, ReLU, and the sums at joins

def resnet50():
    """Of each convolution: side and channels in, side and channels out, filter, is a ReLU behind its norm,
    a sum, is it the first of a block (the gradients of its input are added)."""
    layers, channels, side = [(224, 3, 112, 64, 7, True, False, False)], 64, 56
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
        for block in range(blocks):
            out = side // (2 if stage > 0 and block == 0 else 1)
            layers += [(side, channels, side, width, 1, True, False, True), (side, width, out, width, 3, True, False, False),
                       (out, width, out, 4 * width, 1, True, True, False)]
            if block == 0:
                layers.append((side, channels, out, 4 * width, 1, False, False, False))
            channels, side = 4 * width, out
    return layers


def torch_step(device, math, n):
    """Eager mode: every operation a kernel, no fusion beyond cuDNN's batch norm, which reads its input twice
    each way (statistics, then values)."""
    size = 2 if math == "bf16" else 4
    parameters = 25.6e6
    times = []

    def passes(elements, count):
        times.append(c("start") + count * elements * n * size / (device["memory"] * c("memory")))

    for side, channels, out, filters, r, relu, added, first in resnet50():
        x, w, y = (n, channels, side, side), (filters, channels, r, r), (n, filters, out, out)
        ins, outs = channels * side * side, filters * out * out
        for kind in ("conv", "conv_dx", "conv_dw"):
            if kind == "conv_dx" and channels == 3:
                continue
            moved = (ins + outs) * n * size / (device["memory"] * c("memory"))
            times.append(c("start") + max(moved, conv(device, math, kind, x, w, y)[0]))
        passes(outs, 3)  # norm: x twice, y
        passes(outs, 5)  # its gradient: x and dy twice, dx
        if relu:
            passes(outs, 2)
            passes(outs, 3)
        if added:
            passes(outs, 3)
        if first:
            passes(ins, 3)
    passes(64 * (112 * 112 + 56 * 56), 1)      # max pooling, its indices not counted
    passes(64 * (2 * 112 * 112 + 56 * 56), 1)
    if math == "bf16":  # weights to 16 bits, gradients back
        times.append(2 * 6 * parameters / (device["memory"] * c("memory")) + 320 * c("start"))
    times.append(6 * 4 * parameters / (device["memory"] * c("memory")) + 20 * c("start"))  # sgd, and zeroing
    return sum(times)


# ---- tables

def thousands(x):
    return "{:,.0f}".format(float("%.3g" % x))


def published():
    """What NVIDIA published of PyTorch, and what comes out: (what, published, predicted)."""
    a100 = 256 / torch_step(DEVICES["A100"], "bf16", 256)
    h100 = 256 / torch_step(DEVICES["H100"], "bf16", 256)
    return [("A100, mixed precision (DeepLearningExamples, ResNet50 v1.5, DGX A100 80GB)", 2470, a100),
            ("H100, mixed precision: 1.8 times that (MLPerf v3.0, per GPU)", 1.8 * 2470, h100)]


def torch_table():
    lines = ["| PyTorch, ResNet-50, batch 256, images/s | published | by the model | apart |", "|---|---|---|---|"]
    for what, known, got in published():
        lines.append("| %s | %s | %s | %+.0f %% |" % (what, thousands(known), thousands(got), 100 * (got / known - 1)))
    return lines


ONE = [("resnet20, batch 128", "resnet20", 128, ""), ("resnet20, batch 128 in 4 shards", "resnet20", 32, "-4shards"),
       ("resnet20, batch 1,024", "resnet20", 1024, ""), ("ResNet-50, batch 256", "resnet50", 256, "")]


SHARDS = {"resnet20-bf16-4shards": 4}  # of one rank


def one_gpu_table():
    lines = ["| one GPU, images/s | | A100 | H100 | H200 |", "|---|---|---|---|---|"]
    for title, model, n, suffix in ONE:
        for math in ("f32", "tf32", "bf16"):
            name = "%s-%s%s" % (model, "bf16" if math == "bf16" else "f32", suffix)
            if name not in gpu_counts.SETTINGS:
                continue
            images = n * (4 if suffix else 1)
            rates = [images / step_seconds(name, d, math, n) for d in DEVICES.values()]
            lines.append("| %s | %s | %s |" % (title, {"tf32": "TF32"}.get(math, math), " | ".join(map(thousands, rates))))
    return lines


def scaling_table():
    lines = ["| H100, ResNet-50, bf16 | images of a GPU | 8 | 64 | 1,024 |", "|---|---|---|---|---|"]
    for n in (256, 64):
        one = step_seconds("resnet50-bf16", DEVICES["H100"], "bf16", n)
        for reduce, title in (("exact", "exact, by nodes"), ("flat", "exact, flat"), ("fast", "fast")):
            cells = []
            for gpus in (8, 64, 1024):
                seconds = step_seconds("resnet50-bf16", DEVICES["H100"], "bf16", n, gpus, reduce)
                cells.append("%.0f %% (%s)" % (100 * one / seconds, thousands(n * gpus / seconds)))
            lines.append("| %s | %d | %s |" % (title, n, " | ".join(cells)))
    return lines


def count_table():
    lines = ["| a step | kernels | longest way | streams | MB an image | GFLOP an image | MB a step | MB reduced |",
             "|---|---|---|---|---|---|---|---|"]
    for name in gpu_counts.SETTINGS:
        t = gpu_counts.totals(gpu_counts.read(name))
        lines.append("| %s | %d | %d | %d | %.1f | %.2f | %.0f | %.0f |" %
                     (name, t["kernels"], t["longest"], t["streams"], t["MB/image"], t["GFLOP/image"], t["MB/step"],
                      t["MB reduced"]))
    return lines


def constants_table():
    lines = ["| constant | value | from |", "|---|---|---|"]
    for name, (value, source) in CONSTANTS.items():
        lines.append("| %s | %g | %s |" % (name, value, source))
    return lines


def page():
    parts = [torch_table(), one_gpu_table(), scaling_table(), count_table(), constants_table()]
    return "\n\n".join("\n".join(p) for p in parts) + "\n"


def check(text):
    for what, known, got in published():
        if not abs(got / known - 1) <= 0.15:
            sys.exit("%s: %.0f images/s published, %.0f by the model" % (what, known, got))
    with open(os.path.join(gpu_counts.ROOT, "docs", "gpu.md")) as f:
        if text not in f.read():
            sys.exit("docs/gpu.md has other tables than benchmarks/gpu_model.py prints")


def rate(device, name, math, images):
    """Images per second of one GPU; images: of a shard."""
    return SHARDS.get(name, 1) * int(images) / step_seconds(name, DEVICES[device], math, int(images))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rate"] and len(sys.argv) == 6:
        print("%.0f" % rate(*sys.argv[2:]))
        sys.exit(0)
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("nothing, --check, or --rate DEVICE COUNTS MATH IMAGES expected, found '%s'" % " ".join(sys.argv[1:]))
    text = page()
    if sys.argv[1:]:
        check(text)
    else:
        print(text, end="")
