"""A recipe as a Keras optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from lrlab.keras.schedules import keras_learning_rate

if TYPE_CHECKING:
    from lrlab.recipes.recipe import Recipe


def keras_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """A fresh Keras optimizer with a recipe's hyperparameters and learning rate."""
    spec = recipe.optimizer_spec
    arguments = dict(recipe.optimizer.values) | dict(spec.fixed)
    optimizer = getattr(keras.optimizers, spec.keras_class)
    return optimizer(learning_rate=keras_learning_rate(recipe), **arguments)
