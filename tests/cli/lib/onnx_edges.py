"""Networks at the edges of what gyre reads: onnx_edges.py FOLDER writes NAME.onnx, and edges.txt with lines of NAME,
words of the network that `gyre model --json` prints and words on stderr (! in front: these are not there)."""
import pathlib, sys

import onnx_sizes, onnx_trained
from onnx_wire import *

EDGES = {}
REFUSED = "refused"
STATISTICS = ".weight", ".bias", ".running_mean", ".running_var"
KIND = "pkg.torch.export.graph_signature.InputSpec.kind"


def edge(name, data, network="", told=""):
    EDGES[name] = (data, network, told)


def refuse(name, data, told):
    edge(name, data, REFUSED, told)


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
                        ("Add", '"name": "gain", "type": "bias"}')):
        edge("parameter_" + op, behind_images(by(op), [gain], between=[kind("gain", (3, 1, 1), "PARAMETER")]), network,
             "!n")
        edge("buffer_" + op, behind_images(by(op), [gain], between=[kind("gain", (3, 1, 1), "BUFFER")]), "!gain",
             "!normalises")
        edge("named_" + op, behind_images(by(op), [gain]), "!gain", "gain normalises the images, and training leaves it")
    one = literal("one", 1.0)
    follows = [one, node("Add", ["one", "gain"], ["more"]), node("Mul", ["images", "more"], ["x"])]
    edge("follows_told", behind_images(follows, [gain], between=[kind("gain", (3, 1, 1), "PARAMETER")]),
         '"name": "gain", "type": "scale"}', "!constant")
    edge("follows_named", behind_images(follows, [gain]), "!affine", "gain normalises the images")
    inner = [one, node("Add", ["one", "size"], ["more"]), node("Mul", ["stem", "more"], ["body"])]
    edge("follows_inside", around(inner, [tensor("size", (4, 1, 1))]), '"inputs": ["stem", "size"]}', "!constant")
    inner = [node("Abs", ["size"], ["more"]), node("Mul", ["stem", "more"], ["body"])]
    edge("follows_otherwise", around(inner, [tensor("size", (4, 1, 1))]), '"type": "affine"', "size is a constant here")
    edge("nameless", behind_images([literal("half", 0.5), node("Mul", ["images", "half"], ["x"])], []), "!affine",
         "!normalises")
    for number, told in ((1.0, "!taken for"), (2.5, "numbers of up to 2.5 normalise the images: they were taken for pixels of "
                                                   "0 to 1;"), (5.0, "taken for pixels of 0 to 255"), (64.0, "!taken for")):
        edge(f"divided_{number:g}", behind_images([literal("by", number), node("Div", ["images", "by"], ["x"])], []), "", told)


def make_notes():
    """What is trained otherwise than in PyTorch, and said."""
    vector = [tensor("n." + k, (4,), [0.5, 1.5, 1.25, 2.0]) for k in ("weight", "bias", "running_mean", "running_var")]
    norm = lambda x, y: node("BatchNormalization", [x, "n.weight", "n.bias", "n.running_mean", "n.running_var"], [y])
    blur = [node("Conv", ["stem", "blur"], ["body"], kernel_shape=[3, 3], pads=[1] * 4, group=4)]
    filters = [tensor("blur", (4, 1, 3, 3))]
    for what, told in ("BUFFER", '"lr_mult": {"weight": 0}'), ("PARAMETER", "!lr_mult"):
        edge("filter_" + what, around(blur, filters, between=[kind("blur", (4, 1, 3, 3), what)]), told)
    bare = lambda x, y, n: node("BatchNormalization", [x, "/one", "/zero", n + "mean", n + "var"], [y])
    edge("norm_twice", around([norm("stem", "mid"), norm("mid", "body")], vector), '"parameters": "n"',
         "two nodes share the batch norm of n.running_mean")
    edge("norm_once", around([norm("stem", "body")], vector), "", "!share the batch norm")
    fill = [constant("/one", 1.0, dims=(4,)), constant("/zero", 0.0, dims=(4,))]
    edge("norm_twice_bare", around([bare("stem", "mid", "n.running_"), bare("mid", "body", "n.running_")],
                                   [*fill, *vector[2:]]), '"affine": false', "two nodes share the batch norm of n.running_mean")
    for name, told in ("onnx::Mul_63", "numbers for each channel have lost their names (onnx::Mul_63)"), ("gamma", "!lost"):
        edge("factor_" + name[:4], around([node("Mul", ["stem", name], ["body"])], [tensor(name, (4, 1, 1))]),
             '"type": "scale"', told)


def make_frozen():
    """A batch norm in evaluation mode beside one in training mode is frozen; where none is in training mode, none is."""
    norm = lambda x, y, n, *more, **options: node("BatchNormalization", [x, *(n + k for k in STATISTICS)], [y, *more], **options)
    tensors = [tensor(n + k, (4,), [0.5, 1.5, 1.25, 2.0]) for n in "ab" for k in STATISTICS]
    frozen = '"name": "a", "type": "batch_norm", "frozen": true}'
    pair = lambda first, second, **options: around([first, second], tensors, **options)
    edge("frozen_first", pair(norm("stem", "x", "a", training_mode=0), norm("x", "body", "b", training_mode=1)), frozen)
    edge("frozen_by_name", pair(norm("stem", "x", "a", name="node__native_batch_norm_legit_no_training__0"),
                                norm("x", "body", "b", name="node__native_batch_norm_legit_functional__0")), frozen)
    edge("frozen_old", pair(norm("stem", "x", "a"), norm("x", "body", "b", "m", "v"), opset=13), frozen)
    edge("frozen_second", pair(norm("stem", "x", "a", training_mode=1), norm("x", "body", "b")),
         '"name": "b", "type": "batch_norm", "frozen": true}')
    for mode in 0, 1:
        edge(f"frozen_none_{mode}", pair(norm("stem", "x", "a", training_mode=mode), norm("x", "body", "b", training_mode=mode)),
             "!frozen")


def make_learned():
    """Sums and products with a parameter: one node learns it, wherever it is used, or the network is refused."""
    conv = lambda y: node("Conv", ["stem", "next.weight"], [y], kernel_shape=[3, 3], pads=[1] * 4)
    weight, bias = tensor("next.weight", (4, 4, 3, 3)), tensor("next.bias", (4, 1, 1))
    add = lambda x, y, b="next.bias": node("Add", [x, b], [y])
    both = lambda *names: node("Add", list(names), ["body"])
    edge("bias_alone", around([conv("a"), add("a", "body")], [weight, bias]), '"shapes": {"bias": [4, 1, 1]}', '!"bias": false')
    edge("bias_elsewhere", around([conv("a"), add("a", "b"), both("a", "b")], [weight, bias]),
         '"name": "next", "type": "conv", "channels": 4, "size": 3, "pad": 1, "bias": false}')
    edge("bias_elsewhere_too", around([conv("a"), add("a", "b"), both("a", "b")], [weight, bias]),
         '"inputs": ["next", "b"]}', "!copy")
    other = tensor("other.bias", (4, 1, 1), values(4, 1.0))
    twice = [conv("a"), node("Relu", ["stem"], ["r"]), node("Conv", ["r", "next.weight"], ["c"], kernel_shape=[3, 3], pads=[1] * 4)]
    edge("biases_of_one_weight", around([*twice, add("a", "b"), add("c", "d", "other.bias"), both("b", "d")], [weight, bias, other]),
         '"parameters": "next"', "!copy")
    edge("bias_twice", around([*twice, add("a", "b"), add("c", "d"), both("b", "d")], [weight, bias]), '!"type": "bias"', "!copy")
    gate, unit = tensor("gate", (), [0.75]), literal("one", 1.0)
    rest = lambda op, *inputs: [node("Mul", ["stem", "gate"], ["a"]), node(op, list(inputs), ["g"]), node("Relu", ["stem"], ["r"]),
                                node("Mul", ["r", "g"], ["b"]), both("a", "b")]
    by_torch = lambda nodes, tensors: around(nodes, tensors).replace(b"by hand", b"pytorch")
    edge("gate_rest", by_torch([unit, *rest("Sub", "one", "gate")], [gate]), '"parameters": "gate"', "!constant")
    refuse("gate_inverse", by_torch(rest("Reciprocal", "gate"), [gate]),
           "node_b (Mul) has a constant that follows from gate, which another node trains")
    for name, op in (("sum", "Add"), ("less", "Sub")):
        edge("unmarked_" + name, around([node(op, ["stem", "gate"], ["a"]), node("Mul", ["a", "gain"], ["body"])], [gate, tensor("gain", (4, 1, 1))],
                                        between=[kind("gain", (4, 1, 1), "PARAMETER")]).replace(b"by hand", b"pytorch"),
             '"type": "affine"', "gate is a constant here")
        edge("single_" + name, by_torch([node(op, ["stem", "gate"], ["body"])], [gate]),
             '"name": "gate", "type": "bias", "initial": 0.75, "by_channel": false, "shapes": {"bias": []}}', "gate is added to channels, and is trained")
    edge("unmarked_channels", around([node("Mul", ["stem", "gain"], ["a"]), node("Mul", ["a", "sub"], ["body"])],
                                     [tensor("gain", (4, 1, 1)), tensor("sub", (4, 1, 1))], between=[kind("gain", (4, 1, 1), "PARAMETER")]),
         '"name": "sub", "type": "scale"}', "have lost their names (sub)")
    edge("single_quotient", by_torch([node("Div", ["stem", "gate"], ["body"])], [gate]), '"type": "affine"', "gate is a constant here")


def make_places():
    """A number for each place, channels of pixels in other shapes, and what chooses between two layers."""
    planes = [tensor("place", (1, 4, 8, 8))]
    add = [node("Add", ["stem", "place"], ["body"])]
    edge("places", around(add, planes), '"type": "positions", "order": "chw", "shapes": {"weight": [1, 4, 8, 8]}}', "!computed")
    edge("places_buffer", around(add, planes, between=[kind("place", (1, 4, 8, 8), "BUFFER")]),
         '"type": "positions", "order": "chw", "lr_mult": {"weight": 0}, "shapes"')
    spread = [literal("shape", [4, 1, 3, 3], (4,), INT64), node("Expand", ["blur", "shape"], ["w"]),
              node("Conv", ["stem", "w"], ["body"], kernel_shape=[3, 3], pads=[1] * 4, group=4)]
    edge("buffer_expanded", around(spread, [tensor("blur", (3, 3))], between=[kind("blur", (3, 3), "BUFFER")]),
         '"groups": 4, "bias": false, "lr_mult": {"weight": 0}, "names": {"weight": null}}', "!computed")
    tokens = [literal("rows", [0, 4, 64], (3,), INT64), node("Reshape", ["stem", "rows"], ["r"]),
              node("Transpose", ["r"], ["t"], perm=[0, 2, 1])]
    back = [node("Transpose", ["y"], ["u"], perm=[0, 2, 1]), literal("sides", [0, 4, 8, 8], (4,), INT64),
            node("Reshape", ["u", "sides"], ["body"])]
    edge("places_of_tokens", around([*tokens, node("Add", ["t", "place"], ["y"]), *back], [tensor("place", (1, 64, 4))]),
         '"name": "place", "type": "positions"}', "!computed")
    linear = [*tokens, node("MatMul", ["t", "w"], ["p"]), node("Add", ["p", "l.bias"], ["y"]), *back]
    edge("linear_of_tokens", around(linear, [tensor("w", (4, 4)), tensor("l.bias", (4,))]), '"channels": 4, "size": 1, "dense": true')
    flags = constant("/flags", [0.0, 1.0, 1.0, 0.0], FLOAT, (4, 1, 1))
    where = lambda first: [node("Relu", ["stem"], ["a"]), node("Where", [first, "a", "stem"], ["body"])]
    edge("where_channels", around(where("/flags"), [flags]), '"type": "affine", "input": "stem", "by_channel": true}')
    edge("where_all", around(where("/flags"), [constant("/flags", 1.0, FLOAT, (4, 1, 1))]), '"relu": true}')
    refuse("where_images", around(where("stem")), "the images decide what it chooses")
    above = lambda number: [literal("most", number), node("Greater", ["stem", "most"], ["f"]), node("Softplus", ["stem"], ["s"]),
                            node("Where", ["f", "stem", "s"], ["p"]), node("Tanh", ["p"], ["t"]), node("Mul", ["stem", "t"], ["body"])]
    edge("mish_where", around(above(20.0)), '"type": "mish"}')
    refuse("mish_low", around(above(2.0)), "the images decide what it chooses")


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


def make_activations():
    """Those that become several nodes, and what they refuse."""
    one = lambda op, **options: around([node(op, ["stem"], ["body"], **options)])
    edge("celu", one("Celu"), '"type": "elu"}')
    edge("celu_half", one("Celu", alpha=0.5), '"factor": 2}')
    edge("selu", one("Selu"), '"type": "elu", "alpha": 1.6732632}')
    edge("elu_alpha", one("Elu", alpha=0.25), '"type": "elu", "alpha": 0.25}')
    refuse("elu_negative", one("Elu", alpha=-1.0), "gyre's alpha is 1e-6 to 1e6, or 0, this one is -1")
    mish = lambda second: [node("Softplus", ["stem"], ["a"]), node("Tanh", ["a"], ["b"]), node("Mul", second, ["body"])]
    edge("mish", around(mish(["stem", "b"])), '"type": "mish"}', "!soft")
    refuse("mish_other", around(mish(["b", "b"])), "Softplus")
    clip = lambda low, high: around([literal("low", low), literal("high", high), node("Clip", ["stem", "low", "high"], ["body"])])
    edge("clip_both", clip(-1.0, 3.0), '"inputs": ["body_2", "body_5"]}')
    edge("clip_low", clip(0.5, 3.4028235e38), '"type": "affine", "shift": -0.5}')
    edge("clip_high", clip(-3.4028235e38, -0.5), '"factor": -1, "shift": -0.5}')
    edge("clip_wide", clip(-3e38, 3e38), "!relu")
    edge("clip_relu", clip(0.0, 3e38), '"relu": true}')
    edge("max", around([literal("low", 0.0), node("Max", ["stem", "low"], ["body"])]), '"relu": true}')
    edge("min", around([literal("high", -1.0), node("Min", ["high", "stem"], ["body"])]), '"factor": -1, "shift": -1}')
    refuse("max_of_three", around([literal("low", 0.0), node("Max", ["stem", "low", "low"], ["body"])]), "with one number alone")
    refuse("max_of_two", around([node("Relu", ["stem"], ["a"]), node("Max", ["stem", "a"], ["body"])]), "its input 2")
    edge("elu_zero", one("Elu", alpha=0.0), '"relu": true}')
    refuse("clip_none", clip(1.0, 1.0), "it clips to 1..1")
    slope = lambda dims, data: around([node("PRelu", ["stem", "w"], ["body"])], [tensor("w", dims, data)])
    refuse("prelu_pixels", slope((1, 8, 8), [0.5] * 64), "its slope is neither one number, nor one for each channel")


def make_targets():
    """Networks of one output, and of classes of each pixel, are shown without a dataset."""
    one = [tensor("one.weight", (1, 10)), tensor("one.bias", (1,))]
    edge("one_output", ending([node("Gemm", ["head", "one.weight", "one.bias"], ["logits"], transB=1)], one),
         '"type": "linear"')
    edge("head_alone", model([node("Flatten", ["images"], ["row"], axis=1),
                              node("Gemm", ["row", "head.weight", "head.bias"], ["logits"], transB=1)],
                             [tensor("head.weight", (7, 192)), tensor("head.bias", (7,))]), '"name": "head"')
    pixels = [node("Conv", ["stem", "end.weight"], ["logits"])]
    edge("pixels", model([*STEM, *pixels], [*WEIGHTS[:2], tensor("end.weight", (5, 4, 1, 1))]), '"name": "end"')


def make_softmax():
    """The loss has a softmax over the classes; another one stays an error."""
    for name, axis, opset in (("softmax", -1, 17), ("softmax_one", 1, 17), ("softmax_old", 1, 11)):
        edge(name, ending([node("Softmax", ["head"], ["logits"], axis=axis)]) if opset == 17 else
             model([*STEM, *RELU, *HEAD[:2], node("Gemm", ["row", "head.weight", "head.bias"], ["head"], transB=1),
                    node("Softmax", ["head"], ["logits"], axis=axis)], WEIGHTS, opset=opset),
             '"name": "head"', "its last softmax is left out, since cross_entropy has it")
    for name, axis in (("softmax_samples", 0), ("softmax_log", 0)):
        refuse(name, ending([node("LogSoftmax" if "log" in name else "Softmax", ["head"], ["logits"], axis=axis)]),
               "gyre's loss has a softmax over the classes, this one is over another axis")
    rows = model([*STEM, node("Softmax", ["stem"], ["logits"], axis=3)], WEIGHTS[:2])
    refuse("softmax_rows", rows, "this one is over another axis")


def make_axes():
    """Which axis of the input is the channels: a convolution reads (N, C, H, W); a Transpose in front of it tells."""
    image = (4, 16, 8, 4)
    wide = [tensor("stem.weight", (4, 16, 3, 3)), *WEIGHTS[1:]]
    told = '"name": "stem", "type": "conv", "channels": 4, "size": 3, "pad": 1'
    edge("planes_first", model([*STEM, *RELU, *HEAD], wide, image=("N", 16, 8, 4)), told)
    stem = node("Conv", ["x", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1] * 4)
    half = literal("half", 0.5)
    turned = [half, node("Mul", ["images", "half"], ["y"]), node("Transpose", ["y"], ["x"], perm=[0, 3, 1, 2])]
    edge("pixels_first", model([*turned, stem, *RELU, *HEAD], wide, image=("N", 8, 4, 16)), told)
    row = [node("Flatten", ["images"], ["row"], axis=1), node("Gemm", ["row", "head.weight"], ["logits"], transB=1)]
    edge("pixels_row", model(row, [tensor("head.weight", (10, 192))], image=("N", 8, 8, 3)), "!flatten")
    edge("planes_row", model(row, [tensor("head.weight", (10, 512))], image=("N", 16, 8, 4)).replace(b"by hand", b"pytorch"),
         '"type": "flatten", "order": "chw"')


def make_norms():
    """What is added to a norm, and then multiplied; and over what an instance norm goes."""
    gain, bias = tensor("gain", (4, 1, 1), [2.0, 0.5, 1.5, 3.0]), tensor("shift", (4, 1, 1), [1.0, 2.0, 3.0, 4.0])
    ones = lambda n: [literal("one", [1.0] * n, (n,)), literal("zero", [0.0] * n, (n,))]
    norm = node("InstanceNormalization", ["stem", "one", "zero"], ["a"])
    scaled = [norm, node("Add", ["a", "shift"], ["b"]), node("Mul", ["b", "gain"], ["body"])]
    edge("norm_bias_first", around([*ones(4), *scaled], [gain, bias]), '"name": "gain", "type": "scale"}')
    edge("norm_weight_first", around([*ones(4), norm, node("Mul", ["a", "gain"], ["b"]), node("Add", ["b", "shift"], ["body"])],
                                     [gain, bias]), '!"type": "scale"')
    line = [node("Mul", ["stem", "gain"], ["b"]), node("Add", ["b", "shift"], ["body"])]
    edge("scale_and_bias", around(line, [gain, bias]), '"name": "shift", "type": "bias"}', "!constant")
    buffers = [kind(name, (4, 1, 1), "BUFFER") for name in ("gain", "shift")]
    edge("scale_and_bias_told", around(line, [gain, bias], between=buffers), '"type": "affine", "by_channel": true}')
    back = node("Reshape", ["b", "size"], ["body"])

    def parts(shape, n, before=()):
        x = "turned" if before else "stem"
        return around([*ones(n), *before, node("Shape", ["stem"], ["size"]), node("Reshape", [x, "parts"], ["a"]),
                       node("InstanceNormalization", ["a", "one", "zero"], ["b"]), back], [constant("parts", shape, INT64, (3,))])
    edge("groups_behind", parts([0, 2, -1], 2), '"type": "group_norm", "groups": 2')
    edge("groups_in_front", parts([-1, 1, 128], 1), '"type": "group_norm", "groups": 2')
    edge("groups_one", parts([0, 1, -1], 1), '"type": "group_norm", "groups": 1')
    edge("groups_each", parts([-1, 1, 64], 1), '"type": "group_norm", "groups": 4')
    no = "it is no instance norm of channels, nor a part of a group norm"
    refuse("groups_of_rows", parts([-1, 1, 8], 1), no)
    refuse("groups_by_column", parts([-1, 4, 8], 4, [node("Transpose", ["stem"], ["turned"], perm=[0, 3, 1, 2])]), no)


def make_images_twice():
    """The images normalised for one operator, and as they are for another."""
    two, half = literal("two", 2.0), literal("half", 0.5)
    twice = [two, half, node("Mul", ["images", "two"], ["y"]), node("Sub", ["y", "half"], ["z"])]
    ends = [node("Conv", ["a", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1] * 4), *RELU]
    wide = [tensor("stem.weight", (4, 12, 3, 3)), *WEIGHTS[1:]]
    for name, second in (("pairs_differ", ["images", "images"]), ("pairs_agree", ["z", "z"])):
        both = [node("Concat", ["z", "z"], ["first"], axis=1), node("Concat", second, ["second"], axis=1),
                node("Concat", ["first", "second"], ["a"], axis=1)]
        data = model([*twice, *both, *ends, *HEAD], wide)
        edge(name, data, '"type": "concat"' if name == "pairs_agree" else '"type": "affine", "factor": 2')


def make_squeeze():
    """Without axes all of size 1 go; the batch is of any size."""
    pooled = node("GlobalAveragePool", ["stem"], ["pooled"])
    ends = [node("Squeeze", ["pooled"], ["row"]), node("Gemm", ["row", "head.weight", "head.bias"], ["logits"], transB=1)]
    edge("squeeze_all", model([*STEM, pooled, *ends], WEIGHTS), '"name": "head", "type": "linear", "out": "classes"')
    one = [literal("one", 1.0), node("Mul", ["images", "one"], ["x"])]
    twice = [*one, node("Concat", ["images", "x"], ["a"], axis=1), node("Concat", ["x", "images"], ["b"], axis=1),
             node("Add", ["a", "b"], ["c"]),
             node("Conv", ["c", "stem.weight", "stem.bias"], ["stem"], kernel_shape=[3, 3], pads=[1] * 4)]
    edge("images_times_one", model([*twice, *RELU, *HEAD], [tensor("stem.weight", (4, 6, 3, 3)), *WEIGHTS[1:]]), '"type": "concat"')


def nameless_input():
    shape = chunk(2, chunk(1, number(1, FLOAT) + chunk(2, b"".join(chunk(1, number(1, d)) for d in (1, 3, 8, 8)))))
    g = graph([*STEM, *RELU, *HEAD], WEIGHTS, [shape], [info("logits", ("N", 10))])
    return number(1, 8) + chunk(8, number(2, 17)) + chunk(7, g)


def make_tensors():
    """What nothing reads need not be of a type that gyre reads."""
    refuse("nameless_input", nameless_input(), "no name of its own has input ''")
    text = number(2, 8) + chunk(8, "label") + chunk(6, "cat")
    small = number(1, 3) + number(2, 22) + chunk(8, "packed") + chunk(9, b"ab")
    aside = number(1, 3) + number(2, 22) + chunk(8, "aside") + chunk(13, chunk(1, "location") + chunk(2, "x")) + number(14, 1)
    edge("unused_types", around(RELU, [text, small, aside]), '"name": "stem"')
    constant_text = node("Constant", [], ["words"], value=chunk(5, text) + number(20, 4))
    edge("unused_constant", around([constant_text, *RELU]), '"name": "stem"')
    refuse("used_type", around([node("Add", ["stem", "packed"], ["body"])], [small]),
           "tensor packed has type 22 of ONNX's list; numbers of 8 to 64 bits were expected")
    refuse("no_weights", around([literal("k", [1, 2, 3], (3,), INT64), node("NonZero", ["k"], ["l"]),
                                 node("Reshape", ["stem", "l"], ["body"])]), "does not compute this constant",)
    gain, shape = tensor("gain", (4, 1, 1)), constant("shape", [1, 4, 1, 1], INT64, (4,))
    edge("expanded", around([node("Expand", ["gain", "shape"], ["g"]), node("Mul", ["stem", "g"], ["body"])], [gain, shape]),
         '"name": "gain", "type": "scale"')
    same = [node("Shape", ["stem"], ["s"]), node("Expand", ["stem", "s"], ["a"]), node("Relu", ["a"], ["body"])]
    edge("expanded_same", around(same), "!upsample")
    one = [node("GlobalAveragePool", ["stem"], ["p"]), node("Shape", ["stem"], ["s"]), node("Expand", ["p", "s"], ["body"])]
    edge("expanded_pixel", around(one), '"type": "upsample", "factor": 8')
    refuse("expanded_samples", around([node("Expand", ["stem", "shape"], ["body"])],
                                      [constant("shape", [3, 4, 8, 8], INT64, (4,))], image=(1, 3, 8, 8)), "(Expand)")
    each = [literal("two", [2.0, 3.0], (2, 1)), literal("to", [2, 2], (2,), INT64), node("Expand", ["two", "to"], ["e"]),
            literal("flat", [1, 4, 1, 1], (4,), INT64), node("Reshape", ["e", "flat"], ["k"]),
            node("Mul", ["stem", "k"], ["body"])]
    edge("expanded_numbers", around(each), '"type": "affine", "by_channel": true')


def make_drop_path():
    """x / keep * floor(keep + rand), as timm's first DropPath had it, and rand before or behind."""
    shape = constant("shape", 0.0, FLOAT, (2, 1, 1, 1))
    noise = [literal("keep", 0.75), node("RandomUniformLike", ["shape"], ["r"], low=0.0, high=1.0)]
    floor = [node("Add", ["keep", "r"], ["s"]), node("Floor", ["s"], ["f"])]
    told = '"type": "stochastic_depth", "p": 0.25}'
    edge("drop_divided", around([*noise, *floor, node("Div", ["stem", "keep"], ["d"]), node("Mul", ["d", "f"], ["body"])],
                                [shape], image=(2, 3, 8, 8)), told)
    edge("drop_noise", around([*noise, *floor, node("Div", ["f", "keep"], ["g"]), node("Mul", ["stem", "g"], ["body"])],
                              [shape], image=(2, 3, 8, 8)), told)
    refuse("drop_whole", around([*noise, *floor, node("Mul", ["stem", "f"], ["body"])], [shape], image=(2, 3, 8, 8)),
           "it is random, but neither dropout nor stochastic depth")
    refuse("drop_scaled", around([*noise, node("Div", ["r", "keep"], ["s"]), node("Less", ["s", "keep"], ["f"]),
                                  node("Mul", ["stem", "f"], ["body"])], [shape], image=(2, 3, 8, 8)), "is random")


def make_outside():
    """Tensors on the same bytes, whatever their file is called, and with an empty one between them."""
    at = lambda name, dims, location, offset: tensor(name, dims, outside={"location": location, "offset": str(offset)})
    weights = lambda *more: [at("stem.weight", (4, 3, 3, 3), "w.bin", 0), *more, *WEIGHTS[2:]]
    graph_of = lambda *more: model([*STEM, *RELU, *HEAD], weights(*more))
    words = "tensors stem.weight and stem.bias lie on the same bytes of "
    for name, location in (("dotted", "./w.bin"), ("linked", "link.bin"), ("hard", "hard.bin")):
        refuse("overlap_" + name, graph_of(at("stem.bias", (4,), location, 4)), words + f"'{location}'")
    refuse("overlap_empty", graph_of(at("none", (0,), "w.bin", 8), at("stem.bias", (4,), "w.bin", 12)), words + "'w.bin'")
    edge("apart", graph_of(at("none", (0,), "./w.bin", 8), at("stem.bias", (4,), "./w.bin", 432)), '"name": "stem"')


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
    for make in (make_images, make_notes, make_frozen, make_learned, make_places, make_ends, make_activations, make_targets, make_softmax, make_axes, make_norms,
                 make_images_twice, make_squeeze, make_tensors, make_drop_path, make_outside):
        make()
    onnx_trained.add(edge, refuse, kind)
    onnx_sizes.add(edge, refuse)
    (folder / "w.bin").write_bytes(bytes(448))
    (folder / "link.bin").symlink_to("w.bin")
    (folder / "hard.bin").hardlink_to(folder / "w.bin")
    with open(folder / "edges.txt", "w") as f:
        for name, (data, network, told) in EDGES.items():
            (folder / f"{name}.onnx").write_bytes(data)
            f.write("|".join((name, network, told)) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
