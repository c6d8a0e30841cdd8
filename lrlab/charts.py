"""Tables -> Altair charts. Pure functions; how charts look is decided here and in the theme.

Each takes its data as ``alt.Data``-like values (a table, or `altair.NamedData` for a chart whose
data are sent apart), so that a chart can be made once and fed new rows: Streamlit repaints a chart
in place only while everything but its rows stays the same. Titles, domains and colours therefore
never depend on rows. Series take the theme's categorical colours in the order of ``recipes``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from lrlab.outcome_map import SMALLEST_GAP, Ticked
from lrlab.race import RATES, Runner
from lrlab.recipe import Recipe
from lrlab.simulate import Path

CURVE_POINTS = 800
"""A learning-rate curve is drawn through at most so many steps."""

PLANNED, RECORDED = "planned", "recorded"
"""How the two curves of a run's learning rate are called."""

Unit = Literal["step", "epoch"]
AXIS = {"step": "step (optimizer updates)", "epoch": "epoch"}


def curve_table(recipe: Recipe, steps: int, steps_per_epoch: int, label: str) -> pd.DataFrame:
    """A recipe's learning rate over a run.

    Returns:
        Columns ``step`` (0 to ``steps - 1``), ``epoch`` (in fractions), ``learning_rate`` and
        ``recipe``; at most `CURVE_POINTS` rows.
    """
    at = np.unique(np.linspace(0, steps - 1, min(steps, CURVE_POINTS)).round().astype(int))
    return pd.DataFrame(
        {
            "step": at,
            "epoch": at / steps_per_epoch,
            "learning_rate": recipe.learning_rates_at(at),
            "recipe": label,
        }
    )


def curve_chart(
    data: Any, recipes: Sequence[str], unit: Unit = "step", log: bool = False, height: int = 340
) -> alt.Chart:
    """Learning rate against step or epoch, a line for each recipe of `curve_table` rows."""
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5, interpolate="linear")
        .encode(
            x=alt.X(f"{unit}:Q", title=AXIS[unit], axis=_quiet()),
            y=alt.Y(
                "learning_rate:Q",
                title="learning rate" + (" (log)" if log else ""),
                scale=alt.Scale(type="log") if log else alt.Scale(zero=True),
                axis=_rates(),
            ),
            color=_recipe_colour(recipes),
            tooltip=[
                alt.Tooltip("recipe:N", title="recipe"),
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("epoch:Q", format=".2f"),
                alt.Tooltip("learning_rate:Q", title="learning rate", format=".4~g"),
            ],
        )
        .properties(height=height)
    )


def path_table(path: Path, label: str) -> pd.DataFrame:
    """A path step by step.

    Returns:
        Columns ``step``, ``x``, ``y``, ``f``, ``gap`` (``f`` less the surface's minimum, at
        least `SMALLEST_GAP`; ``f`` itself where there is none), ``learning_rate`` (of the step
        that leaves this point; empty after the last) and ``recipe``. Every step has its row.
    """
    gap = path.values
    if path.surface.minima:
        gap = np.maximum(gap - path.surface.minimum, SMALLEST_GAP)
    return pd.DataFrame(
        {
            "step": np.arange(path.steps + 1),
            "x": path.points[:, 0],
            "y": path.points[:, 1],
            "f": path.values,
            "gap": gap,
            "learning_rate": np.append(path.learning_rates, np.nan),
            "recipe": label,
        }
    )


def divergence_table(paths: Sequence[Path]) -> pd.DataFrame:
    """Where paths diverged: columns ``step`` and ``text``, a row for each that did."""
    at = [path.diverged_at for path in paths if path.diverged_at is not None]
    return pd.DataFrame({"step": at, "text": [f"diverged at step {k:,}" for k in at]})


def thinned(table: pd.DataFrame, most: int = CURVE_POINTS) -> pd.DataFrame:
    """At most ``most`` rows, evenly spaced, the first and last among them."""
    kept = np.unique(np.linspace(0, len(table) - 1, min(len(table), most)).round().astype(int))
    return table.iloc[kept]


def value_chart(
    data: Any, divergences: Any, recipes: Sequence[str], has_minimum: bool, height: int = 230
) -> alt.LayerChart:
    """The surface's value against step, from `path_table` rows; divergence is named."""
    title = "f − minimum (log)" if has_minimum else "f"
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=_quiet()),
            y=alt.Y(
                "gap:Q",
                title=title,
                scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
                axis=_rates(),
            ),
            color=_recipe_colour(recipes),
            tooltip=[
                alt.Tooltip("recipe:N", title="recipe"),
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("f:Q", format=".5~g"),
            ],
        )
    )
    rule = alt.Chart(divergences).mark_rule(strokeDash=[4, 4], color="gray").encode(x="step:Q")
    text = (
        alt.Chart(divergences)
        .mark_text(align="right", dx=-6, y=10, fontSize=12)
        .encode(x="step:Q", text="text:N", color=alt.value("gray"))
    )
    return alt.layer(line, rule, text).properties(height=height)


def path_rate_chart(data: Any, recipes: Sequence[str], height: int = 170) -> alt.Chart:
    """The learning rate against step along a path, from `path_table` rows."""
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=_quiet()),
            y=alt.Y("learning_rate:Q", title="learning rate", axis=_rates()),
            color=_recipe_colour(recipes),
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("learning_rate:Q", title="learning rate", format=".4~g"),
            ],
        )
        .properties(height=height)
    )


def u_table(runners: Mapping[str, Runner], minimum: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The U-curves of a race, and the rate at which each recipe ran.

    Args:
        runners: the race, by label.
        minimum: the surface's lowest value, 0 if it has none.

    Returns:
        Two tables with the columns ``rate``, ``gap`` (final value less the minimum) and
        ``recipe``; rates at which a recipe diverged have no row.
    """
    curves, taken = [], []
    for label, runner in runners.items():
        gaps = np.maximum(runner.finals - minimum, SMALLEST_GAP)
        curve = pd.DataFrame({"rate": RATES, "gap": gaps, "recipe": label})
        curves.append(curve[np.isfinite(runner.finals)])
        end = max(float(runner.path.values[-1]) - minimum, SMALLEST_GAP)
        if np.isfinite(end) and runner.path.diverged_at is None:
            taken.append({"rate": runner.rate, "gap": end, "recipe": label})
    return pd.concat(curves), pd.DataFrame(taken, columns=["rate", "gap", "recipe"])


def u_chart(
    curves: Any, taken: Any, recipes: Sequence[str], has_minimum: bool, height: int = 300
) -> alt.LayerChart:
    """Final value against learning rate, from `u_table` rows; the rates taken are dots."""
    x = alt.X("rate:Q", title="learning rate (log)", scale=alt.Scale(type="log"), axis=_rates())
    y = alt.Y(
        "gap:Q",
        title="final f − minimum (log)" if has_minimum else "final f",
        scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
        axis=_rates(),
    )
    colour = _recipe_colour(recipes)
    tooltip = [
        alt.Tooltip("recipe:N"),
        alt.Tooltip("rate:Q", title="learning rate", format=".3~g"),
        alt.Tooltip("gap:Q", title="final value", format=".3~g"),
    ]
    line = alt.Chart(curves).mark_line(strokeWidth=2)
    dots = alt.Chart(taken).mark_point(size=90, filled=True, opacity=1)
    return alt.layer(
        *(mark.encode(x=x, y=y, color=colour, tooltip=tooltip) for mark in (line, dots))
    ).properties(height=height)


def outcome_chart(
    picture: Any, here: Any, x: Ticked, y: Ticked, cells: int, height: int = 480
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
    return alt.layer(image, ring, dot, grid).properties(height=height)


def _map_axis(axis: Ticked) -> dict[str, Any]:
    """A map's axis runs from 0 to 1, whatever the hyperparameter's scale; the labels say what."""
    places = [place for place, _ in axis.ticks]
    labels = [label for _, label in axis.ticks]
    nearest = f"indexof({[round(p * 1e4) for p in places]}, round(datum.value * 1e4))"
    return {
        "title": axis.title,
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(values=places, labelExpr=f"{labels}[{nearest}]", grid=False),
    }


def point_table(points: Sequence[Mapping[str, Any]], steps_per_epoch: int) -> pd.DataFrame:
    """What a run measured between epochs.

    Args:
        points: the store's points: ``step``, ``loss``, ``learning_rate``.
        steps_per_epoch: optimizer steps in an epoch.

    Returns:
        Columns ``step``, ``epoch`` (in fractions), ``loss``, ``learning_rate`` and ``recipe``,
        which is `RECORDED`.
    """
    table = pd.DataFrame(points, columns=["step", "loss", "learning_rate"])
    return table.assign(epoch=table["step"] / steps_per_epoch, recipe=RECORDED)


def epoch_table(epochs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What a run measured at each epoch's end, a row for each epoch and set of images.

    Returns:
        Columns ``epoch``, ``images`` ("training" or "validation"), ``loss`` and ``accuracy``.
    """
    rows = [
        {
            "epoch": epoch["epoch"],
            "images": images,
            "loss": epoch[f"{prefix}loss"],
            "accuracy": epoch[f"{prefix}accuracy"],
        }
        for epoch in epochs
        for images, prefix in (("training", ""), ("validation", "val_"))
    ]
    return pd.DataFrame(rows, columns=["epoch", "images", "loss", "accuracy"])


def loss_chart(points: Any, epochs: Any, length: int, height: int = 280) -> alt.LayerChart:
    """A run's loss: of the batches as they pass, and of each epoch for both sets of images.

    Args:
        points, epochs: rows of `point_table` and `epoch_table`.
        length: epochs in the whole run, the fixed length of the horizontal axis.
    """
    passing = (
        alt.Chart(points)
        .mark_line(strokeWidth=1, opacity=0.45, color="gray")
        .encode(
            x=_epochs_axis(length),
            y=_loss_axis(),
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("loss:Q", title="loss of the last batches", format=".4f"),
            ],
        )
    )
    ends = _epoch_line(epochs, _loss_axis(), "loss", length)
    return alt.layer(passing, ends).properties(height=height)


def accuracy_chart(epochs: Any, length: int, height: int = 280) -> alt.Chart:
    """A run's accuracy after each epoch, from `epoch_table` rows."""
    accuracy = alt.Y(
        "accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format="~%")
    )
    return _epoch_line(epochs, accuracy, "accuracy", length).properties(height=height)


def recorded_rate_chart(
    planned: Any, recorded: Any, length: int, height: int = 200
) -> alt.LayerChart:
    """The learning rate that updates really used, as dots over the planned curve.

    Args:
        planned, recorded: rows of `curve_table`, labelled `PLANNED`, and of `point_table`.
        length: epochs in the whole run.
    """
    rate = alt.Y("learning_rate:Q", title="learning rate", axis=_rates())
    kind = alt.Color(
        "recipe:N",
        scale=alt.Scale(domain=[RECORDED, PLANNED]),
        legend=alt.Legend(title=None, orient="top"),
    )
    line = (
        alt.Chart(planned)
        .mark_line(strokeWidth=5, opacity=0.3)
        .encode(x=_epochs_axis(length), y=rate, color=kind)
    )
    dots = (
        alt.Chart(recorded)
        .mark_point(size=14, filled=True, opacity=1)
        .encode(
            x=_epochs_axis(length),
            y=rate,
            color=kind,
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("learning_rate:Q", title="learning rate used", format=".4~g"),
            ],
        )
    )
    return alt.layer(line, dots).properties(height=height)


def _loss_axis() -> alt.Y:
    # The first batches lose ten times as much as the last: on a linear axis nothing else is seen.
    return alt.Y("loss:Q", title="loss (log)", scale=alt.Scale(type="log"), axis=_rates())


def _epoch_line(epochs: Any, y: alt.Y, measure: str, length: int) -> alt.Chart:
    return (
        alt.Chart(epochs)
        .mark_line(point=alt.OverlayMarkDef(size=50), strokeWidth=2)
        .encode(
            x=_epochs_axis(length),
            y=y,
            color=alt.Color(
                "images:N",
                scale=alt.Scale(domain=["training", "validation"]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=[
                alt.Tooltip("images:N"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip(f"{measure}:Q", format=".4f"),
            ],
        )
    )


def _epochs_axis(length: int) -> alt.X:
    return alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(domain=[0, length], nice=False),
        axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
    )


def _recipe_colour(recipes: Sequence[str]) -> alt.Color:
    """The same colour for the same place in the list of recipes, on every chart."""
    many = len(recipes) > 1
    legend = alt.Legend(title=None, orient="top", labelLimit=400, columns=3) if many else None
    return alt.Color("recipe:N", scale=alt.Scale(domain=list(recipes)), legend=legend)


_SHORT_NUMBER = (
    "datum.value != 0 && (abs(datum.value) >= 1e6 || abs(datum.value) < 1e-3)"
    " ? replace(format(datum.value, '~e'), '+', '') : format(datum.value, '~g')"
)
"""Vega's expression for a number on an axis: ``0.002``, ``1e-5``, ``1e10``."""


def _quiet() -> alt.Axis:
    return alt.Axis(grid=False, format=",~r", tickCount=6)


def _rates() -> alt.Axis:
    return alt.Axis(labelExpr=_SHORT_NUMBER, tickCount=5, labelOverlap=True)
