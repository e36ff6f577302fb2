"""Networks with sizes that their operators compute, for onnx_edges.py."""
from onnx_wire import *


def make_branches(edge, refuse):
    """Two questions about sizes, whose branches have the same names inside."""
    def question(k, x, y):
        inner = graph([node("Relu", [x], ["inner"])], [], [], [info("inner", ("N", 4, 8, 8))])
        return [node("Shape", [x], [f"size{k}"]), node("Gather", [f"size{k}", "first"], [f"extent{k}"]),
                node("Equal", [f"extent{k}", "four"], [f"flat{k}"]),
                node("If", [f"flat{k}"], [y], then_branch=chunk(6, inner) + number(20, 5),
                     else_branch=chunk(6, inner) + number(20, 5))]
    numbers = [constant("first", [1], INT64, (1,)), constant("four", [4], INT64, (1,))]
    edge("two_branches", around([*question(0, "stem", "a"), node("Tanh", ["a"], ["b"]), *question(1, "b", "body")], numbers),
         '"type": "relu"')


def make_strided(edge, refuse):
    """A strided copy of a batch of any size, as dynamo writes one: the places of all values, in their order."""
    def copy(stride, first=0):
        return [literal("zero", 0, (), INT64), literal("one", 1, (), INT64), literal("stride", stride, (), INT64),
                literal("axes", [1, 2, 3], (3,), INT64), literal("flat", [-1], (1,), INT64),
                literal("inner", list(range(first, first + 256)), (1, 4, 8, 8), INT64),
                node("Shape", ["stem"], ["size"], start=0, end=1), node("Squeeze", ["size"], ["count"]),
                node("Range", ["zero", "count", "one"], ["samples"]), node("Mul", ["samples", "stride"], ["begin"]),
                node("Unsqueeze", ["begin", "axes"], ["outer"]), node("Add", ["outer", "inner"], ["places"]),
                node("Reshape", ["stem", "flat"], ["list"]), node("Gather", ["list", "places"], ["body"])]
    edge("strided", around(copy(256)), '"name": "head", "type": "linear"')
    for name, nodes in (("strided_far", copy(255)), ("strided_behind", copy(256, 1))):
        refuse(name, around(nodes), "gyre takes no parts of pictures")
    size = [*copy(256)[:11], node("Shape", ["outer"], ["sizes"]), node("Reshape", ["stem", "sizes"], ["body"])]
    refuse("strided_size", around(size), "gyre does not compute this constant")


def make_same_padding(edge, refuse):
    """"SAME" padding as it is computed from sizes: max((ceil(8 / 2) - 1) 2 + 3 - 8, 0), half of it in front."""
    whole = lambda name, x: literal(name, x, (), INT64)
    pads = [whole("three", 3), whole("five", 5), whole("none", 0), node("Sub", ["three", "five"], ["less"]),
            node("Clip", ["less", "none"], ["left"]), node("Unsqueeze", ["left", "zero"], ["one"]),
            node("Concat", ["one"] * 8, ["pads"], axis=0), node("Pad", ["stem", "pads"], ["body"])]
    edge("clipped", around([literal("zero", [0], (1,), INT64), *pads]), '"name": "head"')
    refuse("clipped_not", around([literal("zero", [0], (1,), INT64), *pads[:3], node("Sub", ["five", "three"], ["less"]), *pads[4:]]),
           "gyre pads pictures with zeros alone")


def add(edge, refuse):
    for make in make_branches, make_strided, make_same_padding:
        make(edge, refuse)
