"""Hand-made points and epoch records for tests."""

from __future__ import annotations

from lrlab.training.measurements import EpochRecord, Point


def point(step: int, loss: float, learning_rate: float = 0.1, **more: float) -> Point:
    return Point(step, float(loss), float(learning_rate), **more)


def epoch_record(epoch: int = 1, **values: float) -> EpochRecord:
    """An epoch of ten steps; values that are not given are irrelevant to the test."""
    unknown = dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"), 0.5
    )
    return EpochRecord(**{"epoch": epoch, "step": 10 * epoch} | unknown | values)
