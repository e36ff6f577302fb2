"""Gradients and steps of AdamW of diffusers' U-Nets and of gyre's, on the same noise.

    python3 unet_training.py GYRE-BUILD [NAME...]

GYRE-BUILD holds benchmarks/unet_steps (make bench), which says what it drew. Networks and weights are those of
unet_parity.py, without dropout; noise linear, epsilon. Prints, of gyre's and of PyTorch's f32 against PyTorch's double
precision: the distance of the first step's loss, and of its gradient, relative to their size; and after STEPS steps the
largest relative distance of a loss so far, and the distance of the parameters relative to how far they went.
Needs diffusers, torch, safetensors.
"""
import copy, pathlib, subprocess, sys, tempfile

import numpy as np, torch
from safetensors.torch import load_file

from unet_parity import CLASSES, NETWORKS, contexts_of, network, shape_of, tell

STEPS, RATE, PICTURES = 20, 1e-4, 8
ALPHA_BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def train(net, x0, labels, contexts, draws):
    """Losses, the first gradient, and the parameters after all steps."""
    kind = next(net.parameters()).dtype
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses, gradient = [], {}
    for t, noise in draws:
        a = torch.from_numpy(np.sqrt(ALPHA_BAR[t])).to(kind)[:, None, None, None]
        s = torch.from_numpy(np.sqrt(1 - ALPHA_BAR[t])).to(kind)[:, None, None, None]
        noise = noise.to(kind)
        told = tell(net, a * x0.to(kind) + s * noise, torch.from_numpy(t.copy()).long(), labels, contexts)
        loss = ((told - noise) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        if not gradient:
            gradient = {k: p.grad.double().clone() for k, p in net.named_parameters()}
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), gradient, {k: p.detach().double().clone() for k, p in net.named_parameters()}


def gyre(build, folder, x0, labels, contexts):
    n, c, h, w = x0.shape
    given = x0.permute(0, 2, 3, 1).contiguous().numpy().tobytes() + labels.int().numpy().tobytes()
    given += b"" if contexts is None else contexts.numpy().tobytes()
    done = subprocess.run([f"{build}/benchmarks/unet_steps", folder / "config.json",
                           folder / "diffusion_pytorch_model.safetensors", folder,
                           *map(str, (STEPS, RATE, n, h, w, c, CLASSES, *shape_of(contexts)))], input=given, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())
    raw, draws = (folder / "draws").read_bytes(), []
    for k in range(STEPS):
        at = k * 4 * n * (1 + h * w * c)
        t = np.frombuffer(raw, "i4", n, at)
        noise = np.frombuffer(raw, "f4", n * h * w * c, at + 4 * n).reshape(n, h, w, c)
        draws.append((t, torch.from_numpy(noise.copy()).permute(0, 3, 1, 2)))
    load = lambda name: {k: v.double() for k, v in load_file(folder / name).items()}
    losses = np.array([float(line) for line in done.stdout.split()])
    return draws, (losses, load("gradient.safetensors"), load("after.safetensors"))


def distance(a, b, origin=None):
    square = lambda f: sum(float((f(k) ** 2).sum()) for k in b)
    return (square(lambda k: a[k] - b[k]) / square(lambda k: b[k] - (0 if origin is None else origin[k]))) ** 0.5


def compare(build, name, config, folder):
    net = network({**config, "dropout": 0.0})
    net.save_pretrained(folder)
    size = config["sample_size"]
    h, w = (size, size) if isinstance(size, int) else size
    draw = torch.Generator().manual_seed(3)
    x0 = torch.rand(PICTURES, net.config.in_channels, h, w, generator=draw) * 2 - 1
    labels = torch.arange(PICTURES) * 3 % CLASSES
    origin = {k: p.detach().double().clone() for k, p in net.named_parameters()}
    contexts = contexts_of(net)[0]
    draws, own = gyre(build, folder, x0, labels, contexts)
    exact = train(copy.deepcopy(net).double(), x0, labels, contexts, draws)
    theirs = train(net, x0, labels, contexts, draws)
    cells = []
    for losses, gradient, after in (own, theirs):
        apart = np.abs(losses - exact[0]) / exact[0]
        cells += [apart[0], distance(gradient, exact[1]), apart.max(), distance(after, exact[2], origin)]
    print(f"| {name} | " + " | ".join(f"{cells[i]:.0e} / {cells[i + 4]:.0e}" for i in range(4)) + " |", flush=True)
    return max(cells[:3])


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    print(f"Each: gyre / PyTorch f32, from PyTorch in double precision; {STEPS} steps of AdamW at {RATE}.\n\n"
          "| network | loss | gradient | losses of all steps | parameters |\n|---|---|---|---|---|")
    apart = 0
    for name in sys.argv[2:] or [n for n in NETWORKS if n != "ddpm-cifar10-32"]:
        with tempfile.TemporaryDirectory() as t:
            apart = max(apart, compare(sys.argv[1], name, NETWORKS[name], pathlib.Path(t)))
    sys.exit(not apart <= 1e-4)
