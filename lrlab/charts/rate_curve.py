"""Learning-rate curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import (
    CURVE_POINTS,
    ChartData,
    chart_description,
    log_axis,
    number_axis,
    recipe_colour,
    step_axis,
)
from lrlab.recipes.recipe import Recipe

Unit = Literal["step", "epoch"]
AXIS = {"step": "step (optimizer updates)", "epoch": "epoch"}


def curve_table(recipe: Recipe, steps: int, steps_per_epoch: int, label: str) -> pd.DataFrame:
    """A recipe's learning rate over a run.

    Returns:
        Columns ``step`` (0 to ``steps - 1``), ``epoch`` (fractional), ``learning_rate`` and
        ``recipe``; at most `CURVE_POINTS` rows, none for a reactive schedule.
    """
    count = 0 if recipe.schedule_spec.reactive else min(steps, CURVE_POINTS)
    shown = np.unique(np.linspace(0, steps - 1, count).round().astype(int))
    return pd.DataFrame(
        {
            "step": shown,
            "epoch": shown / steps_per_epoch,
            "learning_rate": recipe.learning_rates_at(shown) if count else np.empty(0),
            "recipe": label,
        }
    )


def curve_chart(
    data: ChartData,
    recipes: Sequence[str],
    unit: Unit = "step",
    log: bool = False,
    height: int = 340,
) -> alt.Chart:
    """Learning rate against step or epoch, a line for each recipe in `curve_table` rows."""
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5, interpolate="linear")
        .encode(
            x=alt.X(
                f"{unit}:Q",
                title=AXIS[unit],
                scale=alt.Scale(nice=False),
                axis=step_axis(),
            ),
            y=alt.Y(
                "learning_rate:Q",
                title="learning rate" + (" (log)" if log else ""),
                scale=alt.Scale(type="log") if log else alt.Scale(zero=True),
                axis=log_axis() if log else number_axis(),
            ),
            color=recipe_colour(recipes),
            tooltip=[
                alt.Tooltip("recipe:N", title="recipe"),
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("epoch:Q", format=".2f"),
                alt.Tooltip("learning_rate:Q", title="learning rate", format=".4~g"),
            ],
        )
        .properties(
            height=height, description=chart_description(f"Learning rate against {unit}", recipes)
        )
    )
