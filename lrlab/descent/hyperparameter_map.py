"""Recipe x surface x two hyperparameters -> the outcome of ten thousand paths."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from lrlab.descent.grid import walk_grid
from lrlab.descent.raster import grid_raster
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import MAX_PATH_STEPS
from lrlab.optimizers.base import MATRICES
from lrlab.params import InvalidInput, Param, lookup, number_text
from lrlab.recipes.recipe import Choice, Recipe, check_steps

CELLS = 100
"""Values of each hyperparameter; the map has their square of paths."""

SMALLEST_GAP = 1e-16
"""A path exactly at the minimum is shown as this far above it: a logarithm has no 0."""

TOLERANCE = 0.01
"""Within this share of the map's width of a global minimum, a path has arrived."""


class AxisTicks(NamedTuple):
    """An axis as a chart draws it: its title, and pairs of a place from 0 to 1 and a label."""

    title: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class MapAxis:
    """A hyperparameter that varies over a map.

    Args:
        part: whose it is, ``"optimizer"`` or ``"schedule"``.
        param: its description.
        values: the values it takes, in order, shape ``(cells,)``.
    """

    part: str
    param: Param
    values: np.ndarray

    def text(self, cell: int, digits: int = 4) -> str:
        """A cell's value as a control holds it, with so many sensible digits."""
        value = float(self.values[cell])
        if self.param.scale == "memory":
            return number_text(round(1 - float(f"{1 - value:.{digits}g}"), 12))
        return number_text(float(f"{value:.{digits}g}"))

    def ticked(self) -> AxisTicks:
        """The axis as a chart draws it: powers of ten where it is logarithmic."""
        low, high = float(self.values[0]), float(self.values[-1])
        if self.param.scale == "log":
            decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1)
            marks = [10.0**decade for decade in decades]
        elif self.param.scale == "memory":
            marks = [1 - 10.0**-nines for nines in range(round(-math.log10(1 - high)) + 1)]
        else:
            marks = np.linspace(low, high, 6).tolist()
        places = [(self.place(mark), number_text(float(f"{mark:.6g}"))) for mark in marks]
        return AxisTicks(
            self.param.name, tuple((at, text) for at, text in places if at is not None)
        )

    def place(self, value: float | None) -> float | None:
        """Where a value lies along the axis, 0 to 1; ``None`` if it lies outside or is unset."""
        last = len(self.values) - 1
        slack = 1e-9 * abs(self.values[-1])
        if value is None or not self.values[0] - slack <= value <= self.values[-1] + slack:
            return None
        return (float(np.interp(value, self.values, np.arange(last + 1))) + 0.5) / (last + 1)


class MapPicture(NamedTuple):
    """A map drawn: its PNG data URI, and what its darkest and its lightest band stand for."""

    uri: str
    low: float
    high: float


@dataclass(frozen=True)
class HyperparameterMap:
    """What became of a path for each pair of values.

    Args:
        x, y: the axes; arrays have shape ``(len(y.values), len(x.values))``.
        values: the final value of the surface.
        diverged_at: the step of divergence, else -1.
        arrived_at: the first step within `TOLERANCE` of a global minimum, else -1; all -1 if the
            map was made without looking.
    """

    x: MapAxis
    y: MapAxis
    values: np.ndarray
    diverged_at: np.ndarray
    arrived_at: np.ndarray


def map_axes(recipe: Recipe) -> dict[str, tuple[str, Param]]:
    """The hyperparameters of a recipe that a map can vary: name -> part and description.

    Those are the numbers on a slider that change a path; whole numbers and lists are left out.
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
    """A hyperparameter's values from end to end of its slider, spaced as the slider is.

    Raises:
        InvalidInput: the recipe has no such number.
    """
    part, param = lookup(map_axes(recipe), name, "axis of the map")
    values = param.spaced(*param.slider, cells)
    return MapAxis(part, param, values)


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
    """Run ``cells * cells`` paths, one for each pair of values of two hyperparameters.

    Args:
        recipe: everything that does not vary.
        surface: a key of `SURFACES`, or a surface.
        x, y: names of two different hyperparameters (see `map_axes`).
        start: ``(x, y)``; the surface's own start if omitted.
        steps: optimizer steps of each path.
        cells: values of each hyperparameter.
        arrivals: look at every step whether a path has arrived, which takes a sixth longer.

    Raises:
        InvalidInput: a name that is no axis, the same name twice, a bad start or steps.
    """
    surface = as_surface(surface)
    start = surface.check_start(surface.start if start is None else start)
    steps = check_steps(steps, high=MAX_PATH_STEPS)
    across, up = map_axis(recipe, x, cells), map_axis(recipe, y, cells)
    if x == y:
        raise InvalidInput(f"Both axes of the map are {x!r}. Choose two hyperparameters.")
    hyper = {}
    if across.part == "optimizer":
        hyper[x] = across.values[None, :, None]
    if up.part == "optimizer":
        hyper[y] = up.values[:, None, None]
    rates = _rates(recipe, across, up, steps)
    tolerance = TOLERANCE if arrivals else None
    ends = walk_grid(recipe, surface, start, rates, hyper, (cells, cells), tolerance)
    return HyperparameterMap(across, up, ends.values, ends.diverged_at, ends.arrived_at)


def with_values(recipe: Recipe, given: dict[str, float]) -> Recipe:
    """The recipe with some of its hyperparameters changed, as a click on the map takes them.

    Raises:
        InvalidInput: a value is not allowed, or a name is no axis.
    """
    data = recipe.to_dict()
    for name, value in given.items():
        data[map_axis(recipe, name, 2).part][name] = value
    return Recipe.from_dict(data)


def _rates(recipe: Recipe, across: MapAxis, up: MapAxis, steps: int) -> np.ndarray:
    """Learning rates of shape ``(rows or 1, columns or 1, steps)``."""
    rows = up.values if up.part == "schedule" else [None]
    columns = across.values if across.part == "schedule" else [None]
    t = np.arange(steps)
    names = across.param.name, up.param.name
    return np.array(
        [
            [_varied(recipe, names, (wide, high)).learning_rates_at(t) for wide in columns]
            for high in rows
        ]
    )


def _varied(recipe: Recipe, names: tuple[str, str], values: tuple[float | None, ...]) -> Recipe:
    changed = {n: float(v) for n, v in zip(names, values, strict=True) if v is not None}
    schedule = tuple((name, changed.get(name, value)) for name, value in recipe.schedule.values)
    return replace(recipe, schedule=Choice(recipe.schedule.name, schedule))


MapQuantity = Literal["final value", "steps to arrive"]
"""What a map shows of each path."""


def map_picture(
    outcome: MapQuantity, result: HyperparameterMap, surface: Surface, steps: int
) -> MapPicture:
    """The map as a picture with the numbers its darkest and lightest band stand for.

    Args:
        outcome: the final value (its gap to the minimum, by powers of ten), or the steps it took
            to come near a global minimum.
        result: the paths' ends.
        surface: where they walked.
        steps: how many steps each path had.
    """
    diverged = result.diverged_at >= 0
    if outcome == "steps to arrive":
        took = np.where(result.arrived_at >= 0, result.arrived_at, steps)
        return MapPicture(grid_raster(took, diverged, 0, steps), 0, steps)
    gap = result.values
    if not surface.minima:
        low, high = np.quantile(gap[~diverged], (0.02, 0.98)) if (~diverged).any() else (0, 1)
        return MapPicture(grid_raster(gap, diverged, low, high), float(low), float(high))
    with np.errstate(all="ignore"):
        powers = np.log10(np.maximum(gap - surface.minimum, SMALLEST_GAP))
    known = powers[~diverged & np.isfinite(powers)]
    low, high = np.quantile(known, (0.0, 0.98)) if known.size else (0.0, 1.0)
    return MapPicture(grid_raster(powers, diverged, low, high), float(10**low), float(10**high))
