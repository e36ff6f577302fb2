#!/usr/bin/env python3
"""Counts what a training step asks of a GPU, on the fakes (tests/gpu/README.md, FAKE_COUNT), for
gpu_model.py.

    make CUDA=1 fakes build/cuda/gyre                  (once)
    benchmarks/gpu_counts.py [--write | --check] [NAME...]

Each setting is run with two batch sizes. What grows between them belongs to an image, the rest to a
step. benchmarks/gpu_counts/NAME.tsv has one line for each kernel, copy, collective and event of a
recorded step, in the order of the graph:

    stream kind name read written read-per-image written-per-image flop-per-image detail

in bytes; "N" in a detail is the number of images of a shard. --write makes these files anew, --check compares
kernels and bytes with them (2 % apart at most, since bytes are counted by pages), and nothing prints
a summary.
"""
import os, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "benchmarks", "gpu_counts")
BUILD = os.path.join(ROOT, os.environ.get("O", "build/cuda"))
# name: config, side of the images, ranks, shards, images of a shard in the two runs, settings
SETTINGS = {
    "resnet20-f32": ("cifar10_resnet20", 32, 2, 2, (16, 32), ()),
    "resnet20-bf16": ("cifar10_resnet20", 32, 2, 2, (16, 32), ("precision=bf16",)),
    "resnet20-bf16-4shards": ("cifar10_resnet20", 32, 1, 4, (16, 32), ("precision=bf16",)),
    "resnet50-f32": ("pictures224_resnet50", 256, 2, 2, (1, 2), ()),
    "resnet50-bf16": ("pictures224_resnet50", 256, 2, 2, (1, 2), ("precision=bf16",)),
}


def dataset(path, side):
    """Noise: only shapes count."""
    import h5py, numpy as np
    rng = np.random.RandomState(1)
    with h5py.File(path, "w") as f:
        for part, count in (("train", 256 if side < 100 else 16), ("test", 10)):
            f[part + "/images"] = rng.randint(0, 255, (count, side, side, 3)).astype("u1")
            f[part + "/labels"] = (np.arange(count) % 10).astype("<i4")


def run(scratch, setting, images):
    """The rows of the last recorded step of rank 0."""
    config, side, ranks, shards, _, more = setting
    data = os.path.join(scratch, "images%d.h5" % side)
    if not os.path.exists(data):
        dataset(data, side)
    table, out = os.path.join(scratch, "count"), os.path.join(scratch, "run%d" % images)
    fakes = os.path.join(BUILD, "fakes")
    environment = dict(os.environ, FAKE_COUNT=table, FAKE_ORDER="lazy", FAKE_MEMORY=str(64 << 30),
                       FAKE_DEVICE_JSON=os.path.join(ROOT, "tests/gpu/devices/h100.json"),
                       OMPI_MCA_btl_vader_single_copy_mechanism="none",
                       LD_PRELOAD=":".join(fakes + "/libfake%s.so" % f for f in ("cuda", "nccl", "cudnn")),
                       LD_LIBRARY_PATH=fakes + ":" + os.environ.get("LD_LIBRARY_PATH", ""))
    settings = ["backend=cuda", "data.path=" + data, "data.validation=none", "schedule.base_lr=1e-9", "schedule.max_lr=1e-8",
                "batch.size=%d" % (images * shards),
                "batch.shards=%d" % shards, "reduce=" + ("fast" if ranks > 1 else "exact"), *more]
    command = [os.path.join(BUILD, "gyre"), "train", os.path.join(ROOT, "configs", config + ".json"), "--quiet",
               "--out", out, "--stop-after", "2", *sum((["--set", s] for s in settings), [])]
    launch = ["mpirun", "-q", "--oversubscribe", "-np", str(ranks)] if ranks > 1 else []
    names = [k for k in environment if k.startswith(("FAKE_", "LD_", "OMPI_MCA_btl"))]
    if launch:  # mpirun itself needs no fakes
        command = ["env", *("%s=%s" % (k, environment[k]) for k in names), *command]
    done = subprocess.run(launch + command, env=os.environ if launch else environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s ends with %d:\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
    with open(table + (".0" if ranks > 1 else "")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    if not rows:
        sys.exit("no step was recorded")
    return sorted((r for r in rows if r[0] == rows[-1][0]), key=lambda r: int(r[1]))


def detail(text):
    """Of a convolution, with N for the number of images: "conv N 16 32 32, ..."."""
    words = text.split(" ")
    places = {"conv": (1, 9), "conv_dx": (1, 9), "conv_dw": (1, 5)}.get(words[0])
    if places is None:
        return text if "calls" in text else ""
    return " ".join("N" if i in places else w for i, w in enumerate(words))


def merge(rows, n):
    """Two runs' rows as one line each: per step, and per image."""
    lines = []
    small, large = rows
    if [r[2:5] for r in small] != [r[2:5] for r in large]:
        sys.exit("the two batch sizes give different steps: %d and %d rows" % (len(small), len(large)))
    for a, b in zip(small, large):
        per, fixed = [], []
        for column in (5, 6, 7):
            x, y = float(a[column]), float(b[column])
            slope = max(0, (y - x) / (n[1] - n[0]))
            per.append(round(slope))
            fixed.append(round(max(0, x - slope * n[0])))
        lines.append("\t".join([a[2], a[3], a[4], str(fixed[0]), str(fixed[1]), str(per[0]), str(per[1]), str(per[2]),
                                detail(b[8])]))
    return lines


def longest(lines):
    """Kernels on the longest way through the graph, and all."""
    at, records, every = {}, {}, 0
    for line in lines:
        stream, kind, name = line.split("\t")[:3]
        if kind == "record":
            records[name] = at.get(stream, 0)
        elif kind == "wait":
            at[stream] = max(at.get(stream, 0), records[name])
        elif kind != "host":
            at[stream] = at.get(stream, 0) + 1
            every += 1
    return max(at.values()), every


def totals(lines):
    way, every = longest(lines)
    table = [line.split("\t") for line in lines]
    work = [r for r in table if r[1] != "nccl"]
    return {"kernels": every, "longest": way, "streams": len({r[0] for r in table}),
            "MB/image": sum(int(r[5]) + int(r[6]) for r in work) / 1e6,
            "MB/step": sum(int(r[3]) + int(r[4]) for r in work) / 1e6,
            "GFLOP/image": sum(int(r[7]) for r in work) / 1e9,
            "MB reduced": sum(int(r[3]) for r in table if r[1] == "nccl") / 1e6}


def show(name, t):
    print("%-22s %4d nodes, longest way %4d, %d streams; %8.2f MB and %6.3f GFLOP an image, %6.1f MB a step, "
          "%6.1f MB reduced" % (name, t["kernels"], t["longest"], t["streams"], t["MB/image"], t["GFLOP/image"],
                                t["MB/step"], t["MB reduced"]))


def path_of(name):
    return os.path.join(FOLDER, name + ".tsv")


def read(name):
    with open(path_of(name)) as f:
        return [line.rstrip("\n") for line in f if not line.startswith("#")]


def check(name, lines):
    """The kernels are the same, the bytes nearly so."""
    new, old = totals(lines), totals(read(name))
    for key in new:
        exact = key in ("kernels", "longest", "streams")
        if abs(new[key] - old[key]) > (0 if exact else 0.02 * old[key] + 0.01):
            sys.exit("%s: %s is %g, and %g in %s; benchmarks/gpu_counts.py --write makes it anew" %
                     (name, key, new[key], old[key], path_of(name)))


def main():
    words = sys.argv[1:]
    flags = [w for w in words if w.startswith("--")]
    names = [w for w in words if not w.startswith("--")] or list(SETTINGS)
    for n in names:
        if n not in SETTINGS:
            sys.exit("no setting is named '%s'; there are %s" % (n, ", ".join(SETTINGS)))
    os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
    os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            images = SETTINGS[name][4]
            lines = merge([run(scratch, SETTINGS[name], n) for n in images], images)
        if "--write" in flags:
            os.makedirs(FOLDER, exist_ok=True)
            with open(path_of(name), "w") as f:
                f.write("# Made by benchmarks/gpu_counts.py --write\n" + "\n".join(lines) + "\n")
        elif "--check" in flags:
            check(name, lines)
        show(name, totals(lines))


if __name__ == "__main__":
    main()
