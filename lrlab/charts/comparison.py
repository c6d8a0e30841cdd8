"""Several runs on one set of charts: each line a recipe, with a band where it has several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import (
    chart_description,
    number_axis,
    powers_axis,
    quiet_axis,
    recipe_colour,
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
"""What runs can be drawn against, and the title of that axis."""

COLUMNS = ["x", "value", "low", "high", "measured", "recipe", "line"]

GRID = 300
"""Places along the axis at which lines are read."""


@dataclass(frozen=True)
class Curve:
    """Something a run measures over and over.

    Args:
        field: its name in the store.
        title: for the axis.
        often: measured between epochs (at points) instead of at their ends.
        share: a share of images, from 0 to 1.
        loss: a loss, which falls over powers of ten.
        always: every run measures it, so its chart is there before it has begun.
    """

    field: str
    title: str
    often: bool
    share: bool = False
    loss: bool = False
    always: bool = True


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        curve.title: curve
        for curve in (
            Curve("loss", "training loss", often=True, loss=True),
            Curve("val_loss", "validation loss", often=False, loss=True),
            Curve("val_accuracy", "validation accuracy", often=False, share=True),
            Curve("learning_rate", "learning rate", often=True),
            Curve("gradient_norm", "gradient norm", often=True, always=False),
            Curve("update_ratio", "update-to-weight ratio", often=True, always=False),
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
    """A curve of several recipes, read at the same places along the axis.

    Between two measurements of a run the straight line between them is read; before its first
    and after its last there is nothing. Within an epoch seconds are counted as if all its steps
    took equally long.

    Args:
        runs: those of each recipe, by its label, in the order of the chart's colours.
        curve: one of `CURVES`.
        unit: what the axis counts.
        smoothing: the share of the moving average that is kept at each point, from 0 up to, not
            including, 1; of curves measured at points alone.
        log_x, log_y: leave out what a logarithmic axis cannot show.

    Returns:
        Columns ``x``, ``value`` (the mean over the runs that reach this place), ``low`` and
        ``high`` (of those runs), ``measured`` (whether a run measured just here), ``recipe`` and
        ``line`` (``line0`` for the first, and so on).
    """
    series = {
        label: [
            found for run in members if len((found := _series(run, curve, unit, smoothing))[0]) > 0
        ]
        for label, members in runs.items()
    }
    every = [x for members in series.values() for x, _ in members]
    if not every:
        return pd.DataFrame(columns=COLUMNS)
    places = np.unique(np.concatenate(every))
    if len(places) > GRID:
        places = np.linspace(places[0], places[-1], GRID)
    table = pd.concat(
        [
            _read(members, places).assign(recipe=label, line=f"line{i}")
            for i, (label, members) in enumerate(series.items())
            if members
        ],
        ignore_index=True,
    )
    return table[((table["x"] > 0) | (not log_x)) & ((table["low"] > 0) | (not log_y))]


def _series(
    run: RunHistory, curve: Curve, unit: RunUnit, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where along the axis a run measured, and what."""
    rows: Sequence[Point] | Sequence[EpochRecord] = run.points if curve.often else run.epochs
    measured = [(row.step, getattr(row, curve.field)) for row in rows]
    pairs = np.array([(step, value) for step, value in measured if value is not None], np.float64)
    steps, values = pairs.reshape(-1, 2).T
    if curve.often and curve.field != "learning_rate":
        values = smooth(values, 1 / (1 - smoothing))
    if unit == "step":
        return steps, values
    if unit == "epoch":
        return steps / run.plan.steps_per_epoch, values
    ends = np.array([0.0, *(epoch.step for epoch in run.epochs)])
    clock = np.cumsum([0.0, *(epoch.seconds for epoch in run.epochs)])
    known = steps <= ends[-1]
    return np.interp(steps[known], ends, clock), values[known]


def _read(runs: Sequence[tuple[np.ndarray, np.ndarray]], places: np.ndarray) -> pd.DataFrame:
    read = np.array([np.interp(places, x, y, np.nan, np.nan) for x, y in runs])
    kept = np.isfinite(read).any(axis=0)
    places, read = places[kept], read[:, kept]
    measured = np.isin(places, np.concatenate([x for x, _ in runs]))
    return pd.DataFrame(
        {
            "x": places,
            "value": np.nanmean(read, axis=0),
            "low": np.nanmin(read, axis=0),
            "high": np.nanmax(read, axis=0),
            "measured": measured,
        }
    )


def comparison_chart(
    data: Any,
    recipes: Sequence[str],
    curve: Curve,
    unit: RunUnit = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    height: int = 260,
) -> alt.LayerChart:
    """A curve of several recipes, from `comparison_table` rows; the pointer reads all at once. The
    legend is a chart of its own, `lrlab.charts.style.legend_chart`.

    Args:
        data: the rows.
        recipes: the order of colours.
        curve, unit: what the rows hold.
        log_x, log_y: which axes are logarithmic.
    """
    x = alt.X(
        "x:Q",
        title=RUN_AXIS[unit] + (" (log)" if log_x else ""),
        scale=alt.Scale(type="log", nice=False) if log_x else alt.Scale(nice=False),
        axis=powers_axis("x") if log_x else quiet_axis(),
    )
    axis = alt.Axis(format="~%", tickCount=5) if curve.share else number_axis()
    if log_y:
        axis = powers_axis()
    scale = alt.Scale(type="log", nice=False) if log_y else alt.Scale(zero=False)
    title = curve.title + (" (log)" if log_y else "")
    colour = recipe_colour(recipes, legend=False)
    base = alt.Chart(data)
    band = base.mark_area(opacity=0.18, tooltip=None).encode(
        x=x, y=alt.Y("low:Q", title=title, scale=scale, axis=axis), y2="high:Q", color=colour
    )
    y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
    line = base.mark_line(strokeWidth=2, tooltip=None).encode(x=x, y=y, color=colour)
    drawn = [band, line]
    if not curve.often:
        ends = base.transform_filter("datum.measured")
        drawn.append(
            ends.mark_point(size=30, filled=True, opacity=1, tooltip=None).encode(
                x=x, y=y, color=colour
            )
        )
    description = chart_description(f"{curve.title} against {unit}", recipes)
    return alt.layer(*drawn, _reader(base, recipes, curve, unit, x)).properties(
        height=height, description=description
    )


def _reader(
    base: alt.Chart, recipes: Sequence[str], curve: Curve, unit: RunUnit, x: alt.X
) -> alt.Chart:
    """A vertical line at the pointer, which tells the value of every recipe there."""
    number = ".2%" if curve.share else ".4~g"
    # People name recipes: as a column's name their dots and brackets would be read as a path.
    told = [
        alt.Tooltip(f"line{i}:Q", title=recipe, format=number) for i, recipe in enumerate(recipes)
    ]
    place = alt.Tooltip("x:Q", title=unit, format=",.4~r")
    nearest = alt.selection_point(
        "place", fields=["x"], nearest=True, on="pointermove", clear="pointerout", empty=False
    )
    return (
        base.transform_pivot("line", value="value", groupby=["x"])
        .mark_rule(color="gray")
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[place, *told],
        )
        # Altair would name the view after its rows.
        .properties(name="reader")
        .add_params(nearest)
    )
