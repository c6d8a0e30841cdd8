"""What a training measures, as values; the store reads these too, so nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from lrlab.recipes.plan import RunPlan


@dataclass(frozen=True)
class Point:
    """The training between two moments of an epoch.

    Args:
        step: the update it ends with, counted from 0.
        loss: mean loss over the batches since the point before.
        learning_rate: the rate that update ``step`` used.
        gradient_norm: the Euclidean norm of the loss's gradient over all weights together, before
            any clipping, at the last step since the point before where it was measured: it is at
            the last step of each block (see `lrlab.training.compile_mode.block_steps`). None where there
            was none.
        update_ratio: at the same step, the norm of the change of all weights over that of the
            weights before it.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True)
class EpochRecord:
    """What is known when an epoch ends.

    Args:
        epoch: its number, counted from 1.
        step: updates done so far.
        loss, accuracy: on the training images, the mean while the epoch went on.
        val_loss, val_accuracy: on the validation images at its end.
        learning_rate: the rate that its last update used.
        seconds: how long it took, validation included.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


POINT_FIELDS = tuple(field.name for field in fields(Point) if field.name != "step")
"""What is measured at a point, besides its step."""

EPOCH_FIELDS = tuple(field.name for field in fields(EpochRecord) if field.name != "step")
"""What is measured at an epoch's end, besides its step."""


@dataclass(frozen=True)
class RunHistory:
    """What one run measured.

    Args:
        plan: what was trained.
        points, epochs: in the order of their steps.
    """

    plan: RunPlan
    points: Sequence[Point] = ()
    epochs: Sequence[EpochRecord] = ()


@dataclass(frozen=True, eq=False)
class EpochSnapshot:
    """What a network has learned when an epoch ends.

    Args:
        epoch: its number, counted from 1; 0 for before the first.
        filters: the incoming weights of `lrlab.training.epoch_snapshots.FILTERS` units of the first layer
            with weights as images: uint8, shape ``(units, rows, columns)``. A value of 128 is a
            weight of 0, 1 and 255 are ``-scale`` and ``scale``.
        scale: the largest weight among them, by its absolute value.
        confusion: on the validation images: int64, shape ``(10, 10)``, ``confusion[i, j]`` images
            of class ``i`` were taken for class ``j``. None before the first epoch.
    """

    epoch: int
    filters: np.ndarray
    scale: float
    confusion: np.ndarray | None

    @property
    def class_accuracy(self) -> np.ndarray | None:
        """Of each class, the share of its images that were recognised: float64, shape ``(10,)``;
        NaN for a class without images."""
        if self.confusion is None:
            return None
        images = self.confusion.sum(axis=1)
        shares = np.full(len(images), np.nan)
        return np.divide(self.confusion.diagonal(), images, out=shares, where=images > 0)


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The test images that a trained network was most sure of and got wrong, the surest first.

    Args:
        numbers: which of the test images they are: int32, shape ``(n,)``.
        images: their pixels: uint8, shape ``(n, 28, 28)``.
        labels: their classes: uint8, shape ``(n,)``.
        probabilities: what the network said: float32, shape ``(n, 10)``.
    """

    numbers: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class RunResult:
    """What there is once a run has trained all its epochs.

    Args:
        mistakes: see there.
        keras_file: the trained network, see `lrlab.training.keras_file`.
    """

    mistakes: Mistakes
    keras_file: bytes
