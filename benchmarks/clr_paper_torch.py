"""The staged row of benchmarks/clr_paper.sh in PyTorch, beside a run of gyre: same initial weights,
same images in the same order, so that the losses can be compared step by step.

    gyre train configs/clr_paper/table1-triangular2.json --set data.path=FILE --stop-after 1 --out first
    gyre train configs/clr_paper/table1-triangular2.json --set data.path=FILE --out run --stop-after 1000
    python3 benchmarks/clr_paper_torch.py --data FILE --first first --run run --steps 1000

`first` gives the weights: after step 0 they are w - v, with v in the checkpoint too. Prints the
relative distance of the losses at some steps, and PyTorch's test accuracy every 500. Needs torch and
h5py.
"""
import argparse
import pathlib

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BATCH, MOMENTUM, DECAY = 100, 0.9, 0.004
# of the rate and of the decay; 1, 1 for the others
MULTIPLIERS = {"ip1.weight": (1, 250), "ip1.bias": (2, 0), "conv1.bias": (2, 1), "conv2.bias": (2, 1)}
# of table 2: first step, base rate, maximum, stepsize
STAGES = [(0, 1e-3, 5e-3, 2000), (16000, 1e-4, 5e-4, 1000), (22000, 1e-5, 5e-5, 500)]


def lrn(x):
    return x * (1 + 5e-5 * F.avg_pool2d(x * x, 3, 1, 1, count_include_pad=True)) ** -0.75


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, 1, 2)
        self.conv2 = nn.Conv2d(32, 32, 5, 1, 2)
        self.conv3 = nn.Conv2d(32, 64, 5, 1, 2)
        self.ip1 = nn.Linear(1024, 10)

    def forward(self, x):
        x = lrn(F.relu(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)))
        x = lrn(F.avg_pool2d(F.relu(self.conv2(x)), 3, 2, ceil_mode=True))
        x = F.avg_pool2d(F.relu(self.conv3(x)), 3, 2, ceil_mode=True)
        return self.ip1(x.flatten(1))


def rate(t):
    start, base, most, stepsize = [s for s in STAGES if s[0] <= t][-1]
    cycle, inside = divmod(t - start, 2 * stepsize)
    return base + (most - base) * (1 - abs(inside / stepsize - 1)) / 2**cycle


def load(net, folder):
    """Weights before step 0. gyre's are NHWC: filters (k, r, r, c), images flattened as (h, w, c)."""
    with h5py.File(pathlib.Path(folder) / "checkpoints/step-000000001.h5", "r") as f, torch.no_grad():
        for name, p in net.named_parameters():
            w = f[f"parameters/{name}"][()] + f[f"optimizer/momentum/{name}"][()]
            if w.ndim == 4:
                w = w.transpose(0, 3, 1, 2)
            if name == "ip1.weight":
                w = w.reshape(10, 4, 4, 64).transpose(0, 3, 1, 2).reshape(10, 1024)
            p.copy_(torch.from_numpy(np.ascontiguousarray(w)))


def images(pixels, mean):
    x = torch.from_numpy((pixels - mean).astype(np.float32)).permute(0, 3, 1, 2)
    return x.contiguous(memory_format=torch.channels_last)


def accuracy(net, x, y):
    with torch.no_grad():
        right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(1000), y.split(1000)))
    return 100 * right / len(y)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("data", "first", "run"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--steps", type=int, default=1000)
    a = parser.parse_args()
    with h5py.File(a.data, "r") as f:
        pixels, test = f["train/images"][()], f["test/images"][()]
        labels, test_y = (torch.from_numpy(f[f"{p}/labels"][()].astype(np.int64)) for p in ("train", "test"))
    with h5py.File(pathlib.Path(a.run) / "metrics.h5", "r") as f:
        losses = f["train"]["loss"]
    mean = pixels.astype(np.float64).mean(0)
    x, test_x = images(pixels, mean), images(test, mean)
    net = Net()
    load(net, a.first)
    net = net.to(memory_format=torch.channels_last)
    velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    for t in range(a.steps):
        i = t * BATCH % len(x)
        loss = F.cross_entropy(net(x[i : i + BATCH]), labels[i : i + BATCH])
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for name, p in net.named_parameters():
                on_rate, on_decay = MULTIPLIERS.get(name, (1, 1))
                v = velocity[name]
                v.mul_(MOMENTUM).add_(p.grad + DECAY * on_decay * p, alpha=rate(t) * on_rate)
                p.sub_(v)
        if t < len(losses) and (t < 3 or (t + 1) % 100 == 0):
            print(f"step {t}: PyTorch {loss.item():.6f}, gyre {losses[t]:.6f}, "
                  f"{abs(loss.item() / losses[t] - 1):.1e} apart", flush=True)
        if (t + 1) % 500 == 0:
            print(f"step {t}: PyTorch's test accuracy {accuracy(net, test_x, test_y):.2f} %", flush=True)


if __name__ == "__main__":
    main()
