"""The networks that a run can train, as data for the trainer and for exported code."""

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
        arguments: argument name -> plain Python value.
    """

    keras_class: str
    arguments: Mapping[str, Value]


@dataclass(frozen=True)
class Network:
    """A network that a run can train; its input is standardised images of shape ``(28, 28)``.

    Args:
        key: its name in code.
        label: the display name.
        help: a sentence for people.
        layers: the layers from the images to the class probabilities.
        slow_steps: a step takes about ten times as long as the MLP's.
        faster_unfused: training is faster without XLA.
    """

    key: str
    label: str
    help: str
    layers: tuple[Layer, ...]
    slow_steps: bool = False
    faster_unfused: bool = False


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
                "The notebook's network: two dense layers with 300 and 100 units and selu.",
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
                "Two convolutions with pooling, then a dense layer: slower but more accurate.",
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
                # XLA's convolutions run on one core and take nine times as long.
                faster_unfused=True,
            ),
        )
    }
)
"""Key -> network."""
