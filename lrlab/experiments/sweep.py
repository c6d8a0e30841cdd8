"""Sweeps: runs over a grid of one or two hyperparameters, for several optimizers and seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from numbers import Real
from typing import TypeAlias, TypeGuard

import numpy as np

from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput, Param, lookup, number_text, shown
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.limits import DEFAULT_LIMITS, MAX_NAME_LENGTH
from lrlab.schedules import RAMP
from lrlab.schedules.base import LEARNING_RATE, rate_param

MAX_AXES = 2

AxisValue: TypeAlias = float | None
"""A value on an axis: a number or a bool; ``None`` if an optional parameter is off."""

RATE = rate_param(
    LEARNING_RATE,
    0.001,
    "The largest learning rate of the run: all rates of the schedule are scaled with it.",
)
"""The learning rate as an axis, for any schedule."""


@dataclass(frozen=True)
class SweepAxis:
    """A hyperparameter and the values it takes in a sweep. Make it with `of` or `between`.

    Args:
        key: `LEARNING_RATE`, or a part of the recipe and its parameter, such as
            ``optimizer.beta_1``, ``schedule.decay_steps`` or ``ramp.warmup_steps``.
        values: sorted and without duplicates; `sweep` checks whether they are allowed.
    """

    key: str
    values: tuple[AxisValue, ...]

    @classmethod
    def of(cls, key: str, values: Iterable[object]) -> SweepAxis:
        """The axis with these values.

        Raises:
            InvalidInput: there are no values, or one is neither a finite number, true, false nor
                None.
        """
        values = tuple(values)
        if not values:
            raise InvalidInput(f"sweep: {key} has no values. Give at least one.")
        checked: dict[AxisValue, None] = {}
        for value in values:
            if not _is_axis_value(value):
                raise InvalidInput(f"sweep: {key} = {shown(value)} is not allowed. Give numbers.")
            checked[value] = None
        return cls(key, tuple(sorted(checked, key=axis_order)))

    @classmethod
    def between(cls, recipe: Recipe, key: str, low: float, high: float, count: int) -> SweepAxis:
        """The axis with ``count`` values from ``low`` to ``high``, spaced like the slider.

        Learning rates differ by a constant factor. Values between the ends are rounded to as few
        digits as the spacing allows.

        Args:
            recipe: the recipe that has the parameter.
            key: see `SweepAxis`.
            low, high: the first and last value, both included.
            count: the number of values, 2 or more; equal whole numbers are merged.

        Raises:
            InvalidInput: the recipe has no such parameter, or the ends or the count are not
                allowed.
        """
        param = axis_param(recipe, key)
        low, high = param.check_number(low, key), param.check_number(high, key)
        positive = low > 0 or param.scale != "log"
        below_one = high < 1 or param.scale != "memory"
        if not (low < high and positive and below_one and count >= 2):
            raise InvalidInput(
                f"sweep: {key} from {low:g} to {high:g} in {shown(count)} values is not possible. "
                "Give two values or more, from a lower to a higher one. A logarithmic range must "
                "start above 0, and a range towards 1 must end below 1."
            )
        spaced = param.spaced(low, high, count)
        if param.scale == "memory":
            inner = [round(1 - value, 12) for value in _rounded(1 - spaced)]
        else:
            inner = _rounded(spaced)
        values = [low, *inner[1:-1], high]
        return cls.of(key, [round(v) for v in values] if param.kind == "int" else values)


def axis_order(value: AxisValue) -> tuple[bool, float]:
    """The sort key of values on an axis: off comes first, then numbers in increasing order."""
    return value is not None, value or 0


def _rounded(values: np.ndarray) -> list[float]:
    """The values rounded to 2 to 4 digits.

    It takes the fewest digits with which no value moves by more than a tenth of the distance to
    its nearest neighbour.
    """
    gaps = np.abs(np.diff(values))
    tolerance = 0.1 * np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
    for digits in (2, 3, 4):
        rounded = [float(f"{value:.{digits}g}") for value in values]
        if (np.abs(rounded - values) <= tolerance).all():
            break
    return rounded


def sweepable_params(recipe: Recipe) -> dict[str, Param]:
    """The parameters of a recipe that can be swept: axis key -> description.

    Parameters that hold lists cannot be swept.
    """
    parts = (
        ("optimizer", recipe.optimizer_spec.all_params),
        ("schedule", recipe.schedule_spec.params),
        ("ramp", _ramp_params(recipe)),
    )
    params = {
        f"{part}.{param.name}": param
        for part, part_params in parts
        for param in part_params
        if param.kind in ("float", "int", "bool") and param.name != LEARNING_RATE
    }
    return {LEARNING_RATE: RATE} | params


def _ramp_params(recipe: Recipe) -> tuple[Param, ...]:
    if recipe.schedule_spec.reactive:
        return ()
    # Without a ramp the step at which a cool-down would end is unknown.
    warmup = tuple(param for param in RAMP.params if param.name == "warmup_steps")
    return RAMP.params if recipe.ramp else warmup


def axis_param(recipe: Recipe, key: str) -> Param:
    """The description of the parameter on an axis.

    Raises:
        InvalidInput: the recipe has no such parameter.
    """
    params = sweepable_params(recipe)
    if key not in params:
        raise InvalidInput(
            f"sweep: {recipe.label} has no {shown(key)}. It has: {', '.join(params)}."
        )
    return params[key]


def with_optimizer(recipe: Recipe, optimizer: str) -> Recipe:
    """The recipe with another optimizer at its default values, and the same schedule.

    A schedule that holds the learning rate as a plain number takes the optimizer's default.

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
    max_runs: int = DEFAULT_LIMITS.max_group,
) -> dict[str, RunPlan]:
    """The runs of a sweep: one for every combination of optimizer, axis values and seed.

    Args:
        plan: everything that does not vary.
        axes: one or two.
        optimizers: keys of `OPTIMIZERS`; the plan's own if empty.
        seeds: the seeds; the plan's own if empty.
        max_runs: the largest number of runs that the server accepts as a group.

    Returns:
        Run name -> plan, for `Store.queue_group`; the runs that differ only by their seed follow
        each other.

    Raises:
        InvalidInput: there are no axes, more than two or the same one twice; there would be more
            runs than ``max_runs``; an optimizer lacks the parameter; or a value is not allowed.
    """
    keys = [axis.key for axis in axes]
    if not 1 <= len(keys) <= MAX_AXES or len(set(keys)) < len(keys):
        names = ", ".join(keys) or "none"
        raise InvalidInput(
            f"A sweep varies one or two different hyperparameters, not {names}. Choose one or two."
        )
    optimizers = tuple(dict.fromkeys(optimizers)) or (plan.recipe.optimizer.name,)
    seeds = tuple(dict.fromkeys(seeds)) or (plan.seed,)
    sizes = {"optimizers": len(optimizers)}
    sizes |= {axis.key: len(axis.values) for axis in axes} | {"seeds": len(seeds)}
    count = prod(sizes.values())
    if count > max_runs:
        factors = " × ".join(f"{size} {what}" for what, size in sizes.items())
        raise InvalidInput(
            f"A sweep has at most {max_runs} runs; this one would have {count:,} ({factors}). "
            "Choose fewer values or seeds."
        )
    runs: dict[str, RunPlan] = {}
    for optimizer in optimizers:
        recipe = with_optimizer(plan.recipe, optimizer)
        params = [axis_param(recipe, key) for key in keys]
        for values in product(*(axis.values for axis in axes)):
            cell_recipe = with_axis_values(
                recipe, dict(zip(keys, values, strict=True)), plan.total_steps
            )
            texts = [f"{p.name} {p.text(v)}" for p, v in zip(params, values, strict=True)]
            for seed in seeds:
                name = ", ".join([recipe.optimizer_spec.label, *texts, f"seed {seed}"])
                run_plan = replace(plan, recipe=cell_recipe).with_settings(seed=seed)
                runs[_shortened(name, len(runs))] = run_plan
    return runs


def with_axis_values(recipe: Recipe, values: Mapping[str, AxisValue], steps: int) -> Recipe:
    """The recipe with some of its parameters replaced.

    Args:
        recipe: the recipe to change.
        values: axis key (see `SweepAxis`) -> value.
        steps: the length of the run, over which the largest learning rate is taken.

    Raises:
        InvalidInput: the recipe has no such parameter, or a value is not allowed.
    """
    data = recipe.to_dict()
    for key, value in values.items():
        axis_param(recipe, key)
        if key != LEARNING_RATE:
            part, _, name = key.partition(".")
            data.setdefault(part, {})[name] = value
    changed = Recipe.from_dict(data)
    if LEARNING_RATE not in values:
        return changed
    return changed.with_peak(RATE.check_number(values[LEARNING_RATE], "sweep"), steps)


def axis_value(plan: RunPlan, key: str) -> AxisValue:
    """A plan's value on an axis; None if it is off or the recipe has no such parameter."""
    recipe = plan.recipe
    if key == LEARNING_RATE:
        # Scaling a schedule to a peak and reading the peak back changes the last digits.
        return float(f"{recipe.peak(plan.total_steps):.6g}")
    part, _, name = key.partition(".")
    if part == RAMP.key and recipe.ramp is None:
        value = next(param.default for param in RAMP.params if param.name == name)
    else:
        value = getattr(recipe, part).params.get(name)
    return value if isinstance(value, int | float) else None


def _is_axis_value(value: object) -> TypeGuard[AxisValue]:
    try:
        return value is None or (isinstance(value, Real) and math.isfinite(value))
    except OverflowError:
        return False


def _shortened(name: str, number: int) -> str:
    """The name, cut to the length that the store accepts.

    Args:
        name: the full name.
        number: ends a name that is cut, so that no other run of the sweep has the same one.
    """
    end = f"… {number_text(number)}"
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - len(end)] + end
