"""Charts over a picture: a path on its map for notebooks, and the map of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from lrlab.charts.style import chart_description, recipe_colour
from lrlab.descent.hyperparameter_map import AxisTicks
from lrlab.descent.surfaces import Surface


def trajectory_map_chart(
    picture: Any, data: Any, surface: Surface, recipes: Sequence[str], size: int = 420
) -> alt.LayerChart:
    """A path on its map, from `trajectory_table` rows; the page has a livelier one of its own.

    Args:
        picture: one row with the column ``url``, the surface as a picture.
        data: the path's rows; what lies outside the map is not drawn.
        surface: whose bounds and minima are drawn.
        recipes: the order of colours.
    """
    (x_low, x_high), (y_low, y_high) = surface.bounds
    x_scale = alt.Scale(domain=[x_low, x_high], nice=False)
    y_scale = alt.Scale(domain=[y_low, y_high], nice=False)
    image = (
        alt.Chart(picture)
        .transform_calculate(left=f"{x_low}", right=f"{x_high}", low=f"{y_low}", high=f"{y_high}")
        .mark_image(aspect=False)
        .encode(
            x=alt.X("left:Q", scale=x_scale, title="x"),
            x2="right:Q",
            y=alt.Y("low:Q", scale=y_scale, title="y"),
            y2="high:Q",
            url="url:N",
        )
    )
    stars = (
        alt.Chart(pd.DataFrame(surface.minima, columns=["x", "y"]))
        .mark_point(shape="M0,-1L0.6,0.8L-1,-0.3L1,-0.3L-0.6,0.8Z", size=60, filled=True)
        .encode(x="x:Q", y="y:Q", color=alt.value("#ffd84d"))
    )
    line = (
        alt.Chart(data)
        .mark_line(clip=True, strokeWidth=2)
        .encode(x="x:Q", y="y:Q", order="step:Q", color=recipe_colour(recipes))
    )
    description = chart_description(f"Paths over {surface.label}, x across and y upwards", recipes)
    return alt.layer(image, stars, line).properties(
        width=size, height=size, description=description
    )


def hyperparameter_map_chart(
    picture: Any, here: Any, x: AxisTicks, y: AxisTicks, cells: int, height: int = 480
) -> alt.LayerChart:
    """A map of outcomes; a click selects a cell as ``cell`` -> ``column``, ``row``.

    Args:
        picture: one row with the column ``url``, the map as a picture.
        here: at most one row with ``x`` and ``y``, where the current recipe lies.
        x, y: the title of each axis and its ticks, pairs of a place from 0 to 1 and a label.
        cells: how many cells the map has along each axis.
    """
    across, up = _map_axis(x), _map_axis(y)
    frame = alt.Chart(picture).transform_calculate(zero="0", one="1")
    image = frame.mark_image(aspect=False, smooth=False).encode(
        x=alt.X("zero:Q", **across),
        x2="one:Q",
        y=alt.Y("zero:Q", **up),
        y2="one:Q",
        url="url:N",
    )
    chosen = alt.selection_point("cell", fields=["column", "row"], on="click", empty=False)
    grid = (
        alt.Chart(alt.sequence(0, cells * cells, as_="i"))
        .transform_calculate(column=f"datum.i % {cells}", row=f"floor(datum.i / {cells})")
        .transform_calculate(
            left=f"datum.column / {cells}",
            right=f"(datum.column + 1) / {cells}",
            low=f"datum.row / {cells}",
            high=f"(datum.row + 1) / {cells}",
        )
        .mark_rect(opacity=0, cursor="crosshair", tooltip=None)
        .encode(x=alt.X("left:Q", **across), x2="right:Q", y=alt.Y("low:Q", **up), y2="high:Q")
        .add_params(chosen)
    )
    place = alt.Chart(here).encode(x=alt.X("x:Q", **across), y=alt.Y("y:Q", **up))
    ring = place.mark_point(size=160, stroke="white", strokeWidth=4, tooltip=None)
    dot = place.mark_point(size=160, stroke="black", strokeWidth=2, tooltip=None)
    description = f"Map of outcomes: {x.title} across, {y.title} upwards; dark is better."
    return alt.layer(image, ring, dot, grid).properties(height=height, description=description)


def _map_axis(axis: AxisTicks) -> dict[str, Any]:
    """A map's axis runs from 0 to 1, whatever the hyperparameter's scale; the labels say what."""
    places = [place for place, _ in axis.ticks]
    labels = [label for _, label in axis.ticks]
    nearest = f"indexof({[round(p * 1e4) for p in places]}, round(datum.value * 1e4))"
    return {
        "title": axis.title,
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(values=places, labelExpr=f"{labels}[{nearest}]", grid=False),
    }
