"""More files for onnx_file.py: patterns as exporters write them that do not optimise, and files at the edge of what gyre
reads. `add(pattern, bad)` gives each to one of the two."""
from onnx_wire import *


def twice(second):
    """x - mean(x) as often as the network's code has it: u = x.mean(1); v = (x - u).pow(2).mean(1); (x - u) / v.sqrt()."""
    return [node("ReduceMean", ["stem"], ["m"], axes=[1]), node("Sub", ["stem", "m"], ["a"]), *second,
            literal("two", 2.0), node("Pow", ["a", "two"], ["b"]), node("ReduceMean", ["b"], ["v"], axes=[1]),
            literal("eps", 1e-6), node("Add", ["v", "eps"], ["s"]), node("Sqrt", ["s"], ["d"]),
            node("Div", ["again", "d"], ["e"]), node("Mul", ["norm.weight", "e"], ["f"]),
            node("Add", ["f", "norm.bias"], ["body"])]


def attend(factor=0.7071067811865476, other=False, turned=False, softmax=3, mask=()):
    """softmax(q k^T factor) v of 2 heads; q and v are "near", keys "k". mask: nodes from "scaled" to "masked"."""
    shape, order = literal("shape", [0, 2, 2, 64], (4,), INT64), [0, 1, 3, 2]
    heads = lambda x, y: [node("Reshape", [x, "shape"], [y + "t"]), node("Transpose", [y + "t"], [y], perm=order)]
    last = [node("MatMul", ["p", "q"], ["y"]), node("Transpose", ["y"], ["yt"], perm=order)]
    if turned:
        last = [node("Transpose", ["p"], ["pt"], perm=order), node("MatMul", ["qt", "pt"], ["yt"])]
    if other:  # softmax over the keys, and then the other way round
        last = [node("Transpose", ["p"], ["pt"], perm=order), node("MatMul", ["pt", "q"], ["y"]),
                node("Transpose", ["y"], ["yt"], perm=order)]
    return [shape, literal("f", factor), literal("sides", [0, 4, 8, 8], (4,), INT64),
            node("Conv", ["stem", "near.weight"], ["near"], kernel_shape=[1, 1]), node("Conv", ["near", "k.weight"], ["k"], kernel_shape=[1, 1]),
            *heads("near", "q"), *heads("k", "keys"), node("MatMul", ["q", "keyst"], ["s"]), node("Mul", ["s", "f"], ["scaled"]),
            *mask, node("Softmax", ["masked" if mask else "scaled"], ["p"], axis=softmax), *last, node("Reshape", ["yt", "sides"], ["body"])]


def mask(pattern, bad, keys):
    """Causal attention by a sum, by Where, and by Trilu; other masks."""
    far, least = float("-inf"), literal("far", float("-inf"))
    flags = [float(j <= i) for i in range(64) for j in range(64)]
    masks = {"added": ([node("Add", ["scaled", "m"], ["masked"])], [0 if x else far for x in flags]),
             "chosen": ([least, literal("zero", 0.0), node("Equal", ["m", "zero"], ["e"]), node("Where", ["e", "far", "scaled"], ["masked"])], flags),
             "kept": ([least, node("Cast", ["m"], ["e"], to=9), node("Where", ["e", "scaled", "far"], ["masked"])], flags),
             "triangle": ([literal("one", 1, (), INT64), node("Trilu", ["m", "one"], ["e"]), node("Add", ["scaled", "e"], ["masked"])], [-1e9] * 4096)}
    for name, (nodes, numbers) in masks.items():
        pattern("causal_" + name, "conv conv attention", attend(mask=nodes), [*keys, tensor("m", (64, 64), numbers)])
    near = [0 if x else -1.0 for x in flags]
    backwards = [far if x and i % 65 else 0 for i, x in enumerate(flags)]
    for name, numbers in (("near", near), ("backwards", backwards)):
        bad("mask_" + name, around(attend(mask=masks["added"][0]), [*keys, tensor("m", (64, 64), numbers)]), "gyre's constants of this kind")


def gate(pattern, bad):
    """a gelu(b) of the halves of 8 channels, by Split, Slice and SplitToSequence."""
    wide, tail = node("Conv", ["stem", "wide.weight"], ["x"], kernel_shape=[1, 1]), [node("Gelu", ["b"], ["g"]), node("Mul", ["a", "g"], ["body"])]
    n = lambda name, *x: literal(name, list(x), (len(x),), INT64)
    cut = lambda y, begin, end: node("Slice", ["x", begin, end, "n1", "n1"], [y])
    parts = {"split": [n("each", 4, 4), node("Split", ["x", "each"], ["a", "b"], axis=1)],
             "slices": [n("n0", 0), n("n1", 1), n("n4", 4), n("n8", 8), cut("a", "n0", "n4"), cut("b", "n4", "n8")],
             "sequence": [literal("n4", 4, (), INT64), node("SplitToSequence", ["x", "n4"], ["s"], axis=1), literal("i", 0, (), INT64),
                          literal("j", 1, (), INT64), node("SequenceAt", ["s", "i"], ["a"]), node("SequenceAt", ["s", "j"], ["b"])]}
    weight = [tensor("wide.weight", (8, 4, 1, 1))]
    for name, nodes in parts.items():
        pattern("gated_" + name, "conv geglu", [wide, *nodes, *tail], weight, opset=20)
    swapped = [node("Gelu", ["a"], ["g"]), node("Mul", ["b", "g"], ["body"])]
    bad("gated_swapped", around([wide, *parts["split"], *swapped], weight, opset=20), "the halves of channels whose first is multiplied")
    bad("thirds", around([wide, n("each", 2, 2, 4), node("Split", ["x", "each"], ["a", "b", "c"], axis=1), *tail], weight, opset=20),
        "gyre takes no parts of pictures")


def average(pattern, bad):
    """Means of one direction after the other."""
    line = lambda op, x, y, axis, keep=1: node(op, [x], [y], axes=[axis], keepdims=keep)
    for op, kind in (("ReduceMean", "average_pool"), ("ReduceMax", "max_pool")):
        pattern(op + "_lines", kind, [line(op, "stem", "x", 3), line(op, "x", "body", 2)])
        pattern(op + "_line", kind, [line(op, "stem", "body", 3)])
    pattern("lines_differ", "average_pool max_pool", [line("ReduceMean", "stem", "x", 3), line("ReduceMax", "x", "body", 2)])
    row = [literal("square", [0, 4, 2, 2], (4,), INT64), node("GlobalAveragePool", ["stem"], ["p"]), node("Flatten", ["p"], ["f"], axis=1),
           node("Gemm", ["f", "up"], ["u"]), node("Reshape", ["u", "square"], ["r"])]
    for op, more in (("AveragePool", {"kernel_shape": [2, 2]}), ("GlobalAveragePool", {})):
        bad("row_" + op, around([*row, node(op, ["r"], ["body"], **more)], [tensor("up", (4, 16))]), "it reads a picture made of a row")


def learn(pattern):
    """Sums, products and differences with parameters, and of layers."""
    pattern("divided_named", "affine", [node("Div", ["stem", "offset"], ["body"])], [tensor("offset", (4, 1, 1))])
    pattern("difference", "leaky_relu elu affine add", [node("LeakyRelu", ["stem"], ["a"], alpha=0.5), node("Elu", ["stem"], ["b"], alpha=1.0),
                                                   node("Sub", ["a", "b"], ["body"])])
    lerp = [literal("one", 1.0), node("LeakyRelu", ["stem"], ["a"], alpha=0.5), node("Elu", ["stem"], ["b"], alpha=1.0), node("Mul", ["gate", "a"], ["c"]),
            node("Sub", ["one", "gate"], ["rest"]), node("Mul", ["rest", "b"], ["d"]), node("Add", ["c", "d"], ["body"])]
    pattern("lerp", "leaky_relu elu scale scale affine add add", lerp, [tensor("gate", (4, 1, 1), values(4, 1.0))])
    pattern("biases", "leaky_relu bias affine bias affine add", [
        node("LeakyRelu", ["stem"], ["a"], alpha=0.5), node("Add", ["a", "b.offset"], ["x"]), node("Sub", ["a", "c.offset"], ["y"]),
        node("Add", ["x", "y"], ["body"])], [tensor(n + ".offset", (4, 1, 1)) for n in "bc"])


def add(pattern, bad):
    learn(pattern)
    keys = [tensor("k.weight", (4, 4, 1, 1)), tensor("near.weight", (4, 4, 1, 1), [x / 100 for x in values(16)])]
    pattern("attention", "conv conv attention", attend(), keys)
    pattern("attention_turned", "conv conv attention", attend(turned=True), keys)
    pattern("attention_factor", "conv conv affine attention", attend(factor=0.25), keys)
    mask(pattern, bad, keys)
    gate(pattern, bad)
    average(pattern, bad)
    bad("attention_other", around(attend(other=True), keys), "of two layers gyre multiplies the queries and keys of attention")
    bad("attention_axis", around(attend(softmax=2), keys), "gyre's loss has a softmax over the classes")
    norm = [tensor("norm.weight", (4, 1, 1)), tensor("norm.bias", (4, 1, 1))]
    pattern("centred_twice", "layer_norm", twice([node("Sub", ["stem", "m"], ["again"])]), norm)
    means = [node("ReduceMean", ["stem"], ["n"], axes=[1]), node("Sub", ["stem", "n"], ["again"])]
    pattern("means_twice", "layer_norm", twice(means), norm)
    # what is equal but for its numbers is another node, and so are two that draw
    other = lambda k: [literal("one", 1.0), literal("two", k), node("Add", ["stem", "one"], ["a"]),
                       node("Add", ["stem", "two"], ["b"]), node("Mul", ["a", "b"], ["body"])]
    pattern("other_numbers", "affine affine mul", other(2.0))
    pattern("same_numbers", "affine mul", other(1.0))
    drop = lambda y: node("Dropout", ["stem"], [y], ratio=0.25)
    pattern("drawn_twice", "dropout dropout mul", [drop("a"), drop("b"), node("Mul", ["a", "b"], ["body"])])
    conv = lambda w, y: node("Conv", ["stem", w], [y], kernel_shape=[1, 1])
    two = [tensor("one.weight", (4, 4, 1, 1)), tensor("two.weight", (4, 4, 1, 1))]
    pattern("equal_weights", "conv conv add", [conv("one.weight", "a"), conv("two.weight", "b"),
                                               node("Add", ["a", "b"], ["body"])], two)
