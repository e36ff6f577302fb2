"""ONNX files by hand: onnx_file.py FOLDER writes all that tests/cli/onnx_bad.sh and onnx_patterns.sh read, each
NAME.onnx by the function of that name here."""
import pathlib, sys

import onnx_more
from onnx_wire import *

BAD = {}     # name: (bytes, words of the message)
PATTERNS = {}  # name: (bytes, types of the nodes between stem and pool)


def bad(name, data, words):
    BAD[name] = (data, words)


def with_weight(replaced):
    """The network with another tensor in place of stem.weight."""
    return model([*STEM, *RELU, *HEAD], [replaced, *WEIGHTS[1:]])


def outside(location, offset=0, length=432):
    return with_weight(tensor("stem.weight", (4, 3, 3, 3), outside={"location": location, "offset": str(offset),
                                                                   "length": str(length)}))


def make_bad():
    loop = chunk(6, graph([], [], [], [])) + number(20, 5)
    bad("empty", b"", "")
    bad("no_graph", number(1, 8), "it has no graph")
    bad("deep", number(1, 8) + nested(100), "nest too deeply")
    bad("many", number(1, 8) + chunk(7, chunk(5, b"") * 2000000), "damaged")
    bad("subgraph", around([node("If", ["stem"], ["body"], then_branch=loop, else_branch=loop)]), "graphs of its own")
    bad("loop", around([node("Loop", ["", "stem"], ["body"], body=loop)]), "a graph of its own")
    bad("even_lrn", around([node("LRN", ["stem"], ["body"], size=4)]), "of an even number of channels, 4 here")
    bad("uneven_pool", around([node("AveragePool", ["stem"], ["body"], kernel_shape=[3, 3], strides=[2, 2],
                                    pads=[0, 0, 1, 1], count_include_pad=1)]),
        "count padding that is the same on both sides")
    bad("half_shares", around([node("MatMul", ["stem", "shares"], ["body"])],
                              [constant("shares", [0.5] * 24, FLOAT, (8, 3))]), "a linear layer of gyre reads rows")
    bad("whole_numbers", around([node("Cast", ["stem"], ["a"], to=7), node("Cast", ["a"], ["body"], to=1)]),
        "real numbers")
    bad("other_pixels", around([node("Resize", ["stem", "", "by"], ["body"], mode="nearest", nearest_mode="floor",
                                     coordinate_transformation_mode="half_pixel")],
                               [tensor("by", (4,), [1.0, 1.0, 2.0, 2.0])]), "gyre repeats pixels")
    bad("unknown", around([node("Einsum", ["stem"], ["a"]), node("Softsign", ["a"], ["b"]),
                           node("ThresholdedRelu", ["stem"], ["c"]), node("Add", ["b", "c"], ["body"])]),
        "has 3 nodes that gyre cannot take; node_a (Einsum): gyre has no such node; node_b (Softsign): gyre has no such "
        "node; node_c (ThresholdedRelu): gyre has no such node")
    nameless = node("Constant", [], ["k"]) + chunk(5, chunk(5, tensor("", (1,))))
    bad("nameless", around([nameless, node("Add", ["stem", "k"], ["body"])]),
        "node_k (Constant): gyre reads constants that are one tensor")
    norm = [tensor(f"norm.{name}", (4,)) for name in ("weight", "bias", "mean", "var")]
    bad("statistics", around([node("BatchNormalization", ["stem", "norm.weight", "norm.bias", "norm.mean", "norm.var"],
                                   ["norm", "mean"], training_mode=1), node("Sigmoid", ["mean"], ["body"])], norm),
        "node_body (Sigmoid): gyre does not compute what it reads")
    bad("no_input", around([node("Identity", [""], ["body"])]), "body (Identity): gyre does not compute what it reads")
    bad("fourth", around([node("Softsign", ["stem"], ["softsign"]),
                          node("Concat", ["stem", "stem", "stem", "softsign", "stem"], ["j"], axis=1), *narrow("j")],
                         [tensor("narrow.weight", (4, 20, 1, 1))]),
        "has 1 node that gyre cannot take; node_softsign (Softsign): gyre has no such node")
    conv = lambda **a: around([node("Conv", ["stem", "next.weight"], ["body"], **a)], [tensor("next.weight", (4, 4, 3, 3))])
    bad("kernel", conv(kernel_shape=[5, 5]), "its kernel_shape is 5 x 5, but its weights are filters of 3 x 3")
    bad("both_pads", conv(auto_pad="SAME_UPPER", pads=[2, 2, 2, 2]),
        "its auto_pad SAME_UPPER means the pads 1 1 1 1, and its pads are 2 2 2 2")
    bad("no_auto_pad", conv(auto_pad="SAME"), "its auto_pad is none of NOTSET, VALID, SAME_UPPER and SAME_LOWER")
    bad("no_stride", conv(strides=[0, 1]), "one of its strides is 0; 1 to 2147483647 was expected")
    bad("back", conv(strides=[1, -2]), "one of its strides is -2; 1 to")
    bad("no_dilation", conv(dilations=[0, 1]), "one of its dilations is 0; 1 to")
    bad("negative_pad", conv(pads=[-1, 0, 0, 0]), "one of its pads is -1; 0 to")
    bad("three_strides", conv(strides=[1, 1, 1]), "its strides are 3 numbers; 2 were expected")
    bad("pool_stride", around([node("MaxPool", ["stem"], ["body"], kernel_shape=[2, 2], strides=[0, 0])]),
        "one of its strides is 0; 1 to")
    bad("no_window", around([node("AveragePool", ["stem"], ["body"], strides=[1, 1])]), "it has no kernel_shape")
    bad("padded_one", around([node("AveragePool", ["stem"], ["body"], kernel_shape=[1, 1], pads=[1, 1, 1, 1])]),
        "less than the window")
    for name, shape, words in (("two_open", [0, -1, -1], "it makes (0, -1, -1) of (N, 4, 8, 8)"),
                               ("minus_five", [0, -5, 8, 8], "it makes (0, -5, 8, 8) of (N, 4, 8, 8)"),
                               ("other_count", [0, 4, 8, 9], "it makes (0, 4, 8, 9) of (N, 4, 8, 8)")):
        bad(name, around([node("Reshape", ["stem", "shape"], ["body"])], [constant("shape", shape, INT64, (len(shape),))]),
            words + ", where sizes of as many values")
    none = [node("Add", ["none", "one"], ["shape"]), node("Reshape", ["stem", "shape"], ["body"])]
    bad("no_numbers", around(none, [constant("none", [], INT64, (0,)), constant("one", 1, INT64, (1, 1))]),
        "it makes () of (N, 4, 8, 8)")
    normed = [node("ReduceL2", ["v"], ["length"], axes=[1, 2, 3]), node("Div", ["v", "length"], ["unit"]),
              node("Mul", ["unit", "g"], ["w"]), node("Conv", ["stem", "w"], ["body"], kernel_shape=[3, 3], pads=[1] * 4)]
    bad("weight_norm", around(normed, [tensor("v", (4, 4, 3, 3)), tensor("g", (4, 1, 1, 1))]),
        "has 1 node that gyre cannot take; node_length (ReduceL2): gyre does not compute this constant; weights that "
        "follow from others, as by weight_norm, become plain ones by torch.nn.utils.parametrize.remove_parametrizations")
    large = [node("Mul", ["v", "g"], ["w"]), node("Conv", ["stem", "w"], ["body"])]
    bad("large_product", around(large, [tensor("v", (4, 4, 65, 65)), tensor("g", (4, 1, 1, 1))]),
        "has 1 node that gyre cannot take; node_w (Mul): gyre does not compute this constant")
    bad("computed_norm", around([node("GlobalAveragePool", ["stem"], ["p"]), node("Flatten", ["p"], ["r"]),
                                 node("Transpose", ["stem"], ["t"], perm=[0, 2, 3, 1]),
                                 node("LayerNormalization", ["t", "r"], ["n"]),
                                 node("Transpose", ["n"], ["body"], perm=[0, 3, 1, 2])]),
        "its input 2 is computed from the images; gyre's are weights")
    bad("larger", around([node("Add", ["stem", "k"], ["body"])], [constant("k", 0.0, FLOAT, (1, 4, 16, 8))]),
        "its constant of 4 dimensions does not fit into the picture")
    linear = node("Resize", ["a", "", "by"], ["body"], mode="linear")
    by = constant("by", [1.0, 1.0, 2.0, 2.0], FLOAT, (4,))
    bad("behind_concat", around([node("Concat", ["stem", "stem"], ["a"], axis=2), linear], [by]),
        "has 2 nodes that gyre cannot take; node_a (Concat): gyre joins the channels of pictures alone; node_body "
        "(Resize): gyre repeats pixels")
    bad("behind_unknown", around([node("Einsum", ["stem"], ["a"]), linear], [by], between=[info("a", ("N", 4, 8, 8))]),
        "has 2 nodes that gyre cannot take; node_a (Einsum): gyre has no such node; node_body (Resize): gyre repeats")
    bad("behind_softsign", around([node("Softsign", ["stem"], ["a"]), linear], [by]),
        "has 2 nodes that gyre cannot take; node_a (Softsign): gyre has no such node; node_body (Resize): gyre repeats")
    bad("false_norm", around([node("Transpose", ["stem"], ["x"], perm=[0, 2, 3, 1]),
                              node("ReduceMean", ["x"], ["m"], axes=[1]), node("Sub", ["x", "m"], ["a"]),
                              node("Pow", ["a", "two"], ["b"]), node("ReduceMean", ["b"], ["v"], axes=[-1]),
                              node("Add", ["v", "eps"], ["c"]), node("Sqrt", ["c"], ["d"]), node("Div", ["a", "d"], ["e"]),
                              node("Transpose", ["e"], ["body"], perm=[0, 3, 1, 2])],
                             [constant("two", 2.0), constant("eps", 1e-6)]), "node_a (Sub): gyre has it as part of a norm")
    bad("domain", around([node("Gelu", ["stem"], ["body"], domain="com.microsoft")]), "com.microsoft")
    bad("dynamic", around(RELU, image=("N", 3, "height", 8)), "height of input 'images' has no fixed size")
    bad("large_image", around(RELU, image=("N", 3, 2**31 - 1, 2**31 - 1)), "more than 2^31 values")
    bad("three_dimensions", around(RELU, image=("N", 3, 8)), "has 3 dimensions")
    bad("opset", around(RELU, opset=8), "of opset 8; 9 to 28 was expected")
    bad("newer", around(RELU, opset=29), "of opset 29; 9 to 28 was expected: export it with opset_version=17")
    bad("no_opset", around(RELU, opset=0), "of opset 0; 9 to 28 was expected")
    domain = lambda name, version: chunk(8, chunk(1, name) + number(2, version))
    bad("two_opsets", around(RELU) + domain("", 18), "of opset 17 and 18 of the domain ''; one was expected")
    bad("two_names", around(RELU) + domain("ai.onnx", 11), "of opset 17 and 11 of the domain ''")
    bad("two_others", around(RELU) + domain("com.x", 1) + domain("com.x", 2), "of opset 1 and 2 of the domain 'com.x'")
    bad("wide", around(RELU, image=("N", 3, 2**40, 8)),
        "the height of input 'images' is 1099511627776; at most 2147483647 was expected")
    bad("segment", with_weight(WEIGHTS[0] + chunk(3, number(1, 0) + number(2, 108))),
        "tensor stem.weight is a segment of a larger one")
    numbers = lambda n: struct.pack(f"<{n}f", *range(n))
    bad("two_payloads", with_weight(WEIGHTS[0] + chunk(4, numbers(108))),
        "tensor stem.weight has its numbers in 2 places; one was expected")
    bad("two_fields", with_weight(tensor("stem.weight", (4, 3, 3, 3), raw=False) + chunk(7, b"\1")),
        "tensor stem.weight has its numbers in 2 places")
    bad("outside_and_in", with_weight(tensor("stem.weight", (4, 3, 3, 3), outside={"location": "data"}) + chunk(9, b"abcd")),
        "tensor stem.weight has its numbers in 2 places")
    kinds = [("group", [1, 1], "a list of whole numbers; a whole number"), ("group", 1.0, "a number; a whole number"),
             ("kernel_shape", 3, "a whole number; a list of whole numbers"), ("auto_pad", 1, "a whole number; a text"),
             ("pads", "1", "a text; a list of whole numbers"), ("group", number(3, 1) + number(20, 7),
                                                                "a list of whole numbers; a whole number"),
             ("group", number(20, 2) + number(8, 1), "a list of whole numbers; a whole number")]
    for i, (name, value, words) in enumerate(kinds):
        bad(f"kind_{i}", around([node("Conv", ["stem", "next.weight"], ["body"], **{name: value})],
                                [tensor("next.weight", (4, 4, 3, 3))]),
            f"the attribute {name} of node 'node_body' (Conv) is {words} was expected")
    bad("left_out", around([node("Concat", ["stem", "stem"], ["body"], axis=number(20, 2))]),  # a zero, in some languages
        "node_body (Concat): gyre joins the channels of pictures alone")
    twice = chunk(5, attribute("axis", 1))
    bad("attribute_twice", around([node("Softmax", ["stem"], ["body"]) + twice + twice]),
        "the attribute axis of node 'node_body' (Softmax) is there twice; one was expected")
    bad("circle", around([node("Add", ["stem", "later"], ["body"]), node("Relu", ["body"], ["later"])]),
        "reads 'later', which nothing before it gives")
    bad("missing", model([*STEM, *RELU, *HEAD], WEIGHTS[1:]), "reads 'stem.weight', which nothing before it gives")
    bad("twice", around([node("Relu", ["stem"], ["stem"]), *RELU]), "two values have the name 'stem'")
    bad("no_output", around([node("Relu", ["stem"], ["body"])], output="nothing"), "nothing gives the output 'nothing'")
    bad("two_outputs", around(RELU, more_outputs=[info("body", ("N", 4, 8, 8))]), "1 input and 2 outputs")
    bad("two_inputs", around(RELU, more_inputs=[info("mask", ("N", 4))]), "2 inputs and 1 output;")
    bad("short_tensor", with_weight(tensor("stem.weight", (4, 3, 3, 3), values(100))), "has 100 numbers where")
    bad("odd_tensor", with_weight(tensor("stem.weight", (4, 3, 3, 3)) + chunk(9, b"abc")), "has 0 numbers where")
    bad("huge_dims", with_weight(tensor("stem.weight", (2**40, 2**40), [])), "which cannot be")
    bad("negative_dim", with_weight(tensor("stem.weight", (-4, 3, 3, 3), [])), "dimension 0 of tensor stem.weight is -4")
    bad("ranks", with_weight(tensor("stem.weight", (1,) * 9, [1.0])), "has 9 dimensions; at most 8")
    bad("type", with_weight(number(2, 8) + chunk(8, "stem.weight")), "has type 8 of ONNX's list")
    bad("channels", with_weight(tensor("stem.weight", (4, 5, 3, 3))), "do not fit 3 channels")
    bad("bias", model([*STEM, *RELU, *HEAD], [WEIGHTS[0], tensor("stem.bias", (5,)), *WEIGHTS[2:]]),
        "its bias has 5 numbers for 4 outputs")
    bad("parent", outside("../weights"), "no file in the ONNX file's folder")
    bad("absolute", outside("/etc/hostname"), "no file in the ONNX file's folder")
    bad("link", outside("link"), "no file in the ONNX file's folder")
    bad("folder", outside("."), "no file in the ONNX file's folder")
    bad("absent", outside("nowhere"), "no file in the ONNX file's folder")
    bad("short_file", outside("short"), "ends at byte 432 of 'short', which has 431")
    bad("beyond", outside("data", 2**63), "which has 2000")
    bad("wrapping", outside("data", 2**64 - 8), "say otherwise")
    bad("other_length", outside("data", 0, 400), "needs 432 bytes")
    bad("no_number", outside("data", "0x10"), "say otherwise")
    twin = tensor("stem.bias", (4,), outside={"location": "data", "offset": "428", "length": "16"})
    bare = node("Constant", [], ["k"], value=chunk(5, tensor("", (4, 1, 1), outside={"location": "short", "offset": "428",
                "length": "16"})) + number(20, 4))
    bad("nameless_outside", around([bare, node("Add", ["stem", "k"], ["body"])]), "its numbers lie in another file")
    bad("overlap", model([*STEM, *RELU, *HEAD], [tensor("stem.weight", (4, 3, 3, 3), outside={"location": "data"}),
                                                 twin, *WEIGHTS[2:]]), "lie on the same bytes of 'data'")


def nested(depth):
    """A graph in an attribute of a node in a graph, and so on."""
    out = b""
    for _ in range(depth):
        out = chunk(1, chunk(4, "If") + chunk(5, chunk(6, out)))
    return chunk(7, out)


# ---- what exporters write for one node of gyre

def pattern(name, types, body, tensors=(), **options):
    PATTERNS[name] = (around(body, tensors, **options), types)


def make_patterns():
    pattern("silu", "silu", [node("Sigmoid", ["stem"], ["a"]), node("Mul", ["stem", "a"], ["body"])])
    pattern("gelu", "gelu", [node("Div", ["stem", "root"], ["a"]), node("Erf", ["a"], ["b"]),
                             node("Add", ["b", "one"], ["c"]), node("Mul", ["stem", "c"], ["d"]),
                             node("Mul", ["d", "half"], ["body"])],
            [constant("root", 2**0.5), constant("one", 1.0), constant("half", 0.5)])
    pattern("gelu_other", "gelu", [node("Mul", ["stem", "root"], ["a"]), node("Erf", ["a"], ["b"]),
                                   node("Add", ["one", "b"], ["c"]), node("Mul", ["stem", "half"], ["d"]),
                                   node("Mul", ["c", "d"], ["body"])],
            [constant("root", 0.5**0.5), constant("one", 1.0), constant("half", 0.5)])
    pattern("gelu_tanh", "gelu_tanh",
            [node("Pow", ["stem", "three"], ["a"]), node("Mul", ["a", "k"], ["b"]), node("Add", ["stem", "b"], ["c"]),
             node("Mul", ["c", "root"], ["d"]), node("Tanh", ["d"], ["e"]), node("Add", ["e", "one"], ["f"]),
             node("Mul", ["stem", "f"], ["g"]), node("Mul", ["g", "half"], ["body"])],
            [constant("three", 3.0), constant("k", 0.044715), constant("root", (2 / 3.141592653589793)**0.5),
             constant("one", 1.0), constant("half", 0.5)])
    clip = [node("Add", ["stem", "three"], ["a"]), node("Clip", ["a", "zero", "six"], ["b"])]
    bounds = [constant("three", 3.0), constant("zero", 0.0), constant("six", 6.0)]
    pattern("hardswish", "hardswish", [*clip, node("Mul", ["stem", "b"], ["c"]), node("Div", ["c", "six"], ["body"])],
            bounds)
    pattern("hardsigmoid", "hardsigmoid", [*clip, node("Div", ["b", "six"], ["body"])], bounds)
    pattern("relu6", "relu6", [node("Clip", ["stem"], ["body"], min=0.0, max=6.0)], opset=10)
    affine = [tensor("norm.weight", (4, 1, 1)), tensor("norm.bias", (4, 1, 1))]
    pattern("group_norm", "group_norm",
            [node("Reshape", ["stem", "parts"], ["a"]), node("InstanceNormalization", ["a", "ones", "zeros"], ["b"]),
             node("Shape", ["stem"], ["size"]), node("Reshape", ["b", "size"], ["c"]),
             node("Mul", ["c", "norm.weight"], ["d"]), node("Add", ["d", "norm.bias"], ["body"])],
            [constant("parts", [0, 2, -1], INT64, (3,)), node_free_ones("ones", 1.0), node_free_ones("zeros", 0.0), *affine])
    last = [tensor("norm.weight", (4,)), tensor("norm.bias", (4,)), constant("two", 2.0), constant("eps", 1e-6)]
    pattern("layer_norm", "layer_norm",
            [node("Transpose", ["stem"], ["x"], perm=[0, 2, 3, 1]), node("ReduceMean", ["x"], ["m"], axes=[-1]),
             node("Sub", ["x", "m"], ["a"]), node("Pow", ["a", "two"], ["b"]),
             node("ReduceMean", ["b"], ["v"], axes=[-1]), node("Add", ["v", "eps"], ["c"]), node("Sqrt", ["c"], ["d"]),
             node("Div", ["a", "d"], ["e"]), node("Mul", ["e", "norm.weight"], ["f"]),
             node("Add", ["f", "norm.bias"], ["g"]), node("Transpose", ["g"], ["body"], perm=[0, 3, 1, 2])], last)
    keep = [constant("keep", 0.75)]

    def drop(name, dims):
        noise = [node("RandomUniformLike", ["shape"], ["r"], low=0.0, high=1.0), node("Less", ["r", "keep"], ["l"]),
                 node("Cast", ["l"], ["f"], to=1), node("Div", ["f", "keep"], ["g"]), node("Mul", ["stem", "g"], ["body"])]
        pattern(name, name, noise, [*keep, constant("shape", 0.0, FLOAT, dims)], image=(2, 3, 8, 8))

    drop("stochastic_depth", (2, 1, 1, 1))
    drop("spatial_dropout", (2, 4, 1, 1))
    drop("dropout", (2, 4, 8, 8))
    pattern("scale", "scale", [node("Mul", ["stem", "gamma"], ["body"])], [tensor("gamma", (1, 4, 1, 1))])
    pattern("upsample", "upsample", [node("Resize", ["stem", "", "by"], ["body"], mode="nearest")],
            [constant("by", [1.0, 1.0, 2.0, 2.0], FLOAT, (4,))])
    pattern("padded", "conv", [node("Pad", ["stem", "pads"], ["p"]),
                               node("Conv", ["p", "next.weight"], ["body"], kernel_shape=[3, 3])],
            [constant("pads", [0, 0, 1, 2, 0, 0, 1, 0], INT64, (8,)), tensor("next.weight", (4, 4, 3, 3))])
    pattern("counted", "average_pool", [node("AveragePool", ["stem"], ["body"], kernel_shape=[3, 3], pads=[1] * 4,
                                             count_include_pad=1)])
    pattern("zeros", "average_pool", [node("Pad", ["stem", "pads"], ["p"]),
                                      node("AveragePool", ["p"], ["body"], kernel_shape=[3, 3], strides=[2, 2])],
            [constant("pads", [0, 0, 1, 1, 0, 0, 1, 1], INT64, (8,))])
    pattern("end_pads", "max_pool", [node("MaxPool", ["stem"], ["body"], kernel_shape=[3, 3], strides=[2, 2],
                                          pads=[0, 0, 1, 1])])
    make_responses()
    bins = [[1 / (end - begin) if begin <= i < end else 0.0 for i in range(8)] for begin, end in ((0, 3), (2, 6), (5, 8))]
    columns = [bins[k][i] for i in range(8) for k in range(3)]
    pattern("bins", "adaptive_average_pool", [node("MatMul", ["stem", "right"], ["a"]),
                                              node("MatMul", ["left", "a"], ["body"])],
            [constant("right", columns, FLOAT, (8, 3)), constant("left", sum(bins, []), FLOAT, (3, 8))])
    make_shared()
    make_numbers()
    make_bare_norms()
    pattern("pad_axes", "conv", [node("Pad", ["stem", "pads", "", "axes"], ["p"]),
                                 node("Conv", ["p", "next.weight"], ["body"], kernel_shape=[3, 3])],
            [constant("pads", [2, 1, 0, 1], INT64, (4,)), constant("axes", [-1, 2], INT64, (2,)),
             tensor("next.weight", (4, 4, 3, 3))], opset=18)
    pattern("pad_nothing", "", [node("Pad", ["stem", "pads"], ["body"])], [constant("pads", [0] * 8, INT64, (8,))])
    pattern("joined", "concat concat", [node("Concat", ["stem", "stem", "stem"], ["j"], axis=1), *narrow("j")],
            [tensor("narrow.weight", (4, 12, 1, 1))])
    pattern("dead", "relu", [node("Einsum", ["stem"], ["unused"]), *RELU])


def make_numbers():
    """Numbers inside a network, which no training changes."""
    two, half = constant("/two", 2.0), constant("/half", 0.5)
    for op in ("Mul", "Add", "Sub", "Div"):
        pattern("number_" + op, "affine", [node(op, ["stem", "/two"], ["body"])], [two])
    pattern("number_minus", "affine", [node("Sub", ["/two", "stem"], ["body"])], [two])
    pattern("number_negative", "affine", [node("Neg", ["stem"], ["body"])])
    pattern("number_both", "affine", [node("Mul", ["stem", "/two"], ["a"]), node("Add", ["a", "/half"], ["body"])], [two, half])
    pattern("number_order", "affine affine", [node("Add", ["stem", "/two"], ["a"]), node("Mul", ["a", "/half"], ["body"])],
            [two, half])
    pattern("number_named", "affine", [node("Mul", ["stem", "gain"], ["body"])], [constant("gain", 2.0)])
    each = literal("each", values(4, 1.0), (4, 1, 1))
    for op in ("Mul", "Add", "Sub", "Div"):
        pattern("channels_" + op, "affine", [each, node(op, ["stem", "each"], ["body"])])
    pattern("channels_minus", "affine", [each, node("Sub", ["each", "stem"], ["body"])])
    pattern("channels_both", "affine", [each, literal("more", values(4, 2.0), (1, 4, 1, 1)),
                                        node("Mul", ["stem", "each"], ["a"]), node("Add", ["a", "more"], ["body"])])
    pattern("channels_named", "bias", [node("Add", ["stem", "offset"], ["body"])], [tensor("offset", (4, 1, 1))])


def make_bare_norms():
    """Norms without weight or bias, as exporters write ones and zeros for them: Constant nodes, or initialisers."""
    statistics = [tensor("norm.running_mean", (4,)), tensor("norm.running_var", (4,), values(4, 2.0))]
    batch = node("BatchNormalization", ["stem", "one", "zero", "norm.running_mean", "norm.running_var"], ["body"])
    pattern("bare_batch", "batch_norm", [literal("one", 1.0, (4,)), literal("zero", 0.0, (4,)), batch], statistics)
    named = node("BatchNormalization", ["stem", "val_3", "val_4", "norm.running_mean", "norm.running_var"], ["body"])
    pattern("bare_named", "batch_norm", [named],
            [constant("val_3", 1.0, FLOAT, (4,)), constant("val_4", 0.0, FLOAT, (4,)), *statistics])
    fresh = node("BatchNormalization", ["stem", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"], ["body"])
    pattern("fresh_batch", "batch_norm", [fresh],
            [constant("norm.weight", 1.0, FLOAT, (4,)), constant("norm.bias", 0.0, FLOAT, (4,)), *statistics])
    still = node("BatchNormalization", ["stem", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"], ["body"],
                 momentum=1.0)
    pattern("no_momentum", "batch_norm", [still], [tensor("norm.weight", (4,)), tensor("norm.bias", (4,)), *statistics])
    instance = node("InstanceNormalization", ["stem", "one", "zero"], ["body"])
    pattern("bare_instance", "group_norm", [literal("one", 1.0, (4,)), literal("zero", 0.0, (4,)), instance])
    turn = lambda x, y, *order: node("Transpose", [x], [y], perm=list(order))
    layer = lambda *w: [turn("stem", "x", 0, 2, 3, 1), node("LayerNormalization", ["x", *w], ["y"]), turn("y", "body", 0, 3, 1, 2)]
    pattern("bare_layer", "layer_norm", [literal("one", 1.0, (4,)), *layer("one")])
    pattern("no_bias", "layer_norm", layer("norm.weight"), [tensor("norm.weight", (4,))])
    pattern("only_bias", "layer_norm", [literal("one", 1.0, (4,)), *layer("one", "norm.bias")], [tensor("norm.bias", (4,))])


def make_shared():
    """A parameter of two nodes, two that are equal, and one that two nodes share in part."""
    conv = lambda x, y, *w: node("Conv", [x, *w], [y], kernel_shape=[1, 1])
    same, other = tensor("next.weight", (4, 4, 1, 1)), tensor("next.bias", (4,))
    pattern("shared", "conv conv", [conv("stem", "a", "next.weight"), conv("a", "body", "next.weight")], [same])
    pattern("equal", "conv conv", [node("Identity", ["next.weight"], ["last.weight"]), conv("stem", "a", "next.weight"),
                                   conv("a", "body", "last.weight")], [same])
    pattern("partly", "conv conv", [conv("stem", "a", "next.weight", "next.bias"), conv("a", "body", "next.weight")],
            [same, other])
    turned = [node("Transpose", ["stem"], ["x"], perm=[0, 2, 3, 1]), node("MatMul", ["x", "w"], ["y"]),
              node("Transpose", ["w"], ["v"], perm=[1, 0]), node("MatMul", ["y", "v"], ["z"]),
              node("Transpose", ["z"], ["body"], perm=[0, 3, 1, 2])]
    pattern("turned", "conv conv", turned, [tensor("w", (4, 4))])
    slope = [node("Mul", ["stem", "gamma"], ["x"]), node("Relu", ["x"], ["y"]), node("Add", ["y", "gamma"], ["body"])]
    pattern("factor_and_bias", "scale relu bias", slope, [tensor("gamma", (4, 1, 1), values(4, 1.0))])


def make_responses():
    """Local response normalisation: within a channel as gyre writes it, across channels as PyTorch's exporters do."""
    end = [node("Mul", ["mean", "alpha"], ["share"]), node("Add", ["share", "k"], ["sum"]),
           node("Pow", ["sum", "beta"], ["below"]), node("Div", ["stem", "below"], ["body"])]
    numbers = [constant("alpha", 0.5), constant("beta", 0.75)]
    one, two = constant("k", 1.0), constant("k", 2.0)
    square = node("Mul", ["stem", "stem"], ["square"])
    pool = node("AveragePool", ["square"], ["mean"], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
    pattern("within", "lrn", [square, pool, *end], [*numbers, one])
    volume = [square, node("Reshape", ["square", "volume"], ["v"]), node("Pad", ["v", "pads"], ["p"]),
              node("AveragePool", ["p"], ["m"], kernel_shape=[4, 1, 1], pads=[0] * 6, count_include_pad=1)]
    shapes = [constant("volume", [0, 1, 4, 8, -1], INT64, (5,)), constant("picture", [-1, 4, 8, 8], INT64, (4,)),
              constant("pads", [0, 0, 2, 0, 0, 0, 0, 1, 0, 0], INT64, (10,)), constant("first", [1], INT64, (1,))]
    back = [node("Squeeze", ["m", "first"], ["s"]), node("Reshape", ["s", "picture"], ["mean"])]
    pattern("across", "channel_lrn", [*volume, *back, *end], [*numbers, two, *shapes])
    chosen = graph([node("Squeeze", ["m", "first"], ["inner"])], [], [], [info("inner", ("N", 4, 8, 8))])
    other = graph([node("Einsum", ["m"], ["same"])], [], [], [info("same", ("N", 4, 8, 8))])
    question = [node("Shape", ["m"], ["size"]), node("Gather", ["size", "first"], ["extent"]),
                node("Equal", ["extent", "first"], ["flat"]),
                node("If", ["flat"], ["s"], then_branch=chunk(6, chosen) + number(20, 5),
                     else_branch=chunk(6, other) + number(20, 5)), node("Reshape", ["s", "picture"], ["mean"])]
    pattern("question", "channel_lrn", [*volume, *question, *end], [*numbers, two, *shapes])


def node_free_ones(name, x):
    """Numbers without a parameter's name, as exporters compute them."""
    return tensor(name, (2,), [x, x])


def narrow(name):
    return [node("Conv", [name, "narrow.weight"], ["body"], kernel_shape=[1, 1])]


def main(folder):
    folder = pathlib.Path(folder)
    make_bad()
    make_patterns()
    onnx_more.add(pattern, bad)
    (folder / "data").write_bytes(bytes(2000))
    (folder / "short").write_bytes(bytes(431))
    (folder / "link").symlink_to("/etc/hostname")
    for name, table in (("bad", BAD), ("patterns", PATTERNS)):
        with open(folder / f"{name}.txt", "w") as f:
            for key, (data, words) in table.items():
                (folder / f"{key}.onnx").write_bytes(data)
                f.write(f"{key}\t{words}\n")
    normalised = [node("Sub", ["images", "mean"], ["x"]), node("Div", ["x", "std"], ["y"])]
    stem = [node("Conv", ["y", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    for name, by in (("unit", 1), ("pixels", 255)):
        numbers = [constant("mean", [0.5 * by, 0.25 * by, 0.125 * by], FLOAT, (1, 3, 1, 1)),
                   constant("std", 0.25 * by)]
        data = model([*normalised, *stem, *RELU, *HEAD], [*WEIGHTS, *numbers])
        (folder / f"{name}.onnx").write_bytes(data)
    (folder / "plain.onnx").write_bytes(around(RELU))
    by_type = {"typed": (FLOAT, False), "half": (FLOAT16, True), "double": (DOUBLE, True), "doubles": (DOUBLE, False)}
    for name, (kind, raw) in by_type.items():
        (folder / f"{name}.onnx").write_bytes(with_weight(tensor("stem.weight", (4, 3, 3, 3), None, kind, raw)))


if __name__ == "__main__":
    main(sys.argv[1])
