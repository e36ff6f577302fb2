"""The network inside of what PyTorch wraps around one, whose parameters have a prefix there."""

_PARALLEL = "DataParallel", "DistributedDataParallel"


def inside(model):
    """Of torch.compile's, DataParallel's and DistributedDataParallel's modules."""
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod
        elif type(model).__name__ in _PARALLEL and hasattr(model, "module"):
            model = model.module
        else:
            return model
