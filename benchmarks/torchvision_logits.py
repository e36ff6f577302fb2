"""Logits of gyre against torchvision's networks, and a vision transformer, with random weights.

    python3 torchvision_logits.py GYRE [MODEL...]

Writes each network's random weights and a dataset of random images in a scratch folder, has `gyre
eval --predictions` give the logits, and prints their distance from PyTorch's, relative to the
largest logit. Evaluation mode; running statistics are random, too.
"""
import csv, json, pathlib, subprocess, sys, tempfile

import h5py, numpy as np, torch, torchvision

from torch_common import write_weights
from torch_vit import ViT

MODELS = ["resnet18", "resnet34", "resnet50", "resnet101", "vgg16_bn", "densenet121", "mobilenet_v2",
          "efficientnet_b0", "convnext_tiny", "vit"]
SIDE, IMAGES, CLASSES = 64, 16, 10


def randomise(net):
    """Every parameter and statistic away from its initial value, so that none can be mistaken for another."""
    g = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=g) / 8)
            module.running_var.copy_(1 + torch.rand(module.running_var.shape, generator=g))
            if not module.affine:
                continue
            module.weight.data.copy_(1 + torch.randn(module.weight.shape, generator=g) / 8)
            module.bias.data.copy_(torch.randn(module.bias.shape, generator=g) / 8)


def network(model):
    """torchvision's, with random weights that are nowhere what a training would begin with."""
    torch.manual_seed(1)
    more = {"layer_scale": 0.5} if model == "convnext_tiny" else {}
    net = ViT(3, SIDE, CLASSES) if model == "vit" else getattr(torchvision.models, model)(num_classes=CLASSES, **more)
    net.eval()
    randomise(net)
    return net


def compare(gyre, model, folder):
    net = network(model)
    write_weights(net, folder / "weights.h5")
    images = np.random.RandomState(1).randint(0, 256, (IMAGES, SIDE, SIDE, 3), dtype="u1")
    with h5py.File(folder / "images.h5", "w") as f:
        for part in ("train", "test"):
            f[part + "/images"] = images
            f[part + "/labels"] = (np.arange(IMAGES) % CLASSES).astype("i4")
    config = {"data": {"path": "images.h5", "augment": {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": {"name": model}, "batch": {"size": 8}, "length": {"steps": 1},
              "schedule": {"policy": "constant", "base_lr": 0.1}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "out.csv").unlink(missing_ok=True)
    run = subprocess.run([gyre, "eval", "weights.h5", "--model", "config.json", "--data", "images.h5",
                          "--predictions", "out.csv"], cwd=folder, capture_output=True, text=True)
    if run.returncode != 0:
        return f"{model}: {run.stderr.strip()[-600:]}"
    rows = list(csv.reader(open(folder / "out.csv")))[1:]
    mine = np.array([[float(x) for x in r[3:]] for r in rows])
    x = torch.from_numpy((images.astype("f4") / 255 - 0.5) / 0.25).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        theirs = net(x).numpy().astype("f8")
        exact = net.double()(x.double()).numpy()
    top = np.abs(exact).max()
    count = sum(p.numel() for p in net.parameters())
    return (f"{model}: {count} parameters, gyre {np.abs(mine - exact).max() / top:.1e} from double, "
            f"PyTorch f32 {np.abs(theirs - exact).max() / top:.1e}, apart {np.abs(mine - theirs).max() / top:.1e}")


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as t:
        for model in sys.argv[2:] or MODELS:
            print(compare(sys.argv[1], model, pathlib.Path(t)), flush=True)
