"""Makes the files of this folder: python3 tests/data/onnx/make.py (needs torch, torchvision, onnx and h5py).

NETWORK.EXPORT.onnx are small networks of benchmarks/onnx_networks.py with random weights, as PyTorch's exporters write
them; those of dynamo have their weights in a file beside them. logits.json has what PyTorch gives for the samples
that tests/cli/lib/onnx_data.py makes.
"""
import json, pathlib, sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "benchmarks"), str(HERE.parents[1] / "cli/lib")]

import torch

import onnx_logits
from onnx_data import SAMPLES, samples

FORMS = {"preserve": "TorchScript, PRESERVE", "training": "TorchScript, TRAINING", "folded": "TorchScript, default",
         "dynamo": "dynamo, optimize=False", "dynamo_training": "dynamo, training mode"}


def main():
    logits = {}
    for old in HERE.glob("*.onnx*"):
        old.unlink()
    for name in onnx_logits.OWN:
        net, shape = onnx_logits.network(name)
        _, seen = samples(shape)
        for short, form in FORMS.items():
            exported = onnx_logits.export(net, shape, form, HERE / f"{name}.{short}.onnx")
            with torch.no_grad():
                y = exported.double()(torch.from_numpy(seen).double())
            logits[f"{name}.{short}"] = [[float(f"{v:.9g}") for v in row] for row in y.tolist()]
    (HERE / "logits.json").write_text(json.dumps({"samples": SAMPLES, "logits": logits}) + "\n")


if __name__ == "__main__":
    main()
