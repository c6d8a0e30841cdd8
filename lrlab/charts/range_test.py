"""What LR range tests found."""

from __future__ import annotations

import json
import math
from typing import Any

import altair as alt
import pandas as pd

from lrlab.charts.style import number_axis
from lrlab.experiments.range_test import RULES, RangeTest

LOSS, AVERAGE = "loss of the last batches", "smoothed"
"""The curves of a range test."""

DIVERGED = "diverged"
MARKS = [*RULES, DIVERGED]
"""What can be marked along the axis."""

LINE = 17
"""Pixels from one mark's name to the next above the chart."""


def range_test_tables(test: RangeTest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A range test as far as it had not diverged, and its marks.

    Returns:
        A table with the columns ``learning_rate``, ``loss`` and ``smoothed``; and one with the
        columns ``learning_rate`` and ``text``: the suggested rates with their rules, and where
        the loss had diverged.
    """
    end = None if test.diverged_at is None else test.diverged_at + 1
    columns = {"learning_rate": test.rates, "loss": test.losses, "smoothed": test.smoothed}
    curve = pd.DataFrame({name: values[:end] for name, values in columns.items()})
    marks = [(rate, rule) for rule, rate in test.suggestions.items()]
    if test.diverged_at is not None:
        marks.append((float(test.rates[test.diverged_at]), DIVERGED))
    return curve, pd.DataFrame(marks, columns=["learning_rate", "text"])


def range_test_chart(
    curve: Any, marks: Any, low: float, high: float, height: int = 370
) -> alt.LayerChart:
    """Loss against learning rate, from the rows of `range_test_tables`; the rates suggested, and
    the one where the loss had diverged, are named.

    Args:
        curve, marks: the rows.
        low, high: the rates the test goes through, the fixed ends of the axis.
    """
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    across = alt.X("learning_rate:Q", title="learning rate (log)", scale=scale, axis=number_axis())
    rate = alt.Tooltip("learning_rate:Q", title="learning rate", format=".3~g")
    up = {"scale": alt.Scale(zero=False), "axis": number_axis()}
    base = alt.Chart(curve).encode(x=across)
    kinds = alt.Scale(domain=[AVERAGE, LOSS])
    measured = base.mark_point(filled=True, size=12, opacity=0.5, color="gray").encode(
        y=alt.Y("loss:Q", title="loss", **up),
        tooltip=[rate, alt.Tooltip("loss:Q", title=LOSS, format=".4~g")],
    )
    average = (
        base.transform_calculate(kind=f"'{AVERAGE}'")
        .mark_line(strokeWidth=2.5)
        .encode(
            y=alt.Y("smoothed:Q", title="loss", **up),
            color=alt.Color("kind:N", scale=kinds, legend=None),
            tooltip=[rate, alt.Tooltip("smoothed:Q", title="smoothed loss", format=".4~g")],
        )
    )
    # The names stand above the curve, a line for each of them, on the side with more room.
    line = f"-8 - {LINE} * indexof({json.dumps(MARKS)}, datum.text)"
    named = alt.Chart(marks).encode(x=across)
    rules = named.mark_rule(
        strokeDash=[4, 4], color="gray", y=alt.expr(line), y2=alt.expr("height")
    ).encode(tooltip=[rate, "text:N"])
    right_half = f"datum.learning_rate > {math.sqrt(low * high)}"
    texts = named.mark_text(
        y=alt.expr(line),
        dx=alt.expr(f"{right_half} ? -4 : 4"),
        align=alt.expr(f"{right_half} ? 'right' : 'left'"),
        baseline="middle",
        fontSize=12,
        color="gray",
    ).encode(text="text:N")
    description = "Loss against a growing learning rate, with the rates it suggests."
    return alt.layer(measured, average, rules, texts).properties(
        height=height, description=description
    )
