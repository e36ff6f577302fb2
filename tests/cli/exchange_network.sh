#!/usr/bin/env bash
# to_gyre, with a stand-in for PyTorch that notes how it exports: which modules are in training while forward runs, what
# a model is afterwards, and which files are replaced. benchmarks/exchange.py asks PyTorch itself.
set -u
. "$(dirname "$0")/lib/common.sh"
python=/usr/bin/python3
$python -c "import h5py" 2>/dev/null || {
    echo "python3-h5py is needed"
    exit 77
}
export PYTHONPATH=$T:$PWD/python PYTHONDONTWRITEBYTECODE=1
cd "$T" || exit 1

# Of PyTorch: an exporter that runs forward once, and looks at the outermost module behind it.
cat >torch.py <<'P'
import contextlib, os, threading
import types

__version__ = "2.99"
traced = threading.local()  # a trace is of one thread
no_grad = contextlib.nullcontext
told, told_operators = {}, []  # the operators that to_gyre writes itself, as long as it exports


class Tensor:
    def __init__(self, value):
        self.value = value

    def detach(self):
        return self

    def clone(self):
        return Tensor(self.value)

    def copy_(self, other):
        told["traced"] += getattr(traced, "on", False)
        self.value = other.value


class Module:
    writes, weights = (), b"weights"  # beside the file
    names = ()  # of the state_dict
    fixed = ()  # parameters without gradients

    def __init__(self, *children):
        self.training, self.children, self.hooks, self.mean = True, children, [], Tensor(0)

    def modules(self):
        return [self] + [m for c in self.children for m in c.modules()]

    def buffers(self):
        return [m.mean for m in self.modules()]

    def named_buffers(self):
        return [("mean", self.mean)]

    def state_dict(self):
        return {name: types.SimpleNamespace(numel=lambda: 1, element_size=lambda: 4) for name in self.names}

    def train(self, mode=True):
        for m in self.modules():
            m.training = mode

    def named_parameters(self):
        return [(name, types.SimpleNamespace(requires_grad=name not in self.fixed)) for name in ("fc.weight", *self.fixed)]

    def register_forward_hook(self, hook):
        self.hooks.append(hook)
        return types.SimpleNamespace(remove=lambda: self.hooks.remove(hook))

    def __call__(self, x):
        told["modes"] = [m.training for m in self.modules()]
        for m in self.modules():
            if m.training:
                m.mean.value += 1  # as batch norm does
        for hook in self.hooks:
            assert hook(self, (x,), x) is None
        return x


class ScriptModule(Module):
    def register_forward_hook(self, hook):
        raise RuntimeError("register_forward_hook is not supported on ScriptModules")


def export(model, args, path, training=None, do_constant_folding=None, dynamo=None, optimize=None, **options):
    told.clear()
    print("Torch IR graph")
    os.system("echo ONNX graph")  # as C++ does, past sys.stdout
    told.update(traced=0, options=options, training=training, operators=list(told_operators))
    traced.on = True
    model(*args)
    traced.on = False
    told.update(outermost=model.training, means=[b.value for b in model.buffers()])
    if os.path.basename(path).startswith("fails"):
        raise OnnxExporterError("no such operator  [Caused by a graph of many lines")
    for name in (os.path.basename(path), *model.writes):
        with open(os.path.join(os.path.dirname(path), name), "wb") as f:
            f.write(b"\x08\x08" if name == os.path.basename(path) else model.weights)


class OnnxExporterError(RuntimeError):
    pass


onnx = types.SimpleNamespace(
    export=export, TrainingMode=types.SimpleNamespace(TRAINING="training", PRESERVE="preserve"),
    errors=types.SimpleNamespace(OnnxExporterError=OnnxExporterError),
    symbolic_helper=types.SimpleNamespace(parse_args=lambda *kinds: lambda function: function),
    register_custom_op_symbolic=lambda name, function, opset: told_operators.append(name),
    unregister_custom_op_symbolic=lambda name, opset: told_operators.remove(name))
jit = types.SimpleNamespace(ScriptModule=ScriptModule)
P

cat >modes.py <<'P'
import torch
from gyre_exchange import to_gyre

for kind in (torch.Module, torch.ScriptModule):
    for training in (False, True):
        for path in ("net.onnx", "fails.onnx"):
            model = kind(kind(), kind(kind()))
            inner = model.children[1]
            model.training, inner.training = kind is torch.Module, False
            before = [m.training for m in model.modules()]
            try:
                to_gyre(model, 1, path, exporter="torchscript", training=training)
                assert path == "net.onnx"
            except RuntimeError as error:
                assert path == "fails.onnx" and str(error).endswith("cannot export the model: no such operator"), error
            told, what = torch.told, (kind, training, path)
            kept = training and model.training  # what is in evaluation mode then stays in it: frozen norms
            assert told["modes"] == (before if kept else [training] * 4), (what, told["modes"])
            assert told["operators"] == ["aten::feature_dropout"] * training and not torch.told_operators, what
            assert told["training"] == "preserve", what
            # Equal weights stay two: by the outermost module's mode behind forward, or as inputs of the graph.
            assert told["options"].get("keep_initializers_as_inputs", told["outermost"]) is True, what
            if kind is torch.Module:
                assert told["means"] == [0] * 4, (what, "statistics of the example are in the file")
            assert told["traced"] == 0, (what, "what puts statistics back is in the graph")
            assert [m.training for m in model.modules()] == before, what
            assert [b.value for b in model.buffers()] == [0] * 4, (what, "statistics of the example")
            assert model.hooks == [], what
P
$python modes.py >out || fail "modes"
[ "$(sort out | uniq -c | tr -s ' ')" = " 4 ONNX graph
 4 Torch IR graph" ] || fail "on stdout of 4 exports and 4 failures: $(cat out)"

# A batch norm in training mode takes no batch of one.
cat >batch.py <<'P'
import torch
from gyre_exchange import to_gyre


class Example:
    def __init__(self, *shape):
        self.shape = shape

    def repeat(self, *times):
        assert len(times) == len(self.shape)
        return Example(*(n * k for n, k in zip(self.shape, times)))


class Asked(torch.Module):
    def __call__(self, *xs):
        self.shapes = [x.shape for x in xs]
        return super().__call__(xs[0])


model = Asked()
for training, example, shapes in ((False, Example(1, 3), [(1, 3)]), (True, Example(1, 3), [(2, 3)]), (True, Example(4, 3), [(4, 3)]),
                                  (True, (Example(1, 3, 8, 8), Example(1, 2)), [(2, 3, 8, 8), (2, 2)]),
                                  (True, (Example(1, 3), Example(7, 2)), [(1, 3), (7, 2)])):
    to_gyre(model, example, "batch.onnx", training=training, exporter="torchscript")
    assert model.shapes == shapes, (training, model.shapes)
P
$python batch.py >out || fail "batches"

# Names of parameters: the input and output have others, and what cannot go back is refused.
cat >names.py <<'P'
import contextlib, io, warnings

import torch
from gyre_exchange import to_gyre

model = torch.Module()
for names, first, last in ((), "input", "output"), (("a/b", "a::b", "x" * 1023), "input", "output"), \
        (("input", "input_", "output"), "input__", "output_"):
    model.names = names
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        to_gyre(model, 1, "names.onnx", exporter="torchscript")
    assert "Torch IR graph" in told.getvalue(), "what a model prints is lost"
    options = torch.told["options"]
    assert (options["input_names"], options["output_names"]) == ([first], [last]), options
    assert sorted(options["dynamic_axes"]) == [first, last], options
# What stays as it is in PyTorch is trained here, unless the config says so.
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    to_gyre(model, 1, "names.onnx", exporter="torchscript")
    assert not told, told
    model.fixed = ["conv1.weight"]
    to_gyre(model, 1, "names.onnx", exporter="torchscript")
    assert len(told) == 1 and '"model": {"freeze": ["conv1.weight"]}' in str(told[0].message), told
    model.fixed = []
# What is no model, and no example; of a wrapped model the network inside is exported.
for wrong, example, words in (lambda x: x, 1, "model: a torch.nn.Module was expected, found function"), \
        (model, [1], "example: a tensor, or a tuple of them, was expected, found list"):
    try:
        to_gyre(wrong, example, "names.onnx", exporter="torchscript")
    except TypeError as error:
        assert str(error) == words, error
    else:
        raise AssertionError(words)
DataParallel = type("DataParallel", (torch.Module,), {})
wrapped = DataParallel()
wrapped.module = torch.Module(torch.Module())
to_gyre(wrapped, 1, "names.onnx", exporter="torchscript")
assert torch.told["modes"] == [False] * 2, torch.told["modes"]
for name, words in ("x" * 1024, "has 1024 bytes; at most 1023"), ("a\0b", "without a zero"), \
        ("a\ud800", "characters that UTF-8 has not"):
    model.names = (name,)
    try:
        to_gyre(model, 1, "names.onnx", exporter="torchscript")
    except ValueError as error:
        assert words in str(error) and "\n" not in str(error), error
    else:
        raise AssertionError(words)
P
$python names.py >out || fail "names"

cat >files.py <<'P'
import os, pathlib

import torch
from gyre_exchange import to_gyre


def export(path="own.onnx", force=False):
    to_gyre(model, 1, path, exporter="torchscript", force=force)


def refused(words, error=FileExistsError, **options):
    names = sorted(os.listdir("."))
    try:
        export(**options)
    except error as e:
        assert words in str(e), e
    else:
        raise AssertionError(words)
    assert sorted(os.listdir(".")) == names, "something was left behind"


def stays(name, content):
    """A file with what somebody has put there."""
    path = pathlib.Path(name)
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(content)
    refused(f"'{name}' is there, and to_gyre did not write it, or not as it is now; give another name")
    assert path.read_bytes() == content, name
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)
        export()


model = torch.Module()
for writes, weights in ((), b""), (("own.onnx.data",), b""), (("own.onnx.data",), b"weights"), ((), b""):
    model.writes, model.weights = writes, weights
    for _ in range(2):
        export()
        assert os.path.exists("own.onnx.data") == bool(writes)
    own = pathlib.Path("own.onnx").read_bytes()
    assert own.startswith(b"\x08\x08\x72") and b"gyre_exchange.checksum" in own
    assert b'gyre_exchange.buffers\x12\x08["mean"]' in own, own
    for content in (b"mine", b"", own + b"\n", *(own[:i] + bytes([own[i] ^ 1]) + own[i + 1:] for i in range(len(own)))):
        stays("own.onnx", content)

# Weights beside the file, where somebody has put others.
model.writes, model.weights = ("own.onnx.data", "fc.weight"), b"weights"
for name in model.writes:
    stays(name, b"mine")
model.writes = ("own.onnx.data",)
export()
pathlib.Path("own.onnx.data").write_bytes(b"trained")
refused("'own.onnx' is there")
assert pathlib.Path("own.onnx.data").read_bytes() == b"trained"
export(force=True)
assert pathlib.Path("own.onnx.data").read_bytes() == b"weights"

os.symlink("own.onnx", "link.onnx")
refused("'link.onnx' is there", path="link.onnx")
assert os.path.islink("link.onnx")
for folder in ".", "folder":
    os.makedirs(folder, exist_ok=True)
    refused(f"'{folder}' is a folder; the name of a file was expected", IsADirectoryError, path=folder, force=True)
refused("there is no folder 'nowhere'", FileNotFoundError, path="nowhere/net.onnx")
pathlib.Path("fails.onnx").write_bytes(b"old")
refused("no such operator", RuntimeError, path="fails.onnx", force=True)
assert pathlib.Path("fails.onnx").read_bytes() == b"old", "a failure has replaced a file"
P
$python files.py >out || fail "files"
exit 0
