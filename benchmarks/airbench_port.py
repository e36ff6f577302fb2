"""The recipe airbench94 on the CPU with PyTorch: what configs/cifar10_94.json is measured against.

    python3 airbench_port.py CIFAR [--seed 1] [--precision f32|bf16] [--threads 2] [--epochs 9.9]

CIFAR is the folder of data_batch_1.bin and so on. Prints one line of JSON: accuracy on six views of
each picture and on plain ones, seconds from reading the files to the former, and those of training alone.

Own code for the facts of K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv 2404.00498) and of
legacy/airbench94.py of KellerJordan/cifar10-airbench: the batch of 1,024 whose last, incomplete one is left out, the sum
of the losses, rates and decay decoupled from the momentum, 64 times the rate for the biases of batch norm, the whitening
filters of the first 5,000 pictures, whose bias learns for three epochs, pictures mirrored in every other epoch and moved
by up to two pixels, Lookahead after every fifth update. Half precision there is float16 throughout but for batch norm;
here it is autocast to bfloat16. Memory is channels_last, as PyTorch computes convolutions fastest on CPUs.
"""
import argparse, json, math, pathlib, sys, time

import numpy as np, torch
from torch import nn
from torch.nn import functional as F

BATCH, MOMENTUM, RATE, DECAY, BIAS_RATE, SMOOTHING = 1024, 0.85, 11.5, 0.0153, 64, 0.2
BIAS_EPOCHS, WHITENED, SHIFT, LOOKAHEAD_EVERY, LOOKAHEAD = 3, 5000, 2, 5, 0.95 ** 5
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def read(folder, names):
    rows = np.concatenate([np.fromfile(folder / n, dtype="u1").reshape(-1, 3073) for n in names])
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy())
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(rows[:, 0].astype("i8"))


def normalized(images):
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def conv(inputs, filters, side=3, bias=False):
    layer = nn.Conv2d(inputs, filters, side, padding="same" if side == 3 else 0, bias=bias)
    nn.init.dirac_(layer.weight.data[:inputs])
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def norm(channels):
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


def network():
    layers = [conv(3, 24, 2, bias=True), nn.GELU()]
    for inputs, width in ((24, 64), (64, 256), (256, 256)):
        layers += [conv(inputs, width), nn.MaxPool2d(2), norm(width), nn.GELU(), conv(width, width), norm(width), nn.GELU()]
    layers += [nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, 10, bias=False), Times(1 / 9)]
    net = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    net[0].weight.requires_grad = False
    return net


def whiten(layer, images):
    """Eigenvectors of the patches' second moments, over the roots of their eigenvalues; then their negatives."""
    patches = F.unfold(images.contiguous(), 2).transpose(1, 2).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + 5e-4).sqrt()).T.flip(0).reshape(12, 3, 2, 2)
    layer.weight.data.copy_(torch.cat([filters, -filters]))


def moved(images, mirrored, draw):
    """Mirrored where told; then each by its own shift of up to two pixels, over its reflected border."""
    side = images.shape[-1]
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    padded = F.pad(images, (SHIFT,) * 4, "reflect").permute(0, 2, 3, 1)
    y, x = torch.randint(0, 2 * SHIFT + 1, (2, len(images)), generator=draw).view(2, -1, 1)
    at = torch.arange(side)
    out = padded[torch.arange(len(images)).view(-1, 1, 1), (y + at).unsqueeze(2), (x + at).unsqueeze(1)]
    return out.permute(0, 3, 1, 2)  # channels_last in memory


def rate_at(step, steps):
    up = int(steps * 0.23)
    if step < up:
        return 0.2 + 0.8 * step / up
    return 1 + (0.07 - 1) * (step - up) / (steps - up)


def optimizer_of(net):
    """Decoupled: constant gradients move a weight by the rate whatever the momentum, and the decay whatever the rate."""
    scale = BATCH * (1 + 1 / (1 - MOMENTUM))
    lr, decay = RATE / scale, DECAY * BATCH / scale
    biases = [m.bias for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    known = {id(p) for p in biases}
    rest = [p for p in net.parameters() if p.requires_grad and id(p) not in known]
    groups = [{"params": biases, "lr": lr * BIAS_RATE, "weight_decay": decay / (lr * BIAS_RATE)},
              {"params": rest, "lr": lr, "weight_decay": decay / lr}]
    return torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM, nesterov=True)


def look_ahead(slow, net, decay):
    for s, w in zip(slow, net.state_dict().values()):
        if w.is_floating_point():
            s.lerp_(w, 1 - decay)
            w.copy_(s)


def train(net, images, labels, epochs, seed, autocast):
    per_epoch = len(images) // BATCH
    steps, done = math.ceil(per_epoch * epochs), 0
    draw = torch.Generator().manual_seed(seed)
    mirrored = torch.rand(len(images), generator=draw) < 0.5
    optimizer = optimizer_of(net)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    slow = [w.clone() for w in net.state_dict().values()]
    net.train()
    for epoch in range(math.ceil(epochs)):
        net[0].bias.requires_grad = epoch < BIAS_EPOCHS
        order = torch.randperm(len(images), generator=draw)
        for rows in order[:per_epoch * BATCH].view(-1, BATCH):
            batch = moved(normalized(images[rows]), mirrored[rows] ^ (epoch % 2 == 1), draw)
            with autocast():
                outputs = net(batch)
            loss = F.cross_entropy(outputs.float(), labels[rows], label_smoothing=SMOOTHING, reduction="sum")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if done % LOOKAHEAD_EVERY == 0:
                look_ahead(slow, net, LOOKAHEAD * (done / steps) ** 3)
            if done == steps:
                look_ahead(slow, net, 1)
                return
        print(f"epoch {epoch + 1}: loss {loss.item() / BATCH:.4f}", file=sys.stderr)


def views_of(images):
    """The plain picture and two of it moved by a pixel along the diagonal, each as it is and mirrored, with weights."""
    padded = F.pad(images, (1,) * 4, "reflect")
    for weight, view in ((0.5, images), (0.25, padded[:, :, :-2, :-2]), (0.25, padded[:, :, 2:, 2:])):
        for picture in (view, view.flip(-1)):
            yield weight / 2, picture.contiguous(memory_format=torch.channels_last)


def score(net, images, labels, autocast, several):
    net.eval()
    right = 0
    with torch.no_grad(), autocast():
        for at in range(0, len(images), 2000):
            batch = normalized(images[at:at + 2000])
            outputs = sum(w * net(v).float() for w, v in (views_of(batch) if several else [(1, batch)]))
            right += (outputs.argmax(1) == labels[at:at + 2000]).sum().item()
    return right / len(images)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cifar", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=float, default=9.9)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.precision == "bf16")
    begun = time.monotonic()
    images, labels = read(a.cifar, [f"data_batch_{i}.bin" for i in range(1, 6)])
    net = network()
    whiten(net[0], normalized(images[:WHITENED]))
    train_begun = time.monotonic()
    train(net, images, labels, a.epochs, a.seed, autocast)
    trained = time.monotonic()
    test = read(a.cifar, ["test_batch.bin"])
    views = score(net, *test, autocast, True)
    seconds = time.monotonic() - begun
    print(json.dumps({"accuracy": views, "plain": score(net, *test, autocast, False), "seconds": round(seconds, 2),
                      "training": round(trained - train_begun, 2)}))


if __name__ == "__main__":
    main()
