"""A trained network as a `.keras` file: plain Keras, with the same predictions."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from lrlab.datasets.split import Images, load_images
from lrlab.recipes.networks import NETWORKS
from lrlab.training.keras_file import keras_file, trained_weights
from lrlab.training.network_model import network_layers
from tests.training_runs import SAMPLE


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(SAMPLE, 500)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_loaded_file_predicts_as_the_network_did(
    network: str, images: Images, tmp_path: Path
) -> None:
    model = keras.Sequential(network_layers(network, images.table))
    content = keras_file(network, trained_weights(model), images)
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    loaded = keras.saving.load_model(path)
    pixels = images.images[images.test_rows[:100]]
    expected = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(loaded.predict(pixels, verbose=0), expected, rtol=0, atol=1e-5)
    # The file must load without LR Lab.
    config = zipfile.ZipFile(io.BytesIO(content)).read("config.json").decode()
    assert "lrlab" not in config
    assert "Standardise" not in config


def test_weights_of_another_network_are_refused(images: Images) -> None:
    weights = trained_weights(keras.Sequential(network_layers("mlp", images.table)))
    with pytest.raises(ValueError, match="expecting 8 weights"):
        keras_file("cnn", weights, images)
