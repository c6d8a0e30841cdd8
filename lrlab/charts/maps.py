"""Charts over a picture: a trajectory on its surface for notebooks, and the hyperparameter map."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lrlab.charts.style import ChartData, chart_description, layer, recipe_colour
from lrlab.descent.hyperparameter_map import AxisTicks
from lrlab.descent.surfaces import Surface


def trajectory_map_chart(
    picture: ChartData,
    data: ChartData,
    surface: Surface,
    recipes: Sequence[str],
    size: int = 420,
) -> alt.LayerChart:
    """A trajectory on its surface; the page has an interactive map instead.

    Args:
        picture: one row with the column ``url``, the picture of the surface.
        data: rows of `trajectory_table`; points outside the surface's bounds are not drawn.
        surface: gives the bounds and the minima.
        recipes: the labels in the order of colours.
        size: the width and height in pixels.
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
    return layer(image, stars, line).properties(width=size, height=size, description=description)


def hyperparameter_map_chart(
    picture: ChartData,
    current: ChartData,
    x: AxisTicks,
    y: AxisTicks,
    cells: int,
    height: int = 480,
) -> alt.LayerChart:
    """The hyperparameter map; a click selects a cell as ``cell`` -> ``column``, ``row``.

    Args:
        picture: one row with the column ``url``, the map as a picture.
        current: at most one row with ``x`` and ``y``, the place of the current recipe, each from
            0 to 1.
        x, y: the title and the ticks of each axis; a tick is a place from 0 to 1 and a label.
        cells: the number of cells along each axis.
        height: in pixels.
    """
    image = (
        alt.Chart(picture)
        .transform_calculate(zero="0", one="1")
        .mark_image(aspect=False, smooth=False)
        .encode(x=_map_x("zero", x), x2="one:Q", y=_map_y("zero", y), y2="one:Q", url="url:N")
    )
    selected = alt.selection_point("cell", fields=["column", "row"], on="click", empty=False)
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
        .encode(x=_map_x("left", x), x2="right:Q", y=_map_y("low", y), y2="high:Q")
        .add_params(selected)
    )
    place = alt.Chart(current).encode(x=_map_x("x", x), y=_map_y("y", y))
    ring = place.mark_point(size=160, stroke="white", strokeWidth=4, tooltip=None)
    dot = place.mark_point(size=160, stroke="black", strokeWidth=2, tooltip=None)
    description = f"Map of outcomes: {x.title} across, {y.title} upwards; dark is better."
    return layer(image, ring, dot, grid).properties(height=height, description=description)


def _map_x(field: str, ticks: AxisTicks) -> alt.X:
    return alt.X(f"{field}:Q", title=ticks.title, scale=_unit_scale(), axis=_map_axis(ticks))


def _map_y(field: str, ticks: AxisTicks) -> alt.Y:
    return alt.Y(f"{field}:Q", title=ticks.title, scale=_unit_scale(), axis=_map_axis(ticks))


def _unit_scale() -> alt.Scale:
    """A map's axis runs from 0 to 1 for every hyperparameter; its labels show the values."""
    return alt.Scale(domain=[0, 1], nice=False)


def _map_axis(ticks: AxisTicks) -> alt.Axis:
    places = [place for place, _ in ticks.ticks]
    labels = [label for _, label in ticks.ticks]
    # The browser's tick values are floats, so they are compared after rounding.
    index = f"indexof({[round(p * 1e4) for p in places]}, round(datum.value * 1e4))"
    return alt.Axis(values=places, labelExpr=f"{labels}[{index}]", grid=False)
