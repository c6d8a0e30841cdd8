"""The networks a run can train, as Keras models that take raw ``uint8`` images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import layers

from lrlab.recipes.networks import NETWORKS, Network

BATCH_LOSS = "batch_loss"
LEARNING_RATE = "learning_rate"
GRADIENT_NORM = "gradient_norm"
UPDATE_RATIO = "update_ratio"
PROBABILITIES = "probabilities"


class Standardise(layers.Layer):
    """Looks every pixel's standardised value up, so that images stay ``uint8`` until then.

    Args:
        table: float32, shape ``(28, 28, 256)``, from
            `lrlab.datasets.split.standardisation_table`.

    Input is uint8 of shape ``(batch, 28, 28)``, output float32 of the same shape.
    """

    def __init__(self, table: np.ndarray) -> None:
        super().__init__(trainable=False)
        rows, columns, values = table.shape
        # A variable: a constant would be copied into every program that TensorFlow makes.
        self._table = self.add_weight((table.size,), initializer="zeros", name="table")
        self._table.assign(table.reshape(-1))
        self._offsets = np.arange(0, table.size, values, dtype=np.int32).reshape(rows, columns)

    def call(self, images: Any) -> Any:
        """The images' standardised pixels."""
        return keras.ops.take(self._table, keras.ops.cast(images, "int32") + self._offsets)


class InstrumentedModel(keras.Sequential):
    """A `keras.Sequential` whose training logs also say what the last update alone did.

    Keras hands callbacks the epoch's running mean of the loss, and by the time a batch has ended
    the optimizer's learning rate is already the next step's. So each training step adds
    `BATCH_LOSS`, the mean loss of this batch before the update, and `LEARNING_RATE`, the rate the
    update used, and leaves the loss's gradients, unclipped, where `take_gradients` finds them. A
    test step adds `PROBABILITIES`, shape ``(batch, 10)``. The steps themselves are Keras's own.
    """

    def compile(self, optimizer: keras.optimizers.Optimizer, **arguments: Any) -> None:
        """Keras's, with an eye on what the optimizer is given to apply."""
        apply = optimizer.apply

        def watched(gradients: Sequence[Any], variables: Sequence[Any] | None = None) -> None:
            self._gradients = list(gradients)
            apply(gradients, variables)

        optimizer.apply = watched
        super().compile(optimizer=optimizer, **arguments)

    def take_gradients(self) -> list[Any]:
        """The gradients of the training step just traced, one for each trainable variable."""
        gradients = self._gradients
        # A traced tensor must not outlive its graph.
        del self._gradients
        return gradients

    def train_step(self, data: Any) -> dict[str, Any]:
        """Keras's training step, with the two entries added to its logs."""
        learning_rate = keras.ops.convert_to_tensor(self.optimizer.learning_rate)
        logs = super().train_step(data)
        batch_loss = self._batch_loss
        del self._batch_loss
        return {**logs, BATCH_LOSS: batch_loss, LEARNING_RATE: learning_rate}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Keras's test step, with `PROBABILITIES` added to its logs."""
        logs = super().test_step(data)
        probabilities = self._probabilities
        del self._probabilities
        return {**logs, PROBABILITIES: probabilities}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Keras's loss; the training step finds it, and the test step the probabilities, where
        this leaves them."""
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
"""What makes the fresh layers of each network of `lrlab.recipes.networks.NETWORKS`, by its key."""


def network_layers(network: str, table: np.ndarray) -> list[Any]:
    """The fresh layers of a network that takes ``uint8`` images.

    The initial weights are those that the network's own layers have in a plain
    ``keras.Sequential`` after the same ``keras.utils.set_random_seed``: the standardising layer
    draws no random number.

    Args:
        network: a key of `LAYER_BUILDERS`.
        table: see `Standardise`.
    """
    inputs = keras.Input(table.shape[:2], dtype="uint8")
    return [inputs, Standardise(table), *LAYER_BUILDERS[network]()]
