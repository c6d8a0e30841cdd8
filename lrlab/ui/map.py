"""The map of outcomes: its controls, the picture, and the click that takes a cell."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from lrlab.charts import outcome_chart
from lrlab.draft import is_stretched
from lrlab.fields import optimizer_fields, schedule_fields
from lrlab.outcome_map import CELLS, Outcome, OutcomeMap, axes_of, outcome_map, picture_of
from lrlab.recipe import Recipe
from lrlab.simulate import Path
from lrlab.surfaces import Surface
from lrlab.ui.show import show
from lrlab.ui.state import current_draft
from lrlab.ui.take import take_draft, turn
from lrlab.words import number

OUTCOMES: tuple[Outcome, ...] = ("final value", "steps to arrive")


def map_controls(recipe: Recipe) -> tuple[str, str, Outcome]:
    """Which two hyperparameters, and which outcome."""
    axes = axes_of(recipe)
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
) -> OutcomeMap:
    _key, _chosen, start, steps = where
    return outcome_map(recipe, _surface, x, y, start, steps, arrivals=arrivals)


def map_of(path: Path, x: str, y: str, outcome: Outcome) -> OutcomeMap:
    """Draw the map of the recipe whose path this is; returns its numbers."""
    surface, recipe = path.surface, path.recipe
    where = (surface.key, tuple(surface.chosen.items()), tuple(path.points[0].tolist()), path.steps)
    result = _walked(recipe, surface, where, x, y, outcome == "steps to arrive")
    picture = picture_of(outcome, result, surface, path.steps)
    values = dict(recipe.optimizer.values) | dict(recipe.schedule.values)
    place = {"x": result.x.place(values[x]), "y": result.y.place(values[y])}
    here = [place] if None not in place.values() else []
    key = f"outcomes.{turn()}"
    show(
        outcome_chart,
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
        f"{CELLS} × {CELLS} paths of {path.steps:,} steps each. Dark: {number(picture.low)}, "
        f"light: {number(picture.high)} ({unit}). Orange: diverged. ○: this recipe. "
        "Click a cell to take its values."
    )
    return result


def _take(key: str, recipe: Recipe, result: OutcomeMap) -> None:
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
    take_draft({f.key: texts[f.param.name] for f in fields if f.param.name in texts})
