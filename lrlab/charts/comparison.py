"""Charts that compare run series: a line for each, with a band if it has several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import (
    ChartData,
    chart_description,
    layer,
    log_axis,
    number_axis,
    recipe_colour,
    step_axis,
)
from lrlab.experiments.range_test import smooth
from lrlab.training.measurements import EpochRecord, Point, RunHistory

RunUnit = Literal["step", "epoch", "seconds"]
RUN_AXIS: Mapping[RunUnit, str] = MappingProxyType(
    {
        "step": "step (optimizer updates)",
        "epoch": "epoch",
        "seconds": "seconds",
    }
)
"""The units of the horizontal axis, each with the axis title."""

COLUMNS = ["x", "value", "low", "high", "measured", "recipe", "series"]

GRID_SIZE = 300
"""The largest number of places along the axis at which the curves are interpolated."""


@dataclass(frozen=True)
class Curve:
    """A quantity that a run measures repeatedly.

    Args:
        field: its field in `Point` or `EpochRecord`.
        title: the axis title.
        at_points: measured at points within epochs instead of at the end of each epoch.
        share: whether it is a share of images, from 0 to 1.
        loss: whether it is a loss, which spans powers of ten.
        always: whether every run measures it, so that its chart is shown before there are values.
    """

    field: str
    title: str
    at_points: bool
    share: bool = False
    loss: bool = False
    always: bool = True


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        curve.title: curve
        for curve in (
            Curve("loss", "training loss", at_points=True, loss=True),
            Curve("val_loss", "validation loss", at_points=False, loss=True),
            Curve("val_accuracy", "validation accuracy", at_points=False, share=True),
            Curve("learning_rate", "learning rate", at_points=True),
            Curve("gradient_norm", "gradient norm", at_points=True, always=False),
            Curve("update_ratio", "update-to-weight ratio", at_points=True, always=False),
        )
    }
)
"""Each curve by its title."""


def comparison_table(
    runs: Mapping[str, Sequence[RunHistory]],
    curve: Curve,
    unit: RunUnit,
    smoothing: float = 0.0,
    log_x: bool = False,
    log_y: bool = False,
) -> pd.DataFrame:
    """A curve of several run series, at the same places along the axis.

    Between two measurements of a run the curve is interpolated linearly; before the first and
    after the last it has no value. In seconds, all steps of an epoch count as equally long.

    Args:
        runs: series label -> the histories of its runs, in the order of the chart's colours.
        curve: one of `CURVES`.
        unit: the unit of the horizontal axis.
        smoothing: the share of the moving average kept at each point, from 0 to below 1; applies
            only to curves measured at points, and not to the learning rate.
        log_x, log_y: leave out values that a logarithmic axis cannot show.

    Returns:
        Columns ``x``, ``value`` (the mean over the runs with a value at this place), ``low`` and
        ``high`` (over the same runs), ``measured`` (whether a run measured at exactly this place),
        ``recipe`` (the label) and ``series`` (``series0`` for the first, and so on).
    """
    measured_by_label: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for label, histories in runs.items():
        pairs = [_measured(history, curve, unit, smoothing) for history in histories]
        measured_by_label[label] = [(x, values) for x, values in pairs if len(x) > 0]
    all_x = [x for pairs in measured_by_label.values() for x, _ in pairs]
    if not all_x:
        return pd.DataFrame(columns=COLUMNS)
    places = np.unique(np.concatenate(all_x))
    if len(places) > GRID_SIZE:
        places = np.linspace(places[0], places[-1], GRID_SIZE)
    table = pd.concat(
        [
            _interpolated(pairs, places).assign(recipe=label, series=f"series{i}")
            for i, (label, pairs) in enumerate(measured_by_label.items())
            if pairs
        ],
        ignore_index=True,
    )
    return table[((table["x"] > 0) | (not log_x)) & ((table["low"] > 0) | (not log_y))]


def _measured(
    run: RunHistory, curve: Curve, unit: RunUnit, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """The places along the axis at which a run measured the curve, and the values."""
    rows: Sequence[Point] | Sequence[EpochRecord] = run.points if curve.at_points else run.epochs
    measured = [(row.step, getattr(row, curve.field)) for row in rows]
    pairs = np.array([(step, value) for step, value in measured if value is not None], np.float64)
    steps, values = pairs.reshape(-1, 2).T
    if curve.at_points and curve.field != "learning_rate":
        values = smooth(values, 1 / (1 - smoothing))
    if unit == "step":
        return steps, values
    if unit == "epoch":
        return steps / run.plan.steps_per_epoch, values
    epoch_ends = np.array([0.0, *(epoch.step for epoch in run.epochs)])
    seconds = np.cumsum([0.0, *(epoch.seconds for epoch in run.epochs)])
    timed = steps <= epoch_ends[-1]
    return np.interp(steps[timed], epoch_ends, seconds), values[timed]


def _interpolated(
    runs: Sequence[tuple[np.ndarray, np.ndarray]], places: np.ndarray
) -> pd.DataFrame:
    values = np.array([np.interp(places, x, y, np.nan, np.nan) for x, y in runs])
    has_value = np.isfinite(values).any(axis=0)
    places, values = places[has_value], values[:, has_value]
    measured = np.isin(places, np.concatenate([x for x, _ in runs]))
    return pd.DataFrame(
        {
            "x": places,
            "value": np.nanmean(values, axis=0),
            "low": np.nanmin(values, axis=0),
            "high": np.nanmax(values, axis=0),
            "measured": measured,
        }
    )


def comparison_chart(
    data: ChartData,
    recipes: Sequence[str],
    curve: Curve,
    unit: RunUnit = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    height: int = 260,
) -> alt.LayerChart:
    """A curve of several run series; the tooltip at the pointer shows all their values.

    The legend is a chart of its own, `lrlab.charts.style.legend_chart`.

    Args:
        data: rows of `comparison_table`.
        recipes: the series' labels in the order of colours.
        curve, unit: as for `comparison_table`.
        log_x, log_y: which axes are logarithmic.
        height: in pixels.
    """
    x = alt.X(
        "x:Q",
        title=RUN_AXIS[unit] + (" (log)" if log_x else ""),
        scale=alt.Scale(type="log", nice=False) if log_x else alt.Scale(nice=False),
        axis=log_axis("x") if log_x else step_axis(),
    )
    axis = alt.Axis(format="~%", tickCount=5) if curve.share else number_axis()
    if log_y:
        axis = log_axis()
    scale = alt.Scale(type="log", nice=False) if log_y else alt.Scale(zero=False)
    title = curve.title + (" (log)" if log_y else "")
    colour = recipe_colour(recipes, legend=False)
    base = alt.Chart(data)
    band = base.mark_area(opacity=0.18, tooltip=None).encode(
        x=x, y=alt.Y("low:Q", title=title, scale=scale, axis=axis), y2="high:Q", color=colour
    )
    y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
    line = base.mark_line(strokeWidth=2, tooltip=None).encode(x=x, y=y, color=colour)
    layers = [band, line]
    if not curve.at_points:
        ends = base.transform_filter("datum.measured")
        layers.append(
            ends.mark_point(size=30, filled=True, opacity=1, tooltip=None).encode(
                x=x, y=y, color=colour
            )
        )
    description = chart_description(f"{curve.title} against {unit}", recipes)
    return layer(*layers, _pointer_rule(base, recipes, curve, unit, x)).properties(
        height=height, description=description
    )


def _pointer_rule(
    base: alt.Chart, recipes: Sequence[str], curve: Curve, unit: RunUnit, x: alt.X
) -> alt.Chart:
    """A vertical line at the pointer, with a tooltip that shows the value of every series."""
    number = ".2%" if curve.share else ".4~g"
    # Columns are called series0, series1, ...: Vega would read dots and brackets in a label as a
    # path into the row.
    values = [
        alt.Tooltip(f"series{i}:Q", title=recipe, format=number) for i, recipe in enumerate(recipes)
    ]
    place = alt.Tooltip("x:Q", title=unit, format=",.4~r")
    nearest = alt.selection_point(
        "place", fields=["x"], nearest=True, on="pointermove", clear="pointerout", empty=False
    )
    return (
        base.transform_pivot("series", value="value", groupby=["x"])
        .mark_rule(color="gray")
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[place, *values],
        )
        # Without a name Altair would name the view after a hash of its rows.
        .properties(name="reader")
        .add_params(nearest)
    )
