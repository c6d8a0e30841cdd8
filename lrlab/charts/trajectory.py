"""Charts of trajectories step by step, and of races."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from lrlab.descent.hyperparameter_map import SMALLEST_GAP
from lrlab.descent.race import RATES, Runner
from lrlab.descent.trajectory import Trajectory


def trajectory_table(trajectory: Trajectory, label: str) -> pd.DataFrame:
    """A trajectory step by step, one row per step.

    Returns:
        Columns ``step``, ``x``, ``y``, ``f``, ``gap``, ``learning_rate`` (of the step that leaves
        this point; NaN after the last step) and ``recipe``. ``gap`` is ``f`` minus the surface's
        minimum, at least `SMALLEST_GAP`, and NaN outside the drawn part where ``f`` lies below
        that minimum; it equals ``f`` if no minimum is known.
    """
    gap = trajectory.values
    if trajectory.surface.minima:
        gap = np.maximum(gap - trajectory.surface.minimum, SMALLEST_GAP)
        gap[trajectory.surface.is_below(trajectory.values)] = np.nan
    return pd.DataFrame(
        {
            "step": np.arange(trajectory.steps + 1),
            "x": trajectory.points[:, 0],
            "y": trajectory.points[:, 1],
            "f": trajectory.values,
            "gap": gap,
            "learning_rate": np.append(trajectory.learning_rates, np.nan),
            "recipe": label,
        }
    )


def trajectory_csv(trajectory: Trajectory) -> str:
    """A trajectory as CSV: ``step``, ``x``, ``y``, ``f``, ``learning_rate``, in full precision."""
    columns = ["step", "x", "y", "f", "learning_rate"]
    return trajectory_table(trajectory, trajectory.recipe.label)[columns].to_csv(index=False)


def divergence_table(trajectories: Sequence[Trajectory]) -> pd.DataFrame:
    """The steps at which trajectories diverged: columns ``step`` and ``text``, one row each."""
    steps = [each.diverged_at for each in trajectories if each.diverged_at is not None]
    return pd.DataFrame({"step": steps, "text": [f"diverged at step {k:,}" for k in steps]})


def value_chart(
    data: ChartData,
    divergences: ChartData,
    recipes: Sequence[str],
    has_minimum: bool,
    height: int = 230,
) -> alt.LayerChart:
    """The surface's value against step, with labels where trajectories diverged.

    Args:
        data: rows of `trajectory_table`.
        divergences: rows of `divergence_table`.
        recipes: the labels in the order of colours.
        has_minimum: whether the surface's minimum is known; the axis is then logarithmic.
        height: in pixels.
    """
    title = "f − minimum (log)" if has_minimum else "f"
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=step_axis()),
            y=alt.Y(
                "gap:Q",
                title=title,
                scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
                axis=log_axis() if has_minimum else number_axis(),
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
    return layer(line, rule, text).properties(
        height=height, description=chart_description(f"{title} against step", recipes)
    )


def trajectory_rate_chart(data: ChartData, recipes: Sequence[str], height: int = 170) -> alt.Chart:
    """The learning rate against step, from `trajectory_table` rows."""
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=step_axis()),
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


def u_curve_table(
    runners: Mapping[str, Runner], minimum: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The U-curves of a race, and the learning rate that each recipe ran with.

    Args:
        runners: the race, by label.
        minimum: the surface's minimum, 0 if it has none.

    Returns:
        Two tables with the columns ``rate``, ``gap`` (final value minus ``minimum``) and
        ``recipe``. Rates at which a recipe diverged have no row.
    """
    curves: list[pd.DataFrame] = []
    dots: list[dict[str, object]] = []
    for label, runner in runners.items():
        gaps = np.maximum(runner.final_values - minimum, SMALLEST_GAP)
        curve = pd.DataFrame({"rate": RATES, "gap": gaps, "recipe": label})
        curves.append(curve[np.isfinite(runner.final_values)])
        gap = max(float(runner.trajectory.values[-1]) - minimum, SMALLEST_GAP)
        if np.isfinite(gap) and runner.trajectory.diverged_at is None:
            dots.append({"rate": runner.rate, "gap": gap, "recipe": label})
    return pd.concat(curves), pd.DataFrame(dots, columns=["rate", "gap", "recipe"])


def u_curve_chart(
    curves: ChartData,
    dots: ChartData,
    recipes: Sequence[str],
    has_minimum: bool,
    height: int = 300,
) -> alt.LayerChart:
    """Final value against learning rate; dots show the rate that each recipe ran with.

    Args:
        curves, dots: the rows of `u_curve_table`.
        recipes: the labels in the order of colours.
        has_minimum: whether the surface's minimum is known; the axis is then logarithmic.
        height: in pixels.
    """
    x = alt.X(
        "rate:Q", title="learning rate (log)", scale=alt.Scale(type="log"), axis=log_axis("x")
    )
    gap = "final f − minimum" if has_minimum else "final f"
    y = alt.Y(
        "gap:Q",
        title=f"{gap} (log)" if has_minimum else gap,
        scale=alt.Scale(type="log") if has_minimum else alt.Scale(zero=False),
        axis=log_axis() if has_minimum else number_axis(),
    )
    colour = recipe_colour(recipes)
    tooltip = [
        alt.Tooltip("recipe:N"),
        alt.Tooltip("rate:Q", title="learning rate", format=".3~g"),
        alt.Tooltip("gap:Q", title="final value", format=".3~g"),
    ]
    lines = alt.Chart(curves).mark_line(strokeWidth=2)
    points = alt.Chart(dots).mark_point(size=90, filled=True, opacity=1)
    return layer(
        *(mark.encode(x=x, y=y, color=colour, tooltip=tooltip) for mark in (lines, points))
    ).properties(
        height=height, description=chart_description(f"{gap} against learning rate", recipes)
    )
