"""The chart of an LR range test."""

from __future__ import annotations

import json
import math

import altair as alt
import pandas as pd

from lrlab.charts.style import ChartData, layer, number_axis
from lrlab.experiments.range_test import RULES, RangeTest

LOSS, AVERAGE = "loss of the last batches", "smoothed"
"""The curves of a range test."""

DIVERGED = "diverged"
MARKS = [*RULES, DIVERGED]
"""The labels that can appear above the chart."""

LINE_HEIGHT = 17
"""Pixels from one label above the chart to the next."""


def range_test_tables(test: RangeTest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A range test up to its divergence, and its marks.

    Returns:
        A table with the columns ``learning_rate``, ``loss`` and ``smoothed``; and a table of marks
        with the columns ``learning_rate`` and ``text``: the suggested rates with their rules, and
        the rate at which the loss had diverged.
    """
    end = None if test.diverged_at is None else test.diverged_at + 1
    columns = {"learning_rate": test.rates, "loss": test.losses, "smoothed": test.smoothed}
    curve = pd.DataFrame({name: values[:end] for name, values in columns.items()})
    marks = [(rate, rule) for rule, rate in test.suggestions.items()]
    if test.diverged_at is not None:
        marks.append((float(test.rates[test.diverged_at]), DIVERGED))
    return curve, pd.DataFrame(marks, columns=["learning_rate", "text"])


def range_test_chart(
    curve: ChartData, marks: ChartData, low: float, high: float, height: int = 370
) -> alt.LayerChart:
    """Loss against learning rate, with labelled marks.

    Args:
        curve, marks: the rows of `range_test_tables`.
        low, high: the first and last learning rate of the test, which are the ends of the axis.
        height: in pixels.
    """
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X("learning_rate:Q", title="learning rate (log)", scale=scale, axis=number_axis())
    rate = alt.Tooltip("learning_rate:Q", title="learning rate", format=".3~g")
    base = alt.Chart(curve).encode(x=x)
    kinds = alt.Scale(domain=[AVERAGE, LOSS])
    measured = base.mark_point(filled=True, size=12, opacity=0.5, color="gray").encode(
        y=_loss("loss"),
        tooltip=[rate, alt.Tooltip("loss:Q", title=LOSS, format=".4~g")],
    )
    average = (
        base.transform_calculate(kind=f"'{AVERAGE}'")
        .mark_line(strokeWidth=2.5)
        .encode(
            y=_loss("smoothed"),
            color=alt.Color("kind:N", scale=kinds, legend=None),
            tooltip=[rate, alt.Tooltip("smoothed:Q", title="smoothed loss", format=".4~g")],
        )
    )
    # Each label has a line of its own above the curve, on the side of its mark with more room.
    label_y = f"-8 - {LINE_HEIGHT} * indexof({json.dumps(MARKS)}, datum.text)"
    marked = alt.Chart(marks).encode(x=x)
    rules = marked.mark_rule(
        strokeDash=[4, 4], color="gray", y=alt.expr(label_y), y2=alt.expr("height")
    ).encode(tooltip=[rate, "text:N"])
    in_right_half = f"datum.learning_rate > {math.sqrt(low * high)}"
    texts = marked.mark_text(
        y=alt.expr(label_y),
        dx=alt.expr(f"{in_right_half} ? -4 : 4"),
        align=alt.expr(f"{in_right_half} ? 'right' : 'left'"),
        baseline="middle",
        fontSize=12,
        color="gray",
    ).encode(text="text:N")
    description = "Loss against a growing learning rate, with the suggested rates."
    return layer(measured, average, rules, texts).properties(height=height, description=description)


def _loss(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title="loss", scale=alt.Scale(zero=False), axis=number_axis())
