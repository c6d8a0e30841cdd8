"""The networks a run can train, as data: training builds them, exported code writes them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.params import Value


@dataclass(frozen=True)
class Layer:
    """A layer of a network.

    Args:
        keras_class: the class in ``keras.layers``.
        arguments: name -> value, all of plain Python.
    """

    keras_class: str
    arguments: Mapping[str, Value]


@dataclass(frozen=True)
class Network:
    """A network a run can train. It takes standardised images of shape ``(28, 28)``.

    Args:
        key, label, help: how it is called.
        layers: from the images to the probabilities of the classes.
        slow_steps: a step takes some ten times as long as the MLP's.
        unfused_because: why training without XLA is faster; empty where it is not.
    """

    key: str
    label: str
    help: str
    layers: tuple[Layer, ...]
    slow_steps: bool = False
    unfused_because: str = ""


def _layer(keras_class: str, **arguments: Value) -> Layer:
    return Layer(keras_class, MappingProxyType(arguments))


def _dense(units: int, activation: str, initializer: str) -> Layer:
    return _layer("Dense", units=units, activation=activation, kernel_initializer=initializer)


def _convolution(filters: int) -> Layer:
    return _layer(
        "Conv2D",
        filters=filters,
        kernel_size=3,
        activation="relu",
        kernel_initializer="he_normal",
    )


_PROBABILITIES = _layer("Dense", units=FASHION_MNIST.classes, activation="softmax")

NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        network.key: network
        for network in (
            Network(
                "mlp",
                "MLP 300-100 (selu)",
                "The notebook's network: two dense layers of 300 and 100 units, selu.",
                (
                    _layer("Flatten"),
                    _dense(300, "selu", "lecun_normal"),
                    _dense(100, "selu", "lecun_normal"),
                    _PROBABILITIES,
                ),
            ),
            Network(
                "cnn",
                "Small CNN",
                "Two convolutions with pooling, then a dense layer: slower and more accurate.",
                (
                    _layer("Reshape", target_shape=(*FASHION_MNIST.image_shape, 1)),
                    _convolution(16),
                    _layer("MaxPooling2D"),
                    _convolution(32),
                    _layer("MaxPooling2D"),
                    _layer("Flatten"),
                    _dense(64, "relu", "he_normal"),
                    _PROBABILITIES,
                ),
                slow_steps=True,
                unfused_because="XLA's convolutions run on one core and take nine times as long",
            ),
        )
    }
)
"""Each network by its key."""
