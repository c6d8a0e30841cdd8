"""Race: several recipes from one start, at one learning rate or each at its best."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lrlab.charts import divergence_table, path_table, thinned, u_chart, u_table, value_chart
from lrlab.race import RATES, race
from lrlab.ui.entry import require_entry
from lrlab.ui.layout import two_sides
from lrlab.ui.path import path_controls, race_map, surface_choice
from lrlab.ui.race import rate_choice, runners
from lrlab.ui.recipe import current_path, mending
from lrlab.ui.show import show
from lrlab.words import number, race_sentence

require_entry()

st.title("Race", anchor=False)
answer = st.container()
map_side, chart_side = two_sides("race", 6, 5)
with chart_side:
    path_controls(surface_choice())
path = current_path(noisy=False)
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
        thinned(path_table(p, label)).query(f"step <= {p.diverged_at or p.steps}")
        for label, p in zip(labels, paths, strict=True)
    )
    show(
        value_chart,
        "race.values",
        table,
        divergence_table(paths),
        recipes=labels,
        has_minimum=has_minimum,
    )
    minimum = path.surface.minimum if has_minimum else 0.0
    show(u_chart, "race.u", *u_table(ran, minimum), recipes=labels, has_minimum=has_minimum)
    st.caption(
        f"Where each recipe ends at {len(RATES)} learning rates, after the same "
        f"{path.steps:,} steps; dots: the rates of this race. A curve stops where it diverges."
    )
st.dataframe(
    pd.DataFrame(
        {
            "Recipe": labels,
            "Learning rate": [number(runner.rate) for runner in ran.values()],
            "Final value": [number(float(p.values[-1])) for p in paths],
            "Diverged at step": [
                "–" if p.diverged_at is None else f"{p.diverged_at:,}" for p in paths
            ],
        }
    ),
    hide_index=True,
    alt="Where each recipe of the race ends.",
)
