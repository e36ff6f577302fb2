"""Reads an ONNX file and computes it with numpy, as far as gyre's exports need it: no library of ONNX is needed."""
import math
import struct

import numpy as np


def fields(data):
    """(number, value) of a protobuf message: integers, floats of 4 bytes, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - (1 << 64) if value >> 63 else value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind == 5:
            value = struct.unpack("<f", data[at:at + 4])[0]
            at += 4
        else:
            assert kind == 2, kind
            size = varint()
            value = data[at:at + size]
            assert len(value) == size, "cut short"
            at += size
        yield key >> 3, value


def every(data, number):
    return [v for n, v in fields(data) if n == number]


def attribute(data):
    name, kind = every(data, 1)[0].decode(), every(data, 20)[0]
    value = {1: lambda: every(data, 2)[0], 2: lambda: every(data, 3)[0], 3: lambda: every(data, 4)[0].decode(),
             4: lambda: tensor(every(data, 5)[0])[1], 7: lambda: every(data, 8)}[kind]()
    return name, value


def tensor(data):
    kind = {1: "<f4", 7: "<i8"}[every(data, 2)[0]]
    return every(data, 8)[0].decode(), np.frombuffer(every(data, 9)[0], kind).reshape(every(data, 1))


class Model:
    def __init__(self, path):
        data = open(path, "rb").read()
        self.opset = every(every(data, 8)[0], 2)[0]
        self.metadata = {every(p, 1)[0].decode(): every(p, 2)[0].decode() for p in every(data, 14)}
        graph = every(data, 7)[0]
        self.constants = dict(tensor(t) for t in every(graph, 5))
        self.nodes = [(every(n, 4)[0].decode(), [i.decode() for i in every(n, 1)], every(n, 2)[0].decode(),
                       dict(attribute(a) for a in every(n, 5))) for n in every(graph, 1)]
        self.inputs = [every(v, 1)[0].decode() for v in every(graph, 11)]
        self.outputs = [every(v, 1)[0].decode() for v in every(graph, 12)]
        made = set(self.constants) | set(self.inputs)
        assert len(made) == len(self.constants) + len(self.inputs)
        for operator, inputs, output, _ in self.nodes:
            assert all(i in made or i == "" for i in inputs), (operator, inputs)
            assert output not in made, output
            made.add(output)

    def run(self, x):
        values = {**self.constants, self.inputs[0]: x, "": None}
        for operator, inputs, output, attributes in self.nodes:
            values[output] = OPERATORS[operator](*[values[i] for i in inputs], **attributes)
        return values[self.outputs[0]]


def padded(x, pads, fill=0.0):
    n = len(pads) // 2
    return np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:n], pads[n:])), constant_values=fill)


def windows(x, size, strides, dilations):
    """(N, C, places..., window...)"""
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilations)]
    w = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(2, x.ndim)))
    some = tuple(slice(None, None, s) for s in strides)
    return w[(slice(None),) * 2 + some + tuple(slice(None, None, d) for d in dilations)]


def conv(x, w, b=None, *, kernel_shape=None, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), group=1):
    kernel_shape = kernel_shape or w.shape[2:]
    v = windows(padded(x, pads), kernel_shape, strides, dilations)  # N C H W r s
    n, k = len(x), len(w)
    v = v.reshape(n, group, -1, *v.shape[2:])
    w = w.reshape(group, k // group, *w.shape[1:])
    y = np.einsum("ngchwrs,gkcrs->ngkhw", v, w, optimize=True).reshape(n, k, *v.shape[3:5])
    return y if b is None else y + b[:, None, None]


def pool(x, largest, kernel_shape, strides=None, pads=None, count_include_pad=0, ceil_mode=0):
    n = len(kernel_shape)
    strides, pads = strides or [1] * n, list(pads or [0] * (2 * n))
    for i in range(n if ceil_mode else 0):  # as much more as makes the last window whole
        pads[n + i] += -(x.shape[2 + i] + pads[i] + pads[n + i] - kernel_shape[i]) % strides[i]
    axes = tuple(range(-n, 0))
    of = lambda a, fill: windows(padded(a, pads, fill), kernel_shape, strides, [1] * n)
    if largest:
        return of(x, -np.inf).max(axes)
    count = math.prod(kernel_shape) if count_include_pad else of(np.ones_like(x), 0).sum(axes)
    return of(x, 0).sum(axes) / count


def batch_norm(x, scale, bias, mean, variance, *, epsilon=1e-5, momentum=0.9):
    over = (slice(None),) + (None,) * (x.ndim - 2)
    return (x - mean[over]) / np.sqrt(variance[over] + epsilon) * scale[over] + bias[over]


def layer_norm(x, scale, bias=0, *, axis=-1, epsilon=1e-5):
    assert axis == -1
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * scale + bias


def instance_norm(x, scale, bias, *, epsilon=1e-5):
    axes = tuple(range(2, x.ndim))
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    over = (slice(None),) + (None,) * (x.ndim - 2)
    return y * scale[over] + bias[over]


def lrn(x, *, size, alpha, beta, bias):
    square = np.pad(x * x, [(0, 0), ((size - 1) // 2, size // 2), (0, 0), (0, 0)])
    return x / (bias + alpha / size * sum(square[:, i:i + x.shape[1]] for i in range(size))) ** beta


def resize(x, _, scales, *, mode, nearest_mode, coordinate_transformation_mode):
    assert (mode, nearest_mode, coordinate_transformation_mode) == ("nearest", "floor", "asymmetric")
    return x.repeat(int(scales[2]), 2).repeat(int(scales[3]), 3)


def sliced(x, starts, ends, axes, steps):
    cut = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        cut[axis] = slice(start, end, step)
    return x[tuple(cut)]


def gelu_erf(x):
    return np.vectorize(math.erf)(x)


def reshape(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape)])


def softmax(x, *, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


OPERATORS = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power, "Identity": lambda x: x, "Neg": np.negative,
    "Constant": lambda value: value,
    "MatMul": np.matmul, "Relu": lambda x: np.maximum(x, 0),
    "Softmax": softmax, "Softplus": lambda x: np.logaddexp(0, x), "Clip": np.clip, "Tanh": np.tanh, "Erf": gelu_erf,
    "LeakyRelu": lambda x, alpha: np.where(x < 0, alpha * x, x),
    "Elu": lambda x, alpha: np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "HardSigmoid": lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
    "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Conv": conv, "BatchNormalization": batch_norm, "LayerNormalization": layer_norm,
    "InstanceNormalization": instance_norm, "LRN": lrn,
    "Gemm": lambda x, w, b=0, *, transB: x @ w.T + b,
    "MaxPool": lambda x, **a: pool(x, True, **a), "AveragePool": lambda x, **a: pool(x, False, **a),
    "GlobalMaxPool": lambda x: x.max((2, 3), keepdims=True), "GlobalAveragePool": lambda x: x.mean((2, 3), keepdims=True),
    "Flatten": lambda x, axis: x.reshape(len(x), -1), "Reshape": reshape,
    "Transpose": lambda x, perm: x.transpose(perm),
    "Concat": lambda *x, axis: np.concatenate(x, axis), "Resize": resize, "Slice": sliced,
    "Pad": lambda x, pads: np.pad(x, list(zip(pads[:4], pads[4:]))),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)), "Squeeze": lambda x, axes: x.squeeze(tuple(axes)),
}
