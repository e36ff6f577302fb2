"""A PyTorch dataset as a file that gyre trains on."""

import os
import pathlib
import tempfile
import warnings

import h5py
import numpy as np

from . import picture

NAME_BYTES = 63  # of a class, in UTF-8
ROWS = 256  # written at once


def _is_tensor(value):
    return hasattr(value, "detach")


def _numpy(value):
    return value.detach().cpu().numpy() if _is_tensor(value) else np.asarray(value)


def _channel_last(a, value):
    """PyTorch's tensors have channels first."""
    return a.transpose(1, 2, 0) if _is_tensor(value) and a.ndim == 3 else a


def _sample(value):
    return picture.pixels(value) if picture.is_picture(value) else _channel_last(_numpy(value), value)


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
        label = t.ndim == 0 and t.dtype.kind == "i"
        self.targets = group.create_dataset("labels" if label else "targets", (self.count, *t.shape), t.dtype)

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
        a, t = _sample(sample), _target(target)
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
            self.targets[to] = np.stack([t for _, t in self.rows])
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


def _names_of(dataset, names, labels):
    if names is None:
        names = getattr(dataset, "classes", None)
    if names is None or not labels or not all(isinstance(n, str) for n in names):
        return None
    encoded = [n.encode() for n in names]
    long = [n for n, e in zip(names, encoded) if len(e) > NAME_BYTES]
    if long:
        raise ValueError(f"the name of a class has at most {NAME_BYTES} bytes; found '{long[0]}'")
    return np.array(encoded, "S")


def dataset_to_gyre(dataset, path, *, test=None, validation=None, names=None, kind="auto", force=False):
    """Writes datasets of (sample, target) pairs to `path`, for data.path of a config.

    dataset           -- with a length and items: the training part; test and validation likewise
    names             -- of the classes; without them those of dataset.classes
    kind              -- "images" (pixels as bytes), "arrays" (f32), or "auto": what the first sample is
    force             -- replace a file that is there

    Targets are what gyre has of their type and shape: one whole number is a class, whole numbers of (H, W) are a class
    for each pixel, all else are values. Of samples and targets, tensors of (C, H, W) become (H, W, C); NumPy arrays are
    (H, W, C) already. Pictures of Pillow's become gray or RGB as samples; as targets their numbers stay, as the classes
    of a palette. Samples are read once, in order, and not kept.
    """
    if kind not in ("auto", "images", "arrays"):
        raise ValueError(f"kind: 'auto', 'images' or 'arrays' was expected, found {kind!r}")
    path = pathlib.Path(path)
    if os.path.lexists(path) and not force:
        raise FileExistsError(f"'{path}' is there; give another name, or force=True")
    handle, temporary = tempfile.mkstemp(suffix=".h5", prefix=path.name + ".", dir=path.parent)
    os.close(handle)
    try:
        with h5py.File(temporary, "w") as f:
            train = _write_part(f, "train", dataset, kind)
            for name, more in (("test", test), ("validation", validation)):
                if more is not None:
                    _write_part(f, name, more, train.kind)
            encoded = _names_of(dataset, names, train.targets.name.endswith("labels"))
            if encoded is not None:
                f["names"] = encoded
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
