"""The Keras side of learning-rate schedules: Keras's own, and classes for those it lacks.

A saved optimizer that uses one of these classes can be loaded once this module is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from lrlab.params import lookup
from lrlab.schedules import RAMP, SCHEDULES
from lrlab.schedules.base import LEARNING_RATE

if TYPE_CHECKING:
    from lrlab.recipes.recipe import Recipe

PACKAGE = "lrlab"
"""The name under which Keras finds the classes again when it loads a saved optimizer."""

LearningRateSchedule = keras.optimizers.schedules.LearningRateSchedule


@keras.saving.register_keras_serializable(PACKAGE)
class FormulaSchedule(LearningRateSchedule):
    """A schedule computed by the formula in its description, in float32 as Keras's own.

    Args:
        key: of the schedule in `SCHEDULES`.
        params: its parameters.

    Raises:
        InvalidInput: there is no such schedule.
    """

    def __init__(self, key: str, params: Mapping[str, Any]) -> None:
        self._rate = lookup(SCHEDULES, key, "schedule").rate
        self._key = key
        self._params = dict(params)

    def __call__(self, step: Any) -> Any:
        """The learning rate used by update ``step``, a float32 tensor."""
        return self._rate(keras.ops, _as_float(step), **self._params)

    def get_config(self) -> dict[str, Any]:
        """The arguments, fit for JSON."""
        return {"key": self._key, "params": dict(self._params)}


@keras.saving.register_keras_serializable(PACKAGE)
class RampedSchedule(LearningRateSchedule):
    """Another schedule with a linear warm-up and cool-down around it.

    Args:
        schedule: the schedule within.
        params: those of `RAMP`.
    """

    def __init__(self, schedule: LearningRateSchedule, params: Mapping[str, Any]) -> None:
        self._schedule = schedule
        self._params = dict(params)

    def __call__(self, step: Any) -> Any:
        """The learning rate used by update ``step``, a float32 tensor."""
        return self._schedule(step) * RAMP.rate(keras.ops, _as_float(step), **self._params)

    def get_config(self) -> dict[str, Any]:
        """The arguments, fit for JSON."""
        schedule = keras.optimizers.schedules.serialize(self._schedule)
        return {"schedule": schedule, "params": dict(self._params)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> RampedSchedule:
        """The schedule whose `get_config` this is."""
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["params"])


def keras_learning_rate(recipe: Recipe) -> float | LearningRateSchedule:
    """What Keras's optimizer takes as its ``learning_rate`` for a recipe.

    A plain number where no formula changes it, so that a callback may.
    """
    spec, choice = recipe.schedule_spec, recipe.schedule
    if spec.plain and recipe.ramp is None:
        return choice.params[LEARNING_RATE]
    if spec.keras_class is None:
        schedule = FormulaSchedule(choice.name, choice.params)
    else:
        own = getattr(keras.optimizers.schedules, spec.keras_class)
        schedule = own(**{name: _plain(value) for name, value in choice.values})
    return schedule if recipe.ramp is None else RampedSchedule(schedule, recipe.ramp.params)


def _as_float(step: Any) -> Any:
    return keras.ops.cast(step, "float32")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
