"""The Keras callbacks that a recipe needs for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from lrlab.recipes.recipe import Recipe


def keras_callbacks(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """New callbacks for ``model.fit``: one for a reactive schedule, none for other schedules."""
    callback = recipe.schedule_spec.callback
    if callback is None:
        return []
    return [getattr(keras.callbacks, callback)(**recipe.callback_arguments)]
