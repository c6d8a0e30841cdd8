"""A grid over one or two hyperparameters, for several optimizers and seeds, as planned runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from numbers import Real
from typing import Any

import numpy as np

from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput, Param, lookup, number_text, shown
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.limits import DEFAULT_LIMITS, NAME_LENGTH
from lrlab.schedules import RAMP
from lrlab.schedules.base import LEARNING_RATE, rate_param

MOST_AXES = 2

RATE = rate_param(
    LEARNING_RATE,
    0.001,
    "The largest learning rate of the run: all rates of the schedule are scaled with it.",
)
"""The learning rate as an axis, whatever the schedule."""


@dataclass(frozen=True)
class SweepAxis:
    """A hyperparameter and the values it takes in a sweep. Make it with `of` or `between`.

    Args:
        key: `LEARNING_RATE`, or a part of the recipe and its parameter, as
            ``optimizer.beta_1``, ``schedule.decay_steps`` or ``ramp.warmup_steps``.
        values: checked by `sweep`, in order, each once.
    """

    key: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, key: str, values: Iterable[Any]) -> SweepAxis:
        """The axis with these values.

        Raises:
            InvalidInput: there are none, or one is no number, nor true, false or none.
        """
        given = tuple(values)
        if not given:
            raise InvalidInput(f"sweep: {key} has no values. Give at least one.")
        for value in given:
            if not (value is None or _is_finite(value)):
                raise InvalidInput(f"sweep: {key} = {shown(value)} is not allowed. Give numbers.")
        found = dict.fromkeys(given)
        # Only a parameter that may be off has None among its values: it comes first.
        return cls(key, tuple(sorted(found, key=lambda value: (value is not None, value or 0))))

    @classmethod
    def between(cls, recipe: Recipe, key: str, low: float, high: float, count: int) -> SweepAxis:
        """So many values from ``low`` to ``high``, spaced as the parameter's slider is (learning
        rates by a constant factor); those between the ends have no more digits than they need.

        Args:
            recipe: whose parameter it is.
            key: see `SweepAxis`.
            low, high: the ends, both included.
            count: how many, 2 or more; whole numbers that coincide count once.

        Raises:
            InvalidInput: the recipe has no such parameter, or the ends or the count do not fit.
        """
        param = param_of(recipe, key)
        low, high = param.check(low, key), param.check(high, key)
        positive = low > 0 or param.scale != "log"
        below_one = high < 1 or param.scale != "memory"
        if not (low < high and positive and below_one and count >= 2):
            raise InvalidInput(
                f"sweep: {key} from {low:g} to {high:g} in {shown(count)} values is not possible. "
                "It takes two values or more, from a lower to a higher one; a logarithmic range "
                "starts above 0, and one towards 1 ends below it."
            )
        values = param.spaced(low, high, count)
        if param.scale == "memory":
            between = [round(1 - value, 12) for value in _short(1 - values)]
        else:
            between = _short(values)
        values = [low, *between[1:-1], high]
        return cls.of(key, (round(v) for v in values) if param.kind == "int" else values)


def _short(values: np.ndarray) -> list[float]:
    """The values with the fewest digits, from 2 to 4, that move none of them by more than a tenth
    of the way to the next one."""
    gaps = np.abs(np.diff(values))
    room = 0.1 * np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
    for digits in (2, 3, 4):
        found = [float(f"{value:.{digits}g}") for value in values]
        if (np.abs(found - values) <= room).all():
            break
    return found


def sweepable(recipe: Recipe) -> dict[str, Param]:
    """What of a recipe can be swept: key -> description. Lists of numbers cannot."""
    parts = (
        ("optimizer", recipe.optimizer_spec.all_params),
        ("schedule", recipe.schedule_spec.params),
        ("ramp", _ramp_params(recipe)),
    )
    fields = {
        f"{part}.{param.name}": param
        for part, params in parts
        for param in params
        if param.kind in ("float", "int", "bool") and param.name != LEARNING_RATE
    }
    return {LEARNING_RATE: RATE} | fields


def _ramp_params(recipe: Recipe) -> tuple[Param, ...]:
    if recipe.schedule_spec.reactive:
        return ()
    # Where there is no cool-down, it is not known where one would end.
    warmup = tuple(param for param in RAMP.params if param.name == "warmup_steps")
    return RAMP.params if recipe.ramp else warmup


def param_of(recipe: Recipe, key: str) -> Param:
    """The description of what is swept.

    Raises:
        InvalidInput: the recipe has no such parameter.
    """
    known = sweepable(recipe)
    if key not in known:
        raise InvalidInput(
            f"sweep: {recipe.label} has no {shown(key)}. It has: {', '.join(known)}."
        )
    return known[key]


def with_optimizer(recipe: Recipe, optimizer: str) -> Recipe:
    """The recipe with another optimizer, at its defaults, under the same schedule.

    Raises:
        InvalidInput: there is no such optimizer.
    """
    spec = lookup(OPTIMIZERS, optimizer, "optimizer")
    if optimizer == recipe.optimizer.name:
        return recipe
    data = recipe.to_dict() | {"optimizer": {"name": optimizer}}
    if recipe.schedule_spec.plain:
        data["schedule"][LEARNING_RATE] = spec.learning_rate
    return Recipe.from_dict(data)


def sweep(
    plan: RunPlan,
    axes: Sequence[SweepAxis],
    optimizers: Sequence[str] = (),
    seeds: Sequence[int] = (),
    most: int = DEFAULT_LIMITS.max_group,
) -> dict[str, RunPlan]:
    """A run for every optimizer, value of each axis, and seed.

    Args:
        plan: everything that does not vary.
        axes: one or two.
        optimizers: keys of `OPTIMIZERS`; the plan's own if there are none.
        seeds: of the runs; the plan's own if there are none.
        most: how many runs the server takes as a group.

    Returns:
        The name of each run -> its plan, the seeds of a cell one after the other; for
        `Store.queue_group`.

    Raises:
        InvalidInput: no axis or more than two, the same one twice, more runs than ``most``, an
            optimizer without such a parameter, or a value that is not allowed.
    """
    keys = [axis.key for axis in axes]
    if not 1 <= len(keys) <= MOST_AXES or len(set(keys)) < len(keys):
        given = ", ".join(keys) or "none"
        raise InvalidInput(f"A sweep is over one or two different hyperparameters, not {given}.")
    optimizers = tuple(dict.fromkeys(optimizers)) or (plan.recipe.optimizer.name,)
    seeds = tuple(dict.fromkeys(seeds)) or (plan.seed,)
    sizes = {"optimizers": len(optimizers)}
    sizes |= {axis.key: len(axis.values) for axis in axes} | {"seeds": len(seeds)}
    count = prod(sizes.values())
    if count > most:
        parts = " × ".join(f"{size} {what}" for what, size in sizes.items())
        raise InvalidInput(
            f"A sweep has at most {most} runs; this one would have {count:,} ({parts}). "
            "Choose fewer values or seeds."
        )
    runs: dict[str, RunPlan] = {}
    for optimizer in optimizers:
        recipe = with_optimizer(plan.recipe, optimizer)
        params = [param_of(recipe, key) for key in keys]
        for values in product(*(axis.values for axis in axes)):
            cell = with_swept(recipe, dict(zip(keys, values, strict=True)), plan.total_steps)
            texts = [f"{p.name} {p.text(v)}" for p, v in zip(params, values, strict=True)]
            for seed in seeds:
                name = ", ".join([recipe.optimizer_spec.label, *texts, f"seed {seed}"])
                planned = replace(plan, recipe=cell).with_settings(seed=seed)
                runs[_fitting(name, len(runs))] = planned
    return runs


def with_swept(recipe: Recipe, values: Mapping[str, Any], steps: int) -> Recipe:
    """The recipe with some of its parameters changed, as a click on a cell takes them.

    Args:
        recipe: what is changed.
        values: key (see `SweepAxis`) -> value.
        steps: the run's length, over which the largest learning rate is meant.

    Raises:
        InvalidInput: the recipe has no such parameter, or a value is not allowed.
    """
    data = recipe.to_dict()
    for key, value in values.items():
        param_of(recipe, key)
        if key != LEARNING_RATE:
            part, _, name = key.partition(".")
            data.setdefault(part, {})[name] = value
    changed = Recipe.from_dict(data)
    if LEARNING_RATE not in values:
        return changed
    return changed.with_peak(RATE.check(values[LEARNING_RATE], "sweep"), steps)


def swept_value(plan: RunPlan, key: str) -> Any:
    """What a plan has where a sweep varies; None where its recipe has no such parameter."""
    recipe = plan.recipe
    if key == LEARNING_RATE:
        # Scaling a schedule to a peak and measuring it again leaves a last digit or two.
        return float(f"{recipe.peak(plan.total_steps):.6g}")
    part, _, name = key.partition(".")
    if part == RAMP.key and recipe.ramp is None:
        return next(param.default for param in RAMP.params if param.name == name)
    return getattr(recipe, part).params.get(name)


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:
        return False


def _fitting(name: str, number: int) -> str:
    """A name that the store takes, and that no other run of the sweep has."""
    end = f"… {number_text(number)}"
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - len(end)] + end
