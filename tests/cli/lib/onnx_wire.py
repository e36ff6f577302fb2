"""ONNX's messages as bytes, without the onnx package, and a small network to start from: for onnx_file.py."""
import struct

FLOAT, INT64, FLOAT16, DOUBLE = 1, 7, 10, 11


def varint(x):
    x &= (1 << 64) - 1
    out = b""
    while x > 127:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])


def number(tag, x):
    return varint(tag << 3) + varint(x)


def chunk(tag, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(tag << 3 | 2) + varint(len(data)) + data


def real(tag, x):
    return varint(tag << 3 | 5) + struct.pack("<f", x)


def count_of(dims):
    n = 1
    for d in dims:
        n *= d
    return n


def values(count, first=0.0):
    """Small numbers that differ, none of them 0."""
    return [first + ((i * 7 + 3) % 11 - 5.25) / 16 for i in range(count)]


def tensor(name, dims, data=None, kind=FLOAT, raw=True, outside=None):
    out = b"".join(number(1, d) for d in dims) + number(2, kind) + chunk(8, name)
    if outside is not None:
        pairs = b"".join(chunk(13, chunk(1, k) + chunk(2, v)) for k, v in outside.items())
        return out + pairs + number(14, 1)
    data = values(count_of(dims)) if data is None else data
    letter = {FLOAT: "f", INT64: "q", FLOAT16: "e", DOUBLE: "d"}[kind]
    packed = struct.pack(f"<{len(data)}{letter}", *data)
    if raw:
        return out + chunk(9, packed)
    if kind == INT64:
        return out + chunk(7, b"".join(varint(x) for x in data))
    return out + chunk({FLOAT: 4, DOUBLE: 10}[kind], packed)


def attribute(name, value):
    out = chunk(1, name)
    if isinstance(value, bytes):  # a graph or a tensor, ready made: (tag, type) in front
        return out + value
    if isinstance(value, str):
        return out + chunk(4, value) + number(20, 3)
    if isinstance(value, float):
        return out + real(2, value) + number(20, 1)
    if isinstance(value, int):
        return out + number(3, value) + number(20, 2)
    return out + b"".join(number(8, x) for x in value) + number(20, 7)


def node(op, inputs, outputs, name=None, domain=None, **attributes):
    out = b"".join(chunk(1, x) for x in inputs) + b"".join(chunk(2, x) for x in outputs)
    out += chunk(3, name or "node_" + outputs[0]) + chunk(4, op)
    out += b"".join(chunk(5, attribute(k, v)) for k, v in attributes.items())
    return out + (chunk(7, domain) if domain else b"")


def info(name, dims):
    shape = b"".join(chunk(1, number(1, d) if isinstance(d, int) else chunk(2, d)) for d in dims)
    return chunk(1, name) + chunk(2, chunk(1, number(1, FLOAT) + chunk(2, shape)))


def graph(nodes, tensors, inputs, outputs, between=()):
    out = b"".join(chunk(1, n) for n in nodes) + chunk(2, "graph") + b"".join(chunk(5, t) for t in tensors)
    out += b"".join(chunk(13, v) for v in between)
    return out + b"".join(chunk(11, i) for i in inputs) + b"".join(chunk(12, o) for o in outputs)


def model(nodes, tensors, image=("N", 3, 8, 8), output="logits", opset=17, more_inputs=(), more_outputs=(),
          between=()):
    g = graph(nodes, tensors, [info("images", image), *more_inputs], [info(output, ("N", 10)), *more_outputs], between)
    return number(1, 8) + chunk(2, "by hand") + chunk(8, number(2, opset)) + chunk(7, g)


def literal(name, x, dims=(), kind=FLOAT):
    """A Constant node, whose numbers have no name."""
    return node("Constant", [], [name], value=chunk(5, constant("", x, kind, dims)) + number(20, 4))


def constant(name, x, kind=FLOAT, dims=()):
    return tensor(name, dims, [x] * count_of(dims) if not isinstance(x, list) else x, kind)


# ---- a network to start from: body is a list of nodes from "stem" to "body", both of 8 x 8 x 4

STEM = [node("Conv", ["images", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
HEAD = [node("GlobalAveragePool", ["body"], ["pooled"]), node("Flatten", ["pooled"], ["row"], axis=1),
        node("Gemm", ["row", "head.weight", "head.bias"], ["logits"], transB=1)]
WEIGHTS = [tensor("stem.weight", (4, 3, 3, 3)), tensor("stem.bias", (4,)), tensor("head.weight", (10, 4)),
           tensor("head.bias", (10,))]


def around(body, tensors=(), **options):
    return model([*STEM, *body, *HEAD], [*WEIGHTS, *tensors], **options)


RELU = [node("Relu", ["stem"], ["body"])]
