"""Points and epochs for tests, made up by hand."""

from __future__ import annotations

import math

from lrlab.training.measurements import EpochRecord, Point


def point(step: int, loss: float, learning_rate: float = 0.1) -> Point:
    return Point(step, float(loss), float(learning_rate))


def epoch_record(epoch: int = 1, **values: float) -> EpochRecord:
    """An epoch of ten steps; values that are not given are NaN, so that using one is noticed."""
    unknown = dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"), math.nan
    )
    return EpochRecord(**{"epoch": epoch, "step": 10 * epoch} | unknown | values)
