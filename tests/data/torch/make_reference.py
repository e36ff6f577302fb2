"""What PyTorch computes for the models and batches of recipe.py, for tests/unit/test_torch.c.

    python3 make_reference.py [MODEL...]      # writes MODEL.txt, of all models; needs torch

Everything is computed in float64, and the loss curve in float32 too, so that the test's bound can
be held against PyTorch's own rounding. Lines are `what name index value`; indices are those of
gyre's layout.
"""
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import recipe

RATE = {"resnet20": 0.003, "cifar10_quick": 0.003, "cifar10_full": 0.0015, "resnet18": 0.001,
        "resnet50": 0.0001}  # fmt: skip
MOMENTUM, DECAY = 0.9, 1e-4


def kept(model):
    """Values kept of each gradient and of each vector of running statistics, about."""
    return (12, 4) if model in recipe.IMAGENET else (32, 16)


class Block(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.stride = 1 if c == k else 2
        self.conv1 = nn.Conv2d(c, k, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(k)
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(k)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride == 2:  # option A
            pad = x.shape[1] // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, pad, pad))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16), Block(16, 16), Block(16, 16))
        self.layer2 = nn.Sequential(Block(16, 32), Block(32, 32), Block(32, 32))
        self.layer3 = nn.Sequential(Block(32, 64), Block(64, 64), Block(64, 64))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class Cifar10Quick(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, 1, 2)
        self.conv2 = nn.Conv2d(32, 32, 5, 1, 2)
        self.conv3 = nn.Conv2d(32, 64, 5, 1, 2)
        self.ip1 = nn.Linear(1024, 64)
        self.ip2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True))
        x = F.avg_pool2d(F.relu(self.conv2(x)), 3, 2, ceil_mode=True)
        x = F.avg_pool2d(F.relu(self.conv3(x)), 3, 2, ceil_mode=True)
        return self.ip2(self.ip1(x.flatten(1)))


def lrn(x):
    """Caffe's WITHIN_CHANNEL: cells outside the image count in the average. The images here are
    1/64 of pixels, so alpha is 64^2 times Caffe's 5e-5, for the same effect."""
    mean = F.avg_pool2d(x * x, 3, 1, 1, count_include_pad=True)
    return x * (1 + 5e-5 * 64**2 * mean) ** -0.75


class Cifar10Full(nn.Module):
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


class ImageNetBlock(nn.Module):
    """Convolutions of (channels, side) with batch norm; the stride is that of the first 3x3."""

    def __init__(self, c, kernels, stride):
        super().__init__()
        self.count, first, last = len(kernels), c, kernels[-1][0]
        strided = [r for _, r in kernels].index(3)
        for i, (k, r) in enumerate(kernels):
            conv = nn.Conv2d(c, k, r, stride if i == strided else 1, r // 2, bias=False)
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(k))
            c = k
        self.downsample = nn.Sequential()
        if first != last:
            conv = nn.Conv2d(first, last, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(last))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(y))
            y = F.relu(y + self.downsample(x) if i == self.count else y)
        return y


class ImageNetResNet(nn.Module):
    """ResNet-18 and -50 with torchvision's shapes and names."""

    def __init__(self, blocks, widening):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        c = 64
        for stage, count in enumerate(blocks):
            k = 64 << stage
            kernels = [(k, 3), (k, 3)] if widening == 1 else [(k, 1), (k, 3), (4 * k, 1)]
            layers = []
            for i in range(count):
                layers.append(ImageNetBlock(c, kernels, 2 if stage > 0 and i == 0 else 1))
                c = kernels[-1][0]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(c, recipe.CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


NETS = {
    "resnet20": ResNet20,
    "cifar10_quick": Cifar10Quick,
    "cifar10_full": Cifar10Full,
    "resnet18": lambda: ImageNetResNet((2, 2, 2, 2), 1),
    "resnet50": lambda: ImageNetResNet((3, 4, 6, 3), 4),
}


def batch(model, index, dtype):
    pixels, labels = recipe.batch(model, index)
    x = (torch.from_numpy(pixels).to(dtype).permute(0, 3, 1, 2) - 127) / 64
    return x.contiguous(), torch.from_numpy(labels)


def fresh(model, dtype):
    net = NETS[model]().to(dtype)
    values = recipe.weights(model)
    state = {k: torch.from_numpy(v).to(dtype) for k, v in values.items()}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all("running" in k or "num_batches" in k for k in missing), missing
    return net


def multipliers(model, name):
    """Of rate and decay, in Caffe's files."""
    if model == "cifar10_full" and name.startswith("ip1"):
        return (1, 250) if name == "ip1.weight" else (2, 0)
    if model.startswith("resnet") or name.endswith("weight"):
        return 1, 1
    return (1, 1) if (model, name) == ("cifar10_full", "conv3.bias") else (2, 1)


def groups(model, net):
    for name, p in net.named_parameters():
        lr, decay = multipliers(model, name)
        yield {"params": [p], "lr": lr * RATE[model], "weight_decay": decay * DECAY}


def evaluate(model, net, dtype):
    net.eval()
    with torch.no_grad():
        x, labels = batch(model, 0, dtype)
        logits = net(x)
    net.train()
    return logits.numpy(), F.cross_entropy(logits, labels).item()


def curve(model, dtype, note=None):
    """Losses of the steps; evaluations of batch 0 after the first step and after the last."""
    net = fresh(model, dtype)
    optimizer = torch.optim.SGD(groups(model, net), RATE[model], MOMENTUM)
    losses, evaluations = [], []
    steps = recipe.size(model)[0]
    for t in range(steps):
        x, labels = batch(model, t % recipe.BATCHES, dtype)
        loss = F.cross_entropy(net(x), labels)
        optimizer.zero_grad()
        loss.backward()
        if t == 0 and note:
            note(net)
        losses.append(loss.item())
        optimizer.step()
        if t in (0, steps - 1):
            evaluations.append(evaluate(model, net, dtype))
    return losses, evaluations


def main(model):
    lines = []
    gradients, statistics = kept(model)

    def put(what, name, values, indices=None):
        values = np.ravel(values)
        for i in range(len(values)) if indices is None else indices:
            lines.append(f"{what} {name} {i} {values[i]:.9g}")

    def first_step(net):
        for name, p in net.named_parameters():
            g = recipe.to_gyre(name, p.grad.numpy())
            stride = max(1, g.size // gradients) | 1  # odd, so that all positions of a window occur
            put("gradient_norm", name, [np.sqrt((g**2).sum())])
            put("gradient", name, g, range(0, g.size, stride))
        for name, b in net.named_buffers():
            if "running" in name:
                put("buffer", name, b.numpy(), range(0, b.numel(), max(4, b.numel() // statistics)))

    losses, (early, late) = curve(model, torch.float64, first_step)
    losses32, (early32, late32) = curve(model, torch.float32)
    pairs = list(zip(losses + [early[1], late[1]], losses32 + [early32[1], late32[1]]))
    drift = max(abs(a - b) / abs(a) for a, b in pairs)
    put("curve", "train", losses)
    put("evaluation", "loss", [early[1], late[1]])
    put("logits", "early", early[0])
    put("drift", "float32", [drift])
    put("parameters", "all", [sum(a.size for a in recipe.weights(model).values())])
    with open(f"{model}.txt", "w") as f:
        f.write("\n".join(lines) + "\n")
    print(f"{model}: loss {losses[0]:.4f} .. {losses[-1]:.4f}, evaluation {late[1]:.4f}; float32 "
          f"drifts by {drift:.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for model in sys.argv[1:] or recipe.SHAPES:
        main(model)
