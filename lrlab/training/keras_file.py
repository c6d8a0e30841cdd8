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

    The saved model takes images of shape ``(batch, 28, 28)`` with pixels from 0 to 255 in any
    number type, scales them itself (`keras.layers.Normalization`) and returns the probabilities of
    the ten classes. It consists of Keras's own layers and is not compiled: it can predict, and can
    train further once compiled.

    Args:
        network: a key of `lrlab.recipes.networks.NETWORKS`.
        weights: its layers' weights in order, as from `trained_weights`.
        images: the images it was trained on.

    Raises:
        ValueError: the weights do not fit the network.
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
    """The weights of a network from `lrlab.training.network_model.network_layers`, without the
    lookup table of its first layer, which is not trained."""
    return [np.asarray(weight) for weight in model.trainable_variables]
