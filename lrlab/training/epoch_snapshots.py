"""Epoch snapshots and mistakes, taken while Keras validates and tests, without extra predictions.

The confusion matrix is TensorFlow's: scikit-learn's has the same numbers, but importing it would
cost a worker some 100 MB (see `lrlab.training.memory`).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.datasets.split import Images
from lrlab.training.measurements import EpochSnapshot, Mistakes
from lrlab.training.network_model import PROBABILITIES
from lrlab.training.recorder import Sink

FILTERS = 16
"""The number of first-layer units whose weights are shown; the small CNN has exactly this many."""

MAX_MISTAKES = 24
"""The most misclassified test images to keep."""


class SnapshotCallback(keras.callbacks.Callback):
    """Reports an `EpochSnapshot` of a `BlockModel` before the first epoch and after each epoch.

    Args:
        sink: where to report.
        images: the images of the run.
        epochs: epochs finished before this training starts.
    """

    def __init__(self, sink: Sink, images: Images, epochs: int) -> None:
        super().__init__()
        self._sink = sink
        self._images = images
        self._epochs = epochs
        self._probabilities: list[np.ndarray] = []

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Reports the initial weights."""
        if self._epochs == 0:
            self._report(0, None)

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Starts a validation or the test."""
        self._probabilities = []

    def on_test_batch_end(self, batch: int, logs: Mapping[str, np.ndarray]) -> None:
        """Collects the network's probabilities for a batch of images."""
        self._probabilities.append(logs[PROBABILITIES])

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Reports the epoch's snapshot."""
        labels = self._images.labels[self._images.validation_rows]
        predicted = np.concatenate(self._probabilities).argmax(axis=1)
        confusion = tf.math.confusion_matrix(
            labels, predicted, FASHION_MNIST.classes, dtype=tf.int64
        )
        self._report(epoch + 1, np.asarray(confusion))

    def mistakes(self) -> Mistakes:
        """The most confident mistakes in the latest test."""
        return surest_mistakes(np.concatenate(self._probabilities), self._images)

    def _report(self, epoch: int, confusion: np.ndarray | None) -> None:
        weights = np.array(self.model.trainable_variables[0].value)
        self._sink.snapshot(EpochSnapshot(epoch, *weights_as_images(weights), confusion))


def surest_mistakes(probabilities: np.ndarray, images: Images) -> Mistakes:
    """The misclassified test images, those with the highest predicted probability first.

    Args:
        probabilities: the network's output for each test image: shape ``(n, 10)``.
        images: the images of the run.
    """
    labels = images.labels[images.test_rows]
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    confidence = probabilities[wrong].max(axis=1)
    numbers = wrong[np.argsort(-confidence, kind="stable")[:MAX_MISTAKES]].astype(np.int32)
    return Mistakes(
        numbers,
        images.images[images.test_rows[numbers]],
        labels[numbers],
        probabilities[numbers].astype(np.float32),
    )


def weights_as_images(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights into the first `FILTERS` units of a layer as images, and their scale.

    Args:
        weights: of a dense layer whose inputs are all pixels, shape ``(pixels, units)``, or of a
            convolution of a grey image, shape ``(rows, columns, 1, units)``.

    Returns:
        ``filters`` and ``scale`` as in `lrlab.training.measurements.EpochSnapshot`.
    """
    shown = np.nan_to_num(weights[..., :FILTERS])
    side = weights.shape[0] if weights.ndim == 4 else round(weights.shape[0] ** 0.5)
    scale = float(np.abs(shown).max())
    levels = np.rint(shown / (scale or 1) * 127 + 128).astype(np.uint8)
    return np.moveaxis(levels.reshape(side, side, -1), -1, 0), scale
