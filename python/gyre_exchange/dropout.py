"""Dropout of whole channels, for which PyTorch's TorchScript exporter has no operators in training mode."""

import contextlib

_OPERATOR = "aten::feature_dropout"  # nn.Dropout1d to nn.Dropout3d, and their functions


def _writer():
    import torch

    @torch.onnx.symbolic_helper.parse_args("v", "f", "i")
    def write(g, x, p, training):
        """x times noise of one number for each channel, as exporters write stochastic depth."""
        if p == 0 or not training:
            return x
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
