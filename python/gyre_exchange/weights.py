"""Weights of a checkpoint of gyre in a PyTorch module."""

import dataclasses
import pathlib
import warnings

import h5py
import numpy as np

from .wrapped import inside


@dataclasses.dataclass
class Loaded:
    """What from_gyre did, as lists of names."""

    taken: list
    missing: list  # of the model, and not in the checkpoint, as those of a head that forward does not use
    misfit: list  # in both, but of another shape
    unused: list  # of the checkpoint, and not in the model
    computed: list = dataclasses.field(default_factory=list)  # of the checkpoint, from parameters of the model
    kept: list = dataclasses.field(default_factory=list)  # buffers of the model that no training changes, as its mean
    normalize: dict = None  # {"mean": [...], "std": [...]} of the run's input, for Normalize(**loaded.normalize)

    def whole(self):
        """Every parameter and running statistic of either is in the other."""
        return not (self.missing or self.misfit or self.unused or self.computed)

    def __str__(self):
        parts = [f"{len(self.taken)} taken"]
        for what in ("missing", "misfit", "unused", "computed", "kept"):
            names = getattr(self, what)
            if names:
                parts.append(f"{what}: " + ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else ""))
        return "; ".join(parts)


def _read(checkpoint, weights):
    """name in PyTorch -> (numbers, (h, w, c) of the picture that a linear layer reads, or None, whether it is (in, out)
    there); and the names of those that no state_dict has, since they were computed from PyTorch's parameters."""
    if weights not in ("any", "average", "last"):
        raise ValueError(f"weights {weights!r}: \"any\", \"average\" or \"last\" was expected")
    found, computed = {}, []
    with h5py.File(checkpoint, "r") as f:
        if "parameters" not in f:
            raise ValueError(f"'{checkpoint}' is no checkpoint of gyre: it has no group /parameters")
        averaged = weights != "last" and "average" in f
        if weights == "average" and not averaged:
            raise ValueError(f"'{checkpoint}' has no average of its weights")
        for group in ("average",) if averaged else ("parameters", "state/buffers"):
            for name, dataset in f[group].items() if group in f else ():
                if "computed" in dataset.attrs:
                    computed.append(name)
                    continue
                picture, there = dataset.attrs.get("picture"), dataset.attrs.get("torch", name)
                found[there.decode() if isinstance(there, bytes) else there] = (
                    dataset[()], None if picture is None else tuple(int(n) for n in picture), "transposed" in dataset.attrs)
    return found, computed


def _normalize(checkpoint):
    """What the run made of its samples: of pixels as ToTensor gives them, 0 to 1, of arrays as they are. None: the file
    does not tell, or it was no number for each channel."""
    with h5py.File(checkpoint, "r") as f:
        if "state/input/mean" not in f or "state/input/scale" not in f:
            return None
        mean, scale = f["state/input/mean"][()].astype("f8"), f["state/input/scale"][()].astype("f8")
        element = f["state"].attrs.get("element", "u8")
    if (mean != mean[:1, :1]).any() or not scale.all():
        return None
    one = 255 if element in ("u8", b"u8") else 1
    return {"mean": (mean[0, 0] / one).tolist(), "std": (1 / (scale * one)).tolist()}


def _in_torch_order(w, picture, transposed):
    if transposed:  # (out, in), or (out, 1, 1, in), to (in, out)
        return np.ascontiguousarray(w.reshape(len(w), -1).T)
    if w.ndim == 4:  # (k, r, s, c) to (k, c, r, s)
        return np.ascontiguousarray(w.transpose(0, 3, 1, 2))
    if w.ndim == 3 and picture is not None:  # positions (h, w, c) to (c, h, w)
        return np.ascontiguousarray(w.transpose(2, 0, 1))
    if w.ndim == 2 and picture is not None:  # (out, h w c) to (out, c h w)
        return np.ascontiguousarray(w.reshape(len(w), *picture).transpose(0, 3, 1, 2)).reshape(w.shape)
    return w


def _same_but_for_ones(a, b):
    return [n for n in a if n != 1] == [n for n in b if n != 1]


def _fits(w, picture, shape):
    """gyre has vectors as (n), as the scale (1, C, 1, 1) of channels, and positions as (h, w, c): axes of one element do
    not matter there. A kernel has its shape, since (3, 1) is another one than (1, 3); one of a single pixel is a matrix."""
    if w.ndim == 3:  # positions, also of (1, h w, c)
        rows = picture is None and shape[-1:] == w.shape[-1:] and np.prod(shape) == w.size
        return rows or _same_but_for_ones(w.shape, shape)
    if w.ndim < 2:
        return _same_but_for_ones(w.shape, shape)
    matrix = w.shape[:2]
    return shape == w.shape or (w.shape[2:] in ((), (1, 1)) and
                                shape in (matrix, (*matrix, 1), (*matrix, 1, 1), (1, *matrix)))


def _is_statistic(name):
    return name.endswith(("running_mean", "running_var"))


def _kept(model):
    """Buffers other than running statistics: numbers that a network computes with, and training does not change."""
    if not hasattr(model, "named_buffers"):
        return set()
    return {name for name, _ in model.named_buffers() if not _is_statistic(name)}


def _is_number(name):
    """Of a network's constants, for each channel, which gyre has as numbers of a node."""
    return name.endswith((".factor", ".shift"))


def _like(w, tensor):
    w = w.reshape(tuple(tensor.shape))
    if not type(tensor).__module__.startswith("torch"):
        return w
    import torch

    return torch.from_numpy(np.ascontiguousarray(w)).to(tensor.dtype)


def _place(tensor):
    """Where the numbers are; names of one module, or of one parameter, have the same place."""
    if hasattr(tensor, "data_ptr"):
        return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())
    return id(tensor)


def _sources(state, found):
    """name -> the name in gyre: its own, or one of the same place, since gyre has a shared parameter once."""
    sources, places = {}, {}
    for name, tensor in state.items():
        source = name
        if name not in found and name + ".bias" not in found:  # gyre once wrote a module's own parameter as a node
            source = name + ".weight"
        if source in found:
            sources[name] = places.setdefault(_place(tensor), source)
    for name, tensor in state.items():
        if name not in sources and _place(tensor) in places:
            sources[name] = places[_place(tensor)]
    return sources


def _checkpoint_of(path):
    """The file itself; of a run's folder the newest checkpoint, or else the best one, as gyre's commands take it."""
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"'{path}' does not exist")
    if not path.is_dir():
        if not h5py.is_hdf5(path):
            raise ValueError(f"'{path}' is no checkpoint of gyre: it is no HDF5 file")
        return path
    folder = path / "checkpoints"
    found = sorted(folder.glob("step-*.h5")) or sorted(folder.glob("best.h5"))
    if not found:
        raise FileNotFoundError(f"'{path}' holds no checkpoint")
    return found[-1]


def from_gyre(checkpoint, model, weights="any"):
    """Loads the weights and running statistics of `checkpoint`, a file of gyre's or a run's folder, into `model` by name.

    Of a run that averages its weights, "average" and "last" choose; "any" takes the average where there is one.

    What does not fit keeps its values, is named in the Loaded that comes back, and in a warning. Buffers that no
    training changes, as a mean that forward subtracts, are there as `kept`. ValueError: the file is no checkpoint, or
    nothing of it fits.
    """
    checkpoint = _checkpoint_of(checkpoint)
    found, computed = _read(checkpoint, weights)
    if not any(name in found for name in model.state_dict()):
        model = inside(model)
    state = dict(model.state_dict())
    loaded, sources, kept = Loaded([], [], [], [], computed), _sources(state, found), _kept(model)
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name not in sources:
            (loaded.kept if name in kept else loaded.missing).append(name)
            continue
        picture = found[sources[name]][1]
        w = _in_torch_order(*found[sources[name]])
        if _fits(w, picture, tuple(tensor.shape)):
            state[name] = _like(w, tensor)
            loaded.taken.append(name)
        else:
            loaded.misfit.append(f"{name} {w.shape} for {tuple(tensor.shape)}")
    loaded.unused.extend(sorted(name for name in set(found) - set(sources.values()) if not _is_number(name)))
    if not loaded.taken:
        raise ValueError(f"'{checkpoint}' has no parameter of the model by name and shape; {loaded}")
    model.load_state_dict(state)
    loaded.normalize = _normalize(checkpoint)
    if not loaded.whole():
        warnings.warn(f"'{checkpoint}': {loaded}", stacklevel=2)
    return loaded
