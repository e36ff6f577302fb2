"""More of onnx_written_networks.py: inputs and ends of many kinds, and parameters of a network's own."""
import torch
from torch import nn
from torch.nn import functional as F

from onnx_written_networks import CLASSES, NETWORKS, Lambda, conv, head, network


# ---- inputs and ends

@network
def normalised_inside():
    def forward(s, x):
        return s.body((x - s.mean) / s.std)
    net = Lambda(forward, body=nn.Sequential(conv(3, 8), head(8)))
    net.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))
    net.register_buffer("std", torch.tensor([0.2, 0.25, 0.3]).view(1, 3, 1, 1))
    return net


@network
def flat_by_pixels():
    return Lambda(lambda s, x: s.fc(F.max_pool2d(s.conv(x), 4).permute(0, 2, 3, 1).flatten(1)), conv=conv(3, 8), fc=nn.Linear(128, CLASSES))


@network
def cosine_head():
    def forward(s, x):
        return 10 * F.linear(F.normalize(s.body(x).mean((2, 3))), F.normalize(s.w))
    return Lambda(forward, body=conv(3, 8), w=nn.Parameter(torch.randn(CLASSES, 8)))


@network
def scaled_logits():
    return nn.Sequential(conv(3, 8), head(8), Lambda(lambda s, x: x * 0.125))


@network
def shared_module():
    block = conv(8, 8)
    return nn.Sequential(conv(3, 8), block, nn.MaxPool2d(2), block, head(8))


@network
def shared_conv():
    c = nn.Conv2d(8, 8, 3, padding=1)
    return nn.Sequential(nn.Conv2d(3, 8, 3), c, nn.ReLU(), c, nn.ReLU(), head(8))


@network
def two_heads():
    def forward(s, x):
        x = s.body(x)
        s.other(x)
        return s.head(x)
    return Lambda(forward, body=conv(3, 8), other=head(8), head=head(8))


@network
def learned_factor():
    return nn.Sequential(conv(3, 8), Lambda(lambda s, x: x * s.factor, factor=nn.Parameter(torch.tensor(0.7))), head(8))


@network
def weight_normed():
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3)), nn.ReLU(), head(8))


@network
def standardised():
    class Standard(nn.Conv2d):
        def forward(self, x):
            w = self.weight
            w = (w - w.mean((1, 2, 3), keepdim=True)) / (w.std((1, 2, 3), keepdim=True) + 1e-5)
            return F.conv2d(x, w, self.bias, self.stride, self.padding)
    return nn.Sequential(Standard(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), head(8))


@network
def frozen_norm():
    net = nn.Sequential(conv(3, 8), head(8))
    for p in net[0][1].parameters():
        p.requires_grad_(False)
    return net


@network
def dropouts():
    return nn.Sequential(conv(3, 8), nn.Dropout2d(0.1), conv(8, 8), nn.Dropout(0.2), head(8))


# ---- one number for all channels, and the same one twice

@network
def rezero():
    body = lambda: Lambda(lambda s, x: x + s.alpha * s.body(x), alpha=nn.Parameter(torch.zeros(1)), body=conv(8, 8))
    return nn.Sequential(conv(3, 8), body(), body(), head(8))


@network
def temperature():
    return nn.Sequential(conv(3, 8), head(8), Lambda(lambda s, x: s.factor * x, factor=nn.Parameter(torch.ones(()))))


@network
def shared_slope():
    act = nn.PReLU()
    return nn.Sequential(conv(3, 8, act=nn.Identity), act, nn.Conv2d(8, 8, 3), act, head(8))


@network
def slopes_of_rows():
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.PReLU(16), nn.Linear(16, 12), nn.PReLU(), nn.Linear(12, CLASSES))


@network
def slope_of_images():
    return nn.Sequential(nn.PReLU(), conv(3, 8), head(8))


# ---- parameters of the network's own

@network
def frozen_among():
    class Frozen(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(False)
    return nn.Sequential(nn.Conv2d(3, 8, 3), Frozen(8), nn.ReLU(), conv(8, 8), head(8))


@network
def bias_elsewhere():
    def forward(s, x):
        a = s.conv(x)
        return s.head(F.relu(a + s.bias) * a)
    return Lambda(forward, conv=nn.Conv2d(3, 8, 3, bias=False), bias=nn.Parameter(torch.randn(8, 1, 1)), head=head(8))


@network
def gate_of_two():
    def forward(s, x):
        a, b = s.a(x), s.b(x)
        return s.head(s.gate * a + (1 - s.gate) * b)
    return Lambda(forward, a=conv(3, 8), b=conv(3, 8, 5), gate=nn.Parameter(torch.tensor(0.3)), head=head(8))


@network
def gate_by_sigmoid():
    def forward(s, x):
        a, b, gate = s.a(x), s.b(x), torch.sigmoid(s.gate)
        return s.head(gate * a + (1 - gate) * b)
    return Lambda(forward, a=conv(3, 8), b=conv(3, 8, 5), gate=nn.Parameter(torch.rand(8, 1, 1)), head=head(8))


@network
def interpolated():
    def forward(s, x):
        return s.head(torch.lerp(s.a(x), s.b(x), s.gate) - 0.5 * s.a(x))
    return Lambda(forward, a=conv(3, 8), b=conv(3, 8, 5), gate=nn.Parameter(torch.rand(8, 1, 1)), head=head(8))


@network
def sums_with_parameters():
    def forward(s, x):
        a = s.body(x)
        return s.head(F.relu(a - s.b) + (s.c - a) + torch.addcmul(s.d, a, 1 + s.g))
    return Lambda(forward, body=conv(3, 8), b=nn.Parameter(torch.randn(8, 1, 1)), c=nn.Parameter(torch.randn(1)),
                  d=nn.Parameter(torch.randn(8, 1, 1)), g=nn.Parameter(torch.rand(8, 1, 1)), head=head(8))


@network
def quotient_by_parameter():
    return nn.Sequential(conv(3, 8), Lambda(lambda s, x: x / s.g, g=nn.Parameter(torch.rand(8, 1, 1) + 0.5)), head(8))


@network
def joined_rows():
    def forward(s, x):
        x = s.body(x)
        return s.fc(s.act(torch.cat([F.max_pool2d(x, 4).flatten(1), x.mean((2, 3))], 1)))
    return Lambda(forward, body=conv(3, 8), act=nn.PReLU(136), fc=nn.Linear(136, CLASSES))


@network
def places_of_planes():
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), Lambda(lambda s, x: x + s.place, place=nn.Parameter(torch.randn(1, 8, 4, 4))),
                         nn.ReLU(), head(8))


class Heads(nn.Module):
    """Attention of two heads, and a perceptron of each token."""

    def __init__(self, c=8, heads=2):
        super().__init__()
        self.heads, self.first, self.second = heads, nn.LayerNorm(c), nn.LayerNorm(c)
        self.q, self.k, self.v, self.out = (nn.Linear(c, c) for _ in range(4))
        self.wide, self.narrow = nn.Linear(c, 2 * c), nn.Linear(2 * c, c)

    def forward(self, x):
        n, tokens, c = x.shape
        y = self.first(x)
        q, k, v = (f(y).view(n, tokens, self.heads, c // self.heads).transpose(1, 2) for f in (self.q, self.k, self.v))
        x = x + self.out(self.attend(q, k, v).transpose(1, 2).reshape(n, tokens, c))
        return x + self.narrow(F.gelu(self.wide(self.second(x))))

    def attend(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v)


class HeadsByHand(Heads):
    def attend(self, q, k, v):
        return (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1) @ v


for _name, _block in (("", Heads), ("_by_hand", HeadsByHand)):
    NETWORKS["vit" + _name] = lambda block=_block: Lambda(
        lambda s, x: s.head(s.block(s.patch(x).flatten(2).transpose(1, 2) + s.positions).mean(1)), patch=nn.Conv2d(3, 8, 4, 4),
        positions=nn.Parameter(torch.randn(1, 16, 8) / 5), block=block(), head=nn.Linear(8, CLASSES))


for _name, _low, _high in (("half", -65504.0, 65504.0), ("whole", 0, 1), ("least", 0, None), ("low", -0.5, -0.1), ("high", 0.1, 0.5)):
    NETWORKS["clamp_" + _name] = lambda low=_low, high=_high: nn.Sequential(
        nn.Conv2d(3, 8, 3), Lambda(lambda s, x: x.clamp(low, high)), nn.Conv2d(8, 8, 3), head(8))


# ---- parameters of new networks, which are 0 or 1

def behind_conv(function, **parameters):
    return nn.Sequential(conv(3, 8), Lambda(function, **{k: nn.Parameter(p) for k, p in parameters.items()}), head(8))


EACH = 8, 1, 1
for _name, _function, _parameter in (
        ("swish", lambda s, x: x * torch.sigmoid(s.p * x), torch.ones(1)),
        ("swish_around", lambda s, x: s.p * x * torch.sigmoid(x), torch.ones(1)),
        ("swish_both", lambda s, x: F.silu(s.p * x), torch.ones(1)),
        ("mish_around", lambda s, x: s.p * x * torch.tanh(F.softplus(x)), torch.ones(1)),
        ("hardswish_bias", lambda s, x: x * F.relu6(x + s.p) / 6, torch.tensor(3.0)),
        ("gelu_inside", lambda s, x: x / 2 * (1 + torch.erf(s.p * x / 2 ** 0.5)), torch.ones(1)),
        ("clamp", lambda s, x: torch.minimum(F.relu(x), s.p), torch.tensor(6.0)),
        ("quotient", lambda s, x: x / s.p, torch.ones(1)),
        ("quotients", lambda s, x: x / s.p, torch.ones(EACH)),
        ("one_plus", lambda s, x: x * (1 + s.p), torch.zeros(EACH)),
        ("one_minus", lambda s, x: x * (1 - s.p), torch.zeros(EACH)),
        ("places", lambda s, x: x + s.p, torch.zeros(1, 8, 16, 16)),
        ("places_alike", lambda s, x: x + s.p, torch.full((1, 8, 16, 16), 0.1))):
    NETWORKS["fresh_" + _name] = lambda function=_function, parameter=_parameter: behind_conv(function, p=parameter)


@network
def fresh_film():
    return behind_conv(lambda s, x: (1 + s.g) * x + s.b, g=torch.zeros(1, *EACH), b=torch.zeros(1, *EACH))


@network
def fresh_acon():
    def forward(s, x):
        d = (s.first - s.second) * x
        return d * torch.sigmoid(s.beta * d) + s.second * x
    return behind_conv(forward, first=torch.randn(EACH), second=torch.randn(EACH), beta=torch.ones(EACH))


@network
def fresh_eps():
    def forward(s, x):
        a = x - x.mean(1, keepdim=True)
        return a / torch.sqrt(a.pow(2).mean(1, keepdim=True) + s.eps)
    return behind_conv(forward, eps=torch.tensor(1e-2))


class HeadsOfParameter(Heads):
    """Scores, or queries, that a parameter changes."""

    def __init__(self, change, *dims):
        super().__init__()
        self.change, self.p = change, nn.Parameter(torch.full(dims, float(change != "add")))

    def attend(self, q, k, v):
        if self.change == "query":
            return F.scaled_dot_product_attention(q * self.p, k, v)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        return (scores * self.p if self.change == "multiply" else scores + self.p).softmax(-1) @ v


for _name, *_options in (("positions", Heads), ("temperature", HeadsOfParameter, "multiply"), ("query", HeadsOfParameter, "query"),
                         ("bias_of_places", HeadsOfParameter, "add", 1, 2, 16, 16)):
    NETWORKS["fresh_" + _name] = lambda block=_options[0], options=_options[1:]: Lambda(
        lambda s, x: s.head(s.block(s.patch(x).flatten(2).transpose(1, 2) + s.positions).mean(1)), patch=nn.Conv2d(3, 8, 4, 4),
        positions=nn.Parameter(torch.zeros(1, 16, 8)), block=block(*options), head=nn.Linear(8, CLASSES))
