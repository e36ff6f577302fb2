"""Files of to_gyre's. One that is as it was written may be replaced: it ends with its checksum."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import tempfile

KEY = b"gyre_exchange.checksum"
BUFFERS = b"gyre_exchange.buffers"
PIECE = 1 << 20


def _varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + _varint(n >> 7)


def _field(number, data):
    """Of a protobuf message."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _note(key, value):
    """ModelProto: metadata_props 14 {key 1, value 2}."""
    return _field(14, _field(1, key) + _field(2, value.encode()))


def _entry(digest):
    return _note(KEY, digest)


def add_buffers(path, names):
    """Tells which tensors of a file are no parameters."""
    with open(path, "ab") as f:
        f.write(_note(BUFFERS, json.dumps(names)))


SIZE = len(_entry(64 * "0"))


def _outside(path):
    """Where dynamo writes the weights of a large network."""
    return path.with_name(path.name + ".data")


def _take(digest, file, size):
    while size > 0 and (piece := file.read(min(size, PIECE))):
        digest.update(piece)
        size -= len(piece)


def _digest(path, size, beside):
    """Of the first `size` bytes, and of the file `beside`."""
    digest = hashlib.sha256()
    for file, most in ((path, size), *((b, b.stat().st_size) for b in beside)):
        digest.update(b"%d " % most)
        with open(file, "rb") as f:
            _take(digest, f, most)
    return digest.hexdigest()


def _sign(path):
    digest = _digest(path, path.stat().st_size, [p for p in (_outside(path),) if p.is_file()])
    with open(path, "ab") as f:
        f.write(_entry(digest))


def _plain(path):
    return path.is_file() and not path.is_symlink()


def _own_files(path):
    """The file, with the weights beside it, if to_gyre wrote them and they are as they were written."""
    if not _plain(path) or path.stat().st_size < SIZE:
        return []
    size = path.stat().st_size - SIZE
    with open(path, "rb") as f:
        f.seek(size)
        end = f.read()
    if end == _entry(_digest(path, size, [])):
        return [path]
    beside = _outside(path)
    return [path, beside] if _plain(beside) and end == _entry(_digest(path, size, [beside])) else []


def check_place(path):
    """Of a file that is to be written; as a Path."""
    path = pathlib.Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder; the name of a file was expected")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"'{path}': there is no folder '{path.parent}'")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"'{path}': nothing can be written in the folder '{path.parent}'")
    return path


def _refuse(path):
    raise FileExistsError(f"'{path}' is there, and to_gyre did not write it, or not as it is now; give another name, or "
                          "force=True")


@contextlib.contextmanager
def replacing(path, force):
    """A path to write to. What is written there, and beside it, comes to `path` when all went well."""
    path = check_place(path)
    own = _own_files(path)
    if os.path.lexists(path) and not force and path not in own:
        _refuse(path)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=path.name + ".", dir=path.parent))
    try:
        yield folder / path.name
        _sign(folder / path.name)
        names = sorted((p.name for p in folder.iterdir()), key=lambda name: name == path.name)  # weights first
        for place in map(path.with_name, names):
            if os.path.lexists(place) and not force and place not in own:
                _refuse(place)
        for name in names:
            os.replace(folder / name, path.with_name(name))
        for place in own:
            if place.name not in names:
                place.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
