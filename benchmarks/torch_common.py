"""What the comparisons with PyTorch share: weights and gradients under gyre's names, runs of gyre, steps of PyTorch."""
import copy, json, subprocess

import h5py, numpy as np, torch

BATCH, BATCHES, MOMENTUM = 16, 4, 0.9
GRADIENTS, FEW = 5, 4  # gradients that are compared, and samples of each: few, so that some meet no kink of a ReLU


def converted(name, w):
    """A parameter, statistic or gradient of PyTorch: its name in gyre, and its axes in gyre's order."""
    if w.ndim == 4:  # (k, c, r, s) to (k, r, s, c)
        w = w.transpose(0, 2, 3, 1)
    if (".block." in name or name.startswith("blocks.")) and w.ndim == 2:  # a linear layer of each pixel: a convolution of 1 x 1
        w = w[:, None, None, :]
    if name.endswith("layer_scale"):  # a parameter of a module there, a node here
        name, w = name + ".weight", w.reshape(-1)
    if name == "pos_embed":
        side = round(w.shape[1] ** 0.5)
        name, w = name + ".weight", w.reshape(side, side, -1)
    return name, w


def write_weights(net, path):
    with h5py.File(path, "w") as f:
        for name, w in net.state_dict().items():
            name, w = converted(name, w.numpy())
            f["parameters/" + name] = w.astype("f4")


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.strip()[-2000:]}")
    return done.stdout


def norms_of(net):
    return [m for m in net.modules() if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d))]


def calibrate(net, x):
    """Running statistics become those of the samples, as a trained network's would be."""
    net.train()
    momenta = [m.momentum for m in norms_of(net)]
    for m in norms_of(net):
        m.momentum = 1
    with torch.no_grad():
        net(x)
    for m, momentum in zip(norms_of(net), momenta):
        m.momentum = momentum


def gyre_run(gyre, folder, name, config):
    (folder / "config.json").write_text(json.dumps(config))
    run([gyre, "train", "config.json", "--out", name, "--quiet"], folder)
    return folder / name


def gyre_gradients(gyre, folder, config, batches):
    """Of each batch, at the same weights: SGD without momentum keeps the gradient as its state; the rate is nothing."""
    config = dict(config, length={"steps": batches}, batch={"size": FEW, "shards": 1},
                  schedule={"policy": "constant", "base_lr": 1e-30}, optimizer={"name": "sgd", "momentum": 0},
                  checkpoint={"every": {"steps": 1}, "keep": batches})
    out = gyre_run(gyre, folder, "gradients", config)
    for step in range(1, batches + 1):
        with h5py.File(out / f"checkpoints/step-{step:09d}.h5") as f:
            yield {name: w[:].astype("f8") for name, w in f["optimizer/momentum"].items()}


def gyre_losses(gyre, folder, config, lr, steps):
    config = dict(config, length={"steps": steps}, batch={"size": BATCH, "shards": 1},
                  schedule={"policy": "constant", "base_lr": lr}, optimizer={"name": "sgd", "momentum": MOMENTUM})
    with h5py.File(gyre_run(gyre, folder, "losses", config) / "metrics.h5") as f:
        return f["train"]["loss"].astype("f8")


def ready(net, frozen):
    net = copy.deepcopy(net).train()
    for m in norms_of(net) if frozen else []:
        m.eval()
    return net


def torch_gradients(net, loss_of, x, y, batches):
    for at in range(0, batches * FEW, FEW):
        net.zero_grad()
        loss_of(net(x[at:at + FEW]), y[at:at + FEW]).backward()
        yield dict(converted(k, p.grad.numpy().astype("f8")) for k, p in net.named_parameters())


def torch_losses(net, loss_of, x, y, lr, steps):
    """Batch after batch in the order of the samples."""
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=lr, momentum=MOMENTUM), []
    for t in range(steps):
        at = t * BATCH % len(x)
        optimizer.zero_grad()
        loss = loss_of(net(x[at:at + BATCH]), y[at:at + BATCH])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def distance(a, b):
    """Of all gradients together, relative to b's norm."""
    if a.keys() != b.keys() or any(a[k].shape != b[k].shape for k in a):
        raise SystemExit(f"other parameters: {sorted(a.keys() ^ b.keys())[:9]}")
    return (sum(np.sum((a[k] - b[k]) ** 2) for k in b) / sum(np.sum(b[k] ** 2) for k in b)) ** 0.5


def layouts(net, x):
    """The network and its samples in PyTorch's order of memory, NCHW, and in gyre's, NHWC (channels_last)."""
    for order in (torch.contiguous_format, torch.channels_last if x.ndim == 4 else torch.contiguous_format):
        yield copy.deepcopy(net).to(memory_format=order), x.to(memory_format=order)


def gradient_distances(gyre, folder, net, config, x, y, loss_of, batches):
    """From double precision, a row for each batch: of gyre, PyTorch in NCHW, PyTorch in NHWC."""
    single, double = (y.float(), y.double()) if y.is_floating_point() else (y, y)
    exact = torch_gradients(copy.deepcopy(net).double(), loss_of, x, double, batches)
    others = [torch_gradients(n, loss_of, s, single, batches) for n, s in layouts(net, x.float())]
    return [[distance(g, e) for g in row] for e, *row in
            zip(exact, gyre_gradients(gyre, folder, config, batches), *others)]


def compare(gyre, folder, name, net, config, x, y, loss_of, steps_of, batches=GRADIENTS):
    """x, y: all samples, x in double precision. Prints a row for each key of steps_of, {batch norm: (rate, steps)}."""
    write_weights(net, folder / "weights.h5")
    single = y.float() if y.is_floating_point() else y
    for norm, (lr, steps) in steps_of.items():
        frozen, here = norm == "frozen", folder / norm
        here.mkdir()
        own = dict(config)
        own["data"] = dict(config["data"], path=str(folder / config["data"]["path"]), order="sequential",
                           validation="none")
        own["model"] = dict(config["model"], batch_norm="frozen" if frozen else "train")
        if not own["model"].get("file", "").endswith(".onnx"):  # which brings its weights along
            own["model"]["init_from"] = str(folder / "weights.h5")
        off = gradient_distances(gyre, here, ready(net, frozen), own, x, y, loss_of, batches)
        losses, other = [torch_losses(n, loss_of, s, single, lr, steps)
                         for n, s in layouts(ready(net, frozen), x.float())]
        mine = gyre_losses(gyre, here, own, lr, steps)
        apart = lambda other: np.max(np.abs(other - losses) / losses)
        best, usual = min(off, key=max), np.median(off, axis=0)
        cells = " | ".join(f"{b:.1e} ({u:.0e})" for b, u in zip(best, usual))
        count = sum(p.numel() for p in net.parameters())
        print(f"| {name} | {count:,} | {norm} | {cells} | {best[0] / best[1]:.2f} | {best[0] / best[2]:.2f} | "
              f"{steps} at {lr:.0e} | {losses[0]:.3f} to {losses[-1]:.3f} | {apart(mine):.1e} | {apart(other):.1e} |",
              flush=True)
