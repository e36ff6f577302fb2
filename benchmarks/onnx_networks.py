"""Networks of no zoo, for onnx_logits.py and tests/data/onnx: each function gives one and its input's shape."""
import torch
from torch import nn
from torch.nn import functional as F


class Squeeze(nn.Module):
    """Squeeze-and-excite on one branch, concat, dropout; activations as modules and as functions."""

    def __init__(self, classes=10, width=8):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.left = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.SiLU())
        self.right = nn.Sequential(nn.Conv2d(width, width, 1), nn.Hardswish())
        self.down, self.up = nn.Linear(width, 4), nn.Linear(4, width)
        self.mix = nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(2 * width, eps=1e-3, momentum=0.01)
        self.drop, self.head = nn.Dropout(0.3), nn.Linear(2 * width, classes)

    def forward(self, x):
        x = F.relu6(self.stem(x))
        a, b = self.left(x), self.right(x)
        gate = torch.sigmoid(self.up(F.relu(self.down(a.mean(dim=(2, 3))))))
        x = torch.cat([a * gate[:, :, None, None], b], dim=1)
        x = F.hardsigmoid(self.norm(self.mix(x)))
        return self.head(self.drop(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)))


class Plain(nn.Module):
    """Convolutions and pools, then the whole picture as a row; a normalisation in front."""

    def __init__(self, classes=10, side=16):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 6, 5, padding=2), nn.Conv2d(6, 8, 3, dilation=2, padding=(1, 2))
        self.group = nn.GroupNorm(2, 6)
        rows, columns = (side // 2 - 2) // 2, side // 4
        self.wide, self.out = nn.Linear(8 * rows * columns, 12), nn.Linear(12, classes)

    def forward(self, x):
        x = F.max_pool2d(F.elu(self.group(self.a(x))), 3, 2, padding=1)
        x = F.avg_pool2d(F.leaky_relu(self.b(x), 0.2), 2)
        return self.out(F.gelu(self.wide(x.flatten(1)), approximate="tanh"))


class Table(nn.Module):
    """Layer norm and linear layers on rows of a table; one layer is used twice."""

    def __init__(self, classes=10, columns=20, width=16):
        super().__init__()
        self.norm, self.a = nn.LayerNorm(columns), nn.Linear(columns, width)
        self.twice, self.middle = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-6)
        self.batch, self.out = nn.BatchNorm1d(width), nn.Linear(width, classes, bias=False)

    def forward(self, x):
        x = F.gelu(self.a(self.norm(x)))
        x = x + self.twice(F.tanh(self.twice(x)))
        return self.out(self.batch(self.middle(x)))


class Response(nn.Module):
    """Local response normalisation over an even and an odd number of channels; averages that count padding."""

    def __init__(self, classes=10, width=6):
        super().__init__()
        self.a, self.even = nn.Conv2d(3, width, 3, padding=1), nn.LocalResponseNorm(4, alpha=0.5, k=2.0)
        self.b, self.odd = nn.Conv2d(width, width, 3), nn.LocalResponseNorm(3, alpha=0.3, beta=0.6)
        self.pool, self.beyond = nn.AvgPool2d(3, 2, padding=1), nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.pool(self.even(F.relu(self.a(x))))
        x = self.beyond(self.odd(self.b(x)))
        x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3)
        return self.head(x.mean((2, 3)))


class Bare(nn.Module):
    """Norms without weight and bias, or without bias; numbers in forward, one or one for each channel."""

    def __init__(self, classes=10, width=6):
        super().__init__()
        self.a, self.batch = nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width, affine=False)
        self.b, self.group = nn.Conv2d(width, width, 3), nn.GroupNorm(2, width, affine=False)
        self.c, self.instance = nn.Conv2d(width, width, 1), nn.InstanceNorm2d(width, affine=False)
        self.last, self.layer = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, elementwise_affine=False)
        nn.init.uniform_(self.last.weight, 0.5, 1.5)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = F.relu(self.batch(self.a(x))) * 2 - 0.5
        x = F.relu(self.group(self.b(x))) / 3
        x = 1.5 - x * torch.tensor([1.0, 0.5, 2.0, -1.0, 1.25, 0.75])[:, None, None]
        x = self.instance(F.relu(self.c(x)))
        x = self.last(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.head(self.layer(F.relu(x).mean((2, 3)))) * 0.5


class Learned(nn.Module):
    """Parameters of the network's own: biases, gates, positions; a frozen batch norm; rows that are joined."""

    def __init__(self, classes=10, width=6, side=4):
        super().__init__()
        self.stem, self.frozen = nn.Conv2d(3, width, 4, 4, bias=False), nn.BatchNorm2d(width)
        self.a, self.norm = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.shift, self.less = nn.Parameter(torch.randn(width, 1, 1)), nn.Parameter(torch.randn(1))
        self.gate, self.mix = nn.Parameter(torch.tensor(0.3)), nn.Parameter(torch.rand(width, 1, 1))
        self.factor, self.offset = nn.Parameter(0.5 + torch.rand(1, width, 1, 1)), nn.Parameter(torch.randn(1, width, 1, 1))
        self.places, self.layer = nn.Parameter(torch.randn(1, side * side, width)), nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 8), nn.Linear(8, width)
        rows = side * side * width + width
        self.slopes, self.head = nn.PReLU(rows), nn.Linear(rows, classes)

    def train(self, mode=True):
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, x):
        x = F.relu(self.frozen(self.stem(x)))
        y = self.a(x)
        y = F.relu(self.norm(F.relu(y + self.shift) * y))  # y is read with and without its bias
        y = self.gate * x + (1 - self.gate) * y
        y = torch.lerp(x, y, self.mix) - (x - self.less) * 0.5
        y = torch.addcmul(self.offset, y, self.factor)
        t = self.layer(y.flatten(2).transpose(1, 2) + self.places)
        z = self.wide(t)
        t = t + self.narrow(z * torch.tanh(F.softplus(z)))
        return self.head(self.slopes(torch.cat([t.flatten(1), y.mean((2, 3))], 1)))


NETWORKS = {
    "learned": lambda: (Learned(), (3, 16, 16)),
    "bare": lambda: (Bare(), (3, 16, 16)),
    "squeeze": lambda: (Squeeze(), (3, 32, 32)),
    "plain": lambda: (Plain(), (3, 16, 16)),
    "response": lambda: (Response(), (3, 16, 16)),
    "table": lambda: (Table(), (20,)),
}
