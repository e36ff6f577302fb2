"""Networks whose linear layers read a picture as rows of one order or another, or of both: onnx_order.py files FOLDER writes
them, onnx_order.py same NAME compares what went back to PyTorch with what came from there, bit by bit."""
import glob, pathlib, sys, warnings

from onnx_wire import *

LAST, SECOND = [0, 2, 3, 1], [0, 3, 1, 2]


def turn(x, y, order):
    return node("Transpose", [x], [y], perm=order)


def network(rows, tensors):
    """The stem, and rows from "stem" to "row" for a linear layer of all 256 values."""
    fc = [node("Flatten", ["rows"], ["row"], axis=1), node("Gemm", ["row", "fc.weight", "fc.bias"], ["logits"], transB=1)]
    return model([*STEM, *rows, *fc], [*WEIGHTS[:2], tensor("fc.weight", (10, 256)), tensor("fc.bias", (10,)), *tensors])


def files():
    made = {"chw": network([node("Relu", ["stem"], ["rows"])], []),
            "hwc": network([turn("stem", "rows", LAST)], []),
            "hwc_dropout": network([turn("stem", "x", LAST), node("Dropout", ["x"], ["rows"], ratio=0.25)], [])}
    # A norm without weights, which reads the rows as channels.
    norm = [turn("stem", "x", LAST), node("Flatten", ["x"], ["flat"], axis=1), literal("one", 1.0, (256,)),
            node("LayerNormalization", ["flat", "one"], ["rows"])]
    made["hwc_norm"] = network(norm, [])
    # The parameters of a module are (in, out): of rows, and of pixels.
    square = [tensor("mix.weight", (4, 4)), tensor("mix.bias", (4,))]
    tail = [node("Gemm", ["body", "head.weight", "head.bias"], ["logits"], transB=1)]
    pooled = [node("GlobalAveragePool", ["stem"], ["p"]), node("Flatten", ["p"], ["row"], axis=1)]
    mix = lambda x, y: [node("MatMul", [x, "mix.weight"], ["m"]), node("Add", ["m", "mix.bias"], [y])]
    made["rows_transposed"] = model([*STEM, *pooled, *mix("row", "body"), *tail], [*WEIGHTS, *square])
    made["pixels_transposed"] = around([turn("stem", "x", LAST), *mix("x", "y"), turn("y", "body", SECOND)], square)
    turned = [node("Transpose", ["mix.weight"], ["w"], perm=[1, 0]), node("MatMul", ["x", "w"], ["m"]),
              node("Add", ["m", "mix.bias"], ["y"])]
    made["pixels"] = around([turn("stem", "x", LAST), *turned, turn("y", "body", SECOND)], square)
    made["places"] = network([node("Add", ["stem", "place"], ["rows"])], [tensor("place", (4, 8, 8))])
    made.update(shared())
    return made


def shared():
    """Linear layers with one weight of rows (c, h, w) and (h, w, c), and a factor of a picture's channels and of a row."""
    chw, hwc = [node("Flatten", ["stem"], ["a"], axis=1)], [turn("stem", "t", LAST), node("Flatten", ["t"], ["b"], axis=1)]
    fc = lambda x, y: [node("Gemm", [x, "fc.weight", "fc.bias"], ["g" + y], transB=1), node("Relu", ["g" + y], [y])]
    made = {}
    for name, rows in (("two_orders", ("a", "b")), ("two_orders_hwc", ("b", "a"))):
        layers = [*fc(rows[0], "first"), *fc(rows[1], "second"), node("Add", ["first", "second"], ["logits"])]
        weights = [tensor("fc.weight", (10, 256), [x / 8 for x in values(2560)]), tensor("fc.bias", (10,))]
        made[name] = model([*STEM, *chw, *hwc, *layers], [*WEIGHTS[:2], *weights])
    axes = tensor("axes", (3,), [4, 1, 1], INT64)
    parts = [node("Reshape", ["gamma", "axes"], ["planes"]), node("Mul", ["stem", "planes"], ["x"]), node("Relu", ["x"], ["r"]),
             node("GlobalAveragePool", ["r"], ["p"]), node("Flatten", ["p"], ["q"], axis=1), node("Mul", ["q", "gamma"], ["row"]),
             node("Gemm", ["row", "head.weight", "head.bias"], ["logits"], transB=1)]
    made["shared_factor"] = model([*STEM, *parts], [*WEIGHTS, tensor("gamma", (4,)), axes])
    return made


class Module:
    """As much of torch.nn.Module's as from_gyre asks for."""

    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def same(name):
    import numpy as np
    from gyre_exchange import from_gyre
    from onnx_run import Model
    from safetensors_file import read

    warnings.simplefilter("error", UserWarning)
    want = {k: v for k, v in Model(f"{name}.onnx").constants.items() if k != "axes"}
    state = read(f"{name}.safetensors")[1]
    module = Module({k: np.zeros(v.shape, "f4") for k, v in want.items()})
    loaded = from_gyre(glob.glob(f"{name}/checkpoints/*.h5")[0], module)
    assert loaded.whole() and sorted(state) == sorted(want), (loaded, sorted(state))
    for k, w in want.items():
        for way, found in ("safetensors", state[k]), ("from_gyre", module.state[k]):
            assert found.shape == w.shape and found.tobytes() == w.tobytes(), (way, k, found.shape, w.shape)


if __name__ == "__main__":
    if sys.argv[1] == "same":
        same(sys.argv[2])
    else:
        for key, data in files().items():
            (pathlib.Path(sys.argv[2]) / f"{key}.onnx").write_bytes(data)
