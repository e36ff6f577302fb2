"""Compares an average of gyre's with torch.optim.swa_utils: AveragedModel, then update_bn.

    check_swa.py RUN DATASET GROUP BATCHES MEMBER...

RUN trained small_cnn with data.order sequential, no augmentation and batch.shards 1, and kept the
checkpoints after MEMBER... and all later steps; GROUP is average, or averages/KIND, of its last one.
Prints the largest differences, relative to the largest value of each array. Needs torch and h5py.
"""
import pathlib
import sys

import h5py
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn


def small_cnn(channels, classes, features):
    layers, c = [], channels
    for k in 16, 32, 64:
        layers += [nn.Conv2d(c, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k), nn.ReLU(),
                   nn.MaxPool2d(2, ceil_mode=True)]  # fmt: skip
        c = k
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, classes))


NAMES = {"0": "conv1", "1": "bn1", "4": "conv2", "5": "bn2", "8": "conv3", "9": "bn3", "13": "fc"}


def gyre_name(name):
    return f"{NAMES[name.split('.')[0]]}.{name.split('.')[1]}"


def to_torch(name, value, model):
    x = torch.from_numpy(value)
    if x.ndim == 4:
        return x.permute(0, 3, 1, 2)
    if name == "13.weight":  # gyre's flatten is h, w, c
        side = round((x.shape[1] // 64) ** 0.5)
        return x.view(-1, side, side, 64).permute(0, 3, 1, 2).flatten(1)
    return x


def load(model, groups):
    state = model.state_dict()
    for name in state:
        for g in groups:
            if gyre_name(name) in g:
                state[name] = to_torch(name, g[gyre_name(name)][()], model)
    model.load_state_dict(state)


def main(run, dataset, group, batches, members):
    steps = sorted(pathlib.Path(run, "checkpoints").glob("step-*.h5"))
    last = h5py.File(steps[-1])
    images = h5py.File(dataset)["train/images"]
    batch = 32
    classes, features = last["parameters/fc.weight"].shape
    model = small_cnn(images.shape[3], classes, features)
    average = AveragedModel(model)
    for m in members:
        f = h5py.File(pathlib.Path(run, "checkpoints", f"step-{m:09d}.h5"))
        load(model, (f["parameters"], f["state/buffers"]))
        average.update_parameters(model)
    mean, scale = last["state/input/mean"][()], last["state/input/scale"][()]
    data = [torch.from_numpy((images[i * batch:(i + 1) * batch] - mean) * scale)
            .permute(0, 3, 1, 2).float() for i in range(batches)]  # fmt: skip
    update_bn(data, average)
    for name, want in average.module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        found = to_torch(name, last[group][gyre_name(name)][()], model)
        print(f"{gyre_name(name):20} {((found - want).abs().max() / want.abs().max()).item():.2e}")


main(*sys.argv[1:4], int(sys.argv[4]), [int(m) for m in sys.argv[5:]])
