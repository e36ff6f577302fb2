"""More networks for onnx_edges.py: parameters of values that a number would be taken by, as 0 and 1 of new networks.
`edge(name, data, network, told)` gives each, `refuse(name, data, told)` those that gyre does not take."""
from onnx_more import attend
from onnx_wire import *


def by_torch(nodes, tensors=(), **options):
    """Of a file whose names are those of PyTorch's network."""
    return around(nodes, tensors, **options).replace(b"by hand", b"pytorch")


def single(x, name="gate", dims=()):
    return tensor(name, dims, [x] * count_of(dims))


def add_activations(edge, refuse, buffer):
    """x sigmoid(x) and others of one: a parameter inside or around is a node of its own."""
    by = lambda x, y, name="gate": node("Mul", [x, name], [y])
    silu = lambda first, second: [by("stem", "x"), node("Sigmoid", [second], ["s"]), node("Mul", [first, "s"], ["body"])]
    for name, first, second in (("inside", "stem", "x"), ("around", "x", "stem")):
        for number in 1.0, 0.5:
            net = by_torch(silu(first, second), [single(number)])
            edge(f"silu_{name}_{number:g}", net, '"type": "sigmoid"', "gate multiplies all channels")
            edge(f"silu_{name}_{number:g}_scale", net, '"name": "gate", "type": "scale"', "!constant")
        edge(f"silu_{name}_buffer", by_torch(silu(first, second), [single(1.0)], between=buffer), '"type": "silu"}', "!gate")
        edge(f"silu_{name}_unnamed", around(silu(first, second), [single(1.0)]), '"type": "silu"}')
    edge("silu_behind", by_torch(silu("x", "x"), [single(1.0)]), '"type": "silu"}', "gate multiplies all channels")
    mish = lambda x, soft: [by("stem", "x"), node("Softplus", [soft], ["p"]), node("Tanh", ["p"], ["t"]), node("Mul", [x, "t"], ["body"])]
    refuse("mish_around", by_torch(mish("x", "stem"), [single(1.0)]), "node_p (Softplus)")
    refuse("mish_inside", by_torch(mish("stem", "x"), [single(1.0)]), "node_p (Softplus)")
    swish = [node("Add", ["stem", "gate"], ["x"]), literal("low", 0.0), literal("high", 6.0), node("Clip", ["x", "low", "high"], ["c"]),
             literal("six", 6.0), node("Mul", ["stem", "c"], ["m"]), node("Div", ["m", "six"], ["body"])]
    edge("hardswish_bias", by_torch(swish, [single(3.0)]), '"name": "gate", "type": "bias", "initial": 3', "gate is added to channels")
    edge("hardswish_buffer", by_torch(swish, [single(3.0)], between=buffer), '"type": "hardswish"}')
    gelu = lambda inner, one: [literal("root", 1.4142135), literal("one", 1.0), literal("half", 0.5), node("Div", [inner, "root"], ["d"]),
                               node("Erf", ["d"], ["e"]), node("Add", ["e", one], ["p"]), node("Mul", ["stem", "p"], ["q"]),
                               node("Mul", ["q", "half"], ["body"])]
    edge("gelu", by_torch(gelu("stem", "one")), '"type": "gelu"}')
    refuse("gelu_one", by_torch(gelu("stem", "gate"), [single(1.0)]), "node_e (Erf)")
    refuse("gelu_inside", by_torch([by("stem", "x"), *gelu("x", "one")], [single(1.0)]), "node_e (Erf)")
    norm = [node("ReduceMean", ["stem"], ["m"], axes=[1]), node("Sub", ["stem", "m"], ["a"]), literal("two", 2.0), node("Pow", ["a", "two"], ["b"]),
            node("ReduceMean", ["b"], ["v"], axes=[1]), node("Add", ["v", "gate"], ["s"]), node("Sqrt", ["s"], ["d"]), node("Div", ["a", "d"], ["body"])]
    refuse("norm_eps", by_torch(norm, [single(0.01)]), "(ReduceMean)")
    edge("norm_eps_buffer", by_torch(norm, [single(0.01)], between=buffer), '"type": "layer_norm", "eps": 0.01')
    clip = [literal("low", 0.0), node("Clip", ["stem", "low", "gate"], ["body"])]
    refuse("clip_trained", by_torch(clip, [single(6.0)]), "its bounds are not single numbers that the file has, or are trained")
    edge("clip_buffer", by_torch(clip, [single(6.0)], between=buffer), '"type": "relu6"')


def add_idle(edge, refuse, buffer):
    """Sums with 0, products with 1 and quotients by it."""
    for name, x in ("zeros", 0.0), ("alike", 0.5):
        place = [node("Add", ["stem", "gate"], ["body"])]
        net = lambda **options: by_torch(place, [single(x, "gate", (1, 4, 8, 8))], **options)
        edge("places_" + name, net(), '"name": "gate", "type": "positions"')
        edge(f"places_{name}_buffer", net(between=buffer), "!positions", "!gate")
    rest = lambda op, *inputs: [literal("one", 1.0), node(op, list(inputs), ["g"]), node("Mul", ["stem", "g"], ["body"])]
    for name, nodes in ("plus", rest("Add", "one", "gate")), ("minus", rest("Sub", "one", "gate")):
        for dims in (4, 1, 1), ():
            edge(f"one_{name}_{len(dims)}", by_torch(nodes, [single(0.0, "gate", dims)]), '"name": "gate", "type": "scale", "initial": 0')
    for dims in (4, 1, 1), ():
        edge(f"divided_ones_{len(dims)}", by_torch([node("Div", ["stem", "gate"], ["body"])], [single(1.0, "gate", dims)]), '"type": "affine"',
             "gate is a constant here")
    half = [literal("half", 0.5), node("Mul", ["gate", "half"], ["b"]),
            node("Conv", ["stem", "next.weight", "b"], ["body"], kernel_shape=[1, 1])]
    edge("bias_computed", by_torch(half, [tensor("next.weight", (4, 4, 1, 1)), single(0.0, "gate", (4,))]), '!"bias": false', "computed from")


def add_attention(edge, refuse, buffer):
    """Scores of attention that a parameter changes are refused; queries may be multiplied by one."""
    keys = [tensor("k.weight", (4, 4, 1, 1)), tensor("near.weight", (4, 4, 1, 1), [x / 100 for x in values(16)])]
    turn = lambda old, *new: [n for m in attend() for n in (new if m == old else [m])]
    soft = node("Softmax", ["scaled"], ["p"], axis=3)
    changed = lambda op: turn(soft, node(op, ["scaled", "gate"], ["more"]), node("Softmax", ["more"], ["p"], axis=3))
    refuse("scores_scaled", by_torch(changed("Mul"), [*keys, single(1.0)]), "a parameter multiplies the scores of attention; multiply the queries by it")
    edge("scores_scaled_buffer", by_torch(changed("Mul"), [*keys, single(1.0)], between=buffer), '"type": "attention"')
    refuse("scores_biased", by_torch(changed("Add"), [*keys, single(0.0, "gate", (1, 2, 64, 64))]), "node_more (Add)")
    first = node("MatMul", ["q", "keyst"], ["s"])
    query = turn(first, node("Mul", ["q", "gate"], ["qs"]), node("MatMul", ["qs", "keyst"], ["s"]))
    edge("query_scaled", by_torch(query, [*keys, single(1.0)]), '"name": "gate", "type": "scale"', "!constant")
    edge("query_scaled_too", by_torch(query, [*keys, single(1.0)]), '"type": "attention"')


def add_followers(edge, refuse):
    """What is computed of several parameters follows each of them."""
    each = (4, 1, 1)
    train = lambda name: [node("Mul", ["stem", name], ["t"]), node("Add", ["y", "t"], ["body"])]
    pair = [tensor("p1", each), tensor("p2", each, values(4, 1.0))]
    less = [node("Sub", ["p1", "p2"], ["d"]), node("Mul", ["stem", "d"], ["y"])]
    for name in "p1", "p2":
        refuse("follows_" + name, by_torch([*less, *train(name)], pair), f"node_y (Mul) has a constant that follows from {name}, which another")
    shifted = [node("Sub", ["p1", "p2"], ["d"]), node("Mul", ["stem", "d"], ["z"]), literal("more", values(4), each), node("Add", ["z", "more"], ["y"])]
    refuse("follows_shifted", by_torch([*shifted, *train("p2")], pair), "has a constant that follows from p2, which another node trains")
    inverse = [node("Reciprocal", ["gate"], ["g"]), node("Mul", ["stem", "g"], ["z"]), literal("two", 2.0), node("Add", ["z", "two"], ["y"])]
    refuse("follows_shifted_one", by_torch([*inverse, *train("gate")], [single(1.0)]), "has a constant that follows from gate, which another")
    many = [f"m{i}" for i in range(9)]
    sums = lambda names: [node("Add", [a, b], [c]) for a, b, c in zip([names[0], *(f"s{i}" for i in range(1, 9))], names[1:],
                                                                    [*(f"s{i}" for i in range(1, len(names) - 1)), "sum"])]
    end = node("Mul", ["stem", "sum"], ["body"])
    edge("follows_eight", by_torch([*sums(many[:8]), end], [tensor(n, each) for n in many[:8]]), '"type": "affine"', "m0 is a constant here")
    refuse("follows_nine", by_torch([*sums(many), end], [tensor(n, each) for n in many]), "gyre does not compute this constant")


def add(edge, refuse, kind):
    buffer = [kind("gate", (), "BUFFER")]
    add_activations(edge, refuse, buffer)
    add_idle(edge, refuse, buffer)
    add_attention(edge, refuse, buffer)
    add_followers(edge, refuse)
