"""What the network learned: watched while Keras validates and tests, at no extra pass through it.

The confusion matrix is TensorFlow's: scikit-learn's gives the same numbers, but the library would
cost a worker some 100 MB (see `lrlab.training.memory`).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.datasets.split import Images
from lrlab.training.measurements import EpochSnapshot, Mistakes
from lrlab.training.network_model import PROBABILITIES
from lrlab.training.recorder import Sink

FILTERS = 16
"""Units of the first layer whose weights are shown; the small CNN has as many."""

MOST_MISTAKES = 24
"""Wrong test images that are kept."""


class SnapshotCallback(keras.callbacks.Callback):
    """Reports to a sink what a `BlockModel` has learned as each epoch ends, and before the first.

    Args:
        sink: where to report to.
        images: what it trains, validates and is tested on.
        epochs: how many are done before it begins.
    """

    def __init__(self, sink: Sink, images: Images, epochs: int) -> None:
        super().__init__()
        self._sink = sink
        self._images = images
        self._epochs = epochs
        self._seen: list[np.ndarray] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Reports where the weights start."""
        if self._epochs == 0:
            self._report(0, None)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts a validation or the test."""
        self._seen = []

    def on_test_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """Takes in what the network says to some images."""
        self._seen.append(logs[PROBABILITIES])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports the epoch."""
        labels = self._images.labels[self._images.validation_rows]
        predicted = np.concatenate(self._seen).argmax(axis=1)
        confusion = tf.math.confusion_matrix(
            labels, predicted, FASHION_MNIST.classes, dtype=tf.int64
        )
        self._report(epoch + 1, np.asarray(confusion))

    def mistakes(self) -> Mistakes:
        """The surest mistakes of the test that was made last."""
        return surest_mistakes(np.concatenate(self._seen), self._images)

    def _report(self, epoch: int, confusion: np.ndarray | None) -> None:
        weights = np.array(self.model.trainable_variables[0].value)
        self._sink.learned(EpochSnapshot(epoch, *weights_as_images(weights), confusion))


def surest_mistakes(probabilities: np.ndarray, images: Images) -> Mistakes:
    """The test images that were taken for a wrong class, the most probable first.

    Args:
        probabilities: what the network says to each test image: shape ``(n, 10)``.
        images: those of the run.
    """
    labels = images.labels[images.test_rows]
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    sureness = probabilities[wrong].max(axis=1)
    numbers = wrong[np.argsort(-sureness, kind="stable")[:MOST_MISTAKES]].astype(np.int32)
    return Mistakes(
        numbers,
        images.images[images.test_rows[numbers]],
        labels[numbers],
        probabilities[numbers].astype(np.float32),
    )


def weights_as_images(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights into the first `FILTERS` units of a layer as images, and their scale.

    Args:
        weights: of a dense layer that sees all pixels, shape ``(pixels, units)``, or of a
            convolution of a grey image, shape ``(rows, columns, 1, units)``.

    Returns:
        As in `lrlab.training.measurements.Learned`.
    """
    some = np.nan_to_num(weights[..., :FILTERS])
    side = weights.shape[0] if weights.ndim == 4 else round(weights.shape[0] ** 0.5)
    scale = float(np.abs(some).max())
    levels = np.rint(some / (scale or 1) * 127 + 128).astype(np.uint8)
    return np.moveaxis(levels.reshape(side, side, -1), -1, 0), scale
