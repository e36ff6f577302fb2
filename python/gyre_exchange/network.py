"""A PyTorch network as an ONNX file that gyre can train."""

import contextlib
import importlib.util
import inspect
import re
import threading
import warnings

from . import output
from .dropout import dropping_channels
from .own_file import add_buffers, replacing
from .wrapped import inside


NAME_BYTES = 1023  # of a parameter, in UTF-8


def _put_back(buffers):
    import torch

    with torch.no_grad():
        for buffer, value in buffers:
            buffer.copy_(value)


@contextlib.contextmanager
def _in_mode(model, training):
    """Every module in one mode, or each as it is where the model is in training mode already, so that what is in
    evaluation mode there stays so; afterwards modes and buffers are as they were."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()] if training else []
    try:
        if not (training and model.training):
            model.train(training)
        yield buffers
    finally:
        _put_back(buffers)
        for module, mode in modes:
            module.training = mode


def _between_forward_and_weights(buffers):
    """A hook for what PyTorch looks at after it has traced forward, and before it writes the weights."""

    def hook(module, arguments, output):
        if buffers:
            # Running statistics of the example do not belong in the file. Another thread is not traced.
            thread = threading.Thread(target=_put_back, args=(buffers,))
            thread.start()
            thread.join()
        # PyTorch merges equal weights (as those of fresh batch norms) unless the outermost module is in training.
        module.training = True

    return hook


def _cause(message, exporter):
    """TorchScript's exporter shows its graph behind the cause, dynamo's its advice in front of it."""
    if exporter == "dynamo":
        summary = message.rpartition("## Exception summary")[2].strip()
        lines = [line for line in summary.splitlines() if line.strip()]
        return re.sub(r"^<class '[^']*'>: *|\x1b\[[0-9;]*m", "", lines[0] if lines else message).strip()
    message = message.partition("  [Caused by")[0].partition(" Please feel free")[0].strip()
    return " ".join(message.split())


@contextlib.contextmanager
def _in_few_words(exporter):
    """A failure as one line, and nothing else on stdout."""
    import torch

    try:
        with output.held_back(torch.onnx.errors.OnnxExporterError):
            yield
    except torch.onnx.errors.OnnxExporterError as error:
        other = "; exporter='torchscript' may" if exporter == "dynamo" else ""
        raise RuntimeError(f"PyTorch {torch.__version__} cannot export the model: {_cause(str(error), exporter)}{other}"
                           ) from None


def _check_names(model):
    """What the file, or gyre, could not give back."""
    for name in model.state_dict():
        try:
            size = len(name.encode())
        except UnicodeEncodeError:
            raise ValueError(f"the name {name!r} of a parameter has characters that UTF-8 has not; rename it") from None
        if size > NAME_BYTES or "\0" in name:
            raise ValueError(f"the name {name[:40]!r} of a parameter has {size} bytes; at most {NAME_BYTES} without a zero "
                             "were expected: rename it")


def _free_name(wanted, model):
    """PyTorch renames a parameter that is called as the input or output."""
    taken = model.state_dict()
    while wanted in taken:
        wanted += "_"
    return wanted


def _save(program, path, external):
    """Writes what dynamo's exporter made. It calls values as their operators, also where a parameter or buffer has that
    name: with a buffer "mean" and a mean over pixels, nothing can read the file."""
    graph, weights = program.model.graph, program.model.graph.initializers
    values = [*graph.inputs, *(value for node in graph for value in node.outputs)]
    names = {value.name for value in values}
    for value in values:
        while value.name in weights:
            name = value.name + "_"
            while name in names:
                name += "_"
            value.name = name
            names.add(name)
    program.save(path, external_data=external)


def _choose(offered, model, training):
    """"dynamo" where PyTorch can export such a model without its optimiser, else "torchscript"."""
    import torch

    dynamo = "optimize" in offered and importlib.util.find_spec("onnxscript") is not None
    scripted = training or isinstance(model, torch.jit.ScriptModule)
    return "dynamo" if dynamo and not scripted else "torchscript"


def _check_types(model, example):
    if not hasattr(model, "state_dict"):
        raise TypeError(f"model: a torch.nn.Module was expected, found {type(model).__name__}")
    if isinstance(example, list) or type(example).__module__.split(".")[0] == "numpy":
        raise TypeError(f"example: a tensor, or a tuple of them, was expected, found {type(example).__name__}")


def _at_least_two(arguments):
    """A batch norm in training mode takes no batch of one row."""
    if not all(len(getattr(x, "shape", ())) > 0 and x.shape[0] == 1 for x in arguments):
        return arguments
    return tuple(x.repeat(2, *(1 for _ in x.shape[1:])) for x in arguments)


def _tell_frozen(model):
    """ONNX does not hold which parameters are to stay as they are."""
    fixed = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    if not fixed:
        return
    first = ", ".join(f'"{name}"' for name in fixed[:3])
    more = f", ... ({len(fixed)} in all)" if len(fixed) > 3 else ""
    warnings.warn("parameters that do not require gradients are trained by gyre unless the config names them, or the "
                  f'beginnings of their names: "model": {{"freeze": [{first}{more}]}}', stacklevel=3)


def to_gyre(model, example, path, *, training=False, exporter=None, force=False):
    """Writes `model` to `path` as ONNX with its weights, for model.file of a config.

    example   -- a tensor, or a tuple of them, as the model's forward takes them; the size of the batch does not matter
    training  -- keep what only training does (dropout, stochastic depth); by the TorchScript exporter. Of a model in
                 training mode its modules in evaluation mode stay in it: such a batch norm is frozen
    exporter  -- "dynamo" or "torchscript"; without it, what the installed PyTorch offers
    force     -- replace a file that is there. One of to_gyre's is replaced in any case, unless it was changed since

    Of a model in DataParallel or torch.compile's the network inside is written. Batch norm stays a layer and constants
    are not folded, so that gyre trains the network as PyTorch would. Returns the exporter's name.
    """
    import torch

    _check_types(model, example)
    model, offered = inside(model), inspect.signature(torch.onnx.export).parameters
    exporter = exporter or _choose(offered, model, training)
    if exporter not in ("dynamo", "torchscript"):
        raise ValueError(f"exporter: 'dynamo' or 'torchscript' was expected, found {exporter!r}")
    if exporter == "dynamo" and "optimize" not in offered:
        raise ValueError(f"PyTorch {torch.__version__} cannot export by dynamo without optimising; use 'torchscript'")
    if exporter == "dynamo" and training:
        raise ValueError("training=True needs the TorchScript exporter: dynamo leaves dropout out")
    arguments = example if isinstance(example, tuple) else (example,)
    if training:
        arguments = _at_least_two(arguments)
    _check_names(model)
    _tell_frozen(model)
    first, last = _free_name("input", model), _free_name("output", model)
    options = {"input_names": [first], "output_names": [last]}
    if exporter == "dynamo":
        options.update(dynamo=True, optimize=False, verbose=False)
    else:
        options.update(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                       dynamic_axes={first: {0: "N"}, last: {0: "N"}})
        if "dynamo" in offered:
            options["dynamo"] = False
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(replacing(path, force))
        buffers = stack.enter_context(_in_mode(model, training))
        stack.enter_context(torch.no_grad())
        stack.enter_context(_in_few_words(exporter))
        if training:
            stack.enter_context(dropping_channels())
            stack.enter_context(warnings.catch_warnings())
            # The count of batches, of which the file has none.
            warnings.filterwarnings("ignore", "ONNX Preprocess - Removing mutation from node aten::add_")
        if exporter == "torchscript" and isinstance(model, torch.jit.ScriptModule):  # it takes no hook
            options["keep_initializers_as_inputs"] = True  # and so PyTorch does not merge equal weights either
        elif exporter == "torchscript":
            stack.callback(model.register_forward_hook(_between_forward_and_weights(buffers)).remove)
        if exporter == "dynamo":
            _save(torch.onnx.export(model, arguments, **options), file, _size(model) > 2**30)
        else:
            torch.onnx.export(model, arguments, str(file), **options)
            add_buffers(file, [name for name, _ in model.named_buffers()])  # dynamo's files tell by themselves
    return exporter


def _size(model):
    """Bytes of all weights; protobuf ends at 2 GiB."""
    return sum(w.numel() * w.element_size() for w in model.state_dict().values())
