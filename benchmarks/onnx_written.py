"""Small networks as people write them: in by ONNX, trained for two steps, and out again.

    PYTHONPATH=python python3 onnx_written.py GYRE [NETWORK...]

Each is exported by to_gyre with both exporters. One line for each: the parameters, gyre's logits against PyTorch's
before training, and after it those of PyTorch's module with gyre's weights (from_gyre) and of onnxruntime with gyre's
export, each relative to the largest logit; or what gyre says of a network that it does not take. Needs torch, onnx,
onnxruntime and h5py.
"""
import copy, csv, json, pathlib, subprocess, sys, tempfile, warnings

import numpy as np, onnxruntime, torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests/cli/lib"))
from gyre_exchange import from_gyre, to_gyre
from onnx_data import samples, write
from onnx_written_networks import NETWORKS
import onnx_written_parameters  # more of them


def randomise(net):
    """Statistics and weights of norms away from 0 and 1."""
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)) and module.weight is not None:
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)


class Failed(Exception):
    pass


def gyre(program, folder, *arguments):
    run = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if run.returncode != 0:
        raise Failed(run.stderr.strip().splitlines()[-1].replace(str(folder), "")[:400] + f" ({run.returncode})")
    return run.stdout, run.stderr


def predictions(program, folder, *of):
    gyre(program, folder, "eval", *of, "--predictions", "out.csv")
    rows = np.array([[float(v) for v in row[3:]] for row in list(csv.reader(open(folder / "out.csv")))[1:]])
    (folder / "out.csv").unlink()
    return rows


def apart(a, b):
    return f"{np.abs(a - b).max() / np.abs(b).max():.1e}"


def of_torch(net, x):
    net = copy.deepcopy(net).eval()
    if isinstance(net, nn.Sequential) and isinstance(net[-1], nn.LogSoftmax):  # which gyre's loss has
        net = net[:-1]
    with torch.no_grad():
        return net.double()(x).numpy()


def compare(program, name, exporter, folder):
    torch.manual_seed(1)
    net = NETWORKS[name]()
    with torch.no_grad():
        randomise(net)
    shape = (3, 16, 16)
    inside = name == "normalised_inside"
    write(folder / "data.h5", shape)
    raw, scaled = samples(shape)
    x = torch.from_numpy(raw.transpose(0, 3, 1, 2) / 255.0) if inside else torch.from_numpy(scaled)
    to_gyre(net, torch.rand(2, *shape), folder / "net.onnx", exporter=exporter)
    config = {"data": {"path": "data.h5", "augment": {} if inside else {"normalize": {"mean": [0.5] * 3, "std": [0.25] * 3}}},
              "model": {"file": "net.onnx"}, "batch": {"size": 8}, "length": {"steps": 2},
              "schedule": {"policy": "constant", "base_lr": 1e-3}}
    (folder / "config.json").write_text(json.dumps(config))
    shown, said = gyre(program, folder, "model", "net.onnx")
    count = int(next(line for line in shown.splitlines() if line.startswith("total")).split()[1].replace(",", ""))
    expected = sum(p.numel() for p in net.parameters())
    same = apart(predictions(program, folder, "net.onnx", "--model", "config.json", "--data", "data.h5"),
                 of_torch(net, x))
    gyre(program, folder, "train", "config.json", "--out", "run", "--quiet")
    mine = predictions(program, folder, "run")
    loaded = from_gyre(next((folder / "run/checkpoints").glob("*.h5")), net)
    back = apart(of_torch(net, x), mine)
    gyre(program, folder, "export", "onnx", "run", "-o", "out.onnx")
    session = onnxruntime.InferenceSession(folder / "out.onnx")
    out = apart(session.run(None, {session.get_inputs()[0].name: raw.transpose(0, 3, 1, 2).astype("f4")})[0], mine)
    notes = " ".join(line for line in said.splitlines() if line)
    return [f"{count}" if count == expected else f"{count} of {expected}", same,
            back + ("" if loaded.whole() else f" ({loaded})"), out, notes[:300]]


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    warnings.simplefilter("ignore")
    print("| network | exporter | parameters | in | back by from_gyre | out by ONNX | what gyre says |\n|---|---|---|---|---|---|---|")
    for name in sys.argv[2:] or NETWORKS:
        for exporter in ("dynamo", "torchscript"):
            with tempfile.TemporaryDirectory() as t:
                try:
                    cells = compare(program, name, exporter, pathlib.Path(t))
                except Failed as error:
                    cells = [f"refused: {error}"]
                except RuntimeError as error:
                    cells = [f"not exported: {error}"]
                except Exception as error:  # of onnxruntime, or a wrong shape
                    cells = [f"FAILED: {type(error).__name__} {error}"[:300].replace("\n", " ")]
                print("| " + " | ".join([name, exporter, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
