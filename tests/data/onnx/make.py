"""Makes the files of this folder: python3 tests/data/onnx/make.py [NETWORK...] (needs torch, torchvision, onnx and h5py).

NETWORK.EXPORT.onnx are small networks of benchmarks/onnx_networks.py with random weights, as PyTorch's exporters write
them; those of dynamo have their weights in a file beside them. logits.json has what PyTorch gives for the samples
that tests/cli/lib/onnx_data.py makes, and under "trained", for files in training mode of the networks of TRAINED, what
it gives after STEPS steps of gradient descent on all of them.
"""
import json, pathlib, sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "benchmarks"), str(HERE.parents[1] / "cli/lib")]

import onnx, torch

import onnx_logits
from onnx_data import CLASSES, SAMPLES, samples

TRAINED, STEPS, RATE = ["learned"], 3, 0.05
FORMS = {"preserve": "TorchScript, PRESERVE", "training": "TorchScript, TRAINING", "folded": "TorchScript, default",
         "dynamo": "dynamo, optimize=False", "dynamo_training": "dynamo, training mode"}


def without_paths(path):
    """dynamo notes the places in Python files that each operator comes from."""
    model = onnx.load(str(path), load_external_data=False)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if not p.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    path.write_bytes(model.SerializeToString())


def rows_of(net, seen):
    with torch.no_grad():
        y = net.eval()(torch.from_numpy(seen).double())
    return [[float(f"{v:.9g}") for v in row] for row in y.tolist()]


def train(net, seen):
    x, y = torch.from_numpy(seen).double(), torch.arange(SAMPLES) % CLASSES
    descent = torch.optim.SGD(net.train().parameters(), RATE)
    for _ in range(STEPS):
        descent.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        descent.step()


def main(names):
    table = HERE / "logits.json"
    kept = json.loads(table.read_text()) if names else {}
    logits, trained = kept.get("logits", {}), kept.get("trained", {})
    for name in names or onnx_logits.OWN:
        for old in HERE.glob(f"{name}.*.onnx*"):
            old.unlink()
        net, shape = onnx_logits.network(name)
        _, seen = samples(shape)
        for short, form in FORMS.items():
            path = HERE / f"{name}.{short}.onnx"
            exported = onnx_logits.export(net, shape, form, path)
            without_paths(path)
            logits[f"{name}.{short}"] = rows_of(exported.double(), seen)
            if name in TRAINED and "training" in short:
                train(exported, seen)
                trained[f"{name}.{short}"] = rows_of(exported, seen)
    table.write_text(json.dumps({"samples": SAMPLES, "logits": dict(sorted(logits.items())), "trained": trained}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
