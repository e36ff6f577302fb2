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


def add(pattern, bad):
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
