"""Networks whose parameters are called otherwise than gyre's nodes would have them, lie in other shapes, or are computed
from others: onnx_names.py files FOLDER writes them, onnx_names.py same NAME compares what went back to PyTorch with what
came from there, onnx_names.py computed NAME WEIGHTS MISSING says that these do not go back."""
import glob, pathlib, sys, warnings

from onnx_order import Module, turn
from onnx_wire import *

LAST, SECOND = [0, 2, 3, 1], [0, 3, 1, 2]
NORM = "bias", "running_mean", "running_var"
HALF = literal("half", 0.5)


def conv(weight, bias, x="stem", y="body"):
    return node("Conv", [x, weight, bias][:3 if bias else 2], [y], kernel_shape=[1, 1])


def pixels(norm):
    """A norm of pixels from "x" to "y"."""
    return [turn("stem", "x", LAST), *norm, turn("y", "body", SECOND)]


# Names that PyTorch allows, of a convolution and a batch norm; those of "ours" are in gyre's files other things.
KEYS = "weight", "bias", "running_mean", "running_var"
NAMES = {
    "slash": ["c.a/b.weight", "c.a/b.bias", *(f"n./a/b.{k}" for k in KEYS)],
    "colon": ["c.a::b.weight", "c.a:b.bias", *(f"a::b.{k}" for k in KEYS)],
    "long": ["c." + "long" * 250 + ".weight", "c." + "long" * 250 + ".bias", *(f"{'n' * 128}.{k}" for k in KEYS)],
    "quotes": ['c."q".weight', "c.b\\s.bias", *(f"n.ä \t\n.{k}" for k in KEYS)],
    "alike": ["c.a_b.weight", "c.a:b.bias", "n.a/b", "n.a:b", "n.mean", "n.var"],
    "calls": ["val_0", "getitem", "onnx::x", "getitem_1", "val_1", "val_2"],
    "endless": ["c.weight", "c.bias", "n." + "w" * 1022, "n.b", "n.m", "n.v"],
    "ours": ["input", "logits", "stem/weight", "stem/1", "stem/factor", "images/0"],
}


def files():
    c = [tensor("c.weight", (4, 4, 1, 1)), tensor("c.bias", (4,))]
    vector = lambda name: tensor(name, (4,))
    shape = lambda name, dims: tensor(name, (len(dims),), list(dims), INT64)
    made = {"weight": around([HALF, node("Mul", ["c.weight", "half"], ["w"]), conv("w", "c.bias")], c),
            "bias": around([HALF, node("Mul", ["c.bias", "half"], ["b"]), conv("c.weight", "b")], c)}
    rate = [HALF, *RELU, *HEAD[:2], node("Mul", ["head.weight", "half"], ["w"]),
            node("Gemm", ["row", "w", "head.bias"], ["logits"], transB=1)]
    made["linear"] = model([*STEM, *rate], WEIGHTS)
    gain = [literal("one", 1.0), node("Add", ["one", "g"], ["more"]), node("LayerNormalization", ["x", "more", "b"], ["y"])]
    made["gain"] = around(pixels(gain), [vector("g"), vector("b")])
    # b and c have one weight, and each its bias
    made["shared"] = around([conv("c.weight", "b.bias", y="mid"), conv("c.weight", "c.bias", "mid")], [*c, vector("b.bias")])
    norm = lambda n, x, y: node("BatchNormalization", [x, "c.weight"] + [f"{n}.{k}" for k in NORM], [y])
    made["shared_norm"] = around([norm("b", "stem", "mid"), norm("c", "mid", "body")], [vector("c.weight"), *(
        tensor(f"{n}.{k}", (4,), values(4, first + 1)) for first, n in enumerate("bc") for k in NORM)])
    # names that are not "weight" and "bias", of modules and of the network itself
    for key, w, b in ("greek", "n.gamma", "n.beta"), ("root", "w", "b"), ("list", "p.0", "p.1"), ("other", "n.weight", "n.b"):
        made[key] = around(pixels([node("LayerNormalization", ["x", w, b], ["y"])]), [vector(w), vector(b)])
    made["kernel"] = around([conv("c.kernel", "c.bias_")], [tensor("c.kernel", (4, 4, 1, 1)), vector("c.bias_")])
    made["added"] = around([conv("c.weight", None, y="m"), node("Add", ["m", "b"], ["body"])], [c[0], tensor("b", (4, 1, 1))])
    # shapes
    made["layer_scale"] = around([node("Reshape", ["n.gamma", "to"], ["g"]), node("Mul", ["stem", "g"], ["body"])],
                                 [vector("n.gamma"), shape("to", (1, 4, 1, 1))])
    made["pixel_scale"] = around(pixels([node("Mul", ["x", "n.gamma"], ["y"])]), [vector("n.gamma")])
    made["line"] = around([node("Mul", ["stem", "a.alpha"], ["m"]), node("Add", ["a.beta", "m"], ["body"])],
                          [tensor("a.alpha", (4, 1, 1)), tensor("a.beta", (1, 4, 1, 1))])
    # one number for all channels, and slopes
    by_torch = lambda data: data.replace(b"by hand", b"pytorch")
    made["factor"] = by_torch(around([node("Mul", ["stem", "f"], ["body"])], [tensor("f", (), [0.75])]))
    made["factor_list"] = by_torch(around([node("Mul", ["stem", "f.a"], ["body"])], [tensor("f.a", (1,), [0.75])]))
    made["factor_fresh"] = by_torch(around([node("Mul", ["stem", "f"], ["body"])], [tensor("f", (), [1.0])]))
    for key, dims, slopes in ("slope", (1,), [0.25]), ("slopes", (4, 1, 1), [-0.5, 0.25, 2.0, 0.1]):
        made[key] = around([node("PRelu", ["stem", "act.weight"], ["body"])], [tensor("act.weight", dims, slopes)])
    # one slope of two activations
    prelu = lambda x, y: node("PRelu", [x, "act.weight"], [y])
    made["slope_twice"] = by_torch(around([prelu("stem", "m"), conv("c.weight", None, "m", "n"), prelu("n", "body")],
                                          [tensor("act.weight", (1,), [0.25]), c[0]]))
    plain = [node("Flatten", ["stem"], ["f"], axis=1), shape("groups", (0, 2, -1)), shape("back", (-1, 4, 8, 8))]
    group = [node("Reshape", ["stem", "groups"], ["f"]), node("InstanceNormalization", ["f", "ones", "zeros"], ["i"]),
             node("Reshape", ["i", "back"], ["r"]), node("Mul", ["r", "n.weight"], ["m"]), node("Add", ["m", "n.bias"], ["body"])]
    four = lambda name: tensor(name, (1, 4, 1, 1))
    given = [constant("/ones", 1.0, dims=(2,)), constant("/zeros", 0.0, dims=(2,))]
    group[1] = node("InstanceNormalization", ["f", "/ones", "/zeros"], ["i"])
    made["norm_4d"] = around(group, [*plain[1:], *given, four("n.weight"), four("n.bias")])
    for key, names in NAMES.items():
        path = "/c/Conv" if key in ("calls", "ours") else ""  # as TorchScript, else as dynamo
        w, b, *rest = names
        body = [node("Conv", ["stem", w, b], ["m"], name=path, kernel_shape=[1, 1])]
        body += [node("BatchNormalization", ["m", *rest], ["body"])]
        head = [*HEAD[:2], node("Gemm", ["row", "head.weight", "head.bias"], ["out"], transB=1)]
        weights = [tensor(w, (4, 4, 1, 1)), *(tensor(n, (4,), values(4, 1)) for n in (b, *rest))]
        made[key] = by_torch(model([*STEM, *body, *head], [*WEIGHTS, *weights], output="out"))
    # buffers by TorchScript: a filter, and a factor for each channel, which to_gyre tells
    buffers = by_torch(around([conv("blur", None, y="m"), node("Mul", ["m", "gain"], ["body"], name="/Mul")],
                              [tensor("blur", (4, 4, 1, 1)), tensor("gain", (4, 1, 1))]))
    made["untold"] = buffers
    made["told"] = buffers + chunk(14, chunk(1, "gyre_exchange.buffers") + chunk(2, '["gain", "blur", "none"]'))
    made["odd_list"] = buffers + chunk(14, chunk(1, "gyre_exchange.buffers") + chunk(2, '{"gain"'))
    # dynamo's optimiser has put a batch norm into the convolution, which has its bias and its names, and gives its value
    made["folded"] = by_torch(around([conv("c.weight", "c.bias", y="getitem"), node("Relu", ["getitem"], ["body"])], c))
    made["plain"] = by_torch(around([conv("c.weight", "c.bias", y="conv2d"), node("Relu", ["conv2d"], ["body"])], c))
    square = tensor("mix.weight", (10, 4, 1, 1))
    made["view"] = model([*STEM, *RELU, *HEAD[:2], node("Reshape", ["mix.weight", "to"], ["w"]),
                          node("Gemm", ["row", "w"], ["logits"], transB=1)], [*WEIGHTS[:2], square, shape("to", (10, 4))])
    return made


def parameters(name):
    from onnx_run import Model
    return {k: v for k, v in Model(f"{name}.onnx").constants.items()
            if v.dtype.kind == "f" and not k.startswith("/") and k not in ("half", "one")}


def back(name):
    """What went to PyTorch by safetensors, and by from_gyre: the arrays, and what it says."""
    import numpy as np
    from gyre_exchange import from_gyre
    from safetensors_file import read

    module = Module({k: np.zeros(v.shape, "f4") for k, v in parameters(name).items()})
    loaded = from_gyre(glob.glob(f"{name}/checkpoints/*.h5")[0], module)
    return read(f"{name}.safetensors")[1], module.state, loaded


def compare(state, want):
    for k, w in want.items():
        assert state[k].shape == w.shape and state[k].tobytes() == w.tobytes(), (k, state[k].shape, w.shape)


def same(name):
    warnings.simplefilter("error", UserWarning)
    want, (state, module, loaded) = parameters(name), back(name)
    assert loaded.whole() and sorted(state) == sorted(want), (loaded, sorted(state))
    compare(state, want)
    compare(module, want)


def shared(name, copy):
    warnings.simplefilter("ignore", UserWarning)
    want, (state, module, loaded) = parameters(name), back(name)
    assert loaded.unused == [copy] and not loaded.missing, loaded
    assert sorted(state) == sorted([*want, copy]), sorted(state)
    compare(state, want)
    compare(module, want)


def computed(name, weights, missing):
    warnings.simplefilter("ignore", UserWarning)
    want, (state, module, loaded) = parameters(name), back(name)
    assert loaded.computed == weights and loaded.missing == missing and not loaded.whole(), loaded
    assert "computed: " + weights[0] in str(loaded), str(loaded)
    assert sorted(state) == sorted(set(want) - set(missing)), sorted(state)
    compare(state, {k: want[k] for k in state})
    compare(module, {k: want[k] for k in state})
    assert not any(module[k].any() for k in missing), missing


def exported(name, other):
    """gyre's ONNX has them under their names, but for those of `other`."""
    from onnx_run import Model
    there = set(Model("out.onnx").constants)
    assert set(NAMES[name]) - there == set(other), (set(NAMES[name]) - there, there)


if __name__ == "__main__":
    if sys.argv[1] == "same":
        same(sys.argv[2])
    elif sys.argv[1] == "exported":
        exported(sys.argv[2], sys.argv[3:])
    elif sys.argv[1] == "shared":
        shared(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "computed":
        computed(sys.argv[2], sys.argv[3].split(","), sys.argv[4].split(","))
    else:
        for key, data in files().items():
            (pathlib.Path(sys.argv[2]) / f"{key}.onnx").write_bytes(data)
