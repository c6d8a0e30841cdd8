"""The recipe: an optimizer with its hyperparameters and a learning-rate schedule with its own."""

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
"""What a reactive schedule watches, as Keras names it."""


@dataclass(frozen=True)
class Choice:
    """A picked optimizer or schedule: its key, and every parameter with its value."""

    name: str
    values: tuple[tuple[str, Value], ...]

    @property
    def params(self) -> Mapping[str, Value]:
        """Parameter name -> value, in the order of the description."""
        return MappingProxyType(dict(self.values))

    def number(self, name: str) -> float:
        """The value of a parameter that is a number and is in use.

        Raises:
            TypeError: it is something else.
        """
        return number_of(self.params, name)

    def to_dict(self) -> dict[str, Json]:
        """``{"name": ..., parameter: value, ...}``, fit for JSON."""
        values: dict[str, Json] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.values
        }
        return {"name": self.name} | values


PEAK = rate_param(LEARNING_RATE, 1e-3, "The largest learning rate of a run.")


@dataclass(frozen=True)
class Recipe:
    """One immutable, validated recipe. Make it with `Recipe.from_dict`.

    It drives the learning-rate curve, the path on a test function and the training run, so the
    three never disagree.

    Args:
        optimizer, schedule: what was picked.
        ramp: the warm-up and cool-down around the schedule; ``None`` where there is neither.
    """

    optimizer: Choice
    schedule: Choice
    ramp: Choice | None = None

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> Recipe:
        """Validate a mapping such as the one `to_dict` gives; what is omitted takes its default.

        Args:
            given: ``{"optimizer": {"name": key, ...}, "schedule": {"name": key, ...}}``. Without
                a schedule the learning rate is constant at Keras's default for the optimizer.
                ``"ramp": {"warmup_steps": n, "cooldown_steps": k, "cooldown_end": step}`` puts a
                linear warm-up and cool-down around the schedule.

        Raises:
            InvalidInput: an unknown name, or a value of the wrong type or out of range.
        """
        given = _mapping(given, "a recipe")
        _refuse_unknown(given, ("optimizer", "schedule", "ramp"), "A recipe")
        if "optimizer" not in given:
            raise InvalidInput(
                'A recipe needs an "optimizer", such as {"optimizer": {"name": "adam"}}.'
            )
        chosen = dict(_mapping(given["optimizer"], "optimizer"))
        optimizer = lookup(OPTIMIZERS, chosen.pop("name", None), "optimizer")
        hyper = check_all(optimizer.all_params, chosen, f"optimizer {optimizer.key}")
        chosen = dict(_mapping(given.get("schedule", {"name": "constant"}), "schedule"))
        schedule = lookup(SCHEDULES, chosen.pop("name", None), "schedule")
        if schedule.plain:
            chosen = {LEARNING_RATE: optimizer.learning_rate} | chosen
        rates = check_all(schedule.params, chosen, f"schedule {schedule.key}")
        around = check_all(RAMP.params, _mapping(given.get("ramp", {}), "ramp"), RAMP.key)
        return cls.of(optimizer, hyper, schedule, rates, around)

    @classmethod
    def of(
        cls,
        optimizer: Optimizer,
        hyper: Mapping[str, Value],
        schedule: Schedule,
        rates: Mapping[str, Value],
        around: Mapping[str, Value],
    ) -> Recipe:
        """A recipe of values that are each checked already; here they are checked together.

        Args:
            optimizer, schedule: the descriptions of what was picked.
            hyper, rates, around: every parameter of the optimizer, the schedule and `RAMP`, each as
                `Param.check` or `Param.parse` gives it.

        Raises:
            InvalidInput: values that are not allowed together.
        """
        if hyper["clipnorm"] is not None and hyper["clipvalue"] is not None:
            raise InvalidInput(
                f"optimizer {optimizer.key}: clipnorm = {hyper['clipnorm']:g} and clipvalue = "
                f"{hyper['clipvalue']:g} are both set. Keras allows one of them: clear the other."
            )
        schedule.check(rates)
        return cls(
            Choice(optimizer.key, tuple(hyper.items())),
            Choice(schedule.key, tuple(rates.items())),
            _ramp(around, schedule),
        )

    def to_dict(self) -> dict[str, dict[str, Json]]:
        """The mapping that `from_dict` takes, every parameter filled in; fit for JSON."""
        data = {"optimizer": self.optimizer.to_dict(), "schedule": self.schedule.to_dict()}
        if self.ramp:
            data["ramp"] = {
                name: value for name, value in self.ramp.to_dict().items() if name != "name"
            }
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
        """The hyperparameters of the update rule alone, without decay and clipping."""
        apart = {*SHARED_NAMES, self.optimizer_spec.decay_param}
        return {name: value for name, value in self.optimizer.values if name not in apart}

    @property
    def shared(self) -> dict[str, Value]:
        """Weight decay (of a vector) and gradient clipping, which all Keras optimizers share."""
        params = self.optimizer.params
        shared = {name: params[name] for name in SHARED_NAMES}
        return shared | {"weight_decay": params[self.optimizer_spec.decay_param]}

    @property
    def label(self) -> str:
        """A short name for lists and legends: ``Nadam, exponential decay, warm-up``."""
        schedule = self.schedule_spec
        parts = [self.optimizer_spec.label, schedule.label[0].lower() + schedule.label[1:]]
        if schedule.key == "constant":
            parts[1] = f"{self.schedule.params[LEARNING_RATE]:g}"
        if self.ramp:
            named = {"warm-up": "warmup_steps", "cool-down": "cooldown_steps"}
            parts += [name for name, steps in named.items() if self.ramp.params[steps]]
        return ", ".join(parts)

    def learning_rates(self, steps: int) -> np.ndarray:
        """The learning rate used by update 0, 1, ..., ``steps - 1``.

        Args:
            steps: how many, 0 or more.

        Returns:
            float64, shape ``(steps,)``.

        Raises:
            InvalidInput: ``steps`` is not a whole number of 0 or more, or the schedule is
                reactive.
        """
        return self.learning_rates_at(np.arange(check_steps(steps, low=0)))

    def learning_rates_at(self, steps: np.ndarray) -> np.ndarray:
        """The learning rate used by each of the given updates; float64, shape of ``steps``.

        Raises:
            InvalidInput: the schedule is reactive.
        """
        rate = self.schedule_spec.rate
        if rate is None:
            raise InvalidInput(
                f"schedule {self.schedule.name} changes the learning rate by what the training "
                "measures, so it cannot be drawn ahead. Train it to see the rates it uses."
            )
        t = np.asarray(steps, np.float64)
        rates = rate(np, t, **self.schedule.params)
        if self.ramp:
            rates = rates * ramp(np, t, **self.ramp.params)
        return np.asarray(rates, np.float64)

    def peak(self, steps: int) -> float:
        """The largest learning rate of a run of ``steps`` steps, as far as it is known ahead: a
        reactive schedule's is the one it starts with.

        Raises:
            InvalidInput: ``steps`` is not a whole number of 1 or more.
        """
        check_steps(steps)
        if self.schedule_spec.reactive:
            return self.schedule.number(LEARNING_RATE)
        return float(self.learning_rates(steps).max())

    def with_peak(self, rate: float, steps: int) -> Recipe:
        """This recipe with all rates of its schedule scaled, so that the largest of the first
        ``steps`` learning rates is ``rate``; the curve keeps its shape. A reactive schedule
        starts with ``rate``.

        Raises:
            InvalidInput: the learning rate is 0 all along, or ``rate`` or ``steps`` is not allowed.
        """
        rate = PEAK.check_number(rate, "recipe")
        peak = self.peak(steps)
        if peak == 0:
            raise InvalidInput(
                f"The learning rate is 0 at all of {steps:,} steps, so it cannot be scaled."
            )
        scaled = {param.name for param in self.schedule_spec.params if param.rate}
        data = self.to_dict()
        for name, value in self.schedule.values:
            if name in scaled and value is not None:
                rates = [rate * (item / peak) for item in np.atleast_1d(value).tolist()]
                data["schedule"][name] = rates if isinstance(value, tuple) else rates[0]
        return Recipe.from_dict(data)

    def keras_optimizer(self) -> keras.optimizers.Optimizer:
        """A fresh Keras optimizer of this recipe. Imports Keras on call."""
        from lrlab.keras.optimizers import keras_optimizer

        return keras_optimizer(self)

    def keras_callbacks(self) -> list[keras.callbacks.Callback]:
        """The fresh Keras callbacks that ``model.fit`` needs for this recipe.

        None, unless the schedule is reactive. Imports Keras on call.
        """
        from lrlab.keras.callbacks import keras_callbacks

        return keras_callbacks(self)

    @property
    def callback_arguments(self) -> dict[str, Value]:
        """The arguments of a reactive schedule's Keras callback; it watches the validation loss."""
        own = {name: value for name, value in self.schedule.values if name != LEARNING_RATE}
        return {"monitor": MONITOR} | own

    def keras_code(self) -> str:
        """Python code that makes the same Keras optimizer, ready to paste.

        For a schedule that Keras lacks it holds the formula, in a class that Keras can save.
        """
        return keras_code(self)


def _ramp(values: Mapping[str, Value], schedule: Schedule) -> Choice | None:
    if not (values["warmup_steps"] or values["cooldown_steps"]):
        return None
    if schedule.reactive:
        raise InvalidInput(
            f"A ramp cannot be put around schedule {schedule.key}: Keras's "
            f"{schedule.callback} sets the rate itself. Leave the ramp out."
        )
    RAMP.check(values)
    return Choice(RAMP.key, tuple(values.items()))


def check_steps(steps: object, low: int = 1, high: int = 10_000_000) -> int:
    """``steps`` as an ``int``.

    Raises:
        InvalidInput: it is not a whole number from ``low`` to ``high``.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        raise InvalidInput(f"steps = {shown(steps)} is not allowed. It must be a whole number.")
    if not low <= steps <= high:
        raise InvalidInput(f"steps = {steps} is not allowed. It must be from {low} to {high}.")
    return int(steps)


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    if what == "a recipe":
        raise InvalidInput(
            f"A recipe must be a mapping with an optimizer and a schedule, not {shown(value)}."
        )
    such = '{"warmup_steps": 100}' if what == "ramp" else '{"name": "adam"}'
    raise InvalidInput(
        f"{what} = {shown(value)} is not allowed. It must be a mapping, such as {such}."
    )


def _refuse_unknown(given: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidInput(f"{what} has no entry {shown(name)}. It has: {', '.join(known)}.")
