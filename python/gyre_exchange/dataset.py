"""A PyTorch dataset as a file that gyre trains on."""

import os
import tempfile
import warnings

import h5py
import numpy as np

from . import picture
from .class_names import check_labels, names_of
from .own_file import check_place

DIMS = 3  # of a sample, or a target
ROWS = 256  # written at once


def _is_tensor(value):
    return hasattr(value, "detach")


def _numpy(value):
    if not _is_tensor(value):
        return np.asarray(value)
    value = value.detach().cpu()
    try:
        return value.numpy()
    except TypeError:  # bfloat16, of which NumPy has none
        return value.float().numpy()


def _channel_last(a, value):
    """PyTorch's tensors have channels first."""
    return a.transpose(1, 2, 0) if _is_tensor(value) and a.ndim == 3 else a


def _sample(value, where):
    if picture.is_picture(value):
        return picture.pixels(value)
    a = _channel_last(_numpy(value), value)
    if a.dtype.kind not in "biuf":
        found = f"complex numbers ({a.dtype})" if a.dtype.kind == "c" else type(value).__name__
        raise ValueError(f"{where}: a picture, or an array of real numbers, was expected, found {found}")
    return a


def _pixels(a):
    """Floats 0 to 1 that are pixels / 255 as pixels, else None."""
    if a.dtype == np.uint8:
        return a
    if a.dtype.kind != "f" or a.size == 0 or not (0 <= a.min() and a.max() <= 1):
        return None
    whole = np.rint(a * 255)
    return whole.astype(np.uint8) if np.allclose(whole, a * 255, atol=1e-3) else None


def _has_size_of_picture(a):
    return a.ndim == 2 or (a.ndim == 3 and 1 <= a.shape[2] <= 4)


def _are_finite(a):
    with np.errstate(over="ignore"):
        return a.dtype.kind != "f" or bool(np.isfinite(a.astype("f4", copy=False)).all())


def _target(value):
    a = _channel_last(_numpy(value), value)
    if a.dtype.kind in "iub":
        if a.size and (a.min() < -(2**31) or a.max() >= 2**31):
            raise ValueError(f"a class is a whole number of 32 bits, found {a.max() if a.max() >= 2**31 else a.min()}")
        return a.astype("<i4")
    if a.dtype.kind == "f":
        return a.astype("<f4")
    raise ValueError(f"a target must be a number or an array of numbers, found {type(value).__name__}")


class _Part:
    """The rows of one part, made when the first sample tells their shape and kind."""

    def __init__(self, file, name, count, kind):
        self.file, self.name, self.count, self.kind = file, name, count, kind
        self.samples = self.targets = None
        self.low, self.high = 0, -1  # of its labels
        self.rows, self.done = [], 0

    def _make(self, a, t):
        as_pixels = _pixels(a)
        if self.kind == "auto":
            self.kind = "images" if _has_size_of_picture(a) and as_pixels is not None else "arrays"
        if self.kind == "images" and a.ndim == 2:
            a = a[:, :, None]
        kind = "u1" if self.kind == "images" else "<f4"
        group = self.file.create_group(self.name)
        self.samples = group.create_dataset(self.kind, (self.count, *a.shape), kind)
        if t.dtype.kind == "i" and t.ndim in (1, 3) and t.shape[-1] == 1:
            warnings.warn(f"{self.name}: whole numbers of shape {t.shape} are values, for regression; squeeze the last "
                          "axis of NumPy arrays, or the first one of tensors, and they are classes", stacklevel=5)
        self.has_labels = t.ndim == 0 and t.dtype.kind == "i"
        self.targets = group.create_dataset("labels" if self.has_labels else "targets", (self.count, *t.shape), t.dtype)

    def _fit(self, a, i):
        if self.kind == "images":
            pixels = _pixels(a)
            if pixels is None:
                raise ValueError(f"{self.name}: sample {i} holds no pixels (0 to 255, or those divided by 255)"
                                 f"{' as the first one does' if i > 0 else ''}; kind='arrays' takes any numbers")
            a = pixels[:, :, None] if pixels.ndim == 2 else pixels
        if a.shape != self.samples.shape[1:]:
            raise ValueError(f"{self.name}: sample {i} has the shape {a.shape}, the first one {self.samples.shape[1:]}; "
                             "all must have one size and number of channels")
        return a

    def add(self, sample, target, i):
        a, t = _sample(sample, f"{self.name}: sample {i}"), _target(target)
        for what, found in ("sample", a), ("target", t):
            if found.ndim > DIMS:
                raise ValueError(f"{self.name}: {what} {i} has {found.ndim} dimensions; at most {DIMS} were expected")
            if not _are_finite(found):
                raise ValueError(f"{self.name}: {what} {i} holds a value that is no finite number of 32 bits")
        if self.samples is None:
            self._make(a, t)
        if t.shape != self.targets.shape[1:] or t.dtype.kind != self.targets.dtype.kind:
            raise ValueError(f"{self.name}: target {i} is of another shape or type than the first one")
        self.rows.append((self._fit(a, i), t))
        if len(self.rows) == ROWS:
            self.flush()

    def flush(self):
        if self.rows:
            to = slice(self.done, self.done + len(self.rows))
            self.samples[to] = np.stack([a for a, _ in self.rows])
            targets = np.stack([t for _, t in self.rows])
            self.targets[to] = targets
            if self.has_labels:
                self.low, self.high = min(self.low, targets.min()), max(self.high, targets.max())
            self.done, self.rows = to.stop, []


def _write_part(file, name, dataset, kind):
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise TypeError(f"{name}: a dataset with a length and items was expected, found {type(dataset).__name__}")
    if len(dataset) == 0:
        raise ValueError(f"{name}: the dataset is empty")
    part = _Part(file, name, len(dataset), kind)
    for i in range(len(dataset)):
        item = dataset[i]
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise ValueError(f"{name}: item {i} is no pair (sample, target)")
        part.add(*item, i)
    part.flush()
    return part


def _check_as_train(part, train):
    """gyre takes parts of one kind alone."""
    for what, own, first in (("samples", part.samples, train.samples), ("targets", part.targets, train.targets)):
        if own.shape[1:] != first.shape[1:] or own.dtype != first.dtype:
            raise ValueError(f"{part.name}: the {what} have the shape {own.shape[1:]} and type {own.dtype}, those of train "
                             f"{first.shape[1:]} and {first.dtype}; all parts must have the same")


def dataset_to_gyre(dataset, path, *, test=None, validation=None, names=None, kind="auto", force=False):
    """Writes datasets of (sample, target) pairs to `path`, for data.path of a config.

    dataset           -- with a length and items: the training part; test and validation likewise
    names             -- of the classes: a list, or their numbers by name; without them those of dataset.classes
    kind              -- "images" (pixels as bytes), "arrays" (f32), or "auto": what the first sample is
    force             -- replace a file that is there

    Targets are what gyre has of their type and shape: one whole number is a class, whole numbers of (H, W) are a class
    for each pixel, all else are values. Of samples and targets, tensors of (C, H, W) become (H, W, C); NumPy arrays are
    (H, W, C) already. Pictures of Pillow's become gray or RGB as samples; as targets their numbers stay, as the classes
    of a palette. Samples are read once, in order, and not kept.
    """
    if kind not in ("auto", "images", "arrays"):
        raise ValueError(f"kind: 'auto', 'images' or 'arrays' was expected, found {kind!r}")
    path = check_place(path)
    if os.path.lexists(path) and not force:
        raise FileExistsError(f"'{path}' is there; give another name, or force=True")
    handle, temporary = tempfile.mkstemp(suffix=".h5", prefix=path.name + ".", dir=path.parent)
    os.close(handle)
    try:
        with h5py.File(temporary, "w") as f:
            parts = [_write_part(f, "train", dataset, kind)]
            for name, more in (("test", test), ("validation", validation)):
                if more is not None:
                    parts.append(_write_part(f, name, more, parts[0].kind))
                    _check_as_train(parts[-1], parts[0])
            names = names_of(dataset, names, parts[0].has_labels)
            for part in parts:
                check_labels(part, names)
            if names is not None:
                f["names"] = np.array([n.encode() for n in names], "S")
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
