"""Networks at the edges of what gyre reads: onnx_edges.py FOLDER writes NAME.onnx, and edges.txt with lines of NAME,
words of the network that `gyre model --json` prints and words on stderr (! in front: these are not there)."""
import pathlib, sys

from onnx_wire import *

EDGES = {}
KIND = "pkg.torch.export.graph_signature.InputSpec.kind"


def edge(name, data, network="", told=""):
    EDGES[name] = (data, network, told)


def kind(name, dims, what):
    """What dynamo's exporter notes at a value."""
    return info(name, dims) + chunk(4, chunk(1, KIND) + chunk(2, what))


def behind_images(before, tensors, **options):
    """The network with nodes from "images" to "x" in front of the stem."""
    stem = node("Conv", ["x", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return model([*before, stem, *RELU, *HEAD], [*WEIGHTS, *tensors], **options)


def make_images():
    """What multiplies the images, or is added to them: a parameter is none of their normalisation."""
    gain = tensor("gain", (3, 1, 1), [0.5, 0.25, 2.0])
    by = lambda op: [node(op, ["images", "gain"], ["x"])]
    for op, network in (("Mul", '"name": "gain", "type": "scale"}'),
                        ("Add", '"type": "affine", "by_channel": true}')):
        edge("parameter_" + op, behind_images(by(op), [gain], between=[kind("gain", (3, 1, 1), "PARAMETER")]), network,
             "!normalises" if op == "Mul" else "gain is a constant here, which training leaves as it is")
        edge("buffer_" + op, behind_images(by(op), [gain], between=[kind("gain", (3, 1, 1), "BUFFER")]), "!gain",
             "!normalises")
        edge("named_" + op, behind_images(by(op), [gain]), "!gain", "gain normalises the images, and training leaves it")
    one = literal("one", 1.0)
    follows = [one, node("Add", ["one", "gain"], ["more"]), node("Mul", ["images", "more"], ["x"])]
    edge("follows_told", behind_images(follows, [gain], between=[kind("gain", (3, 1, 1), "PARAMETER")]),
         '"type": "affine", "by_channel": true}', "gain is a constant here")
    edge("follows_named", behind_images(follows, [gain]), "!affine", "gain normalises the images")
    inner = [one, node("Add", ["one", "size"], ["more"]), node("Mul", ["stem", "more"], ["body"])]
    edge("follows_inside", around(inner, [tensor("size", (4, 1, 1))]), '"type": "affine"', "size is a constant here")
    edge("nameless", behind_images([literal("half", 0.5), node("Mul", ["images", "half"], ["x"])], []), "!affine",
         "!normalises")


def ending(nodes, tensors=()):
    """Other nodes between the last linear layer, "head", and the output."""
    last = node("Gemm", ["row", "head.weight", "head.bias"], ["head"], transB=1)
    return model([*STEM, *RELU, *HEAD[:2], last, *nodes], [*WEIGHTS, *tensors])


def make_ends():
    """The layer that has as many outputs as there are classes, behind what keeps their number."""
    last, fixed = '"name": "head", "type": "linear", "out": "classes"', '"name": "head", "type": "linear", "out": 10'
    edge("end_factor", ending([literal("half", 0.5), node("Mul", ["head", "half"], ["logits"])]), last)
    edge("end_both", ending([literal("half", 0.5), node("Mul", ["head", "half"], ["a"]), literal("two", 2.0),
                             node("Add", ["a", "two"], ["b"]), node("Tanh", ["b"], ["logits"])]), last)
    edge("end_scale", ending([node("Mul", ["head", "gain"], ["logits"])], [tensor("gain", (10,))]), last)
    two = node("Gemm", ["row", "other.weight", "other.bias"], ["other"], transB=1)
    other = [tensor("other.weight", (10, 4), values(40, 2.0)), tensor("other.bias", (10,), values(10, 2.0))]
    edge("end_sum", ending([two, node("Add", ["head", "other"], ["logits"])], other), last)
    edge("end_sum_too", ending([two, node("Add", ["head", "other"], ["logits"])], other),
         '"name": "other", "type": "linear", "input": "pooled", "out": "classes"')
    edge("end_channels", ending([literal("each", values(10, 1.0), (10,)), node("Mul", ["head", "each"], ["logits"])]), fixed)
    edge("end_read", ending([node("Gemm", ["head", "other.weight"], ["other"], transB=1),
                             node("Add", ["head", "other"], ["logits"])], [tensor("other.weight", (10, 10))]), fixed)


def make_many(folder):
    """As many layers as a network may have, and more: each has the factor, or factors of its own."""
    for name, count, shared in ("many", 9997, False), ("more", 9998, False), ("most", 49900, False), ("tied", 49900, True):
        at = lambda i: "stem" if i == 0 else "body" if i == count else f"b{i}"
        factor = lambda i: "factor" if shared else f"factor{i}"
        body = [node("Mul", [at(i), factor(i)], [at(i + 1)]) for i in range(count)]
        tensors = [tensor(factor(i), (4, 1, 1), [1.0, 1.0, 1.0, 0.5]) for i in range(1 if shared else count)]
        (folder / f"{name}.onnx").write_bytes(around(body, tensors))
    # products of products, whose factors are more with each
    body = [node("Mul", [x, x], [y]) for x, y in zip(["stem", *(f"b{i}" for i in range(9000))],
                                                     [*(f"b{i}" for i in range(9000)), "body"])]
    (folder / "powers.onnx").write_bytes(around(body))


def main(folder):
    make_many(folder)
    make_images()
    make_ends()
    with open(folder / "edges.txt", "w") as f:
        for name, (data, network, told) in EDGES.items():
            (folder / f"{name}.onnx").write_bytes(data)
            f.write("|".join((name, network, told)) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
