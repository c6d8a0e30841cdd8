"""How all charts look: axes, colours, numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

CURVE_POINTS = 800
"""A line is drawn through at most so many points."""

_SHORT_NUMBER = (
    "datum.value != 0 && (abs(datum.value) >= 1e6 || abs(datum.value) < 1e-3)"
    " ? replace(format(datum.value, '~e'), '+', '') : format(datum.value, '~g')"
)
"""Vega's expression for a number on an axis: ``0.002``, ``1e-5``, ``1e10``."""


def recipe_colour(recipes: Sequence[str], legend: bool = True) -> alt.Color:
    """The same colour for the same place in the list of recipes, on every chart.

    Args:
        recipes: their names, in the order of colours.
        legend: tell which is which above the chart, if there are several.
    """
    key = alt.Legend(title=None, orient="top", labelLimit=400, columns=3, symbolOpacity=1)
    scale = alt.Scale(domain=list(recipes))
    return alt.Color("recipe:N", scale=scale, legend=key if legend and len(recipes) > 1 else None)


def chart_description(what: str, recipes: Sequence[str]) -> str:
    """A chart's text for those who do not see it; its numbers are in sentences beside it.

    Args:
        what: names what is along both axes, as the chart does.
        recipes: whose lines there are.
    """
    whose = f", a line for each of: {', '.join(recipes)}" if len(recipes) > 1 else ""
    return f"{what[0].upper()}{what[1:]}{whose}."


def legend_chart(data: Any, recipes: Sequence[str]) -> alt.Chart:
    """Nothing but the legend of several charts that have none of their own.

    Args:
        data: a column ``recipe`` with their names.
        recipes: the order of colours.
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


def quiet_axis() -> alt.Axis:
    """An axis without grid lines, for steps and epochs."""
    return alt.Axis(grid=False, format=",~r", tickCount=6)


def number_axis(ticks: int = 5) -> alt.Axis:
    """An axis of numbers that may span powers of ten, with about so many of them."""
    return alt.Axis(labelExpr=_SHORT_NUMBER, tickCount=ticks, labelOverlap=True)


def named_axis(ticks: Sequence[tuple[float, str]]) -> alt.Axis:
    """An axis with ticks at these places alone, and what stands there."""
    places, texts = ([tick[part] for tick in ticks] for part in (0, 1))
    label = f"{json.dumps(texts)}[indexof({json.dumps(places)}, datum.value)]"
    return alt.Axis(values=places, labelExpr=label, labelOverlap="greedy")


def powers_axis(channel: Literal["x", "y"] = "y") -> alt.Axis:
    """A logarithmic axis, labelled at the powers of ten, or if it spans fewer than three of them
    at 1, 2 and 5 of each, or if it spans less than a factor of four at every tick."""
    leading = "round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))"
    narrow = f"domain('{channel}')[1] < 4 * domain('{channel}')[0]"
    shown = f"{narrow} || indexof([1, 2, 5], {leading}) >= 0 ? ({_SHORT_NUMBER}) : ''"
    return alt.Axis(labelExpr=shown, labelOverlap=True, tickCount=3)


def thinned(table: pd.DataFrame, most: int = CURVE_POINTS) -> pd.DataFrame:
    """At most ``most`` rows, evenly spaced, the first and last among them."""
    kept = np.unique(np.linspace(0, len(table) - 1, min(len(table), most)).round().astype(int))
    return table.iloc[kept]


def enlarged(chart: alt.TopLevelMixin) -> alt.TopLevelMixin:
    """The chart with type for a projector."""
    return chart.configure_axis(
        labelFontSize=20, titleFontSize=22, titlePadding=14
    ).configure_legend(labelFontSize=22, symbolSize=300, symbolStrokeWidth=4)
