"""What a training measures, as plain values. The store and the pages read these too, so importing
this module loads neither TensorFlow nor Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from lrlab.recipes.plan import RunPlan


@dataclass(frozen=True)
class Point:
    """Measurements of the steps since the previous point, within one epoch.

    Args:
        step: the last of these steps, counted from 0.
        loss: mean loss over the batches of these steps.
        learning_rate: the learning rate of update ``step``.
        gradient_norm: the Euclidean norm of the loss's gradient over all weights, before clipping.
            It is measured at the last step of each block (see
            `lrlab.training.compile_mode.block_steps`); this is the latest value since the previous
            point, None if no block ended in between.
        update_ratio: at the same step, the norm of the update of all weights divided by the norm
            of the weights before it.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True)
class EpochRecord:
    """Measurements at the end of an epoch.

    Args:
        epoch: its number, counted from 1.
        step: updates done so far.
        loss, accuracy: on the training images, averaged over the epoch while it trained.
        val_loss, val_accuracy: on the validation images at the end of the epoch.
        learning_rate: the learning rate of its last update.
        seconds: its duration, including validation.
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
"""The measurements in a `Point`, without its step."""

EPOCH_FIELDS = tuple(field.name for field in fields(EpochRecord) if field.name != "step")
"""The measurements in an `EpochRecord`, without its step."""


@dataclass(frozen=True)
class RunHistory:
    """All measurements of one run.

    Args:
        plan: the plan of the run.
        points, epochs: in the order of their steps.
    """

    plan: RunPlan
    points: Sequence[Point] = ()
    epochs: Sequence[EpochRecord] = ()


@dataclass(frozen=True, eq=False)
class EpochSnapshot:
    """The first weights and the confusion matrix of a network at the end of an epoch.

    Args:
        epoch: its number, counted from 1; 0 before the first epoch.
        filters: the incoming weights of `lrlab.training.epoch_snapshots.FILTERS` units of the
            first layer that has weights, as images: uint8, shape ``(units, rows, columns)``. The
            value 128 is a weight of 0; 1 and 255 are ``-scale`` and ``scale``.
        scale: the largest absolute value of these weights.
        confusion: on the validation images: int64, shape ``(10, 10)``; ``confusion[i, j]`` images
            of class ``i`` were classified as ``j``. None before the first epoch.
    """

    epoch: int
    filters: np.ndarray
    scale: float
    confusion: np.ndarray | None

    @property
    def class_accuracy(self) -> np.ndarray | None:
        """The share of each class's images that were classified correctly: float64, shape
        ``(10,)``; NaN for a class without images."""
        if self.confusion is None:
            return None
        images = self.confusion.sum(axis=1)
        shares = np.full(len(images), np.nan)
        return np.divide(self.confusion.diagonal(), images, out=shares, where=images > 0)


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The test images that a trained network misclassified with the highest probability, in
    descending order of that probability.

    Args:
        numbers: indices into the test images: int32, shape ``(n,)``.
        images: their pixels: uint8, shape ``(n, 28, 28)``.
        labels: their true classes: uint8, shape ``(n,)``.
        probabilities: the network's output: float32, shape ``(n, 10)``.
    """

    numbers: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class RunResult:
    """The result of a run that trained all its epochs.

    Args:
        mistakes: the most confident mistakes on the test images.
        keras_file: the trained network, see `lrlab.training.keras_file`.
    """

    mistakes: Mistakes
    keras_file: bytes
