"""Learning-rate schedules in Keras: Keras's own classes, and classes for those that Keras lacks.

Import this module before loading a saved optimizer that uses one of its classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

import keras

from lrlab.arrays import Tensor
from lrlab.params import Value, lookup
from lrlab.schedules import SCHEDULES
from lrlab.schedules.base import LEARNING_RATE
from lrlab.schedules.ramp import ramp

if TYPE_CHECKING:
    from lrlab.recipes.recipe import Recipe

PACKAGE = "lrlab"
"""The package name under which Keras registers the classes to load saved optimizers."""


@keras.saving.register_keras_serializable(PACKAGE)
class FormulaSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that evaluates the formula of its description in float32, like Keras's own.

    Args:
        key: the schedule's key in `SCHEDULES`.
        params: its parameters.

    Raises:
        InvalidInput: the key is unknown.
        TypeError: the schedule is reactive and has no formula.
    """

    def __init__(self, key: str, params: Mapping[str, Value]) -> None:
        self._formula = lookup(SCHEDULES, key, "schedule").formula
        self._key = key
        self._params = dict(params)

    def __call__(self, step: Tensor) -> Tensor:
        """The learning rate at ``step``, a float32 tensor."""
        return self._formula(keras.ops, _to_float32(step), **self._params)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments as JSON values."""
        return {"key": self._key, "params": dict(self._params)}


class _RampedConfig(TypedDict):
    schedule: dict[str, object]
    params: dict[str, Value]


@keras.saving.register_keras_serializable(PACKAGE)
class RampedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule with a linear warm-up and cool-down.

    Args:
        schedule: the other schedule.
        params: the parameters of `RAMP`.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, params: Mapping[str, Value]
    ) -> None:
        self._schedule = schedule
        self._params = dict(params)

    def __call__(self, step: Tensor) -> Tensor:
        """The learning rate at ``step``, a float32 tensor."""
        return self._schedule(step) * ramp(keras.ops, _to_float32(step), **self._params)

    def get_config(self) -> _RampedConfig:
        """The constructor's arguments as JSON values."""
        schedule = keras.optimizers.schedules.serialize(self._schedule)
        return {"schedule": schedule, "params": dict(self._params)}

    @classmethod
    def from_config(cls, config: _RampedConfig) -> RampedSchedule:
        """The schedule from the result of `get_config`."""
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["params"])


def keras_learning_rate(
    recipe: Recipe,
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The ``learning_rate`` argument of the recipe's Keras optimizer.

    It is a plain number if no formula changes it, so that a callback can set it.
    """
    spec, choice = recipe.schedule_spec, recipe.schedule
    if spec.plain and recipe.ramp is None:
        return choice.number(LEARNING_RATE)
    if spec.keras_class is None:
        schedule = FormulaSchedule(choice.name, choice.params)
    else:
        keras_class = getattr(keras.optimizers.schedules, spec.keras_class)
        schedule = keras_class(**choice.json_values)
    return schedule if recipe.ramp is None else RampedSchedule(schedule, recipe.ramp.params)


def _to_float32(step: Tensor) -> Tensor:
    return keras.ops.cast(step, "float32")
