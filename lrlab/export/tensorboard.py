"""A run as a log directory of TensorBoard, without TensorFlow and without TensorBoard.

An event file is a row of records, each a small protocol-buffer message. Sources:
tensorflow/core/lib/io/record_writer.cc (the frame), tensorflow/core/util/event.proto and
tensorflow/core/framework/summary.proto (the fields' numbers), RFC 3720 (CRC-32C).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from lrlab.export.csv_tables import ExportedRun
from lrlab.training.measurements import EpochRecord, Point

NO_SCALARS = ("step", "epoch", "seconds")
"""What a point or an epoch has that is no curve."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The wire types of protocol buffers."""

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8
"""CRC-32C's polynomial, and what TensorFlow's checksums are shifted by."""


def tensorboard_zip(runs: Iterable[tuple[ExportedRun, float]]) -> bytes:
    """A log directory for ``tensorboard --logdir``, zipped: for each run one folder for training
    and one for validation, laid out and tagged as by Keras's TensorBoard callback.

    Args:
        runs: each run, and when it began, UTC in seconds since 1970. The store does not know when
            each point was measured, so all bear that time; steps are exact.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for run, began in runs:
            for part in ("train", "validation"):
                # A folder's name comes from the number alone: names of runs are anybody's.
                path = f"run-{run.number}/{part}/events.out.tfevents.{int(began):010d}.lrlab"
                folder.writestr(path, event_file(_scalars(run, part), began))
    return packed.getvalue()


def _scalars(run: ExportedRun, part: str) -> Iterator[tuple[int, str, float]]:
    """Step, tag and value of all that a run measured on its training or validation images."""
    if part == "train":
        for point in run.history.points:
            for field, value in _curves(point):
                yield point.step, f"batch_{field}", value
    for epoch in run.history.epochs:
        for field, value in _curves(epoch):
            if field.startswith("val_") == (part == "validation"):
                # Keras's callback counts these by epochs, from 0.
                yield epoch.epoch - 1, f"epoch_{field.removeprefix('val_')}", value


def _curves(row: Point | EpochRecord) -> Iterator[tuple[str, float]]:
    for field, value in vars(row).items():
        if field not in NO_SCALARS and value is not None:
            yield field, value


def event_file(scalars: Iterable[tuple[int, str, float]], time: float) -> bytes:
    """The content of an event file.

    Args:
        scalars: the step, tag and value of each; they may be NaN or infinite.
        time: when they were measured, UTC in seconds since 1970.
    """
    when = _field(1, FIXED64, struct.pack("<d", time))
    events = [when + _text(3, "brain.Event:2")]
    for step, tag, value in scalars:
        single = _field(2, FIXED32, struct.pack("<f", _float32(value)))
        summary = _message(1, _text(1, tag) + single)
        events.append(when + _field(2, VARINT, _varint(step)) + _message(5, summary))
    return b"".join(_record(event) for event in events)


def _float32(value: Any) -> float:
    """The value where float32 can hold it; beyond that infinity."""
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
    return struct.pack("<I", (rotated + MASK) & 0xFFFFFFFF)


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def _field(number: int, wire: int, content: bytes) -> bytes:
    return _varint(number << 3 | wire) + content


def _message(number: int, content: bytes) -> bytes:
    return _field(number, BYTES, _varint(len(content)) + content)


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have their high bit set."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + bytes([value]))
