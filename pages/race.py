"""Race: several recipes from one start, at one learning rate or each at its best."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lrlab.charts import (
    divergence_table,
    thin_rows,
    trajectory_table,
    u_curve_chart,
    u_curve_table,
    value_chart,
)
from lrlab.descent.race import RATES, race
from lrlab.descent.sentences import race_sentence
from lrlab.text import format_number
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.descent.race import race_recipes, rate_choice
from lrlab.ui.descent.trajectory_map import race_map, surface_choice, trajectory_controls
from lrlab.ui.recipe.current import current_trajectory, input_errors_end_page

require_bootstrap()

st.title("Race", anchor=False)
answer_place = st.container()
map_side, chart_side = two_sides("race", 6, 5)
with chart_side:
    trajectory_controls(surface_choice())
current = current_trajectory(noisy=False)
with map_side:
    recipes = race_recipes(current.recipe, current.steps)
    rate = rate_choice()
start = (float(current.points[0, 0]), float(current.points[0, 1]))
with input_errors_end_page():
    runners = race(recipes, current.surface, rate, start, current.steps)
answer_place.markdown(f"**{race_sentence(runners, fair=rate is None)}**")
labels = tuple(runners)
trajectories = {label: runner.trajectory for label, runner in runners.items()}
with map_side:
    race_map(trajectories)
with chart_side:
    has_minimum = bool(current.surface.minima)
    table = pd.concat(
        thin_rows(trajectory_table(t, label)).query(f"step <= {t.diverged_at or t.steps}")
        for label, t in trajectories.items()
    )
    show_chart(
        value_chart,
        "race.values",
        table,
        divergence_table(list(trajectories.values())),
        recipes=labels,
        has_minimum=has_minimum,
    )
    minimum = current.surface.minimum if has_minimum else 0.0
    show_chart(
        u_curve_chart,
        "race.u",
        *u_curve_table(runners, minimum),
        recipes=labels,
        has_minimum=has_minimum,
    )
    st.caption(
        f"Where each recipe ends at {len(RATES)} learning rates, after the same "
        f"{current.steps:,} steps; dots mark the learning rates of this race. A curve has gaps "
        "where the recipe diverges."
    )
st.dataframe(
    pd.DataFrame(
        {
            "Recipe": labels,
            "Learning rate": [format_number(runner.rate) for runner in runners.values()],
            "Final value": [format_number(float(t.values[-1])) for t in trajectories.values()],
            "Diverged at step": [
                "–" if t.diverged_at is None else f"{t.diverged_at:,}"
                for t in trajectories.values()
            ],
        }
    ),
    hide_index=True,
    alt="Final values of the recipes in this race.",
)
