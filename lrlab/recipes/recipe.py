"""The recipe: an optimizer and a learning-rate schedule with all their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from lrlab.keras.code import keras_code
from lrlab.optimizers import OPTIMIZERS
from lrlab.optimizers.base import SHARED_NAMES, Optimizer
from lrlab.params import InvalidInput, Json, Value, check_all, lookup, number_of, shown
from lrlab.schedules import RAMP, SCHEDULES, Schedule
from lrlab.schedules.base import LEARNING_RATE, rate_param
from lrlab.schedules.ramp import ramp

if TYPE_CHECKING:
    import keras


MONITOR = "val_loss"
"""Keras's name of the metric that a reactive schedule monitors."""


@dataclass(frozen=True)
class Choice:
    """A chosen optimizer or schedule: its key and the value of every parameter."""

    name: str
    values: tuple[tuple[str, Value], ...]

    @property
    def params(self) -> Mapping[str, Value]:
        """Parameter name -> value, in the order of the optimizer's or schedule's description."""
        return MappingProxyType(dict(self.values))

    def number(self, name: str) -> float:
        """The value of a parameter that must be a number.

        Raises:
            TypeError: the value is not a number, for example ``None``.
        """
        return number_of(self.params, name)

    @property
    def json_values(self) -> dict[str, Json]:
        """Parameter name -> value, with lists for tuples."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.values
        }

    def to_dict(self) -> dict[str, Json]:
        """``{"name": ..., parameter: value, ...}`` with JSON values."""
        return {"name": self.name, **self.json_values}


PEAK_RATE = rate_param(LEARNING_RATE, 1e-3, "The largest learning rate of a run.")


@dataclass(frozen=True)
class Recipe:
    """An immutable, validated recipe. Create it with `Recipe.from_dict`.

    The learning-rate curve, the trajectory on a test function and the training run all use it, so
    they always agree.

    Args:
        optimizer: the chosen optimizer.
        schedule: the chosen schedule.
        ramp: the warm-up and cool-down; ``None`` if there is neither.
    """

    optimizer: Choice
    schedule: Choice
    ramp: Choice | None = None

    @classmethod
    def from_dict(cls, data: object) -> Recipe:
        """Validates a mapping like the result of `to_dict`; missing values take their defaults.

        Args:
            data: ``{"optimizer": {"name": key, ...}, "schedule": {"name": key, ...}}``. Without
                a schedule the learning rate is constant at Keras's default for the optimizer.
                ``"ramp": {"warmup_steps": n, "cooldown_steps": k, "cooldown_end": step}`` adds a
                linear warm-up and cool-down to the schedule.

        Raises:
            InvalidInput: an unknown name, or a value of the wrong type or out of range.
        """
        parts = _check_mapping(data, "a recipe")
        _check_entries(parts, ("optimizer", "schedule", "ramp"), "A recipe")
        if "optimizer" not in parts:
            raise InvalidInput(
                'A recipe needs an "optimizer", such as {"optimizer": {"name": "adam"}}.'
            )
        entries = dict(_check_mapping(parts["optimizer"], "optimizer"))
        optimizer = lookup(OPTIMIZERS, entries.pop("name", None), "optimizer")
        hyper = check_all(optimizer.all_params, entries, f"optimizer {optimizer.key}")
        entries = dict(_check_mapping(parts.get("schedule", {"name": "constant"}), "schedule"))
        schedule = lookup(SCHEDULES, entries.pop("name", None), "schedule")
        if schedule.plain:
            entries = {LEARNING_RATE: optimizer.learning_rate} | entries
        schedule_values = check_all(schedule.params, entries, f"schedule {schedule.key}")
        ramp_values = check_all(
            RAMP.params, _check_mapping(parts.get("ramp", {}), "ramp"), RAMP.key
        )
        return cls.of(optimizer, hyper, schedule, schedule_values, ramp_values)

    @classmethod
    def of(
        cls,
        optimizer: Optimizer,
        hyper: Mapping[str, Value],
        schedule: Schedule,
        schedule_values: Mapping[str, Value],
        ramp_values: Mapping[str, Value],
    ) -> Recipe:
        """A recipe from individually checked values; checks only their combination.

        Args:
            optimizer, schedule: the descriptions.
            hyper: every parameter of the optimizer, checked by `Param.check` or `Param.parse`.
            schedule_values: likewise for the schedule.
            ramp_values: likewise for `RAMP`.

        Raises:
            InvalidInput: the values are not allowed in combination.
        """
        if hyper["clipnorm"] is not None and hyper["clipvalue"] is not None:
            raise InvalidInput(
                f"optimizer {optimizer.key}: clipnorm = {hyper['clipnorm']:g} and clipvalue = "
                f"{hyper['clipvalue']:g} are both set. Keras allows only one of them: "
                "turn the other off."
            )
        schedule.check(schedule_values)
        return cls(
            Choice(optimizer.key, tuple(hyper.items())),
            Choice(schedule.key, tuple(schedule_values.items())),
            _ramp_choice(ramp_values, schedule),
        )

    def to_dict(self) -> dict[str, dict[str, Json]]:
        """The mapping for `from_dict`, with every parameter, as JSON values."""
        data = {"optimizer": self.optimizer.to_dict(), "schedule": self.schedule.to_dict()}
        if self.ramp:
            data["ramp"] = self.ramp.json_values
        return data

    @property
    def optimizer_spec(self) -> Optimizer:
        """The description of the optimizer."""
        return OPTIMIZERS[self.optimizer.name]

    @property
    def schedule_spec(self) -> Schedule:
        """The description of the schedule."""
        return SCHEDULES[self.schedule.name]

    @property
    def hyper(self) -> dict[str, Value]:
        """The hyperparameters of the update rule, without weight decay and clipping."""
        excluded = {*SHARED_NAMES, self.optimizer_spec.decay_param}
        return {name: value for name, value in self.optimizer.values if name not in excluded}

    @property
    def shared(self) -> dict[str, Value]:
        """The values of `SHARED_PARAMS`: weight decay (of a vector) and gradient clipping."""
        params = self.optimizer.params
        shared = {name: params[name] for name in SHARED_NAMES}
        return shared | {"weight_decay": params[self.optimizer_spec.decay_param]}

    @property
    def label(self) -> str:
        """A short name for lists and legends: ``Nadam, exponential decay, warm-up``.

        A constant schedule shows only its learning rate: ``Adam, 0.001``.
        """
        schedule = self.schedule_spec
        parts = [self.optimizer_spec.label, schedule.label[0].lower() + schedule.label[1:]]
        if schedule.key == "constant":
            parts[1] = f"{self.schedule.params[LEARNING_RATE]:g}"
        if self.ramp:
            ramp_parts = {"warm-up": "warmup_steps", "cool-down": "cooldown_steps"}
            parts += [part for part, steps in ramp_parts.items() if self.ramp.params[steps]]
        return ", ".join(parts)

    def learning_rates(self, steps: int) -> np.ndarray:
        """The learning rate at steps 0, 1, ..., ``steps - 1``.

        Args:
            steps: the number of steps, 0 or more.

        Returns:
            float64, shape ``(steps,)``.

        Raises:
            InvalidInput: ``steps`` is not a whole number from 0 to 10,000,000, or the schedule
                is reactive.
        """
        return self.learning_rates_at(np.arange(check_steps(steps, low=0)))

    def learning_rates_at(self, steps: np.ndarray) -> np.ndarray:
        """The learning rate at each of ``steps``; float64, in the shape of ``steps``.

        Raises:
            InvalidInput: the schedule is reactive.
        """
        rate = self.schedule_spec.rate
        if rate is None:
            raise InvalidInput(
                f"schedule {self.schedule.name} sets the learning rate from the validation loss, "
                "so it cannot be drawn ahead of training. Train a network to see the learning "
                "rates."
            )
        t = np.asarray(steps, np.float64)
        rates = rate(np, t, **self.schedule.params)
        if self.ramp:
            rates = rates * ramp(np, t, **self.ramp.params)
        return np.asarray(rates, np.float64)

    def peak(self, steps: int) -> float:
        """The largest learning rate of a run of ``steps`` steps.

        For a reactive schedule, it is the initial learning rate.

        Raises:
            InvalidInput: ``steps`` is not a whole number from 1 to 10,000,000.
        """
        check_steps(steps)
        if self.schedule_spec.reactive:
            return self.schedule.number(LEARNING_RATE)
        return float(self.learning_rates(steps).max())

    def with_peak(self, rate: float, steps: int) -> Recipe:
        """A copy with the schedule scaled so that its peak over ``steps`` steps is ``rate``.

        All learning rates of the schedule are scaled by the same factor, so the curve keeps its
        shape. A reactive schedule starts at ``rate``.

        Raises:
            InvalidInput: the learning rate is 0 at every step, or ``rate`` or ``steps`` is not
                allowed.
        """
        rate = PEAK_RATE.check_number(rate, "recipe")
        peak = self.peak(steps)
        if peak == 0:
            raise InvalidInput(
                f"The learning rate is 0 at all {steps:,} steps, so it cannot be scaled."
            )
        rate_names = {param.name for param in self.schedule_spec.params if param.rate}
        data = self.to_dict()
        for name, value in self.schedule.values:
            if name in rate_names and value is not None:
                rates = [rate * (item / peak) for item in np.atleast_1d(value).tolist()]
                data["schedule"][name] = rates if isinstance(value, tuple) else rates[0]
        return Recipe.from_dict(data)

    def keras_optimizer(self) -> keras.optimizers.Optimizer:
        """A new Keras optimizer with this recipe's values. Imports Keras when called."""
        from lrlab.keras.optimizers import keras_optimizer

        return keras_optimizer(self)

    def keras_callbacks(self) -> list[keras.callbacks.Callback]:
        """New Keras callbacks that ``model.fit`` needs for this recipe.

        The list is empty unless the schedule is reactive. Imports Keras when called.
        """
        from lrlab.keras.callbacks import keras_callbacks

        return keras_callbacks(self)

    @property
    def callback_arguments(self) -> dict[str, Value]:
        """The arguments of a reactive schedule's Keras callback."""
        arguments = {name: value for name, value in self.schedule.values if name != LEARNING_RATE}
        return {"monitor": MONITOR} | arguments

    def keras_code(self) -> str:
        """Python code that builds the same Keras optimizer without LR Lab.

        For a schedule that Keras lacks, it defines the formula and a class that Keras can save.
        """
        return keras_code(self)


def _ramp_choice(values: Mapping[str, Value], schedule: Schedule) -> Choice | None:
    if not (values["warmup_steps"] or values["cooldown_steps"]):
        return None
    if schedule.reactive:
        raise InvalidInput(
            f"A ramp (warm-up and cool-down) cannot be combined with schedule {schedule.key}, "
            f"because Keras's {schedule.callback} sets the learning rate. Remove the ramp."
        )
    RAMP.check(values)
    return Choice(RAMP.key, tuple(values.items()))


def check_steps(steps: object, low: int = 1, high: int = 10_000_000) -> int:
    """Checks a number of steps and returns it as an ``int``.

    Raises:
        InvalidInput: ``steps`` is not a whole number from ``low`` to ``high``.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        raise InvalidInput(f"steps = {shown(steps)} is not allowed. It must be a whole number.")
    if not low <= steps <= high:
        raise InvalidInput(f"steps = {steps} is not allowed. It must be from {low} to {high}.")
    return int(steps)


def _check_mapping(value: object, what: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    if what == "a recipe":
        raise InvalidInput(
            f"A recipe must be a mapping with an optimizer and a schedule, not {shown(value)}."
        )
    example = '{"warmup_steps": 100}' if what == "ramp" else '{"name": "adam"}'
    raise InvalidInput(
        f"{what} = {shown(value)} is not allowed. It must be a mapping, such as {example}."
    )


def _check_entries(data: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    for name in data:
        if name not in known:
            raise InvalidInput(f"{what} has no entry {shown(name)}. It has: {', '.join(known)}.")
