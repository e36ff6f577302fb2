#!/usr/bin/env bash
# gyre-exchange as a wheel: built without a network, installed in a folder; its datasets train a network, and its
# weights are those of a checkpoint. What needs torch is in benchmarks/exchange.py.
set -u
. "$(dirname "$0")/lib/common.sh"
python=/usr/bin/python3
$python -c "import setuptools, wheel, pip, h5py" 2>/dev/null || {
    echo "python3-setuptools, python3-wheel, python3-pip and python3-h5py are needed"
    exit 77
}
cp -r python "$T/python"
cp "$lib/safetensors_file.py" "$T"
cd "$T" || exit 1
$python -m pip wheel -q --no-index --no-deps --no-build-isolation -w dist ./python >log 2>&1 || fail "no wheel: $(cat log)"
[ "$(ls dist)" = gyre_exchange-0.1.0-py3-none-any.whl ] || fail "$(ls dist)"
"$GYRE" --version | grep -qx "gyre 0.1.0" || fail "gyre and gyre-exchange have other versions"
$python -m pip install -q --no-index --no-deps --target site dist/*.whl >log 2>&1 || fail "not installed: $(cat log)"
export PYTHONPATH=$T/site:$T

cat >make.py <<'P'
import os, warnings
import numpy as np
from gyre_exchange import dataset_to_gyre


class Pictures:
    """Of two classes: bright above, bright below."""
    classes = ["above", "below"]

    def __init__(self, n, kind):
        self.n, self.kind = n, kind

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        a = np.random.RandomState(i).randint(0, 100, (8, 9, 3), dtype="u1")
        a[slice(0, 4) if i % 2 == 0 else slice(4, 8)] += 100
        return {"bytes": a, "floats": a / np.float32(255), "gray": a[:, :, 0], "rows": a[:, 0, 0] / 7 - 9,
                "odd": a[:7 + (i != 500)]}[self.kind], i % 2


class Values(Pictures):
    def __getitem__(self, i):
        x, _ = super().__getitem__(i)
        return x, np.array([x.sum(), x[0]], "f8")


class Tensor:
    """As much of PyTorch's as is asked for."""

    def __init__(self, a):
        self.a = a

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.a


class Pixels(Pictures):
    """A target for each pixel: (C, H, W) of tensors, (H, W, C) of arrays; classes are (H, W)."""

    def __getitem__(self, i):
        x = np.random.RandomState(i).rand(3, 4, 5).astype("f4") * 9
        whole = (x * 20).astype({"bytes": "u1", "large": "i8"}.get(self.kind, "i4"))
        y = {"bytes": Tensor(whole[:2]), "large": Tensor(whole[:2]), "whole": Tensor(whole[:1]),
             "whole arrays": whole[:2].transpose(1, 2, 0), "tensors": Tensor(x[:2]), "one": Tensor(x[:1]), "arrays": x[:2].transpose(1, 2, 0),
             "classes": Tensor(np.arange(20).reshape(4, 5))}[self.kind]
        return Tensor(x), y


import h5py
warnings.simplefilter("always")
for kind in ("tensors", "one", "arrays", "classes", "bytes", "large", "whole", "whole arrays"):
    with warnings.catch_warnings(record=True) as said:
        dataset_to_gyre(Pixels(7, kind), "pixels.h5", force=True)
    assert [str(w.message)[:46] for w in said] == ["train: whole numbers of shape (4, 5, 1) are val"[:46]] * (kind == "whole")
    assert all(w.filename.endswith("make.py") for w in said), said
    with h5py.File("pixels.h5") as f:
        x, y = f["train/arrays"][:], f["train/targets"][:]
    assert x.shape == (7, 4, 5, 3)
    if kind == "classes":
        assert y.dtype.kind == "i" and y.shape == (7, 4, 5) and (y[3] == np.arange(20).reshape(4, 5)).all()
    elif kind in ("bytes", "large", "whole", "whole arrays"):
        assert y.dtype == "i4" and (y == (x[..., :1 if kind == "whole" else 2] * 20).astype("i4")).all(), (kind, y.shape)
    else:
        assert y.dtype == "f4" and (y == x[..., :1 if kind == "one" else 2]).all(), (kind, y.shape)
for kind in ("bytes", "floats", "gray", "rows"):
    dataset_to_gyre(Pictures(600, kind), f"{kind}.h5", test=Pictures(100, kind))
dataset_to_gyre(Values(300, "rows"), "values.h5")


class One:
    """One sample and one target, twice; or targets of their own."""

    def __init__(self, x, *y, **others):
        self.x, self.y = x, y
        self.__dict__.update(others)

    def __len__(self):
        return max(2, len(self.y))

    def __getitem__(self, i):
        return self.x, self.y[i % len(self.y)]


class Half(Tensor):
    """bfloat16, of which NumPy has none."""

    def numpy(self):
        raise TypeError("Got unsupported ScalarType BFloat16")

    def float(self):
        return Tensor(self.a)


def of_torch(name, **of):
    return type(name, (Pictures,), {"__module__": "torch.utils.data.dataset", "classes": None, **of})(4, "bytes")


def names(data, **options):
    dataset_to_gyre(data, "names.h5", force=True, **options)
    with h5py.File("names.h5") as f:
        return [n.decode() for n in f["names"]] if "names" in f else None


x, other = Pictures(4, "bytes"), One(np.zeros(3), 0, classes=["a", "b"])
for numbers in {"a": 0, "b": 1}, {"b": 1, "a": 0}, {"b": np.int64(1), "a": np.int64(0)}, ("a", "b"), np.array(["a", "b"]):
    assert names(x, names=numbers) == ["a", "b"], numbers
subset = of_torch("Subset", dataset=x)
assert names(subset) == names(of_torch("Subset", dataset=subset)) == names(of_torch("Odd", classes=x.classes)) == x.classes
assert names(of_torch("ConcatDataset", datasets=[x, subset])) == x.classes
assert names(of_torch("ConcatDataset", datasets=[x, other])) is None and names(of_torch("Other", dataset=x)) is None
dataset_to_gyre(One(Half(np.arange(3.0)), Half(np.array(0.5))), "half.h5")
with h5py.File("half.h5") as f:
    assert (f["train/arrays"][:] == np.arange(3)).all() and (f["train/targets"][:] == 0.5).all()
dataset_to_gyre(Pictures(50, "bytes"), "arrays.h5", kind="arrays", names=["a", "b" * 63])
for error, words, call in [
    (FileExistsError, "'gray.h5' is there", lambda: dataset_to_gyre(Pictures(5, "gray"), "gray.h5")),
    (ValueError, "sample 500 has the shape (7, 9, 3), the first one (8, 9, 3)",
     lambda: dataset_to_gyre(Pictures(600, "odd"), "x.h5")),
    (ValueError, "the dataset is empty", lambda: dataset_to_gyre(Pictures(0, "gray"), "x.h5")),
    (ValueError, "has at most 63 bytes", lambda: dataset_to_gyre(Pictures(5, "gray"), "x.h5", names=["a", "b" * 64])),
    (ValueError, "found class 1, and names of 1 classes", lambda: dataset_to_gyre(Pictures(5, "gray"), "x.h5", names=["a"])),
    (ValueError, "test: found class 2, and names of 2", lambda: dataset_to_gyre(x, "x.h5", test=One(x[0][0], 2))),
    (ValueError, "a class is a number from 0, found -3", lambda: dataset_to_gyre(One(np.zeros(3), 0, -3, 0), "x.h5")),
    (ValueError, "names: a list of strings, one for each class, or a dict of their numbers was expected, found none",
     lambda: dataset_to_gyre(x, "x.h5", names=[])),
    (ValueError, "was expected, found str", lambda: dataset_to_gyre(x, "x.h5", names="ab")),
    (ValueError, "was expected, found set", lambda: dataset_to_gyre(x, "x.h5", names={"a", "b"})),
    (ValueError, "found one of type int", lambda: dataset_to_gyre(x, "x.h5", names=[0, 1])),
    (ValueError, "are 0 to 1, each once; found [0, 2]", lambda: dataset_to_gyre(x, "x.h5", names={"a": 0, "b": 2})),
    (ValueError, "are 0 to 1, each once; found [1, 1]", lambda: dataset_to_gyre(x, "x.h5", names={"a": 1, "b": 1})),
    (ValueError, "which alone have names", lambda: dataset_to_gyre(Values(5, "rows"), "x.h5", names=["a", "b"])),
    (ValueError, "test: the samples have the shape (7, 9, 3) and type uint8, those of train (8, 9, 3) and uint8",
     lambda: dataset_to_gyre(x, "x.h5", test=One(x[0][0][1:], 0))),
    (ValueError, "validation: the targets have the shape () and type float32, those of train () and int32",
     lambda: dataset_to_gyre(x, "x.h5", validation=One(x[0][0], 0.5))),
    (ValueError, "train: sample 0: a picture, or an array of real numbers, was expected, found complex numbers",
     lambda: dataset_to_gyre(One(np.zeros(3) + 1j, 0), "x.h5")),
    (ValueError, "was expected, found str", lambda: dataset_to_gyre(One("a", 0), "x.h5")),
    (ValueError, "sample 0 has 4 dimensions", lambda: dataset_to_gyre(One(np.zeros((2, 2, 2, 2)), 0), "x.h5")),
    (ValueError, "sample 0 holds a value that is no finite", lambda: dataset_to_gyre(One(np.array([1, 1e39]), 0), "x.h5")),
    (ValueError, "target 0 holds a value that is no finite", lambda: dataset_to_gyre(One(np.zeros(2), np.nan), "x.h5")),
    (IsADirectoryError, "'.' is a folder", lambda: dataset_to_gyre(x, ".", force=True)),
    (FileNotFoundError, "there is no folder 'nowhere'", lambda: dataset_to_gyre(x, "nowhere/x.h5")),
    (TypeError, "with a length and items", lambda: dataset_to_gyre(iter([1]), "x.h5")),
    (ValueError, "item 0 is no pair", lambda: dataset_to_gyre([1, 2], "x.h5")),
]:
    try:
        call()
    except error as e:
        assert words in str(e), e
    else:
        raise AssertionError(words)
dataset_to_gyre(Pictures(600, "gray"), "gray.h5", test=Pictures(100, "gray"), force=True)
assert not [n for n in os.listdir(".") if n.startswith("x.h5")], "something was left behind"
P
$python make.py || fail "datasets"
ends 0 "$GYRE" data info bytes.h5
grep -q "600" out && grep -q above out || fail "$(cat out)"
cmp bytes.h5 floats.h5 || fail "pixels and pixels / 255 are other images"
cat >config.json <<'JSON'
{
    "data": {"path": "bytes.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 50, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.05}, "length": {"steps": 30}
}
JSON
for kind in bytes gray; do
    ends 0 "$GYRE" train config.json --out $kind --quiet --set data.path=$kind.h5
    ends 0 "$GYRE" eval $kind
    grep -q "accuracy 100.00 %" out || fail "$kind: $(cat out)"
done
ends 0 "$GYRE" train config.json --out rows --quiet --set data.path=rows.h5 --set model.name=mlp
ends 0 "$GYRE" train config.json --out values --quiet --set data.path=values.h5 --set model.name=mlp \
    --set model.loss=mean_absolute_error --set schedule.base_lr=1e-4 --set data.validation=none
ends 0 "$GYRE" data info arrays.h5

# A checkpoint in a module: the numbers that gyre's own export has, and what does not fit.
ends 0 "$GYRE" train config.json --out averaged --quiet --set average.kind=ema --set length.steps=5
ends 0 "$GYRE" export safetensors bytes -o net.safetensors
cat >load.py <<'P'
import glob, warnings
import h5py, numpy as np
from gyre_exchange import from_gyre
from safetensors_file import read

want = read("net.safetensors")[1]
checkpoint = glob.glob("bytes/checkpoints/*.h5")[0]


class Module:
    def __init__(self, **shapes):
        self.state = {k: np.zeros(v.shape, "f4") for k, v in want.items()}
        self.state["bn1.num_batches_tracked"] = np.array(3)
        for name, shape in shapes.items():
            self.state[name.replace("__", ".")] = np.zeros(shape, "f4")

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


warnings.simplefilter("error")
module = Module()
loaded = from_gyre("bytes", module)  # a run is its newest checkpoint
assert loaded.whole() and len(loaded.taken) == 17, loaded
with h5py.File("bytes.h5") as f:
    pixels = f["train/images"][()].reshape(-1, 3) / 255
for key, numbers in ("mean", pixels.mean(0)), ("std", pixels.std(0)):
    assert np.allclose(loaded.normalize[key], numbers, rtol=1e-5), (loaded.normalize, key, numbers)
for name, w in want.items():
    assert w.shape == module.state[name].shape and (w == module.state[name]).all(), name
assert module.state["bn1.num_batches_tracked"] == 3
averaged = glob.glob("averaged/checkpoints/*.h5")[0]
with h5py.File(averaged) as f:
    for weights, group in ("any", "average"), ("average", "average"), ("last", "parameters"):
        module = Module()
        assert from_gyre(averaged, module, weights).whole()
        assert (module.state["fc.bias"] == f[group]["fc.bias"][()]).all(), weights
        buffers = f["average" if group == "average" else "state/buffers"]
        assert (module.state["bn1.running_var"] == buffers["bn1.running_var"][()]).all(), weights
# A module under two names, of which gyre has either; the second one of two that gyre has is told.
module = Module()
module.state["again.weight"], module.state["again.bias"] = module.state["bn2.weight"], module.state["bn2.bias"]
module.state = {"before.weight": module.state["conv3.weight"], **module.state}
assert from_gyre(checkpoint, module).whole()
for name, source in ("again.weight", "bn2.weight"), ("again.bias", "bn2.bias"), ("before.weight", "conv3.weight"):
    assert (module.state[name] == want[source]).all() and (module.state[source] == want[source]).all(), name
# A network that PyTorch has wrapped, whose names have a prefix.
class DataParallel(Module):
    def __init__(self):
        self.module = Module()
        self.state = {"module." + name: a for name, a in self.module.state.items()}


wrapped = DataParallel()
assert from_gyre(checkpoint, wrapped).whole() and (wrapped.module.state["fc.bias"] == want["fc.bias"]).all()
try:
    from_gyre("nowhere.h5", Module())
except FileNotFoundError as e:
    assert str(e) == "'nowhere.h5' does not exist", e
# Buffers that no training changes are told, and are no misfit; running statistics are none.
module = Module(mean=(1, 3, 1, 1), other__running_mean=(3,), aux__weight=(7, 3))
module.named_buffers = lambda: [(n, module.state[n]) for n in ("bn1.running_mean", "mean", "other.running_mean")]
warnings.simplefilter("ignore")
loaded = from_gyre(checkpoint, module)
assert loaded.kept == ["mean"] and loaded.missing == ["other.running_mean", "aux.weight"] and not loaded.whole(), loaded
assert str(loaded).endswith("missing: other.running_mean, aux.weight; kept: mean"), str(loaded)
del module.state["other.running_mean"], module.state["aux.weight"]
module.named_buffers = lambda: [("mean", module.state["mean"])]
warnings.simplefilter("error")
loaded = from_gyre(checkpoint, module)
assert loaded.kept == ["mean"] and loaded.whole() and str(loaded) == "17 taken; kept: mean", str(loaded)
warnings.simplefilter("always")
module = Module()
module.state["bn2.bias"] = module.state["bn2.weight"]
with warnings.catch_warnings(record=True) as said:
    loaded = from_gyre(checkpoint, module)
assert loaded.unused == ["bn2.weight"] and "unused: bn2.weight" in str(said[0].message), loaded
assert (module.state["bn2.weight"] == want["bn2.bias"]).all()
# A kernel of another shape does not fit; a vector may have axes of one element, and a kernel of one pixel be a matrix.
with h5py.File("kernels.h5", "w") as f:
    for name, shape in ("rows", (8, 1, 3, 4)), ("depthwise", (8, 3, 3, 1)), ("pixel", (8, 1, 1, 4)), ("scale", (8,)), \
            ("column", (8, 1, 1, 1)), ("matrix", (8, 4)), ("positions", (1, 6, 4)):
        f[f"parameters/{name}"] = np.random.rand(*shape).astype("f4")
fits = {"rows": [(8, 4, 1, 3)], "depthwise": [(8, 1, 3, 3)], "pixel": [(8, 4, 1, 1), (8, 4, 1), (8, 4)],
        "scale": [(8,), (8, 1, 1), (1, 8, 1, 1)], "column": [(8, 1, 1, 1), (8, 1)], "matrix": [(8, 4), (8, 4, 1, 1)],
        "positions": [(6, 4), (1, 6, 4), (1, 2, 3, 4)]}
others = {"rows": [(8, 4, 3, 1)], "depthwise": [(1, 8, 3, 3)], "pixel": [(4, 8, 1, 1), (1, 8, 4, 1), (8, 1, 4)],
          "scale": [(4, 2), (9,)], "column": [(1, 8, 1, 1)], "matrix": [(4, 8), (8, 1, 4, 1)], "positions": [(4, 6)]}
for shapes, fit in (fits, True), (others, False):
    for name, wanted in shapes.items():
        for shape in wanted:
            module = Module()
            module.state = {name: np.zeros(shape, "f4"), "bias": np.zeros(3)}
            try:
                warnings.simplefilter("ignore")
                taken = from_gyre("kernels.h5", module).taken == [name]
            except ValueError as e:
                assert f"misfit: {name} " in str(e), e
                taken = False
            assert taken == fit, (name, shape)
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as said:
    loaded = from_gyre(checkpoint, Module(fc__weight=(7, 64), extra__bias=(3,)))
assert loaded.missing == ["extra.bias"] and loaded.misfit == ["fc.weight (2, 128) for (7, 64)"], loaded
assert "missing: extra.bias; misfit: fc.weight (2, 128) for (7, 64)" in str(said[0].message), said[0].message
for file, words, weights in (
    (checkpoint, "no parameter of the model", "any"),
    ("gray.h5", "is no checkpoint of gyre: it has no group", "any"),
    ("net.safetensors", "is no checkpoint of gyre: it is no HDF5 file", "any"),
    (checkpoint, "has no average of its weights", "average"),
    (checkpoint, '"average" or "last" was expected', "best"),
):
    module = Module()
    module.state = {"other": np.zeros(3)}
    try:
        from_gyre(file, module, weights)
    except ValueError as e:
        assert words in str(e), e
    else:
        raise AssertionError(words)
P
$python load.py || fail "weights"
exit 0
