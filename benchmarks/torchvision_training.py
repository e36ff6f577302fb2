"""Gradients and losses of gyre against torchvision's networks with random weights.

    python3 torchvision_training.py GYRE [MODEL...]

Prints a row of a table for each network and each kind of batch norm. Gradients: the distance from
PyTorch in double precision, over all parameters together, of gyre and of PyTorch in single
precision; median (and largest) of three batches, since one ReLU or maximum that falls to the other
side is a thousand times the rounding. Losses of SGD with momentum: the largest difference from
PyTorch's in any step, relative to the loss, and beside it that of PyTorch's own layout NHWC
(channels_last) from NCHW. With batch norm that trains, the rate is 1e-6: at 1e-4 PyTorch's layouts
part by 2e-2 in three steps of resnet50. Dropout and stochastic depth are 0. Where nothing else is
said, PyTorch's layout is NCHW.
"""
import json, pathlib, sys, tempfile

import h5py, numpy as np, torch, torchvision

from torch_common import BATCH, BATCHES, compare, norms_of, run
from torchvision_logits import CLASSES, MODELS, SIDE, network

FROZEN, TRAINS = (1e-4, 50), (1e-6, 3)  # rate and steps


def without_draws(gyre, model, folder):
    layers = json.loads(run([gyre, "model", model, "--image", f"{SIDE}x{SIDE}x3", "--json"], folder))
    for node in layers["nodes"]:
        if node["type"] in ("dropout", "spatial_dropout", "stochastic_depth"):
            node["p"] = 0
    return layers


def compare_model(gyre, model, folder):
    net = network(model)
    for module in net.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0
    draw = np.random.RandomState(2)
    images = draw.randint(0, 256, (BATCH * BATCHES, SIDE, SIDE, 3), dtype="u1")
    labels = draw.randint(0, CLASSES, BATCH * BATCHES)
    with h5py.File(folder / "images.h5", "w") as f:
        f["train/images"], f["train/labels"] = images, labels.astype("i4")
    x = torch.from_numpy((images / 255 - 0.5) / 0.25).permute(0, 3, 1, 2).contiguous()
    config = {"data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": {"layers": without_draws(gyre, model, folder), "classes": CLASSES}}
    steps = {"frozen": FROZEN, "trains": TRAINS} if norms_of(net) else {"none": FROZEN}
    compare(gyre, folder, model, net, config, x, torch.from_numpy(labels), torch.nn.functional.cross_entropy, steps)


if __name__ == "__main__":
    for name in sys.argv[2:] or MODELS:
        with tempfile.TemporaryDirectory() as t:
            compare_model(pathlib.Path(sys.argv[1]).resolve(), name, pathlib.Path(t))
