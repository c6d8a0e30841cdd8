"""How all charts look: axes, colours, numbers."""

from __future__ import annotations

from collections.abc import Sequence

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


def recipe_colour(recipes: Sequence[str], columns: int = 3) -> alt.Color:
    """The same colour for the same place in the list of recipes, on every chart.

    Args:
        recipes: their names, in the order of colours.
        columns: of the legend; 2 suit a chart that is half a page wide.
    """
    legend = alt.Legend(
        title=None,
        orient="top",
        labelLimit=400 if columns > 2 else 150,
        columns=columns,
        symbolOpacity=1,
    )
    scale = alt.Scale(domain=list(recipes))
    return alt.Color("recipe:N", scale=scale, legend=legend if len(recipes) > 1 else None)


def quiet_axis() -> alt.Axis:
    """An axis without grid lines, for steps and epochs."""
    return alt.Axis(grid=False, format=",~r", tickCount=6)


def number_axis() -> alt.Axis:
    """An axis of numbers that may span powers of ten."""
    return alt.Axis(labelExpr=_SHORT_NUMBER, tickCount=5, labelOverlap=True)


def thinned(table: pd.DataFrame, most: int = CURVE_POINTS) -> pd.DataFrame:
    """At most ``most`` rows, evenly spaced, the first and last among them."""
    kept = np.unique(np.linspace(0, len(table) - 1, min(len(table), most)).round().astype(int))
    return table.iloc[kept]
