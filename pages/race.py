"""Race: several recipes from one start, at one learning rate or each at its best."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lrlab.charts import divergence_table, thinned, trajectory_table, u_chart, u_table, value_chart
from lrlab.descent.race import RATES, race
from lrlab.descent.sentences import race_sentence
from lrlab.text import format_number
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.descent.race import rate_choice, runners
from lrlab.ui.descent.trajectory_map import race_map, surface_choice, trajectory_controls
from lrlab.ui.recipe.current import current_trajectory, mending

require_bootstrap()

st.title("Race", anchor=False)
answer = st.container()
map_side, chart_side = two_sides("race", 6, 5)
with chart_side:
    trajectory_controls(surface_choice())
path = current_trajectory(noisy=False)
with map_side:
    recipes = runners(path.recipe, path.steps)
    rate = rate_choice()
start = tuple(path.points[0].tolist())
with mending():
    ran = race(recipes, path.surface, rate, start, path.steps)
answer.markdown(f"**{race_sentence(ran, fair=rate is None)}**")
labels = tuple(ran)
with map_side:
    race_map({label: runner.path for label, runner in ran.items()})
with chart_side:
    has_minimum = bool(path.surface.minima)
    paths = [runner.path for runner in ran.values()]
    table = pd.concat(
        thinned(trajectory_table(p, label)).query(f"step <= {p.diverged_at or p.steps}")
        for label, p in zip(labels, paths, strict=True)
    )
    show_chart(
        value_chart,
        "race.values",
        table,
        divergence_table(paths),
        recipes=labels,
        has_minimum=has_minimum,
    )
    minimum = path.surface.minimum if has_minimum else 0.0
    show_chart(u_chart, "race.u", *u_table(ran, minimum), recipes=labels, has_minimum=has_minimum)
    st.caption(
        f"Where each recipe ends at {len(RATES)} learning rates, after the same "
        f"{path.steps:,} steps; dots: the rates of this race. A curve stops where it diverges."
    )
st.dataframe(
    pd.DataFrame(
        {
            "Recipe": labels,
            "Learning rate": [format_number(runner.rate) for runner in ran.values()],
            "Final value": [format_number(float(p.values[-1])) for p in paths],
            "Diverged at step": [
                "–" if p.diverged_at is None else f"{p.diverged_at:,}" for p in paths
            ],
        }
    ),
    hide_index=True,
    alt="Where each recipe of the race ends.",
)
