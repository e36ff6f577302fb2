"""Dropout of whole channels, for which PyTorch's TorchScript exporter has no operators in training mode."""

import contextlib

_OPERATOR = "aten::feature_dropout"  # nn.Dropout2d, and its like in one and three dimensions


def _writer():
    import torch

    @torch.onnx.symbolic_helper.parse_args("v", "f", "i")
    def write(g, x, p, training):
        """x times noise of one number for each channel, as exporters write stochastic depth."""
        if p == 0 or not training:
            return x
        if x.type().dim() != 4 or p == 1:
            raise torch.onnx.errors.SymbolicValueError(
                "it drops channels of other tensors than pictures (N, C, H, W), as Dropout1d and Dropout3d do, or all of "
                "them; gyre has Dropout and Dropout2d", x)
        keep = g.op("Constant", value_t=torch.tensor(1 - p, dtype=torch.float32))
        kept = g.op("Less", g.op("RandomUniformLike", g.op("GlobalAveragePool", x)), keep)
        return g.op("Mul", x, g.op("Div", g.op("Cast", kept, to_i=1), keep))

    return write


@contextlib.contextmanager
def dropping_channels():
    import torch

    torch.onnx.register_custom_op_symbolic(_OPERATOR, _writer(), 9)
    try:
        yield
    finally:
        torch.onnx.unregister_custom_op_symbolic(_OPERATOR, 9)
