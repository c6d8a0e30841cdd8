"""The map of outcomes: its controls, the picture, and the click that takes a cell."""

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
from lrlab.descent.surfaces import Surface
from lrlab.descent.trajectory import Trajectory
from lrlab.recipes.recipe import Recipe
from lrlab.text import format_number
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.recipe.apply_recipe import apply_draft, selection_turn
from lrlab.ui.recipe.session_draft import current_draft

OUTCOMES: tuple[MapQuantity, ...] = ("final value", "steps to arrive")


def map_controls(recipe: Recipe) -> tuple[str, str, MapQuantity]:
    """Which two hyperparameters, and which outcome."""
    axes = map_axes(recipe)
    names = list(axes)
    columns = st.columns(2, gap="medium")
    x = columns[0].selectbox("Across", names, 0, key=f"map.x.{recipe.optimizer.name}")
    rest = [name for name in names if name != x]
    own = [name for name in rest if axes[name][0] == "optimizer"]
    favourites = [name for name in ("momentum", "beta_1", "rho") if name in own]
    start = rest.index((favourites or own)[0])
    y = columns[1].selectbox("Up", rest, start, key=f"map.y.{recipe.optimizer.name}")
    outcome = st.segmented_control(
        "Shown", OUTCOMES, default=OUTCOMES[0], required=True, key="map.outcome"
    )
    return x, y, outcome


@st.cache_data(max_entries=32, show_spinner=False)
def _walked(
    recipe: Recipe, _surface: Surface, where: tuple, x: str, y: str, arrivals: bool
) -> HyperparameterMap:
    _key, _chosen, start, steps = where
    return hyperparameter_map(recipe, _surface, x, y, start, steps, arrivals=arrivals)


def hyperparameter_map_view(
    path: Trajectory, x: str, y: str, outcome: MapQuantity
) -> HyperparameterMap:
    """Draw the map of the recipe whose path this is; returns its numbers."""
    surface, recipe = path.surface, path.recipe
    where = (surface.key, tuple(surface.chosen.items()), tuple(path.points[0].tolist()), path.steps)
    result = _walked(recipe, surface, where, x, y, outcome == "steps to arrive")
    picture = map_picture(outcome, result, surface, path.steps)
    values = dict(recipe.optimizer.values) | dict(recipe.schedule.values)
    place = {"x": result.x.place(values[x]), "y": result.y.place(values[y])}
    here = [place] if None not in place.values() else []
    key = f"outcomes.{selection_turn()}"
    show_chart(
        hyperparameter_map_chart,
        key,
        pd.DataFrame({"url": [picture.uri]}),
        pd.DataFrame(here, columns=["x", "y"]),
        on_select=partial(_take, key, recipe, result),
        x=result.x.ticked(),
        y=result.y.ticked(),
        cells=CELLS,
    )
    unit = "f − minimum" if surface.minima else "f"
    if outcome == "steps to arrive":
        unit = "steps until near a global minimum"
    st.caption(
        f"{CELLS} × {CELLS} paths of {path.steps:,} steps each. Dark: {format_number(picture.low)}, "
        f"light: {format_number(picture.high)} ({unit}). Orange: diverged. ○: this recipe. "
        "Click a cell to take its values."
    )
    return result


def _take(key: str, recipe: Recipe, result: HyperparameterMap) -> None:
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
