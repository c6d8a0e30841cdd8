"""The charts of the pages for notebooks: one call gives a table and a chart."""

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
    u_curve_chart,
    u_curve_table,
)
from lrlab.descent.hyperparameter_map import hyperparameter_map, map_picture
from lrlab.descent.race import race
from lrlab.descent.raster import surface_raster
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import trace
from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe, check_steps


class Drawing(NamedTuple):
    """A table and the chart drawn from it."""

    table: pd.DataFrame
    chart: alt.TopLevelMixin


def draw_curve(
    *recipes: Recipe, steps: int = 2814, steps_per_epoch: int = 1407, log: bool = False
) -> Drawing:
    """Draw the learning rates of one or more recipes over a run.

    Args:
        recipes: one line each.
        steps, steps_per_epoch: the length of the run and of an epoch, in optimizer steps. The
            defaults are two epochs of the lecture notebook.
        log: use a logarithmic learning-rate axis.

    Raises:
        InvalidInput: no recipe, a reactive schedule, or a length that is not a whole number of 1
            or more.
    """
    if not recipes:
        raise InvalidInput("There is no recipe to draw. Pass one or more recipes.")
    check_steps(steps)
    check_steps(steps_per_epoch)
    labels = [f"{i}: {recipe.label}" for i, recipe in enumerate(recipes, start=1)]
    table = pd.concat(
        curve_table(recipe, steps, steps_per_epoch, label)
        for recipe, label in zip(recipes, labels, strict=True)
    )
    return Drawing(table, curve_chart(table, labels, log=log))


def draw_path(
    recipe: Recipe,
    surface: str | Surface,
    start: tuple[float, float] | None = None,
    steps: int = 200,
) -> Drawing:
    """Draw the path of a recipe on the map of a surface; arguments as for `lrlab.trace`."""
    trajectory = trace(recipe, surface, start, steps)
    table = trajectory_table(trajectory, recipe.label)
    picture = pd.DataFrame({"url": [surface_raster(trajectory.surface)[0]]})
    return Drawing(table, trajectory_map_chart(picture, table, trajectory.surface, [recipe.label]))


def draw_race(
    recipes: Mapping[str, Recipe],
    surface: str | Surface,
    rate: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> Drawing:
    """Draw the U-curves of a race; arguments as for `lrlab.descent.race.race`.

    The table has one row for each step of each recipe.
    """
    surface = as_surface(surface)
    runners = race(recipes, surface, rate, start, steps)
    table = pd.concat(
        trajectory_table(runner.trajectory, label) for label, runner in runners.items()
    )
    curves, rates_used = u_curve_table(runners, surface.minimum or 0.0)
    chart = u_curve_chart(curves, rates_used, list(runners), has_minimum=bool(surface.minima))
    return Drawing(table, chart)


def draw_map(
    recipe: Recipe,
    surface: str | Surface,
    x: str,
    y: str,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> Drawing:
    """Draw the outcomes over two hyperparameters.

    The arguments are those of `lrlab.descent.hyperparameter_map.hyperparameter_map`. The table
    has one row for each cell: both values, the final value, and the step of divergence or -1.
    """
    surface = as_surface(surface)
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
    picture = map_picture("final value", result, surface, steps)
    chart = hyperparameter_map_chart(
        pd.DataFrame({"url": [picture.uri]}),
        pd.DataFrame({"x": [], "y": []}),
        result.x.axis_ticks(),
        result.y.axis_ticks(),
        cells=rows,
    )
    return Drawing(table, chart)
