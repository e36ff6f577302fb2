"""gyre-exchange with the PyTorch that is installed.

    PYTHONPATH=python python3 exchange.py GYRE

Both exporters keep batch norm as layers; a torchvision dataset trains a network of gyre; a checkpoint of gyre gives
PyTorch's module the same logits, also where a linear layer reads a picture.
"""
import csv, json, pathlib, subprocess, sys, tempfile, warnings

import numpy as np, onnx, torch, torchvision
from torchvision import transforms

from gyre_exchange import dataset_to_gyre, from_gyre, to_gyre

SIDE = 32


def exported(model, name, folder, **options):
    net = getattr(torchvision.models, model)(num_classes=10)
    net.train()
    path = folder / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exporter = to_gyre(net, torch.zeros(2, 3, SIDE, SIDE), path, **options)
    assert net.training and all(m.training for m in net.modules()), "the mode was not restored"
    graph = onnx.load(path).graph
    norms = sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    found = sum(n.op_type == "BatchNormalization" for n in graph.node)
    names = {i.name for i in graph.initializer}
    kept = sum(k in names for k, _ in net.named_parameters())
    print(f"{model}, {name}: exporter {exporter}, {found} of {norms} batch norms, {kept} of "
          f"{sum(1 for _ in net.named_parameters())} parameters by name, opset {onnx.load(path).opset_import[0].version}")


class Asking(torch.nn.Module):
    """Dropout that asks the outermost module, and one within, for its mode; two batch norms with equal weights."""

    def __init__(self, *within):
        super().__init__()
        self.within = torch.nn.Sequential(*within)
        self.bn1, self.bn2 = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.within(self.bn2(torch.relu(self.bn1(x))))
        return torch.nn.functional.dropout(x, 0.3, training=self.training)


def asks_for_its_mode(folder):
    path = folder / "asking.onnx"
    for training, left, expected in ((False, "within", 0), (True, "within", 1), (True, "all", 2)):
        net = Asking(Asking())
        (net if left == "all" else net.within).eval()
        modes, state = [m.training for m in net.modules()], {k: v.clone() for k, v in net.state_dict().items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            to_gyre(net, torch.rand(2, 3, 8, 8), path, exporter="torchscript", training=training)
        graph = onnx.load(path).graph
        found = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
        dropouts = sum(n.op_type == "Dropout" for n in graph.node)
        assert dropouts == expected, f"training={training}, {left} in evaluation mode: {dropouts} dropouts"
        assert [m.training for m in net.modules()] == modes, "the modes were not restored"
        assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items()), "the model was changed"
        for k, v in state.items():
            assert k.endswith("tracked") or np.array_equal(found[k], v), f"{k} in the file is another"


def drops_channels(folder):
    """PyTorch's exporter has no operator for dropout of channels in training, and to_gyre writes one; what has none at
    all is told in one line."""
    path = folder / "dropout.onnx"
    layers = lambda drop: torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), drop, torch.nn.Flatten(), torch.nn.Linear(288, 10))
    to_gyre(layers(torch.nn.Dropout2d(0.2)), torch.rand(2, 3, 8, 8), path, training=True)
    shown = subprocess.run([sys.argv[1], "model", path, "--json"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert '"type": "spatial_dropout", "p": 0.2' in shown, shown
    try:
        to_gyre(layers(torch.nn.AlphaDropout(0.2)), torch.rand(2, 3, 8, 8), path, training=True)
    except RuntimeError as error:
        assert "aten::alpha_dropout" in str(error) and len(str(error)) < 200, error
    else:
        raise AssertionError("alpha dropout was exported")


def norm_of_one_sample(folder):
    """An example of one sample: PyTorch's batch norm of rows takes none in training mode. And bfloat16 comes as numbers;
    a part of a dataset has the classes of the whole."""
    net = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "ONNX Preprocess")  # to_gyre knows that it counts no batches
        for training in False, True:
            to_gyre(net, torch.rand(1, 7), folder / "rows.onnx", training=training)
    rows = torch.utils.data.TensorDataset(torch.rand(20, 7).bfloat16(), torch.arange(20) % 3)
    rows.classes = ["a", "b", "c"]
    parts = torch.utils.data.random_split(rows, [10, 10])
    dataset_to_gyre(torch.utils.data.ConcatDataset(parts), folder / "rows.h5")
    shown = subprocess.run([sys.argv[1], "data", "info", folder / "rows.h5"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert {"a", "b", "c"} <= set(shown.split()), shown


class SmallCNN(torch.nn.Module):
    def __init__(self):
        super().__init__()
        c = 3
        for i, k in enumerate((16, 32, 64), 1):
            self.add_module(f"conv{i}", torch.nn.Conv2d(c, k, 3, 1, 1, bias=False))
            self.add_module(f"bn{i}", torch.nn.BatchNorm2d(k))
            c = k
        self.fc = torch.nn.Linear(64 * 4 * 4, 10)

    def forward(self, x):
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = torch.nn.functional.max_pool2d(torch.relu(bn(conv(x))), 2, 2, ceil_mode=True)
        return self.fc(x.flatten(1))


def trained(gyre, model, net, folder):
    run = lambda *c: subprocess.run([gyre, *c], cwd=folder, check=True, capture_output=True)
    config = {"data": {"path": "data.h5", "augment": {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": {"name": model}, "batch": {"size": 20}, "length": {"steps": 5},
              "schedule": {"policy": "constant", "base_lr": 0.01}}
    (folder / "config.json").write_text(json.dumps(config))
    run("train", "config.json", "--out", model, "--quiet")
    run("eval", model, "--predictions", f"{model}.csv")
    loaded = from_gyre(next((folder / model / "checkpoints").glob("*.h5")), net)
    rows = list(csv.reader(open(folder / f"{model}.csv")))[1:]
    mine = np.array([[float(v) for v in r[3:]] for r in rows])
    x = torch.stack([(x - 0.5) / 0.25 for x, _ in TEST])
    with torch.no_grad():
        theirs = net.eval()(x).numpy()
    print(f"{model}: {loaded}; logits apart {np.abs(mine - theirs).max() / np.abs(theirs).max():.1e} relative")


def fake(n, seed):
    return torchvision.datasets.FakeData(n, (3, SIDE, SIDE), 10, transforms.ToTensor(), random_offset=seed)


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    TEST = fake(40, 1000)
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        for model in ("resnet18", "mobilenet_v2"):
            exported(model, "default", t)
            exported(model, "TorchScript", t, exporter="torchscript")
            exported(model, "training", t, training=True)
        asks_for_its_mode(t)
        drops_channels(t)
        norm_of_one_sample(t)
        dataset_to_gyre(fake(100, 0), t / "data.h5", test=TEST)
        trained(sys.argv[1], "small_cnn", SmallCNN(), t)
        for model in ("resnet18", "convnext_tiny"):
            trained(sys.argv[1], model, getattr(torchvision.models, model)(num_classes=10), t)
