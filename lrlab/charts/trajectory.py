"""Paths step by step, and races."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from lrlab.descent.hyperparameter_map import SMALLEST_GAP
from lrlab.descent.race import RATES, Runner
from lrlab.descent.trajectory import Trajectory


def trajectory_table(path: Trajectory, label: str) -> pd.DataFrame:
    """A path step by step.

    Returns:
        Columns ``step``, ``x``, ``y``, ``f``, ``gap`` (``f`` less the surface's minimum, at
        least `SMALLEST_GAP`, empty where the path is lower outside the drawn part; ``f`` itself
        where no minimum is known), ``learning_rate`` (of the step
        that leaves this point; empty after the last) and ``recipe``. Every step has its row.
    """
    gap = path.values
    if path.surface.minima:
        gap = np.maximum(gap - path.surface.minimum, SMALLEST_GAP)
        gap[path.surface.is_below(path.values)] = np.nan
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


def trajectory_csv(path: Trajectory) -> str:
    """A path as CSV: ``step``, ``x``, ``y``, ``f`` and ``learning_rate``, in full precision."""
    columns = ["step", "x", "y", "f", "learning_rate"]
    return trajectory_table(path, path.recipe.label)[columns].to_csv(index=False)


def divergence_table(paths: Sequence[Trajectory]) -> pd.DataFrame:
    """Where paths diverged: columns ``step`` and ``text``, a row for each that did."""
    at = [path.diverged_at for path in paths if path.diverged_at is not None]
    return pd.DataFrame({"step": at, "text": [f"diverged at step {k:,}" for k in at]})


def value_chart(
    data: Any, divergences: Any, recipes: Sequence[str], has_minimum: bool, height: int = 230
) -> alt.LayerChart:
    """The surface's value against step, from `trajectory_table` rows; divergence is named."""
    title = "f − minimum (log)" if has_minimum else "f"
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=quiet_axis()),
            y=alt.Y(
                "gap:Q",
                title=title,
                scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
                axis=powers_axis() if has_minimum else number_axis(),
            ),
            color=recipe_colour(recipes),
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
    return alt.layer(line, rule, text).properties(
        height=height, description=chart_description(f"{title} against step", recipes)
    )


def trajectory_rate_chart(data: Any, recipes: Sequence[str], height: int = 170) -> alt.Chart:
    """The learning rate against step along a path, from `trajectory_table` rows."""
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=quiet_axis()),
            y=alt.Y("learning_rate:Q", title="learning rate", axis=number_axis()),
            color=recipe_colour(recipes),
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("learning_rate:Q", title="learning rate", format=".4~g"),
            ],
        )
        .properties(
            height=height,
            description=chart_description("Learning rate against step of a path", recipes),
        )
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
    x = alt.X(
        "rate:Q", title="learning rate (log)", scale=alt.Scale(type="log"), axis=powers_axis("x")
    )
    gap = "final f − minimum" if has_minimum else "final f"
    y = alt.Y(
        "gap:Q",
        title=f"{gap} (log)" if has_minimum else gap,
        scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
        axis=powers_axis() if has_minimum else number_axis(),
    )
    colour = recipe_colour(recipes)
    tooltip = [
        alt.Tooltip("recipe:N"),
        alt.Tooltip("rate:Q", title="learning rate", format=".3~g"),
        alt.Tooltip("gap:Q", title="final value", format=".3~g"),
    ]
    line = alt.Chart(curves).mark_line(strokeWidth=2)
    dots = alt.Chart(taken).mark_point(size=90, filled=True, opacity=1)
    return alt.layer(
        *(mark.encode(x=x, y=y, color=colour, tooltip=tooltip) for mark in (line, dots))
    ).properties(
        height=height, description=chart_description(f"{gap} against learning rate", recipes)
    )
