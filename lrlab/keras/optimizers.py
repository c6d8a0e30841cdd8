"""Builds the Keras optimizer of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from lrlab.keras.schedules import keras_learning_rate

if TYPE_CHECKING:
    from lrlab.recipes.recipe import Recipe


def keras_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """A new Keras optimizer with the recipe's hyperparameters and learning rate."""
    spec = recipe.optimizer_spec
    arguments = dict(recipe.optimizer.values) | dict(spec.fixed)
    keras_class = getattr(keras.optimizers, spec.keras_class)
    return keras_class(learning_rate=keras_learning_rate(recipe), **arguments)
