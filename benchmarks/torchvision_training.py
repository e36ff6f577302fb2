"""Gradients and losses of gyre against torchvision's networks with random weights.

    python3 torchvision_training.py [--batches 5] [--onnx EXPORT]... GYRE [MODEL...]

Prints a row of a table for each network and each kind of batch norm. With --onnx the network and its weights come in by
ONNX, in each of the forms that onnx_logits.py lists ("dynamo, optimize=False"), and not as gyre's own of this name.

Gradients: the distance from PyTorch in double precision, over all parameters together, of gyre and of PyTorch in single
precision, in NCHW and in gyre's NHWC, and the ratios. One ReLU or maximum that rounding turns to the other side is a
thousand times the rounding, for PyTorch as for gyre, so there are several batches of four images, and what stands in the
table is the batch whose largest distance is least (in brackets the medians). A wrong gradient would be wrong in each.

Losses of SGD with momentum, batches of 16: the largest difference from PyTorch's in any step, relative to the loss, and
beside it that of PyTorch's own layout NHWC (channels_last) from NCHW. With batch norm that trains, the rate is 1e-6: at
1e-4 PyTorch's layouts part by 2e-2 in three steps of resnet50.

Dropout and stochastic depth are 0.
"""
import argparse, json, pathlib, tempfile

import h5py, numpy as np, torch, torchvision

import onnx_logits
from torch_common import BATCH, BATCHES, GRADIENTS, compare, norms_of, run
from torchvision_logits import CLASSES, MODELS, SIDE, network

FROZEN, TRAINS = (1e-4, 50), (1e-6, 3)  # rate and steps
RESIDUAL = 0.25  # scale of a ResNet's branches: at 1 the 33 of resnet101 add up to a loss of 12, which no rate suits


def without_draws(gyre, model, folder):
    layers = json.loads(run([gyre, "model", model, "--image", f"{SIDE}x{SIDE}x3", "--json"], folder))
    for node in layers["nodes"]:
        if node["type"] in ("dropout", "spatial_dropout", "stochastic_depth"):
            node["p"] = 0
    return layers


def compare_model(gyre, model, folder, batches, form):
    net = network(model)
    for module in net.modules():
        last = getattr(module, "bn3", getattr(module, "bn2", None))
        if last is not None:  # of a residual block
            last.weight.data.mul_(RESIDUAL)
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0
    draw = np.random.RandomState(2)
    images = draw.randint(0, 256, (BATCH * BATCHES, SIDE, SIDE, 3), dtype="u1")
    labels = draw.randint(0, CLASSES, BATCH * BATCHES)
    with h5py.File(folder / "images.h5", "w") as f:
        f["train/images"], f["train/labels"] = images, labels.astype("i4")
    x = torch.from_numpy((images / 255 - 0.5) / 0.25).permute(0, 3, 1, 2).contiguous()
    if form is None:
        here = {"layers": without_draws(gyre, model, folder), "classes": CLASSES}
    else:
        onnx_logits.export(net.eval(), (3, SIDE, SIDE), form, folder / "net.onnx")
        here = {"file": str(folder / "net.onnx")}
    config = {"data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": here}
    steps = {"frozen": FROZEN, "trains": TRAINS} if norms_of(net) else {"none": FROZEN}
    name = model if form is None else f"{model}, {form}"
    compare(gyre, folder, name, net, config, x, torch.from_numpy(labels), torch.nn.functional.cross_entropy, steps,
            batches)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=GRADIENTS, help="whose gradients are compared, at most 16")
    parser.add_argument("--onnx", action="append", metavar="EXPORT", help="; ".join(onnx_logits.FORMS))
    parser.add_argument("gyre", type=pathlib.Path)
    parser.add_argument("models", nargs="*", default=MODELS)
    a = parser.parse_args()
    for name in a.models:
        for form in a.onnx or [None]:
            with tempfile.TemporaryDirectory() as t:
                compare_model(a.gyre.resolve(), name, pathlib.Path(t), a.batches, form)
