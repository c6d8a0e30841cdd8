"""A trained network as a ``.keras`` file that loads without LR Lab."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from lrlab.datasets.split import Images
from lrlab.training.network_model import LAYER_BUILDERS


def keras_file(network: str, weights: Sequence[np.ndarray], images: Images) -> bytes:
    """The content of a ``.keras`` file of a trained network.

    The model it holds takes images of shape ``(batch, 28, 28)`` with pixels from 0 to 255, any
    number type, scales them itself (`keras.layers.Normalization`) and gives the probabilities of
    the ten classes. It is of Keras's own layers alone, and not compiled: it predicts, and trains on
    once it is compiled again.

    Args:
        network: a key of `lrlab.recipes.networks.NETWORKS`.
        weights: of its layers, in their order, as `trained_weights` gives them.
        images: what it was trained on.

    Raises:
        ValueError: the weights are not those of the network.
    """
    model = keras.Sequential(
        [
            keras.Input(images.mean.shape),
            keras.layers.Normalization(axis=(1, 2), mean=images.mean, variance=images.deviation**2),
            *LAYER_BUILDERS[network](),
        ]
    )
    model.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def trained_weights(model: keras.Sequential) -> list[np.ndarray]:
    """The weights of a network of `lrlab.training.network_model.network_layers`, without the table of its
    first layer, which is not trained."""
    return [np.asarray(weight) for weight in model.trainable_variables]
