"""safetensors files for tests, written and read without the library of that name."""
import json, struct

import numpy as np

NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "uint8": "U8"}


def raw(path, header, data=b"", length=None):
    header = header if isinstance(header, bytes) else header.encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header) if length is None else length) + header + data)


def write(path, arrays, bf16=False):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, a in arrays.items():
        a = np.ascontiguousarray(a).reshape(a.shape)
        kind = NAMES[a.dtype.name]
        values = a.tobytes()
        if bf16:
            kind, values = "BF16", (a.view("u4") >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    raw(path, json.dumps(header) + "   ", data)


def read(path):
    """Metadata, and the arrays by name in the order of the header."""
    content = open(path, "rb").read()
    size = struct.unpack("<Q", content[:8])[0]
    assert size % 8 == 0, size
    header = json.loads(content[8:8 + size])
    data = content[8 + size:]
    types = {v: k for k, v in NAMES.items()}
    metadata = header.pop("__metadata__", {})
    return metadata, {name: np.frombuffer(data[slice(*e["data_offsets"])], types[e["dtype"]]).reshape(e["shape"])
                      for name, e in header.items()}
