"""Logits of networks that came in by ONNX against PyTorch's: every network by both exporters, in each form.

    python3 onnx_logits.py GYRE [NETWORK...]

Exports each network with random weights and statistics, has `gyre eval --predictions` give the logits of
random images, and prints their distance from PyTorch's in double precision, relative to the largest logit, and
whether the parameters are as many. Needs torch, torchvision, onnx and h5py.
"""
import copy, csv, json, pathlib, subprocess, sys, tempfile, warnings

import numpy as np, torch, torchvision

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests/cli/lib"))
from onnx_data import CLASSES, samples, write
from onnx_networks import NETWORKS as OWN
from torchvision_logits import randomise

ZOO = {"resnet18": 64, "vgg16_bn": 224, "mobilenet_v2": 64, "efficientnet_b0": 64, "densenet121": 64, "convnext_tiny": 64}
MODE = torch.onnx.TrainingMode
FORMS = {  # name: (arguments, in training mode, batch norm is still there)
    "TorchScript, PRESERVE": (dict(dynamo=False, training=MODE.PRESERVE, do_constant_folding=False), False, True),
    "TorchScript, TRAINING": (dict(dynamo=False, training=MODE.TRAINING, do_constant_folding=False), True, True),
    "TorchScript, default": (dict(dynamo=False), False, False),
    "dynamo, optimize=False": (dict(dynamo=True, optimize=False), False, True),
    "dynamo, training mode": (dict(dynamo=True, optimize=False), True, True),
    "dynamo, default": (dict(dynamo=True), False, False),
}


def network(name):
    """The network with random weights, and the side of its images (0: rows of a table)."""
    torch.manual_seed(1)
    if name in OWN:
        net, shape = OWN[name]()
    else:
        more = {"layer_scale": 0.5} if name == "convnext_tiny" else {}
        net, shape = getattr(torchvision.models, name)(num_classes=CLASSES, **more), (3, ZOO[name], ZOO[name])
    net = net.eval()
    with torch.no_grad():
        randomise(net)
    return net, shape


def export(net, shape, form, path):
    """Returns the network that the file has."""
    options, training, _ = FORMS[form]
    net = copy.deepcopy(net)  # an export in training mode changes running statistics
    x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.train(training), (x,), str(path), input_names=["images"], output_names=["logits"],
                          verbose=False, **options)
    return net.eval()


def logits(gyre, folder, shape):
    given = {"mean": [0.5] * shape[0], "std": [0.25] * shape[0]} if len(shape) == 3 else "raw"
    config = {"data": {"path": "data.h5", "augment": {"normalize": given}}, "model": {"file": "net.onnx"},
              "batch": {"size": 8}, "length": {"steps": 1}, "schedule": {"policy": "constant", "base_lr": 0.1}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "out.csv").unlink(missing_ok=True)
    run = subprocess.run([gyre, "eval", "net.onnx", "--model", "config.json", "--data", "data.h5", "--predictions",
                          "out.csv"], cwd=folder, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip()[-600:])
    return np.array([[float(x) for x in r[3:]] for r in list(csv.reader(open(folder / "out.csv")))[1:]])


def parameters(gyre, folder):
    out = subprocess.run([gyre, "model", "net.onnx"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return int(next(line for line in out.splitlines() if line.startswith("total")).split()[1])


def compare(gyre, name, folder):
    net, shape = network(name)
    write(folder / "data.h5", shape)
    x = torch.from_numpy(samples(shape)[1])
    for form, (_, _, norms) in FORMS.items():
        for old in folder.glob("net.onnx*"):
            old.unlink()
        exported = export(net, shape, form, folder / "net.onnx")
        with torch.no_grad():
            theirs = exported(x.float()).numpy().astype("f8")
            exact = exported.double()(x).numpy()
        top = np.abs(exact).max()
        try:
            mine, count = logits(gyre, folder, shape), parameters(gyre, folder)
        except RuntimeError as e:
            print(f"| {name} | {form} | {e} |", flush=True)
            continue
        expected = sum(p.numel() for p in net.parameters())
        shown = f"{count:,}" if count == expected else f"{count:,} of {expected:,}" if norms else f"{count:,}, folded"
        print(f"| {name} | {form} | {shown} | {np.abs(mine - exact).max() / top:.1e} | "
              f"{np.abs(theirs - exact).max() / top:.1e} | {np.abs(mine - theirs).max() / top:.1e} |", flush=True)


if __name__ == "__main__":
    print("| network | export | parameters, both | gyre from double | PyTorch f32 from double | gyre from PyTorch |\n"
          "|---|---|---|---|---|---|")
    for name in sys.argv[2:] or [*ZOO, *OWN]:
        with tempfile.TemporaryDirectory() as t:
            compare(str(pathlib.Path(sys.argv[1]).resolve()), name, pathlib.Path(t))
