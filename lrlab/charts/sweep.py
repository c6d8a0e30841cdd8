"""Charts and tables of sweeps."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import (
    ChartData,
    chart_description,
    labelled_axis,
    layer,
    log_axis,
    number_axis,
    recipe_colour,
)
from lrlab.descent.raster import HIGH, LOW, SPECIAL
from lrlab.experiments.diagnosis import GUESSING_LOSS
from lrlab.experiments.sweep import AxisValue
from lrlab.experiments.sweep_results import Cell, SweepResult, find_best_cell
from lrlab.optimizers import OPTIMIZERS

DARK_SHADE = 0.4
"""A cell of the heat map with a shade below this is dark, so its text must be light."""

PADDING = 14
"""Pixels between the outermost points and the chart's edge."""

CROSS_DISTANCE = 11
"""Pixels from one optimizer's cross to the next."""


def sweep_u_curve_table(result: SweepResult, axis: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The U-curves of a sweep, a line for each optimizer.

    Args:
        result: the sweep. If it has a second axis, each point is the best cell over that axis.
        axis: the index of the axis along the chart; values that are off have no point.

    Returns:
        A table with the columns ``x``, ``recipe`` (the optimizer's label), ``mean``, ``low`` and
        ``high`` (over the seeds) and ``runs``; and a table of the values at which runs diverged:
        ``x``, ``recipe`` and ``text``.
    """
    points: list[dict[str, object]] = []
    divergences: list[dict[str, object]] = []
    sign = -1 if result.measure.higher_is_better else 1
    for optimizer in result.optimizers:
        label = OPTIMIZERS[optimizer].label
        cells = [cell for cell in result.cells if cell.optimizer == optimizer]
        values = dict.fromkeys(cell.axis_values[axis] for cell in cells)
        for x in (value for value in values if isinstance(value, int | float)):
            cells_at_x = [cell for cell in cells if cell.axis_values[axis] == x]
            with_values = [cell for cell in cells_at_x if cell.band.values]
            if with_values:
                best = min(with_values, key=lambda cell: sign * cell.band.mean)
                points.append({"x": x, "recipe": label, **_spread(best)})
            if diverged := sum(cell.band.diverged for cell in cells_at_x):
                runs = sum(len(cell.values) for cell in cells_at_x)
                text = f"{diverged} of {runs} runs diverged"
                divergences.append({"x": x, "recipe": label, "text": text})
    columns = ["x", "recipe", "mean", "low", "high", "runs"]
    return (
        pd.DataFrame(points, columns=columns),
        pd.DataFrame(divergences, columns=["x", "recipe", "text"]),
    )


def _spread(cell: Cell) -> dict[str, float]:
    finite = [value for value in cell.values if np.isfinite(value)]
    return {
        "mean": cell.band.mean,
        "low": min(finite),
        "high": max(finite),
        "runs": cell.band.values,
    }


def sweep_u_curve_chart(
    points: ChartData,
    divergences: ChartData,
    recipes: Sequence[str],
    x: str,
    y: str,
    ticks: Sequence[tuple[float, str]],
    log_x: bool = True,
    log_y: bool = True,
    height: int = 320,
) -> alt.LayerChart:
    """A measure against a hyperparameter: the mean, a band over the seeds, and crosses.

    The band reaches from the lowest to the highest value. A cross marks a value at which runs
    diverged. A click selects a point as ``cell`` -> ``x``, ``recipe``.

    Args:
        points, divergences: the rows of `sweep_u_curve_table`.
        recipes: the labels in the order of colours.
        x, y: the names of the hyperparameter and of the measure.
        ticks: the values along the chart in order, each with its label.
        log_x, log_y: which axes are logarithmic.
        height: in pixels.
    """
    x_axis = alt.X(
        "x:Q",
        title=_axis_title(x, log_x),
        scale=(
            alt.Scale(type="log", nice=False, domain=[ticks[0][0], ticks[-1][0]], padding=PADDING)
            if log_x
            else alt.Scale(
                zero=False, domain=[ticks[0][0], ticks[-1][0]], nice=False, padding=PADDING
            )
        ),
        axis=labelled_axis(ticks),
    )
    colour = recipe_colour(recipes)
    base = alt.Chart(points).encode(x=x_axis, color=colour)
    band = base.mark_area(opacity=0.2).encode(y=_measure_axis("low", y, log_y), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=_measure_axis("mean", y, log_y))
    selected = alt.selection_point("cell", fields=["x", "recipe"], on="click", empty=False)
    dots = (
        base.mark_point(filled=True, size=70, opacity=1, cursor="pointer")
        .encode(
            y=_measure_axis("mean", y, log_y),
            tooltip=[
                alt.Tooltip("recipe:N", title="optimizer"),
                alt.Tooltip("x:Q", title=x, format=".4~g"),
                alt.Tooltip("mean:Q", title=f"mean {y}", format=".4~g"),
                alt.Tooltip("low:Q", title="lowest value", format=".4~g"),
                alt.Tooltip("high:Q", title="highest value", format=".4~g"),
                alt.Tooltip("runs:Q", title="runs"),
            ],
        )
        # Without a name Altair would name the view after a hash of its rows.
        .properties(name="cells")
        .add_params(selected)
    )
    crosses = [
        # Side by side, since several optimizers may have diverged at the same value.
        alt.Chart(divergences)
        .transform_filter(alt.datum.recipe == recipe)
        .mark_point(
            shape="cross",
            angle=45,
            filled=True,
            size=90,
            opacity=1,
            xOffset=CROSS_DISTANCE * (i - (len(recipes) - 1) / 2),
        )
        .encode(
            x=x_axis,
            y=alt.value(6),
            color=colour,
            tooltip=[
                alt.Tooltip("recipe:N", title="optimizer"),
                alt.Tooltip("x:Q", title=x, format=".4~g"),
                alt.Tooltip("text:N", title="diverged"),
            ],
        )
        for i, recipe in enumerate(recipes)
    ]
    return layer(band, line, dots, *crosses).properties(
        height=height, description=chart_description(f"{y} against {x}", recipes)
    )


def _measure_axis(field: str, name: str, log: bool) -> alt.Y:
    # The extra padding leaves room for the crosses above the highest point.
    padding = PADDING + 4
    return alt.Y(
        f"{field}:Q",
        title=_axis_title(name, log),
        scale=(
            alt.Scale(type="log", nice=False, padding=padding)
            if log
            else alt.Scale(zero=False, padding=padding)
        ),
        axis=log_axis() if log else number_axis(),
    )


def _axis_title(name: str, log: bool) -> str:
    return f"{name} (log)" if log else name


def sweep_table(result: SweepResult, cells: Sequence[Cell]) -> pd.DataFrame:
    """Cells of a sweep as a table for people, one row per cell.

    Returns:
        Columns ``optimizer``, each hyperparameter by its name, the mean by the measure's label,
        ``lowest value``, ``highest value``, ``runs`` and ``diverged``. The mean is missing if all
        runs diverged. The values of an axis are texts unless all of them are numbers.
    """
    rows: list[dict[str, object]] = []
    for cell in cells:
        spread = _spread(cell) if cell.band.values else {}
        row: dict[str, object] = {"optimizer": OPTIMIZERS[cell.optimizer].label}
        for param, value, axis in zip(result.params, cell.axis_values, result.grid, strict=True):
            row[param.name] = value if _is_numeric(axis) else param.text(value)
        row[result.measure.label] = spread.get("mean")
        row |= {"lowest value": spread.get("low"), "highest value": spread.get("high")}
        row |= {"runs": len(cell.values), "diverged": cell.band.diverged}
        rows.append(row)
    return pd.DataFrame(rows)


def _is_numeric(values: Sequence[AxisValue]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def heat_table(result: SweepResult, optimizer: str) -> pd.DataFrame:
    """One optimizer's cells of a sweep over two hyperparameters, one row per cell.

    Returns:
        Columns ``x`` and ``y`` (the values as texts), ``mean``, ``runs``, ``diverged``, ``text``
        (shown in the cell), ``shade`` (0 for the best mean to 1 for the worst, on a logarithmic
        scale for losses), ``lost`` (every run diverged; there is no mean and the shade is
        meaningless), ``dark`` (the text must be light) and ``best`` (the best cell of all
        optimizers). Losses above `GUESSING_LOSS`, or above twice the best one if that is higher,
        get the shade 1: otherwise a single exploded loss would make all other cells look alike.
    """
    best = find_best_cell(result)
    cells = [cell for cell in result.cells if cell.optimizer == optimizer]
    means = np.array([cell.band.mean for cell in cells])
    finite = means[np.isfinite(means)]
    if result.measure.higher_is_better:
        badness = -means
    else:
        ceiling = max(GUESSING_LOSS, 2 * finite.min(initial=np.inf))
        badness = np.log(np.clip(means, 1e-12, ceiling))
    known = badness[np.isfinite(badness)]
    lowest, span = (known.min(), np.ptp(known) or 1.0) if known.size else (0.0, 1.0)
    rows: list[dict[str, object]] = []
    for cell, shade in zip(cells, (badness - lowest) / span, strict=True):
        x, y = (
            param.text(value) for param, value in zip(result.params, cell.axis_values, strict=True)
        )
        rows.append(
            {
                "x": x,
                "y": y,
                "mean": cell.band.mean,
                "runs": len(cell.values),
                "diverged": cell.band.diverged,
                "text": _cell_text(cell, result),
                # A row with a missing shade would not be drawn at all.
                "shade": float(np.nan_to_num(shade)),
                "lost": not cell.band.values,
                "dark": bool(shade < DARK_SHADE),
                "best": best is not None and cell is best.cell,
            }
        )
    columns = ["x", "y", "mean", "runs", "diverged", "text", "shade", "lost", "dark", "best"]
    return pd.DataFrame(rows, columns=columns)


def _cell_text(cell: Cell, result: SweepResult) -> str:
    band = cell.band
    if not band.values:
        return "diverged"
    mean = f"{band.mean:.1%}" if result.measure.share else f"{band.mean:.3g}"
    return f"{mean} ({band.diverged} lost)" if band.diverged else mean


def heat_chart(
    cells: ChartData, xs: Sequence[str], ys: Sequence[str], x: str, y: str, height: int = 360
) -> alt.LayerChart:
    """A heat map: dark cells are good, orange ones diverged, and the best one is framed.

    A click selects a cell as ``cell`` -> ``x``, ``y``.

    Args:
        cells: the rows of `heat_table`.
        xs, ys: the values along the axes as texts, from left to right and from bottom to top.
        x, y: the names of the hyperparameters.
        height: in pixels.
    """
    x_axis = alt.X("x:O", title=x, sort=list(xs), scale=alt.Scale(domain=list(xs)))
    top_down = list(reversed(ys))
    y_axis = alt.Y("y:O", title=y, sort=top_down, scale=alt.Scale(domain=top_down))
    # labelFlush would move the first and last label away from the middle of their cells.
    base = alt.Chart(cells).encode(x=x_axis.axis(labelAngle=0, labelFlush=False), y=y_axis)
    selected = alt.selection_point("cell", fields=["x", "y"], on="click", empty=False)
    boxes = (
        base.mark_rect(cursor="pointer")
        .encode(
            color=alt.when("datum.lost")
            .then(alt.value(SPECIAL))
            .otherwise(
                alt.Color("shade:Q", scale=alt.Scale(domain=[0, 1], range=[LOW, HIGH]), legend=None)
            ),
            tooltip=[
                alt.Tooltip("x:O", title=x),
                alt.Tooltip("y:O", title=y),
                alt.Tooltip("mean:Q", format=".4~g"),
                alt.Tooltip("runs:Q"),
                alt.Tooltip("diverged:Q"),
            ],
        )
        # Without a name Altair would name the view after a hash of its rows.
        .properties(name="cells")
        .add_params(selected)
    )
    texts = base.mark_text(tooltip=None, fontSize=14).encode(
        text="text:N",
        color=alt.when("datum.dark").then(alt.value("white")).otherwise(alt.value("black")),
    )
    frame = base.transform_filter("datum.best").mark_rect(
        filled=False, stroke=SPECIAL, strokeWidth=4, tooltip=None
    )
    description = f"Heat map: {x} across, {y} upwards; dark is better, the best cell is framed."
    return layer(boxes, texts, frame).properties(height=height, description=description)
