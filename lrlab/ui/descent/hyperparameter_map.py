"""The hyperparameter map on its page: controls, picture, and the click that applies a cell."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from lrlab.charts import hyperparameter_map_chart
from lrlab.controls.draft import is_stretched
from lrlab.controls.fields import optimizer_fields, schedule_fields
from lrlab.descent.hyperparameter_map import (
    CELLS,
    HyperparameterMap,
    MapQuantity,
    hyperparameter_map,
    map_axes,
    map_picture,
)
from lrlab.descent.surfaces import Point, Surface
from lrlab.descent.trajectory import Trajectory
from lrlab.params import Value
from lrlab.recipes.recipe import Recipe
from lrlab.text import format_number
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.recipe.apply_recipe import apply_draft, selection_turn
from lrlab.ui.recipe.session_draft import current_draft

OUTCOMES: tuple[MapQuantity, ...] = ("final value", "steps to arrive")


def map_controls(recipe: Recipe) -> tuple[str, str, MapQuantity]:
    """The controls of the map.

    Returns:
        The names of the hyperparameters across and up, and the outcome to show.
    """
    axes = map_axes(recipe)
    names = list(axes)
    columns = st.columns(2, gap="medium")
    x = columns[0].selectbox("Across", names, 0, key=f"map.x.{recipe.optimizer.name}")
    others = [name for name in names if name != x]
    optimizer_names = [name for name in others if axes[name][0] == "optimizer"]
    preferred = [name for name in ("momentum", "beta_1", "rho") if name in optimizer_names]
    default = others.index((preferred or optimizer_names)[0])
    y = columns[1].selectbox("Up", others, default, key=f"map.y.{recipe.optimizer.name}")
    outcome = st.segmented_control(
        "Show", OUTCOMES, default=OUTCOMES[0], required=True, key="map.outcome"
    )
    return x, y, outcome


@st.cache_data(max_entries=32, show_spinner=False)
def _computed_map(
    recipe: Recipe,
    _surface: Surface,
    surface_key: str,
    surface_values: tuple[tuple[str, Value], ...],
    start: Point,
    steps: int,
    x: str,
    y: str,
    arrivals: bool,
) -> HyperparameterMap:
    """The map, cached by all arguments but ``_surface``, which key and values identify."""
    return hyperparameter_map(recipe, _surface, x, y, start, steps, arrivals=arrivals)


def hyperparameter_map_view(
    trajectory: Trajectory, x: str, y: str, outcome: MapQuantity
) -> HyperparameterMap:
    """Draw the map around a trajectory's recipe, with its surface, start and steps.

    Args:
        trajectory: what does not vary over the map.
        x, y: names of the hyperparameters across and up.
        outcome: what the colours show.
    """
    surface, recipe, steps = trajectory.surface, trajectory.recipe, trajectory.steps
    surface_values = tuple(surface.chosen.items())
    start = (float(trajectory.points[0, 0]), float(trajectory.points[0, 1]))
    arrivals = outcome == "steps to arrive"
    result = _computed_map(
        recipe, surface, surface.key, surface_values, start, steps, x, y, arrivals
    )
    picture = map_picture(outcome, result, surface, steps)
    values = dict(recipe.optimizer.values) | dict(recipe.schedule.values)
    place = {
        "x": result.x.position(_number_or_none(values[x])),
        "y": result.y.position(_number_or_none(values[y])),
    }
    recipe_places = [place] if None not in place.values() else []
    key = f"outcomes.{selection_turn()}"
    show_chart(
        hyperparameter_map_chart,
        key,
        pd.DataFrame({"url": [picture.uri]}),
        pd.DataFrame(recipe_places, columns=["x", "y"]),
        on_select=partial(_apply_clicked_cell, key, recipe, result),
        x=result.x.axis_ticks(),
        y=result.y.axis_ticks(),
        cells=CELLS,
    )
    unit = "f − minimum" if surface.minima else "f"
    if arrivals:
        unit = "steps until near a global minimum"
    st.caption(
        f"{CELLS} × {CELLS} paths of {steps:,} steps each. Dark: {format_number(picture.low)}, "
        f"light: {format_number(picture.high)} ({unit}). Orange: diverged. ○: this recipe. "
        "Click a cell to use its values."
    )
    return result


def _number_or_none(value: Value) -> float | None:
    """The value of a hyperparameter on an axis; ``None`` if it is not used."""
    return value if isinstance(value, int | float) else None


def _apply_clicked_cell(key: str, recipe: Recipe, result: HyperparameterMap) -> None:
    """Put the values of the clicked cell into the controls."""
    cells = st.session_state[key].selection["cell"]
    if not cells:
        return
    column, row = int(cells[0]["column"]), int(cells[0]["row"])
    texts = {
        result.x.param.name: result.x.text(column),
        result.y.param.name: result.y.text(row),
    }
    optimizer, schedule = recipe.optimizer.name, recipe.schedule.name
    fields = (
        *optimizer_fields(optimizer),
        *schedule_fields(schedule, optimizer, is_stretched(current_draft())),
    )
    apply_draft({f.key: texts[f.param.name] for f in fields if f.param.name in texts})
