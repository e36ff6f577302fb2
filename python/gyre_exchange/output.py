"""What is printed while PyTorch exports: its graph, where it fails, from Python and from C++."""

import contextlib
import ctypes
import os
import sys
import tempfile


def _flush():
    sys.stdout.flush()
    with contextlib.suppress(TypeError, OSError, AttributeError):  # no such library on Windows
        ctypes.CDLL(None).fflush(None)


@contextlib.contextmanager
def _descriptor_to(file):
    """What C++ prints. Where there is no descriptor 1, it prints nothing."""
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextlib.contextmanager
def held_back(failure):
    """Nothing comes to stdout before the block has ended. Where it ends in a `failure`, it is dropped."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        _flush()
        dropped = False
        try:
            with _descriptor_to(file), contextlib.redirect_stdout(file):
                yield
        except failure:
            dropped = True
            raise
        finally:
            file.flush()
            file.seek(0)
            sys.stdout.write("" if dropped else file.read())
