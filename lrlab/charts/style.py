"""The common look of all charts: axes, colours and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypeAlias

import altair as alt
import numpy as np
import pandas as pd

ChartData: TypeAlias = pd.DataFrame | alt.Data
"""The rows of a chart: a table, or `altair.NamedData` for rows that are sent separately."""

CURVE_POINTS = 800
"""The largest number of points through which a line is drawn."""

_SHORT_NUMBER = (
    "datum.value != 0 && (abs(datum.value) >= 1e6 || abs(datum.value) < 1e-3)"
    " ? replace(format(datum.value, '~e'), '+', '') : format(datum.value, '~g')"
)
"""Vega's expression for a number on an axis: ``0.002``, ``1e-5``, ``1e10``."""


def layer(*charts: alt.Chart) -> alt.LayerChart:
    """The charts drawn on top of each other, the first at the bottom.

    ``altair.layer`` does the same, but is typed as if it might return a facet chart.
    """
    return alt.LayerChart(layer=list(charts))


def recipe_colour(recipes: Sequence[str], legend: bool = True) -> alt.Color:
    """The colour of each recipe, which depends only on its place in the list.

    Args:
        recipes: their labels, in the order of the theme's colours.
        legend: show a legend above the chart if there are several.
    """
    key = alt.Legend(title=None, orient="top", labelLimit=400, columns=3, symbolOpacity=1)
    scale = alt.Scale(domain=list(recipes))
    return alt.Color("recipe:N", scale=scale, legend=key if legend and len(recipes) > 1 else None)


def chart_description(what: str, recipes: Sequence[str]) -> str:
    """A chart's text for people who cannot see it; the page states its numbers in sentences.

    Args:
        what: names the quantities along both axes, as the axis titles do.
        recipes: the labels of the recipes that have a line.
    """
    lines = f", a line for each of: {', '.join(recipes)}" if len(recipes) > 1 else ""
    return f"{what[0].upper()}{what[1:]}{lines}."


def legend_chart(data: ChartData, recipes: Sequence[str]) -> alt.Chart:
    """Only a legend, for several charts that have none of their own.

    Args:
        data: rows with the column ``recipe``, the labels.
        recipes: the labels in the order of colours.
    """
    return (
        alt.Chart(data)
        .mark_point(opacity=0, tooltip=None)
        .encode(color=recipe_colour(recipes))
        .configure_view(stroke=None)
        .properties(
            height=24 * -(-len(recipes) // 3) + 34,
            description=f"The colours of: {', '.join(recipes)}.",
        )
    )


def step_axis() -> alt.Axis:
    """An axis without grid lines, for steps and epochs."""
    return alt.Axis(grid=False, format=",~r", tickCount=6)


def number_axis(ticks: int = 5) -> alt.Axis:
    """An axis of numbers that may span powers of ten, with about ``ticks`` ticks."""
    return alt.Axis(labelExpr=_SHORT_NUMBER, tickCount=ticks, labelOverlap=True)


def labelled_axis(ticks: Sequence[tuple[float, str]]) -> alt.Axis:
    """An axis with ticks only at the given values.

    Args:
        ticks: the value and the label of each tick.
    """
    values = [value for value, _ in ticks]
    labels = [label for _, label in ticks]
    expression = f"{json.dumps(labels)}[indexof({json.dumps(values)}, datum.value)]"
    return alt.Axis(values=values, labelExpr=expression, labelOverlap="greedy")


def log_axis(channel: Literal["x", "y"] = "y") -> alt.Axis:
    """A logarithmic axis, labelled at powers of ten.

    An axis of less than three powers of ten is labelled at 1, 2 and 5 of each, and one of less
    than a factor of four at every tick.
    """
    leading = "round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))"
    narrow = f"domain('{channel}')[1] < 4 * domain('{channel}')[0]"
    label = f"{narrow} || indexof([1, 2, 5], {leading}) >= 0 ? ({_SHORT_NUMBER}) : ''"
    return alt.Axis(labelExpr=label, labelOverlap=True, tickCount=3)


def thin_rows(table: pd.DataFrame, max_rows: int = CURVE_POINTS) -> pd.DataFrame:
    """At most ``max_rows`` rows of a table, evenly spaced, including the first and the last."""
    count = min(len(table), max_rows)
    rows = np.unique(np.linspace(0, len(table) - 1, count).round().astype(int))
    return table.iloc[rows]


def enlarge_text(chart: alt.TopLevelMixin) -> alt.TopLevelMixin:
    """The chart with text and symbols large enough for a projector."""
    return chart.configure_axis(
        labelFontSize=20, titleFontSize=22, titlePadding=14
    ).configure_legend(labelFontSize=22, symbolSize=300, symbolStrokeWidth=4)
