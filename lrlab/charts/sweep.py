"""What sweeps found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import (
    chart_description,
    named_axis,
    number_axis,
    powers_axis,
    recipe_colour,
)
from lrlab.descent.raster import HIGH, LOW, SPECIAL
from lrlab.experiments.diagnosis import GUESSING
from lrlab.experiments.sweep_results import Cell, SweepResult, best_of
from lrlab.optimizers import OPTIMIZERS

DARK = 0.4
"""A cell of the heat map with a shade below this needs light text."""

EDGE = 14
"""Pixels between the outermost points and the chart's edge."""

CROSS = 11
"""Pixels from one optimizer's cross to the next."""


def sweep_u_table(result: SweepResult, axis: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The U-curves of a sweep, a line for each optimizer.

    Args:
        result: the sweep; where it has a second axis, each point is the best over that one.
        axis: which of its axes runs along the chart; values that are off or no numbers are left
            out.

    Returns:
        A table with the columns ``x``, ``recipe`` (the optimizer's label), ``mean``, ``low`` and
        ``high`` (the lowest and the highest seed) and ``runs``; and one of the places where runs
        diverged: ``x``, ``recipe`` and ``text``.
    """
    points, lost = [], []
    sign = -1 if result.measure.higher_is_better else 1
    for optimizer in result.optimizers:
        label = OPTIMIZERS[optimizer].label
        cells = [cell for cell in result.cells if cell.optimizer == optimizer]
        places = dict.fromkeys(cell.at[axis] for cell in cells)
        for x in (place for place in places if isinstance(place, int | float)):
            here = [cell for cell in cells if cell.at[axis] == x]
            kept = [cell for cell in here if cell.band.values]
            if kept:
                best = min(kept, key=lambda cell: sign * cell.band.mean)
                points.append({"x": x, "recipe": label} | _spread(best))
            if gone := sum(cell.band.diverged for cell in here):
                runs = sum(len(cell.values) for cell in here)
                text = f"{gone} of {runs} runs diverged"
                lost.append({"x": x, "recipe": label, "text": text})
    columns = ["x", "recipe", "mean", "low", "high", "runs"]
    return (
        pd.DataFrame(points, columns=columns),
        pd.DataFrame(lost, columns=["x", "recipe", "text"]),
    )


def _spread(cell: Cell) -> dict[str, float]:
    finite = [value for value in cell.values if np.isfinite(value)]
    return {
        "mean": cell.band.mean,
        "low": min(finite),
        "high": max(finite),
        "runs": cell.band.values,
    }


def sweep_u_chart(
    points: Any,
    lost: Any,
    recipes: Sequence[str],
    x: str,
    y: str,
    ticks: Sequence[tuple[float, str]],
    log_x: bool = True,
    log_y: bool = True,
    height: int = 320,
) -> alt.LayerChart:
    """A measure against a hyperparameter, from `sweep_u_table` rows: the mean, a band from the
    lowest to the highest seed, and a cross where runs diverged. A click selects a point as
    ``cell`` -> ``x``, ``recipe``.

    Args:
        points, lost: the rows.
        recipes: the order of colours.
        x, y: the names of the hyperparameter and of the measure.
        ticks: the values along the chart in order, and how they are written.
        log_x, log_y: which axes are logarithmic.
    """
    ends = [ticks[0][0], ticks[-1][0]]
    across = alt.X(
        "x:Q",
        title=_logged(x, log_x),
        scale=_scale(log_x, domain=ends, nice=False, padding=EDGE),
        axis=named_axis(ticks),
    )
    colour = recipe_colour(recipes)
    up_axis = powers_axis() if log_y else number_axis()
    # The crosses have the room above the highest point.
    scale = _scale(log_y, padding=EDGE + 4)
    up = {"title": _logged(y, log_y), "scale": scale, "axis": up_axis}
    base = alt.Chart(points).encode(x=across, color=colour)
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", **up), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", **up))
    chosen = alt.selection_point("cell", fields=["x", "recipe"], on="click", empty=False)
    dots = (
        base.mark_point(filled=True, size=70, opacity=1, cursor="pointer")
        .encode(
            y=alt.Y("mean:Q", **up),
            tooltip=[
                alt.Tooltip("recipe:N", title="optimizer"),
                alt.Tooltip("x:Q", title=x, format=".4~g"),
                alt.Tooltip("mean:Q", title=f"mean {y}", format=".4~g"),
                alt.Tooltip("low:Q", title="lowest seed", format=".4~g"),
                alt.Tooltip("high:Q", title="highest seed", format=".4~g"),
                alt.Tooltip("runs:Q", title="runs"),
            ],
        )
        # Altair would name the view after its rows.
        .properties(name="cells")
        .add_params(chosen)
    )
    crosses = [
        # Beside each other where several optimizers diverged at the same value.
        alt.Chart(lost)
        .transform_filter(alt.datum.recipe == recipe)
        .mark_point(
            shape="cross",
            angle=45,
            filled=True,
            size=90,
            opacity=1,
            xOffset=CROSS * (i - (len(recipes) - 1) / 2),
        )
        .encode(
            x=across,
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
    return alt.layer(band, line, dots, *crosses).properties(
        height=height, description=chart_description(f"{y} against {x}", recipes)
    )


def sweep_table(result: SweepResult, cells: Sequence[Cell]) -> pd.DataFrame:
    """Cells of a sweep for people to read: ``optimizer``, each hyperparameter by its name, the
    mean of the measure by its label, ``lowest seed`` and ``highest seed``, ``runs`` and
    ``diverged``; no mean where all diverged, and texts on an axis that is no number throughout."""
    rows = []
    for cell in cells:
        spread = _spread(cell) if cell.band.values else {}
        rows.append(
            {"optimizer": OPTIMIZERS[cell.optimizer].label}
            | {
                param.name: value if _is_number(values) else param.text(value)
                for param, value, values in zip(result.params, cell.at, result.grid, strict=True)
            }
            | {result.measure.label: spread.get("mean")}
            | {"lowest seed": spread.get("low"), "highest seed": spread.get("high")}
            | {"runs": len(cell.values), "diverged": cell.band.diverged}
        )
    return pd.DataFrame(rows)


def _is_number(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def heat_table(result: SweepResult, optimizer: str) -> pd.DataFrame:
    """The cells of a sweep over two hyperparameters, for one optimizer.

    Returns:
        Columns ``x`` and ``y`` (the values as texts), ``mean``, ``runs``, ``diverged``, ``text``
        (what stands in the cell), ``shade`` (0 for the best mean to 1 for the worst, by the
        logarithm of a loss; one beyond `GUESSING` counts as that, else a single loss of millions
        would leave no difference between the others), ``lost`` (every run diverged: there is no
        mean, and its shade means nothing), ``dark``, whether its text must be light, and
        ``best``, whether it is the best cell of all optimizers.
    """
    best = best_of(result)
    cells = [cell for cell in result.cells if cell.optimizer == optimizer]
    means = np.array([cell.band.mean for cell in cells])
    finite = means[np.isfinite(means)]
    if result.measure.higher_is_better:
        heights = -means
    else:
        most = max(GUESSING, 2 * finite.min(initial=np.inf))
        heights = np.log(np.clip(means, 1e-12, most))
    known = heights[np.isfinite(heights)]
    low, span = (known.min(), np.ptp(known) or 1.0) if known.size else (0.0, 1.0)
    rows = []
    for cell, shade in zip(cells, (heights - low) / span, strict=True):
        x, y = (param.text(value) for param, value in zip(result.params, cell.at, strict=True))
        rows.append(
            {
                "x": x,
                "y": y,
                "mean": cell.band.mean,
                "runs": len(cell.values),
                "diverged": cell.band.diverged,
                "text": _cell_text(cell, result),
                # A row without a number would not be drawn at all.
                "shade": float(np.nan_to_num(shade)),
                "lost": not cell.band.values,
                "dark": bool(shade < DARK),
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
    cells: Any, xs: Sequence[str], ys: Sequence[str], x: str, y: str, height: int = 360
) -> alt.LayerChart:
    """A heat map from `heat_table` rows: dark is good, orange diverged, the best is framed. A
    click selects a cell as ``cell`` -> ``x``, ``y``.

    Args:
        cells: the rows.
        xs, ys: the texts along the axes, from left to right and from bottom to top.
        x, y: the names of the hyperparameters.
    """
    across = alt.X("x:O", title=x, sort=list(xs), scale=alt.Scale(domain=list(xs)))
    top_down = list(reversed(ys))
    up = alt.Y("y:O", title=y, sort=top_down, scale=alt.Scale(domain=top_down))
    # A label belongs below the middle of its cell, at the ends too.
    base = alt.Chart(cells).encode(x=across.axis(labelAngle=0, labelFlush=False), y=up)
    chosen = alt.selection_point("cell", fields=["x", "y"], on="click", empty=False)
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
        # Altair would name the view after its rows.
        .properties(name="cells")
        .add_params(chosen)
    )
    texts = base.mark_text(tooltip=None, fontSize=14).encode(
        text="text:N",
        color=alt.when("datum.dark").then(alt.value("white")).otherwise(alt.value("black")),
    )
    frame = base.transform_filter("datum.best").mark_rect(
        filled=False, stroke=SPECIAL, strokeWidth=4, tooltip=None
    )
    description = f"Heat map: {x} across, {y} upwards; dark is better, the best cell is framed."
    return alt.layer(boxes, texts, frame).properties(height=height, description=description)


def _scale(log: bool, **more: Any) -> alt.Scale:
    kind = {"type": "log", "nice": False} if log else {"zero": False}
    return alt.Scale(**kind | more)


def _logged(name: str, log: bool) -> str:
    return f"{name} (log)" if log else name
