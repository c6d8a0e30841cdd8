"""Paths: the steps that the recipe takes on a 2D test function."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lrlab.charts import (
    divergence_table,
    thin_rows,
    trajectory_csv,
    trajectory_rate_chart,
    trajectory_table,
    value_chart,
)
from lrlab.descent.diagnosis import diagnose_trajectory
from lrlab.descent.sentences import trajectory_sentence
from lrlab.descent.surfaces import SURFACES
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.descent.inspector import inspected_step, inspector_table, step_arrows
from lrlab.ui.descent.trajectory_map import (
    noise_controls,
    surface_choice,
    trajectory_controls,
    trajectory_map,
)
from lrlab.ui.recipe.current import THIS, current_trajectory, details, is_schedule_stretched

require_bootstrap()

st.title("Paths", anchor=False)
answer_place = st.container()
map_side, chart_side = two_sides("paths", 6, 5)
with chart_side:
    surface = surface_choice()
    st.markdown(SURFACES[surface].teaches)
    trajectory_controls(surface)
    with st.expander("Noise, as in stochastic gradients"):
        noise_controls()
trajectory = current_trajectory()
with map_side:
    numbers = inspected_step(trajectory)
    trajectory_map(trajectory, step_arrows(numbers, trajectory) if numbers else ())
answer_place.markdown(f"**{trajectory_sentence(trajectory)}** {diagnose_trajectory(trajectory)}")
with map_side:
    star = "★ marks a global minimum. " if trajectory.surface.minima else ""
    st.caption(f"Click the map to start there. {star}○ marks the start.")
    if numbers:
        inspector_table(numbers, trajectory.recipe.optimizer_spec)
with chart_side:
    table = thin_rows(trajectory_table(trajectory, THIS))
    last_step = trajectory.steps if trajectory.diverged_at is None else trajectory.diverged_at
    show_chart(
        value_chart,
        "values",
        table.loc[table["step"] <= last_step, ["step", "gap", "f", "recipe"]],
        divergence_table([trajectory]),
        recipes=(THIS,),
        has_minimum=bool(trajectory.surface.minima),
    )
    rates = table[["step", "learning_rate", "recipe"]]
    show_chart(trajectory_rate_chart, "path_rates", rates, recipes=(THIS,))
    recipe = trajectory.recipe
    if is_schedule_stretched() and (recipe.schedule_spec.step_params or recipe.ramp):
        st.caption(f"The schedule is stretched to the path's {trajectory.steps:,} steps.")
if trajectory.recipe.optimizer_spec.on_vectors:
    st.info(trajectory.recipe.optimizer_spec.on_vectors, icon=":material/info:")
st.download_button(
    "Path as CSV",
    partial(trajectory_csv, trajectory),
    "path.csv",
    "text/csv",
    icon=":material/download:",
)
with st.expander("The function", icon=":material/landscape:"):
    st.latex(trajectory.surface.latex)
details(trajectory.recipe)
