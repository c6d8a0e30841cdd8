"""The pages' curve, path, race and map for a notebook: a table and a chart in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import altair as alt
import pandas as pd

from lrlab.charts import (
    curve_chart,
    curve_table,
    hyperparameter_map_chart,
    trajectory_map_chart,
    trajectory_table,
    u_chart,
    u_table,
)
from lrlab.descent.hyperparameter_map import hyperparameter_map, map_picture
from lrlab.descent.race import race
from lrlab.descent.raster import surface_raster
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import trace
from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe, check_steps


class Drawn(NamedTuple):
    """A table, and the chart drawn from it."""

    table: pd.DataFrame
    chart: alt.TopLevelMixin


def draw_curve(
    *recipes: Recipe, steps: int = 2814, steps_per_epoch: int = 1407, log: bool = False
) -> Drawn:
    """The learning rates of one or more recipes over a run.

    Args:
        recipes: what is drawn, a line each.
        steps, steps_per_epoch: the run's length; two of the notebook's epochs if omitted.
        log: a logarithmic learning-rate axis.

    Raises:
        InvalidInput: no recipe, a reactive schedule, or a length that is not a whole number of 1
            or more.
    """
    if not recipes:
        raise InvalidInput("There is no recipe to draw. Give one or more.")
    check_steps(steps)
    check_steps(steps_per_epoch)
    labels = [f"{i}: {recipe.label}" for i, recipe in enumerate(recipes, start=1)]
    table = pd.concat(
        curve_table(recipe, steps, steps_per_epoch, label)
        for recipe, label in zip(recipes, labels, strict=True)
    )
    return Drawn(table, curve_chart(table, labels, log=log))


def draw_path(
    recipe: Recipe,
    surface: str | Surface,
    start: tuple[float, float] | None = None,
    steps: int = 200,
) -> Drawn:
    """The path of a recipe on its map; arguments as for `lrlab.trace`."""
    path = trace(recipe, surface, start, steps)
    table = trajectory_table(path, recipe.label)
    picture = pd.DataFrame({"url": [surface_raster(path.surface)[0]]})
    return Drawn(table, trajectory_map_chart(picture, table, path.surface, [recipe.label]))


def draw_race(
    recipes: Mapping[str, Recipe],
    surface: str | Surface,
    rate: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> Drawn:
    """The U-curves of a race; arguments as for `lrlab.descent.race.race`. The table has every step."""
    ran = race(recipes, surface, rate, start, steps)
    found = as_surface(surface)
    known = bool(found.minima)
    table = pd.concat(trajectory_table(runner.path, label) for label, runner in ran.items())
    curves, taken = u_table(ran, found.minimum if known else 0.0)
    return Drawn(table, u_chart(curves, taken, list(ran), has_minimum=known))


def draw_map(
    recipe: Recipe,
    surface: str | Surface,
    x: str,
    y: str,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> Drawn:
    """The outcomes over two hyperparameters; arguments as for `lrlab.descent.hyperparameter_map.hyperparameter_map`.

    The table has a row a cell: both values, the final value, and the step of divergence or -1.
    """
    result = hyperparameter_map(recipe, surface, x, y, start, steps)
    rows, columns = result.values.shape
    table = pd.DataFrame(
        {
            x: list(result.x.values) * rows,
            y: [value for value in result.y.values for _ in range(columns)],
            "final_value": result.values.ravel(),
            "diverged_at": result.diverged_at.ravel(),
        }
    )
    picture = map_picture("final value", result, as_surface(surface), steps)
    chart = hyperparameter_map_chart(
        pd.DataFrame({"url": [picture.uri]}),
        pd.DataFrame({"x": [], "y": []}),
        result.x.ticked(),
        result.y.ticked(),
        cells=rows,
    )
    return Drawn(table, chart)
