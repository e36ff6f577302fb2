#!/usr/bin/python3
"""Images per second of gyre against a peer, in alternating runs, and the medians as a Markdown table.

    benchmarks/speed.py pytorch  --data cifar10.h5 [--python PYTHON]   gyre against PyTorch eager
    benchmarks/speed.py bf16     --data cifar10.h5 [--python PYTHON]   gyre in bf16 and f32, PyTorch f32
    benchmarks/speed.py zoo      --data cifar10.h5 [--python PYTHON] [--networks A,B]   gyre against PyTorch, eager and
                                                  compiled, f32 and bf16: networks of torchvision
    benchmarks/speed.py ranks    --data cifar10.h5     one rank with two workers against two ranks
    benchmarks/speed.py reduce   --data cifar10.h5     exact against fast reduction on 2 and 4 ranks
    benchmarks/speed.py checkpoint --data cifar10.h5   a checkpoint every 50 and every 10 steps against none
    benchmarks/speed.py loader   --data cifar10.h5     the loader alone (needs `make bench`)
    benchmarks/speed.py large    --data large.json     the loader on what is not in the page cache, and on what is

A contestant is a whole process; of its steps the median after a warm-up counts. Rounds go A B C A B C,
so that a machine whose speed drifts is fair to all; ratios are medians of the rounds' ratios. Needs
numpy and h5py; PYTHON is an interpreter with PyTorch. The table is also kept in benchmarks/results, as
DATE-PART.md or, with --name, DATE-NAME.md.
"""
import argparse
import datetime
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFIGS = {"resnet20": ("cifar10_resnet20", 128), "cifar10_quick": ("cifar10_quick", 100),
           "cifar10_full": ("clr_paper/figure1-triangular", 100)}
# Networks of the zoo part, and images/s that are expected, by which the number of steps is chosen.
ZOO = {"mobilenet_v2": 1000, "efficientnet_b0": 600, "densenet121": 300, "resnet18": 800, "vgg16_bn": 100,
       "resnet20": 1500, "unet": 120}
WARMUP = 10


def output_of(command, **more):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, capture_output=True, text=True, env=environment, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def gyre(a, model, *settings, ranks=None, steps=None, whole=False, warmup=WARMUP, program=None):
    """A contestant: trains for some steps, gives the median samples/s, or all samples over all seconds."""
    config, batch = CONFIGS[model]
    steps = steps or max(warmup + 20, int(a.seconds * (1500 if model == "resnet20" else 5000) / batch))

    def run():
        with tempfile.TemporaryDirectory() as folder:
            launcher = ["mpirun", "-q", "-np", str(ranks), "--oversubscribe"] if ranks else []
            sets = [x for s in (f"data.path={a.data}", "evaluate.minima=false",
                                "evaluate.every.steps=1000000", *settings) for x in ("--set", s)]
            output_of([*launcher, program or a.gyre, "train", ROOT / "configs" / f"{config}.json", "--quiet", *sets,
                       "--out", f"{folder}/run", "--stop-after", str(steps)])
            with h5py.File(f"{folder}/run/metrics.h5", "r") as f:
                rows = f["train"][warmup:]
                if whole:
                    return batch * (len(rows) - 1) / (rows["seconds"][-1] - rows["seconds"][0])
                return float(np.median(rows["samples_per_s"]))

    return run


def of_processor_time(run, batch, warmup, steps):
    """A contestant: samples in a second of processor time, by what `steps` steps more take than `warmup` steps."""
    def used(count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(count)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return lambda: batch * steps / (used(warmup + steps) - used(warmup))


def pytorch(a, model, layout, precision="f32", compiled=False, steps=None, warmup=WARMUP):
    _, batch = CONFIGS.get(model, CONFIGS["resnet20"])
    steps = steps or max(20, int(a.seconds * (1000 if model == "resnet20" else 3000) / batch))

    def run():
        text = output_of([a.python, ROOT / "benchmarks/torch_steps.py", model, "--batch", str(batch),
                          "--steps", str(steps), "--warmup", str(warmup), "--format", layout,
                          "--precision", precision,
                          *(["--threads", "1", "--processor-time"] if a.processor_time else
                            ["--threads", str(os.cpu_count())]),
                          *(["--compile"] if compiled else [])])
        figure, pytorch.version = text.split()
        return float(figure)

    return run


def loader(a, *options):
    return lambda: float(output_of([ROOT / "build/cpu/benchmarks/loader_alone", a.data, *options]))


def compare(a, title, contestants, baseline, best=()):
    """Rows of a table: name, median, least, most, median ratio to the baseline; or to that of `best` which has the
    larger median."""
    figures = {name: [] for name in contestants}
    for _ in range(a.rounds):
        for name, run in contestants.items():
            figures[name].append(run())
            print(f"  {title}: {name}: {figures[name][-1]:.0f}", flush=True)
    baseline = max(best or (baseline,), key=lambda name: statistics.median(figures[name]))
    rows = [f"**{title}**", "", "| | images/s, median | least | most | ratio |", "|---|---|---|---|---|"]
    for name, x in figures.items():
        ratio = statistics.median(p / q for p, q in zip(x, figures[baseline]))
        rows.append(f"| {name} | {statistics.median(x):.0f} | {min(x):.0f} | {max(x):.0f} | {ratio:.2f} |")
    return rows + [""]


def against_pytorch(a):
    rows = []
    for model in ("cifar10_quick", "resnet20"):
        rows += compare(a, f"{model}, batch {CONFIGS[model][1]}, f32",
                        {"PyTorch NCHW": pytorch(a, model, "nchw"), "PyTorch NHWC": pytorch(a, model, "nhwc"),
                         "gyre": gyre(a, model)}, "PyTorch NHWC")
    return rows + [f"PyTorch {pytorch.version}, eager, SGD with momentum; its batches are made beforehand."]


def bf16(a):
    rows = []
    for model in ("cifar10_quick", "resnet20"):
        rows += compare(a, f"{model}, batch {CONFIGS[model][1]}",
                        {"PyTorch NHWC f32": pytorch(a, model, "nhwc"),
                         "PyTorch NHWC bf16 autocast": pytorch(a, model, "nhwc", "bf16"),
                         "gyre f32": gyre(a, model), "gyre bf16": gyre(a, model, "precision=bf16")},
                        "PyTorch NHWC f32")
    return rows + [f"PyTorch {pytorch.version}, eager."]


def zoo(a):
    """The configuration is that of resnet20, with the network's name and the default shards (4 of 32 images); all
    cores, or one thread with --processor-time."""
    rows, warmup = [], 3
    for model in a.networks.split(",") if a.networks else ZOO:
        steps = max(6, int(a.seconds * ZOO.get(model, 300) / CONFIGS["resnet20"][1]))
        for precision in a.precisions.split(","):
            def peer(compiled):
                return pytorch(a, model, "nhwc", precision, compiled, steps, warmup)

            def own(program):
                sets = [f"model.name={model}", "batch.shards=0", f"precision={precision}"]
                sets += ["threads=1"] if a.processor_time else []

                def trained(count):
                    return gyre(a, "resnet20", *sets, steps=count, warmup=warmup, program=program)()

                if a.processor_time:
                    return of_processor_time(trained, CONFIGS["resnet20"][1], warmup + 1, steps)
                return lambda: trained(warmup + steps)

            contestants = {"PyTorch eager": peer(False), "PyTorch compiled": peer(True), "gyre": own(a.gyre)}
            if a.eager:
                del contestants["PyTorch compiled"]
            if a.before:
                contestants["gyre before"] = own(a.before)
            rows += compare(a, f"{model}, {precision}", contestants, "PyTorch eager",
                            best=[name for name in contestants if name.startswith("PyTorch")])
    return rows + [f"PyTorch {pytorch.version}, channels_last; bf16 by autocast; compiled by Inductor."]


def ranks(a):
    return compare(a, "resnet20, batch 128", {"1 rank, 2 workers": gyre(a, "resnet20"),
                                              "2 ranks, 1 worker each": gyre(a, "resnet20", ranks=2)},
                   "1 rank, 2 workers")


def reductions(a):
    rows = []
    for n in (2, 4):
        sets = ("batch.shards=4", "threads=1")
        rows += compare(a, f"resnet20, batch 128, {n} ranks", {
            "exact": gyre(a, "resnet20", *sets, ranks=n),
            "fast": gyre(a, "resnet20", *sets, "reduce=fast", ranks=n)}, "fast")
    return rows


def checkpoints(a):
    """Of all steps: the mean would count a rare slow one, the median would not; so the steps between the
    first and the last are timed as a whole."""
    def every(steps):
        return gyre(a, "resnet20", f"checkpoint.every.steps={steps}", whole=True, steps=WARMUP + 200)

    return compare(a, "resnet20, batch 128, 200 steps", {
        "no checkpoint": every(1000000), "every 50 steps": every(50), "every 10 steps": every(10)}, "no checkpoint")


def loaders(a):
    return compare(a, "CIFAR-10, batch 128, one thread",
                   {"plain": loader(a), "mirror and crop drawn": loader(a, "augment")}, "plain")


def forget(a):
    """Has the system drop what it keeps of the dataset's files."""
    place = pathlib.Path(a.data)
    files = [place.parent / f["path"] for f in json.loads(place.read_text())["files"]] if place.suffix == ".json" else [place]
    for path in files:
        with open(path, "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def large(a):
    """A set of 64 x 64 images and more than 1 GiB, which is opened without being read. Each step has 128 images
    from anywhere in it."""
    steps = "400"

    def cold(*options):
        run = loader(a, *options)
        return lambda: (forget(a), run())[1]

    def warm(*options):
        run = loader(a, *options)
        return lambda: (run(), run())[1]

    return compare(a, f"{a.title}, batch 128, one thread, 400 steps", {
        "cold cache": cold("plain", steps), "warm cache": warm("plain", steps),
        "warm cache, random resized crops": warm("crop", steps)}, "warm cache")


def main():
    parts = {"pytorch": against_pytorch, "bf16": bf16, "zoo": zoo, "ranks": ranks, "reduce": reductions,
             "checkpoint": checkpoints, "loader": loaders, "large": large}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", choices=parts)
    parser.add_argument("--data", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--gyre", default=ROOT / "build/cpu/gyre")
    parser.add_argument("--python", default="python3")
    parser.add_argument("--name", help="of the file in benchmarks/results, for the part's own")
    parser.add_argument("--title", default="a large dataset", help="of the dataset, for the part large")
    parser.add_argument("--networks", help="of the part zoo, separated by commas")
    parser.add_argument("--precisions", default="f32,bf16", help="of the part zoo")
    parser.add_argument("--before", help="of the part zoo: another gyre, as a contestant")
    parser.add_argument("--eager", action="store_true", help="of the part zoo: without torch.compile")
    parser.add_argument("--processor-time", action="store_true", help="of the part zoo, for a busy machine: one thread "
                        "each, and images in a second of its processor time")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of training in a run, about")
    a = parser.parse_args()
    begun = datetime.date.today().isoformat()
    rows = parts[a.part](a)
    commit = output_of(["git", "describe", "--always", "--dirty"], cwd=ROOT).strip()
    device = next(x for x in output_of([a.gyre, "doctor"]).splitlines() if x.startswith("device"))
    arguments = " ".join(x for x in sys.argv[1:] if "/" not in x)
    text = "\n".join([f"# {a.part}, {begun}", "", f"Commit {commit}. {os.cpu_count()} cores; {device[10:]}.",
                      f"Command: `benchmarks/speed.py {arguments}` ({a.rounds} alternating rounds).", "", *rows, ""])
    place = ROOT / "benchmarks/results" / f"{begun}-{a.name or a.part}.md"
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    print(f"\n{text}\n{place}")


if __name__ == "__main__":
    main()
