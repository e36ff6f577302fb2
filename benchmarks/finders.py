"""Which rule finds the best max_lr: gyre find, its sweeps alone, and the rules of other tools.

    python3 finders.py GYRE OUT --fashion DIR --cifar DIR [--only NAME,...] [--table]

For each workload a grid of nine max_lr, a factor of two apart, is the oracle: its rate is the best on seeds 1 to 3,
and is scored on seeds 4 to 6, as the rate of each rule is. Regret is the oracle's test accuracy minus the rule's, in
points. Each run is one triangular cycle from max_lr / 10, but from gyre's own base_lr for `gyre find`. All rules read
the same curves: the sweeps of `gyre find --quick`, whose repeats they are the median of.

What is done is kept in OUT/results.jsonl, and not done again: stop it and start it at will, also several at once with
different --only. --table prints what there is. Needs h5py and numpy; runs on one core.
"""
import argparse, fcntl, json, math, os, pathlib, shutil, subprocess

import h5py, numpy as np

SGD = {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
ADAMW = {"name": "adamw", "weight_decay": 0.01}
CROPS = {"mirror": True, "crop": 4}
CAFFE = {"name": "sgd", "momentum": 0.9, "weight_decay": 4e-3}
ONNX = "tests/data/onnx/squeeze.training.onnx"


def workload(data, model, optimizer, epochs, middle, augment=None, subset=0, **more):
    """`middle`: of the grid."""
    return {"middle": middle, "epochs": epochs, "config": {
        "data": {"path": data, "validation": "test", "augment": augment or {}, "subset": subset},
        "model": model, "batch": {"size": 128}, "optimizer": optimizer, **more}}


BF16 = {"precision": "bf16"}
WORKLOADS = {
    "mlp, Fashion-MNIST, adamw": workload("fashion.h5", {"name": "mlp"}, ADAMW, 5, 3e-3),
    "mlp, Fashion-MNIST, sgd": workload("fashion.h5", {"name": "mlp"}, SGD, 5, 0.03),
    "small_cnn, Fashion-MNIST, sgd": workload("fashion.h5", {"name": "small_cnn"}, SGD, 2, 0.1),
    "small_cnn, 2,000 of Fashion-MNIST, adamw": workload("fashion.h5", {"name": "small_cnn"}, ADAMW, 20, 0.01, subset=2000),
    "fine-tuned small_cnn, 2,000 of Fashion-MNIST, sgd": workload(
        "fashion.h5", {"name": "small_cnn", "init_from": "pretrained.safetensors"}, SGD, 20, 0.03, subset=2000),
    "cifar10_full, CIFAR-10, sgd": workload("cifar10.h5", {"name": "cifar10_full"}, CAFFE, 2, 0.008, {"mirror": True}, **BF16),
    "resnet20, CIFAR-10, sgd": workload("cifar10.h5", {"name": "resnet20"}, SGD, 1, 0.2, CROPS, **BF16),
    "resnet20, 2,000 of CIFAR-10, sgd": workload("cifar10.h5", {"name": "resnet20"}, SGD, 20, 0.2, CROPS, 2000, **BF16),
    "mobilenet_v2, 2,000 of CIFAR-10, adamw": workload("cifar10.h5", {"name": "mobilenet_v2"}, ADAMW, 10, 4e-3, CROPS, 2000, **BF16),
    "vit, 2,000 of CIFAR-10, adamw": workload("cifar10.h5", {"name": "vit"}, ADAMW, 10, 1e-3, CROPS, 2000, **BF16),
    "of ONNX, CIFAR-10, sgd": workload("cifar10.h5", {"file": str(pathlib.Path(ONNX).resolve()), "init": "fresh"}, SGD, 1, 0.1, CROPS),
}
RULES = ["gyre", "gyre --quick", "valley", "slide", "minimum", "steep", "Lightning", "pytorch-lr-finder"]
CHOSEN, SCORED = (1, 2, 3), (4, 5, 6)


# ---- the rules of others, on one sweep

def lightning(lr, loss):
    """Tuner.lr_find of Lightning 2.5: smoothing with its exponent, the steepest slope over the rate itself."""
    mean, smooth = 0.0, []
    for k, value in enumerate(loss):
        mean = 0.98 * mean + 0.02 * value
        smooth.append(mean / (1 - 0.98 ** (k + 2)))
    smooth, lr = np.array(smooth[10:-1]), lr[10:-1]
    good = np.isfinite(smooth)
    if good.sum() < 2:
        return math.nan
    return float(lr[good][np.gradient(smooth[good], lr[good]).argmin()])


def lr_finder(lr, loss):
    """LRFinder of pytorch-lr-finder 0.2: smoothing without correction, the steepest slope over the index."""
    smooth = [loss[0]]
    for value in loss[1:]:
        smooth.append(0.05 * value + 0.95 * smooth[-1])
    smooth, lr = np.array(smooth[10:-5]), lr[10:-5]
    good = np.isfinite(smooth)
    if good.sum() < 2:
        return math.nan
    return float(lr[good][np.gradient(smooth[good]).argmin()])


def rates_of_sweeps(path):
    with h5py.File(path) as f:
        verdict, sweep, repeats = f["verdict"][0], f["sweep"][:], int(f["settings"]["repeats"][0])
    out = {rule: float(verdict[rule]) for rule in ("valley", "slide", "minimum", "steep")}
    out["gyre --quick"] = float(verdict["max_lr"]) if verdict["reliable"] else math.nan
    for name, rule in (("Lightning", lightning), ("pytorch-lr-finder", lr_finder)):
        each = [rule(rows["lr"], rows["loss"]) for rows in (sweep[sweep["repeat"] == r] for r in range(repeats))]
        out[name] = float(np.nanmedian(each))
    return out


# ---- runs

class Bench:
    def __init__(self, program, out):
        self.program, self.out = os.path.abspath(program), pathlib.Path(out)
        self.file = self.out / "results.jsonl"
        self.work = self.out / f"work-{os.getpid()}"
        self.known = {}
        if self.file.exists():
            for line in self.file.open():
                entry = json.loads(line)
                self.known[json.dumps(entry["key"])] = entry["value"]

    def keep(self, key, make):
        text = json.dumps(key)
        if text not in self.known:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
            self.known[text] = make()
            with self.file.open("a") as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                f.write(json.dumps({"key": key, "value": self.known[text]}) + "\n")
            shutil.rmtree(self.work)
        return self.known[text]

    def gyre(self, *arguments):
        return subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"})

    def config(self, w, **more):
        config = json.loads(json.dumps({**w["config"], **more}))
        config["data"]["path"] = str((self.out / config["data"]["path"]).resolve())
        if "init_from" in config["model"]:
            config["model"]["init_from"] = str((self.out / config["model"]["init_from"]).resolve())
        path = self.work / "config.json"
        path.write_text(json.dumps(config))
        return path

    def score(self, name, seed, base, most):
        """Test accuracy; that of a guess where the run diverges."""
        def make():
            w = WORKLOADS[name]
            path = self.config(w, seed=seed, length={"epochs": w["epochs"]},
                               schedule={"policy": "triangular", "base_lr": base, "max_lr": most, "cycles": 1},
                               evaluate={"every": {"epochs": 1000}, "minima": False},
                               checkpoint={"every": {"epochs": 1000}})
            run = self.gyre("train", str(path), "--out", str(self.work / "run"), "--quiet")
            if run.returncode == 6:
                return 0.1
            if run.returncode != 0:
                raise SystemExit(f"{name}: {run.stderr}")
            with h5py.File(self.work / "run/metrics.h5") as f:
                return float(f["validation"]["accuracy"][-1])
        return self.keep([name, "score", seed, f"{base:.3g}", f"{most:.3g}"], make)

    def find(self, name, *options):
        w = WORKLOADS[name]
        path = self.config(w, length={"epochs": w["epochs"]}, schedule={"policy": "triangular", "cycles": 1})
        run = self.gyre("find", str(path), "--out", str(self.work / "range"), "--quiet", *options)
        if run.returncode != 0:
            raise SystemExit(f"{name}: {run.stderr}")
        return self.work / "range/find.h5"

    def rates(self, name):
        """(base, max) of each rule; NaN: it names none."""
        def sweeps():
            return rates_of_sweeps(self.find(name, "--quick"))

        def trials():
            with h5py.File(self.find(name)) as f:
                r, steps = f["range"][0], int(f["ladder"]["steps"].sum()) + len(f["sweep"])
                tested = r["outcome"] == 1
                return {"base": float(r["base_lr"]) if tested else math.nan,
                        "max": float(r["max_lr"]) if tested else math.nan, "steps": steps,
                        "low": float(r["plateau_low"]), "high": float(r["plateau_high"])}
        others, own = self.keep([name, "sweeps"], sweeps), self.keep([name, "trials"], trials)
        out = {rule: (rate / 10, rate) for rule, rate in others.items()}
        out["gyre"] = (own["base"], own["max"])
        return out

    def oracle(self, name):
        grid = [WORKLOADS[name]["middle"] * 2.0 ** k for k in range(-4, 5)]
        means = [np.mean([self.score(name, seed, rate / 10, rate) for seed in CHOSEN]) for rate in grid]
        return grid[int(np.argmax(means))]

    def row(self, name):
        """The oracle's rate and score, and of each rule its rate and regret in points."""
        best = self.oracle(name)
        own = np.array([self.score(name, seed, best / 10, best) for seed in SCORED])
        rules = {}
        for rule, (base, most) in self.rates(name).items():
            if math.isnan(most):
                rules[rule] = (most, math.nan)
                continue
            theirs = np.array([self.score(name, seed, base, most) for seed in SCORED])
            rules[rule] = (most, float(100 * (own - theirs).mean()))
        return best, float(100 * own.mean()), rules

    def pretrain(self):
        """small_cnn on Fashion-MNIST without its last class, five epochs, as state_dict."""
        out = self.out / "pretrained.safetensors"
        if out.exists():
            return
        self.work.mkdir(exist_ok=True)
        with h5py.File(self.out / "fashion.h5") as f:
            parts = {part: (f[f"{part}/images"][:], f[f"{part}/labels"][:]) for part in ("train", "test")}
        pairs = []
        for part, (images, labels) in parts.items():
            for what, array in (("x", images[labels < 9]), ("y", labels[labels < 9].astype("int64"))):
                np.save(self.work / f"{part}-{what}.npy", array)
            pairs.append(f"{self.work}/{part}-x.npy,{self.work}/{part}-y.npy")
        steps = [("data", "import", "array", *pairs[0].split(","), "--test", pairs[1], "-o", str(self.work / "nine.h5"))]
        config = {"data": {"path": "nine.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 128}, "optimizer": SGD,
                  "length": {"epochs": 5}, "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 1}}
        (self.work / "nine.json").write_text(json.dumps(config))
        steps.append(("train", str(self.work / "nine.json"), "--out", str(self.work / "nine")))
        steps.append(("export", "safetensors", str(self.work / "nine"), "-o", str(out)))
        for step in steps:
            run = self.gyre(*step)
            if run.returncode != 0:
                raise SystemExit(run.stderr)
        shutil.rmtree(self.work)


# ---- the table

def interval(values):
    """Half of the 95 % interval of the mean over workloads."""
    t = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20]
    n = len(values)
    return math.nan if n < 2 else t[min(n - 2, len(t) - 1)] * float(np.std(values, ddof=1)) / math.sqrt(n)


def print_table(rows):
    print("| workload | oracle | " + " | ".join(RULES) + " |\n|---" * 1 + "|---" * (len(RULES) + 1) + "|")
    for name, (best, score, rules) in rows.items():
        cells = ["no rate" if math.isnan(rules[r][0]) else f"{rules[r][0]:.2g}: {rules[r][1]:.2f}" for r in RULES]
        print(f"| {name} | {best:.2g}: {score:.2f} % | " + " | ".join(cells) + " |")
    cells = []
    for rule in RULES:
        values = [rules[rule][1] for _, _, rules in rows.values() if not math.isnan(rules[rule][0])]
        cells.append(f"{np.mean(values):.2f} ± {interval(values):.2f} ({len(values)})" if values else "-")
    print("| **mean regret**, 95 % interval (workloads) | | " + " | ".join(cells) + " |")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("gyre")
    p.add_argument("out")
    p.add_argument("--fashion", help="Fashion-MNIST's idx files")
    p.add_argument("--cifar", help="CIFAR-10's .bin files")
    p.add_argument("--only", help="numbers of workloads from 1, 1,2,5")
    p.add_argument("--table", action="store_true", help="only what is done")
    a = p.parse_args()
    bench = Bench(a.gyre, a.out)
    bench.out.mkdir(parents=True, exist_ok=True)
    for kind, source, name in (("idx", a.fashion, "fashion.h5"), ("cifar", a.cifar, "cifar10.h5")):
        if source and not (bench.out / name).exists():
            bench.gyre("data", "import", kind, source, "-o", str(bench.out / name))
    names = list(WORKLOADS)
    names = [names[int(i) - 1] for i in a.only.split(",")] if a.only else names
    rows = {}
    for name in names:
        if a.table:  # whatever has its trials, sweeps and scores
            bench.keep = lambda key, make: bench.known[json.dumps(key)]
            try:
                rows[name] = bench.row(name)
            except KeyError:
                continue
        else:
            if "fine-tuned" in name:
                bench.pretrain()
            rows[name] = bench.row(name)
            print(f"{name}: oracle {rows[name][0]:.3g} {rows[name][1]:.2f} %, gyre {rows[name][2]['gyre']}", flush=True)
    print_table(rows)


if __name__ == "__main__":
    main()
