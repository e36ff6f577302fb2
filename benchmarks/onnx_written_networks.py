"""Small networks as people write them, for onnx_written.py: NETWORKS has a function for each."""
import copy

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10
NETWORKS = {}


def network(function):
    NETWORKS[function.__name__] = function
    return function


class Lambda(nn.Module):
    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


class Residual(nn.Module):
    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return x + self.body(x)


def head(c):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, CLASSES))


def conv(i, o, k=3, act=nn.ReLU, **more):
    return nn.Sequential(nn.Conv2d(i, o, k, padding=k // 2, bias=False, **more), nn.BatchNorm2d(o), act())


# ---- the classics

@network
def lenet():
    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
                         nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, CLASSES))


@network
def alexnet():
    return nn.Sequential(nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2, ceil_mode=True),
                         nn.Conv2d(8, 8, 3, groups=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(),
                         nn.Linear(32, CLASSES))


@network
def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.BatchNorm1d(16), nn.ELU(),
                         nn.Dropout(0.2), nn.Linear(16, CLASSES))


@network
def log_softmax():
    return nn.Sequential(conv(3, 8), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, CLASSES), nn.LogSoftmax(1))


@network
def inception():
    def forward(s, x):
        x = s.stem(x)
        return s.head(torch.cat([s.a(x), s.b(x), s.c(x), s.d(x)], 1))
    return Lambda(forward, stem=conv(3, 8), a=conv(8, 4, 1), b=nn.Sequential(conv(8, 4, 1), conv(4, 4)),
                  c=nn.Sequential(conv(8, 4, 1), conv(4, 4, 5)), d=nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(8, 4, 1)), head=head(16))


@network
def resnet_option_a():
    def block(s, x):
        return F.relu(s.body(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4)))
    body = nn.Sequential(conv(8, 16, stride=2), nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16))
    return nn.Sequential(conv(3, 8), Lambda(block, body=body), head(16))


@network
def preactivation():
    body = [nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False)]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), Residual(*body, *copy.deepcopy(body)), nn.BatchNorm2d(8),
                         nn.ReLU(), head(8))


@network
def densenet():
    class Layer(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.norm, self.conv = nn.BatchNorm2d(c), nn.Conv2d(c, 4, 3, padding=1, bias=False)

        def forward(self, x):
            return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Layer(8), Layer(12), nn.AvgPool2d(2), Layer(16), head(20))


@network
def functions():
    """No modules: weights are parameters of the network itself."""
    def forward(s, x):
        x = F.conv2d(x, s.w, s.b, padding=1)
        x = F.max_pool2d(F.relu(x), 2)
        return F.linear(x.reshape(x.shape[0], -1), s.v)
    return Lambda(forward, w=nn.Parameter(torch.randn(4, 3, 3, 3) / 5), b=nn.Parameter(torch.randn(4)),
                  v=nn.Parameter(torch.randn(CLASSES, 256) / 16))


# ---- mobile ones

@network
def mobilenet_v1():
    return nn.Sequential(conv(3, 8, stride=2, act=nn.ReLU6), conv(8, 8, groups=8, act=nn.ReLU6), conv(8, 16, 1, act=nn.ReLU6), head(16))


@network
def mobilenet_v3():
    gate = Lambda(lambda s, x: x * s.gate(x), gate=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 4, 1), nn.ReLU(),
                                                                   nn.Conv2d(4, 16, 1), nn.Hardsigmoid()))
    return nn.Sequential(conv(3, 8, act=nn.Hardswish), Residual(conv(8, 16, 1, act=nn.Hardswish), conv(16, 16, 5, groups=16),
                         gate, nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8)), head(8))


@network
def shufflenet():
    def shuffle(s, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
    return nn.Sequential(conv(3, 8), conv(8, 8, 1, groups=2), Lambda(shuffle), conv(8, 8, groups=8), head(8))


@network
def shuffle_module():
    return nn.Sequential(conv(3, 8), nn.ChannelShuffle(2), head(8))


@network
def split_in_two():
    def forward(s, x):
        a, b = x.chunk(2, 1)
        return torch.cat([a, s.body(b)], 1)
    return nn.Sequential(conv(3, 8), Lambda(forward, body=conv(4, 4)), head(8))


@network
def ghost():
    def forward(s, x):
        a = s.a(x)
        return torch.cat([a, s.b(a)], 1)
    return nn.Sequential(conv(3, 8), Lambda(forward, a=conv(8, 4, 1), b=conv(4, 4, groups=4)), head(8))


@network
def efficientnet():
    gate = Lambda(lambda s, x: s.gate(x) * x, gate=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 4, 1), nn.SiLU(),
                                                                   nn.Conv2d(4, 16, 1), nn.Sigmoid()))
    return nn.Sequential(conv(3, 8, act=nn.SiLU), Residual(conv(8, 16, 1, act=nn.SiLU), conv(16, 16, groups=16, act=nn.SiLU), gate,
                         nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8)), head(8))


# ---- gates and attention over channels

@network
def squeeze_by_linear():
    def forward(s, x):
        n, c, _, _ = x.size()
        return x * s.fc(F.adaptive_avg_pool2d(x, 1).view(n, c)).view(n, c, 1, 1).expand_as(x)
    return nn.Sequential(conv(3, 8), Lambda(forward, fc=nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid())), head(8))


@network
def cbam():
    def channels(s, x):
        return x * torch.sigmoid(s.mlp(F.adaptive_avg_pool2d(x, 1)) + s.mlp(F.adaptive_max_pool2d(x, 1)))

    def pixels(s, x):
        return x * torch.sigmoid(s.conv(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)))
    mlp = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))
    return nn.Sequential(conv(3, 8), Lambda(channels, mlp=mlp), Lambda(pixels, conv=nn.Conv2d(2, 1, 7, padding=3)), head(8))


@network
def pixel_gate():
    return nn.Sequential(conv(3, 8), Lambda(lambda s, x: x * torch.sigmoid(s.conv(x.mean(1, keepdim=True))),
                                            conv=nn.Conv2d(1, 1, 3, padding=1)), head(8))


@network
def two_pools():
    return nn.Sequential(conv(3, 8), Lambda(lambda s, x: s.fc(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)),
                                            fc=nn.Linear(16, CLASSES)))


# ---- later ones

@network
def convmixer():
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.GELU(), nn.BatchNorm2d(8),
                         Residual(nn.Conv2d(8, 8, 3, groups=8, padding="same"), nn.GELU(), nn.BatchNorm2d(8)),
                         nn.Conv2d(8, 8, 1), nn.GELU(), nn.BatchNorm2d(8), head(8))


@network
def convnext():
    class Block(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.dw, self.norm = nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c, eps=1e-6)
            self.a, self.b, self.gamma = nn.Linear(c, 4 * c), nn.Linear(4 * c, c), nn.Parameter(0.5 + torch.rand(c))

        def forward(self, x):
            y = self.norm(self.dw(x).permute(0, 2, 3, 1))
            return x + (self.gamma * self.b(F.gelu(self.a(y)))).permute(0, 3, 1, 2)
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), Block(8), head(8))


@network
def channels_first_norm():
    def forward(s, x):
        u = x.mean(1, keepdim=True)
        v = (x - u).pow(2).mean(1, keepdim=True)
        return s.w[:, None, None] * ((x - u) / torch.sqrt(v + 1e-6)) + s.b[:, None, None]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Lambda(forward, w=nn.Parameter(0.5 + torch.rand(8)), b=nn.Parameter(torch.randn(8))),
                         nn.GELU(), head(8))


@network
def affine_blocks():
    class Affine(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.alpha, self.beta = nn.Parameter(0.5 + torch.rand(1, c, 1, 1)), nn.Parameter(torch.randn(1, c, 1, 1))

        def forward(self, x):
            return self.alpha * x + self.beta
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Affine(8), nn.ReLU(), Residual(Affine(8), nn.Conv2d(8, 8, 1)), head(8))


@network
def mixer():
    class Block(nn.Module):
        def __init__(self, pixels, c):
            super().__init__()
            self.na, self.nb = nn.LayerNorm(c), nn.LayerNorm(c)
            self.a = nn.Sequential(nn.Linear(pixels, 8), nn.GELU(), nn.Linear(8, pixels))
            self.b = nn.Sequential(nn.Linear(c, 16), nn.GELU(), nn.Linear(16, c))

        def forward(self, x):
            x = x + self.a(self.na(x).transpose(1, 2)).transpose(1, 2)
            return x + self.b(self.nb(x))
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2), Lambda(lambda s, x: x.transpose(1, 2)), Block(16, 8), nn.LayerNorm(8),
                         Lambda(lambda s, x: x.mean(1)), nn.Linear(8, CLASSES))


@network
def transformer():
    def forward(s, x):
        x = s.patch(x).flatten(2).transpose(1, 2) + s.positions
        return s.head(s.layer(x).mean(1))
    return Lambda(forward, patch=nn.Conv2d(3, 8, 4, 4), positions=nn.Parameter(torch.randn(1, 16, 8) / 5),
                  layer=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0), head=nn.Linear(8, CLASSES))


@network
def group_norms():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 3), nn.GroupNorm(1, 8),
                         nn.Mish(), head(8))


@network
def instance_norms():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3),
                         nn.InstanceNorm2d(8, affine=True), nn.LeakyReLU(0.1), head(8))


@network
def picture_norm():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm((8, 16, 16)), nn.ReLU(), head(8))


@network
def unet():
    def forward(s, x):
        a = s.a(x)
        b = s.b(F.max_pool2d(a, 2))
        return s.head(s.c(torch.cat([F.interpolate(b, scale_factor=2), a], 1)))
    return Lambda(forward, a=conv(3, 4), b=conv(4, 8), c=conv(12, 8), head=head(8))


@network
def transposed_conv():
    return nn.Sequential(conv(3, 8), nn.MaxPool2d(2), nn.ConvTranspose2d(8, 8, 2, 2), nn.ReLU(), head(8))


@network
def pixel_shuffle():
    return nn.Sequential(conv(3, 8), nn.PixelShuffle(2), nn.Conv2d(2, 8, 3), head(8))


@network
def space_to_depth():
    return nn.Sequential(nn.PixelUnshuffle(2), conv(12, 8), head(8))


# ---- activations, pools, pads

@network
def activations():
    return nn.Sequential(conv(3, 8, act=nn.LeakyReLU), conv(8, 8, act=nn.ELU), conv(8, 8, act=nn.SiLU), conv(8, 8, act=nn.Sigmoid),
                         conv(8, 8, act=nn.Tanh), conv(8, 8, act=nn.ReLU6), conv(8, 8, act=nn.Hardswish), head(8))


for _name in ("PReLU", "Mish", "Softplus", "SELU", "CELU", "Softsign", "Hardtanh", "GLU"):
    def _with(name=_name):
        return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), getattr(nn, name)(*([1] if name == "GLU" else [])),
                             nn.Conv2d(4 if name == "GLU" else 8, 8, 3), head(8))
    NETWORKS["activation_" + _name.lower()] = _with


@network
def pools():
    return nn.Sequential(conv(3, 8), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3, padding=1), nn.AvgPool2d(3, 2, 1, ceil_mode=False),
                         nn.Conv2d(8, 8, 1), nn.AvgPool2d(2, count_include_pad=False), nn.Flatten(), nn.Linear(32, CLASSES))


@network
def adaptive_pool():
    return nn.Sequential(conv(3, 8), nn.AdaptiveAvgPool2d((3, 5)), nn.Flatten(), nn.Linear(120, CLASSES))


@network
def pads():
    return nn.Sequential(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, padding="same"), head(8))


@network
def reflected():
    return nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 8, 3), nn.ReLU(), head(8))


@network
def dilated():
    return nn.Sequential(nn.Conv2d(3, 8, 3, dilation=2, padding=2), nn.ReLU(), nn.Conv2d(8, 8, (1, 3), stride=(1, 2)), nn.ReLU(),
                         nn.Conv2d(8, 8, (3, 1), stride=(2, 1), padding=(1, 0)), head(8))
