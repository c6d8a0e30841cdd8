"""Runs as a TensorBoard log directory, written without TensorFlow or TensorBoard.

An event file is a sequence of records, each a small protocol-buffer message. Sources:
tensorflow/core/lib/io/record_writer.cc (record framing), tensorflow/core/util/event.proto and
tensorflow/core/framework/summary.proto (field numbers), RFC 3720 (CRC-32C).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache

from lrlab.export.csv_tables import ExportedRun
from lrlab.training.measurements import EpochRecord, Point

NOT_EXPORTED = ("step", "epoch", "seconds")
"""The fields of a point or epoch that are not exported as curves."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The wire types of protocol buffers."""

CRC_POLYNOMIAL = 0x82F63B78
"""The polynomial of CRC-32C, bit-reversed."""

CRC_MASK_DELTA = 0xA282EAD8
"""What TensorFlow adds to a rotated checksum to mask it."""


def tensorboard_zip(runs: Iterable[tuple[ExportedRun, float]]) -> bytes:
    """A zipped log directory for ``tensorboard --logdir``.

    Each run has a folder for training and one for validation, with the layout and tags of Keras's
    TensorBoard callback.

    Args:
        runs: each run and its start, UTC in seconds since 1970. The store does not record when
            each point was measured, so all events carry that time; their steps are exact.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for run, started in runs:
            for part in ("train", "validation"):
                # The path contains the id only, because anybody can choose a run's name.
                path = f"run-{run.run_id}/{part}/events.out.tfevents.{int(started):010d}.lrlab"
                archive.writestr(path, event_file(_scalars(run, part), started))
    return content.getvalue()


def _scalars(run: ExportedRun, part: str) -> Iterator[tuple[int, str, float]]:
    """Step, tag and value of everything a run measured on its training or validation images."""
    if part == "train":
        for point in run.points:
            for field, value in _curves(point):
                yield point.step, f"batch_{field}", value
    for epoch in run.epochs:
        for field, value in _curves(epoch):
            if field.startswith("val_") == (part == "validation"):
                # Keras's callback uses the epoch, counted from 0, as the step of these.
                yield epoch.epoch - 1, f"epoch_{field.removeprefix('val_')}", value


def _curves(row: Point | EpochRecord) -> Iterator[tuple[str, float]]:
    for field, value in vars(row).items():
        if field not in NOT_EXPORTED and value is not None:
            yield field, value


def event_file(scalars: Iterable[tuple[int, str, float]], time: float) -> bytes:
    """The content of an event file.

    Args:
        scalars: step, tag and value of each; values may be NaN or infinite.
        time: when they were measured, UTC in seconds since 1970.
    """
    wall_time = _field(1, FIXED64, struct.pack("<d", time))
    events = [wall_time + _text(3, "brain.Event:2")]
    for step, tag, value in scalars:
        simple_value = _field(2, FIXED32, struct.pack("<f", _float32(value)))
        summary = _message(1, _text(1, tag) + simple_value)
        events.append(wall_time + _field(2, VARINT, _varint(step)) + _message(5, summary))
    return b"".join(_record(event) for event in events)


def _float32(value: float) -> float:
    """The value rounded to float32; infinity beyond its range."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + CRC_MASK_DELTA) & 0xFFFFFFFF)


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (CRC_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def _field(number: int, wire_type: int, content: bytes) -> bytes:
    return _varint(number << 3 | wire_type) + content


def _message(number: int, content: bytes) -> bytes:
    return _field(number, BYTES, _varint(len(content)) + content)


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _varint(value: int) -> bytes:
    """Encode seven bits per byte, lowest first; all bytes but the last have their high bit set."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + bytes([value]))
