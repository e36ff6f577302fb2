"""The networks of configs/examples against PyTorch with the same random weights.

    python3 examples_training.py GYRE

Prints predictions, then rows as torchvision_training.py does: the distance of predictions and of
the first batch's gradient from PyTorch in double precision, and of losses from PyTorch's.
"""
import csv, json, pathlib, sys, tempfile

import numpy as np, torch
from torch import nn
from torch.nn import functional as F

from torch_common import BATCH, BATCHES, calibrate, compare, norms_of, run, write_weights

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "configs/examples"


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(10, 64), nn.Linear(64, 64), nn.Linear(64, 1)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))[:, 0]


class Segmentation(nn.Module):
    def __init__(self):
        super().__init__()
        for name, c, k in (("down1", 1, 8), ("down2", 8, 16), ("middle", 16, 32), ("up2", 48, 16), ("up1", 24, 8)):
            setattr(self, name + "_conv", nn.Conv2d(c, k, 3, padding=1, bias=False))
            setattr(self, name + "_bn", nn.BatchNorm2d(k))
        self.out = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        step = lambda name, x: F.relu(getattr(self, name + "_bn")(getattr(self, name + "_conv")(x)))
        double = lambda x: F.interpolate(x, scale_factor=2, mode="nearest")
        first = step("down1", x)
        second = step("down2", F.max_pool2d(first, 2))
        x = double(step("middle", F.max_pool2d(second, 2)))
        x = double(step("up2", torch.cat([x, second], 1)))
        return self.out(step("up1", torch.cat([x, first], 1)))


def examples(folder):
    """name, network, loss, samples and targets as PyTorch takes them; config for gyre."""
    for name, net, loss in (("regression", Regression(), F.mse_loss),
                            ("segmentation", Segmentation(), F.cross_entropy)):
        here = folder / name
        here.mkdir()
        run([sys.executable, EXAMPLES / name / "make_data.py"], here)
        x, y = (np.load(here / f"{kind}.npy")[:BATCH * BATCHES] for kind in "xy")
        np.save(here / "some_x.npy", x)
        np.save(here / "some_y.npy", y)
        run([sys.argv[1], "data", "import", "array", "some_x.npy", "some_y.npy", "-o", "some.h5"], here)
        config = {"data": {"path": "some.h5", "augment": {"normalize": "raw"}},
                  "model": {"file": str(EXAMPLES / name / "network.json")}}
        if name == "segmentation":
            config["data"]["augment"]["normalize"] = {"mean": [0.5], "std": [0.25]}
            x = ((x / 255 - 0.5) / 0.25)[:, None]
        else:
            config["model"]["loss"] = "mean_squared_error"
        y = y.astype("i8") if y.dtype == "i4" else y
        yield name, here, net, loss, config, torch.from_numpy(x.astype("f8")), torch.from_numpy(y)


def predictions(folder, net, config, x):
    (folder / "eval.json").write_text(json.dumps(dict(config, batch={"size": BATCH})))
    write_weights(net, folder / "weights.h5")
    run([sys.argv[1], "eval", "weights.h5", "--model", "eval.json", "--part", "train", "--predictions", "out.csv"],
        folder)
    rows = list(csv.reader(open(folder / "out.csv")))
    first = next(i for i, title in enumerate(rows[0]) if title.startswith(("out", "logit")))
    mine = np.array([[float(v) for v in row[first:]] for row in rows[1:]])
    net.eval()
    with torch.no_grad():
        as_rows = lambda y: (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).reshape(len(x), -1).numpy().astype("f8")
        theirs = as_rows(net(x.float()))
        exact = as_rows(net.double()(x))
        net.float()
    off = lambda a: np.abs(a - exact).max() / np.abs(exact).max()
    return off(mine), off(theirs)


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as t:
        for name, folder, net, loss, config, x, y in examples(pathlib.Path(t)):
            for norm in norms_of(net):
                nn.init.normal_(norm.weight, 1, 1 / 8)
                nn.init.normal_(norm.bias, 0, 1 / 8)
            calibrate(net, x.float())
            mine, theirs = predictions(folder, net, config, x)
            print(f"{name}: predictions {mine:.1e} from double, PyTorch's {theirs:.1e}")
            steps = {"frozen": (1e-4, 50), "trains": (1e-4, 3)} if norms_of(net) else {"none": (1e-4, 50)}
            compare(sys.argv[1], folder, name, net, config, x, y, loss, steps)
