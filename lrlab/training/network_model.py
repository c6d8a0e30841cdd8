"""The networks a run can train, as Keras models that take raw ``uint8`` images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import keras
import numpy as np
from keras import layers

from lrlab.arrays import Tensor
from lrlab.recipes.networks import NETWORKS, Network
from lrlab.training.keras_internals import record_gradients

BATCH_LOSS = "batch_loss"
LEARNING_RATE = "learning_rate"
GRADIENT_NORM = "gradient_norm"
UPDATE_RATIO = "update_ratio"
PROBABILITIES = "probabilities"


class Standardise(layers.Layer):
    """Looks up the standardised value of every pixel, so that images stay ``uint8`` until then.

    The input is uint8 of shape ``(batch, 28, 28)``, the output float32 of the same shape.

    Args:
        table: float32, shape ``(28, 28, 256)``, from
            `lrlab.datasets.split.standardisation_table`.
    """

    def __init__(self, table: np.ndarray) -> None:
        super().__init__(trainable=False)
        rows, columns, values = table.shape
        # A variable, because a constant would be copied into every program.
        self._table = self.add_weight((table.size,), initializer="zeros", name="table")
        self._table.assign(table.reshape(-1))
        self._offsets = np.arange(0, table.size, values, dtype=np.int32).reshape(rows, columns)

    def call(self, images: Tensor) -> Tensor:
        """The standardised pixels of the images."""
        return keras.ops.take(self._table, keras.ops.cast(images, "int32") + self._offsets)


class InstrumentedModel(keras.Sequential):
    """A `keras.Sequential` whose logs also describe the latest step alone.

    Keras passes callbacks the epoch's running mean of the loss, and when a batch has ended the
    optimizer's learning rate is already that of the next step. So each training step adds
    `BATCH_LOSS`, the mean loss of this batch before the update, and `LEARNING_RATE`, the learning
    rate of the update, to its logs, and keeps the loss's gradients, before clipping, for
    `take_gradients`. A test step adds `PROBABILITIES`, shape ``(batch, 10)``. The steps themselves
    are Keras's own.
    """

    def compile(self, optimizer: keras.optimizers.Optimizer, **arguments: object) -> None:
        """As Keras's ``compile``; it also records the gradients passed to the optimizer."""
        record_gradients(optimizer, self._record)
        super().compile(optimizer=optimizer, **arguments)

    def _record(self, gradients: Sequence[Tensor]) -> None:
        self._gradients = list(gradients)

    def take_gradients(self) -> list[Tensor]:
        """The gradients of the training step just traced, one for each trainable variable."""
        gradients = self._gradients
        # A traced tensor must not outlive its graph.
        del self._gradients
        return gradients

    def train_step(self, data: Tensor) -> dict[str, Tensor]:
        """Keras's training step, with `BATCH_LOSS` and `LEARNING_RATE` added to its logs."""
        learning_rate = keras.ops.convert_to_tensor(self.optimizer.learning_rate)
        logs = super().train_step(data)
        batch_loss = self._batch_loss
        del self._batch_loss
        return {**logs, BATCH_LOSS: batch_loss, LEARNING_RATE: learning_rate}

    def test_step(self, data: Tensor) -> dict[str, Tensor]:
        """Keras's test step, with `PROBABILITIES` added to its logs."""
        logs = super().test_step(data)
        probabilities = self._probabilities
        del self._probabilities
        return {**logs, PROBABILITIES: probabilities}

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Keras's loss; it is recorded for `train_step`, or ``y_pred`` for `test_step`."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training:
            self._batch_loss = loss
        else:
            self._probabilities = y_pred
        return loss


def _build(network: Network) -> list[layers.Layer]:
    return [getattr(layers, layer.keras_class)(**layer.arguments) for layer in network.layers]


LAYER_BUILDERS: Mapping[str, Callable[[], list[layers.Layer]]] = MappingProxyType(
    {key: partial(_build, network) for key, network in NETWORKS.items()}
)
"""Key of `lrlab.recipes.networks.NETWORKS` -> function that builds fresh layers."""


def network_layers(network: str, table: np.ndarray) -> list[layers.Layer]:
    """Fresh layers of a network that takes ``uint8`` images.

    After the same ``keras.utils.set_random_seed``, the initial weights are those of a plain
    ``keras.Sequential`` of the network's own layers: the standardising layer draws no random
    number.

    Args:
        network: a key of `LAYER_BUILDERS`.
        table: see `Standardise`.
    """
    inputs = keras.Input(table.shape[:2], dtype="uint8")
    return [inputs, Standardise(table), *LAYER_BUILDERS[network]()]
