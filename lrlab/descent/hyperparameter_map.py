"""Recipe x surface x two hyperparameters -> the outcomes of ten thousand trajectories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from lrlab.descent.grid import trace_grid
from lrlab.descent.raster import grid_raster
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import MAX_TRAJECTORY_STEPS
from lrlab.optimizers.base import MATRICES
from lrlab.params import InvalidInput, Param, lookup, number_text
from lrlab.recipes.recipe import Choice, Recipe, check_steps

CELLS = 100
"""The number of values of each hyperparameter; the map has ``CELLS * CELLS`` trajectories."""

SMALLEST_GAP = 1e-16
"""The gap shown for a point exactly at the minimum, because a logarithmic scale has no 0."""

TOLERANCE = 0.01
"""A trajectory within this share of the map's width of a global minimum has arrived."""


class AxisTicks(NamedTuple):
    """An axis for a chart: its title, and its ticks as pairs of a position, 0 to 1, and a label."""

    title: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class MapAxis:
    """A hyperparameter that varies over a map.

    Args:
        part: the owner of the hyperparameter, ``"optimizer"`` or ``"schedule"``.
        param: its description.
        values: its values in ascending order, shape ``(cells,)``.
    """

    part: str
    param: Param
    values: np.ndarray

    def text(self, cell: int, digits: int = 4) -> str:
        """A cell's value as a text for a control.

        It has ``digits`` significant digits, on a ``memory`` scale those of one minus the value.
        """
        value = float(self.values[cell])
        if self.param.scale == "memory":
            return number_text(round(1 - float(f"{1 - value:.{digits}g}"), 12))
        return number_text(float(f"{value:.{digits}g}"))

    def axis_ticks(self) -> AxisTicks:
        """The axis for a chart, with ticks at powers of ten if it is logarithmic."""
        low, high = float(self.values[0]), float(self.values[-1])
        if self.param.scale == "log":
            decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1)
            marks = [10.0**decade for decade in decades]
        elif self.param.scale == "memory":
            marks = [1 - 10.0**-nines for nines in range(round(-math.log10(1 - high)) + 1)]
        else:
            marks = np.linspace(low, high, 6).tolist()
        ticks = [(self.position(mark), number_text(float(f"{mark:.6g}"))) for mark in marks]
        return AxisTicks(
            self.param.name,
            tuple((position, text) for position, text in ticks if position is not None),
        )

    def position(self, value: float | None) -> float | None:
        """The position of a value along the axis, 0 to 1; ``None`` if it is outside or unset."""
        last = len(self.values) - 1
        slack = 1e-9 * abs(self.values[-1])
        if value is None or not self.values[0] - slack <= value <= self.values[-1] + slack:
            return None
        return (float(np.interp(value, self.values, np.arange(last + 1))) + 0.5) / (last + 1)


class MapPicture(NamedTuple):
    """The picture of a map: a PNG data URI, and the values of its darkest and lightest band."""

    uri: str
    low: float
    high: float


@dataclass(frozen=True)
class HyperparameterMap:
    """The outcome of a trajectory for each pair of values.

    Args:
        x, y: the axes; arrays have shape ``(len(y.values), len(x.values))``.
        values: the final value of the surface.
        diverged_at: the step of divergence, else -1.
        arrived_at: the first step within `TOLERANCE` of a global minimum, else -1; all -1 if
            arrivals were not computed.
    """

    x: MapAxis
    y: MapAxis
    values: np.ndarray
    diverged_at: np.ndarray
    arrived_at: np.ndarray


def map_axes(recipe: Recipe) -> dict[str, tuple[str, Param]]:
    """The hyperparameters of a recipe that a map can vary: name -> part and description.

    These are the numbers with a slider that affect a trajectory. Whole numbers and lists are left
    out.
    """
    parts = (
        ("schedule", recipe.schedule_spec.params),
        ("optimizer", recipe.optimizer_spec.all_params),
    )
    return {
        param.name: (part, param)
        for part, params in parts
        for param in params
        if param.kind == "float" and param.slider is not None and param.group != MATRICES
    }


def map_axis(recipe: Recipe, name: str, cells: int = CELLS) -> MapAxis:
    """A hyperparameter's values over the range of its slider, spaced like the slider.

    Raises:
        InvalidInput: the recipe has no such hyperparameter.
    """
    part, param = lookup(map_axes(recipe), name, "axis of the map")
    if param.slider is None:
        raise TypeError(f"{name} has no slider")
    low, high = param.slider
    return MapAxis(part, param, param.spaced(low, high, cells))


def hyperparameter_map(
    recipe: Recipe,
    surface: str | Surface,
    x: str,
    y: str,
    start: tuple[float, float] | None = None,
    steps: int = 300,
    cells: int = CELLS,
    arrivals: bool = False,
) -> HyperparameterMap:
    """Trace ``cells * cells`` trajectories, one for each pair of values of two hyperparameters.

    Args:
        recipe: all values that do not vary.
        surface: a key of `SURFACES`, or a surface.
        x, y: names of two different hyperparameters (see `map_axes`).
        start: ``(x, y)``; the surface's own start if omitted.
        steps: optimizer steps of each trajectory, 1 to 100,000.
        cells: the number of values of each hyperparameter.
        arrivals: check after every step whether a trajectory has arrived, which takes a sixth
            longer.

    Raises:
        InvalidInput: a name that is not in `map_axes`, the same name twice, or a start or a
            number of steps that is not allowed.
    """
    surface = as_surface(surface)
    start = surface.check_start(surface.start if start is None else start)
    steps = check_steps(steps, high=MAX_TRAJECTORY_STEPS)
    x_axis, y_axis = map_axis(recipe, x, cells), map_axis(recipe, y, cells)
    if x == y:
        raise InvalidInput(f"Both axes of the map are {x!r}. Choose two hyperparameters.")
    hyper = {}
    if x_axis.part == "optimizer":
        hyper[x] = x_axis.values[None, :, None]
    if y_axis.part == "optimizer":
        hyper[y] = y_axis.values[:, None, None]
    rates = _learning_rates(recipe, x_axis, y_axis, steps)
    tolerance = TOLERANCE if arrivals else None
    ends = trace_grid(recipe, surface, start, rates, hyper, (cells, cells), tolerance)
    return HyperparameterMap(x_axis, y_axis, ends.values, ends.diverged_at, ends.arrived_at)


def with_values(recipe: Recipe, values: Mapping[str, float]) -> Recipe:
    """The recipe with other values of some hyperparameters, such as those of a map's cell.

    Raises:
        InvalidInput: a value is not allowed, or a name is not in `map_axes`.
    """
    data = recipe.to_dict()
    for name, value in values.items():
        data[map_axis(recipe, name, 2).part][name] = value
    return Recipe.from_dict(data)


def _learning_rates(recipe: Recipe, x_axis: MapAxis, y_axis: MapAxis, steps: int) -> np.ndarray:
    """The learning rates of all cells, shape ``(rows or 1, columns or 1, steps)``."""
    names = x_axis.param.name, y_axis.param.name
    rows = y_axis.values if y_axis.part == "schedule" else [None]
    columns = x_axis.values if x_axis.part == "schedule" else [None]
    t = np.arange(steps)
    return np.array(
        [
            [_with_schedule(recipe, names, (x, y)).learning_rates_at(t) for x in columns]
            for y in rows
        ]
    )


def _with_schedule(
    recipe: Recipe, names: tuple[str, str], values: tuple[float | None, float | None]
) -> Recipe:
    """The recipe with other schedule parameters; ``None`` leaves one unchanged.

    Unlike `with_values` this does not validate: the values come from a slider's range.
    """
    changed = {n: float(v) for n, v in zip(names, values, strict=True) if v is not None}
    schedule = tuple((name, changed.get(name, value)) for name, value in recipe.schedule.values)
    return replace(recipe, schedule=Choice(recipe.schedule.name, schedule))


MapQuantity = Literal["final value", "steps to arrive"]
"""What a map shows of each trajectory."""


def map_picture(
    quantity: MapQuantity, result: HyperparameterMap, surface: Surface, steps: int
) -> MapPicture:
    """Draw a map as a picture.

    Args:
        quantity: the final value (its gap to the minimum, in powers of ten; the value itself if
            no minimum is known), or the number of steps until close to a global minimum.
        result: the outcomes.
        surface: the surface of the trajectories.
        steps: the number of steps of each trajectory.
    """
    diverged = result.diverged_at >= 0
    if quantity == "steps to arrive":
        taken = np.where(result.arrived_at >= 0, result.arrived_at, steps)
        return MapPicture(grid_raster(taken, diverged, 0, steps), 0, steps)
    values = result.values
    if not surface.minima:
        shown = values[~diverged]
        low, high = np.quantile(shown, (0.02, 0.98)) if shown.size else (0, 1)
        return MapPicture(grid_raster(values, diverged, low, high), float(low), float(high))
    with np.errstate(all="ignore"):
        powers = np.log10(np.maximum(values - surface.minimum, SMALLEST_GAP))
    shown = powers[~diverged & np.isfinite(powers)]
    low, high = np.quantile(shown, (0.0, 0.98)) if shown.size else (0.0, 1.0)
    return MapPicture(grid_raster(powers, diverged, low, high), float(10**low), float(10**high))
