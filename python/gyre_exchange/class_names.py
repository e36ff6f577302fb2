"""The names of a dataset's classes: those that are given, or those that the dataset has."""

NAME_BYTES = 63  # of a class, in UTF-8
_EXPECTED = "names: a list of strings, one for each class, or a dict of their numbers was expected"


def _in_order(numbers):
    """Of a dict {name: number}, as class_to_idx."""
    if set(numbers.values()) != set(range(len(numbers))):
        raise ValueError(f"names: the numbers of {len(numbers)} classes are 0 to {len(numbers) - 1}, each once; found "
                         f"{list(numbers.values())[:6]}")
    return sorted(numbers, key=numbers.get)


def _given(names):
    if isinstance(names, (str, bytes, set, frozenset)):
        raise ValueError(f"{_EXPECTED}, found {type(names).__name__}")
    names = _in_order(names) if isinstance(names, dict) else list(names)
    if not names or not all(isinstance(n, str) for n in names):
        wrong = [type(n).__name__ for n in names if not isinstance(n, str)]
        raise ValueError(f"{_EXPECTED}, found {'one of type ' + wrong[0] if wrong else 'none'}")
    return names


def _is_of_torch(dataset, name):
    return any(c.__name__ == name and c.__module__.startswith("torch.utils.data") for c in type(dataset).__mro__)


def _of_dataset(dataset):
    """dataset.classes, also of what PyTorch's Subset and ConcatDataset wrap; None where they differ or there are none."""
    names = getattr(dataset, "classes", None)
    if names is not None:
        names = list(names)
        return names if names and all(isinstance(n, str) for n in names) else None
    if _is_of_torch(dataset, "Subset"):
        return _of_dataset(dataset.dataset)
    if _is_of_torch(dataset, "ConcatDataset"):
        first, *others = [_of_dataset(d) for d in dataset.datasets]
        return first if all(names == first for names in others) else None
    return None


def names_of(dataset, names, has_labels):
    """A list, or None. Targets that are no labels have no names."""
    if names is not None:
        names = _given(names)
        if not has_labels:
            raise ValueError("names: the targets are no classes, one whole number for each sample, which alone have names")
    elif has_labels:
        names = _of_dataset(dataset)
    long = [n for n in names or () if len(n.encode()) > NAME_BYTES]
    if long:
        raise ValueError(f"the name of a class has at most {NAME_BYTES} bytes; found '{long[0]}'")
    return names


def check_labels(part, names):
    if part.low < 0:
        raise ValueError(f"{part.name}: a class is a number from 0, found {part.low}; values, for regression, are floats")
    if names is not None and part.high >= len(names):
        raise ValueError(f"{part.name}: found class {part.high}, and names of {len(names)} classes, 0 to {len(names) - 1}")
