"""Reads a run's event files as TensorBoard does: in the order of their names, up to the first record
that is not whole; what a restart makes void is dropped.

As a program: read_events.py RUN compares them with the run's metrics.h5, and with the test scores of its log.jsonl;
nothing may be doubled or missing. With TensorBoard in this Python (`TENSORBOARD=yes`) its own reader is asked instead.
"""
import json
import os
import pathlib
import struct
import sys

TABLE = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
    TABLE.append(i)


def checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """Yields the content of each whole record."""
    while len(data) >= 16:
        (length, of_length) = struct.unpack("<QI", data[:12])
        content, tail = data[12 : 12 + length], data[12 + length : 16 + length]
        if len(tail) < 4:
            return
        assert of_length == checksum(data[:8]) and struct.unpack("<I", tail)[0] == checksum(content)
        yield content
        data = data[16 + length :]


def fields(message):
    """Yields number and value of each field of a protobuf message: bytes, or an integer's bits."""
    def varint():
        nonlocal message
        value = shift = 0
        while True:
            byte, message = message[0], message[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while message:
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, message[:size]
        message = message[size:]


def read(run):
    """The points of each curve, {tag: {step: value}}, the texts, the plugins' contents, and the pictures, by tag."""
    curves, texts, plugins, pictures = {}, {}, {}, {}
    for path in sorted(pathlib.Path(run).glob("events.out.tfevents.*")):
        for number, event in enumerate(map(dict, map(fields, records(path.read_bytes())))):
            assert number > 0 or event[3] == b"brain.Event:2", path
            step = event.get(2, 0)
            if 7 in event:
                curves, pictures = ({tag: {s: v for s, v in points.items() if s < step} for tag, points in c.items()}
                                    for c in (curves, pictures))
            for _, value in fields(event.get(5, b"")):
                value = dict(fields(value))
                tag = value[1].decode()
                if 2 in value:
                    assert step not in curves.setdefault(tag, {}), f"{tag} has two points at step {step}"
                    curves[tag][step] = struct.unpack("<f", value[2])[0]
                elif 4 in value:
                    assert step not in pictures.setdefault(tag, {}), f"{tag} has two pictures at step {step}"
                    pictures[tag][step] = dict(fields(value[4]))[4]
                else:
                    plugin = dict(fields(dict(fields(value[9]))[1]))
                    plugins.setdefault(tag, plugin[2])
                    texts[tag] = dict(fields(value[8])).get(8, b"").decode()
    return curves, texts, plugins, pictures


def read_by_tensorboard(run):
    from tensorboard.backend.event_processing import event_accumulator
    a = event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    a.Reload()
    curves = {}
    for tag in a.Tags()["scalars"]:
        points = [(e.step, e.value) for e in a.Scalars(tag)]
        assert len(points) == len(dict(points)), f"{tag} has two points at one step"
        curves[tag] = dict(points)
    texts = {tag: b"".join(a.Tensors(tag)[-1].tensor_proto.string_val).decode() for tag in a.Tags()["tensors"]}
    plugins = {tag: a.SummaryMetadata(tag).plugin_data.content for tag in a.Tags()["tensors"]}
    pictures = {tag: {e.step: e.encoded_image_string for e in a.Images(tag)} for tag in a.Tags()["images"]}
    return curves, texts, plugins, pictures


def hyper_parameters(content):
    """{key: value} of the plugin hparams's session."""
    values = {}
    for number, entry in fields(dict(fields(content))[3]):
        if number == 1:
            entry = dict(fields(entry))
            (kind, value), = fields(entry[2])
            values[entry[1].decode()] = {2: lambda v: struct.unpack("<d", v)[0], 3: bytes.decode, 4: bool}[kind](value)
    return values


def main(run):
    import h5py
    import numpy as np
    curves, texts, plugins, _ = (read_by_tensorboard if os.environ.get("TENSORBOARD") else read)(run)
    log = os.path.exists(f"{run}/log.jsonl")
    with h5py.File(f"{run}/metrics.h5", "r") as f:
        train, validation = f["train"][:], f["validation"][:]
        metric = validation.dtype.names[4]
    columns = {"train/loss": (train, "loss", 1), "train/gradient_norm": (train, "grad_norm", 1),
               "train/samples_per_second": (train, "samples_per_s", 1), "schedule/lr": (train, "lr", 1),
               "schedule/momentum": (train, "momentum", 1), "validation/loss": (validation, "loss", 0),
               f"validation/{metric}": (validation, metric, 0)}
    tests = [e for e in map(json.loads, open(f"{run}/log.jsonl")) if e["event"] == "test"] if log else []
    test = np.array([(e["step"], e["loss"], e[metric]) for e in tests],
                    dtype=[("step", "i8"), ("loss", "f8"), (metric, "f8")])
    columns |= {"test/loss": (test, "loss", 0), f"test/{metric}": (test, metric, 0)}
    assert set(curves) == {tag for tag, (table, _, _) in columns.items() if len(table)}, sorted(curves)
    for tag, points in curves.items():
        table, column, later = columns[tag]
        expected = dict(zip((table["step"] + later).tolist(), table[column].astype(np.float32)))
        assert sorted(points) == sorted(expected), (tag, sorted(points)[:5], len(points), len(expected))
        for step, value in points.items():
            assert np.array_equal(np.float32(value), expected[step], equal_nan=True), (tag, step, value)
    config = "".join(f"    {line}\n" for line in open(f"{run}/config.json").read().splitlines())
    # A launch may ask for event files where the run's own config does not.
    plain = lambda text: text.replace('"tensorboard":\ttrue', '"tensorboard":\tfalse')
    assert plain(texts["config"]) == plain(config), texts["config"]
    values = hyper_parameters(plugins["_hparams_/session_start_info"])
    assert values["optimizer.momentum"] == 0.9 and values["model.name"] == "mlp" and values["tf32"] is False, values
    ended = dict(fields(plugins["_hparams_/session_end_info"])) if "_hparams_/session_end_info" in plugins else None
    print(f"{len(train)} {len(validation)} {'ended' if ended else 'open'}")


if __name__ == "__main__":
    main(sys.argv[1])
