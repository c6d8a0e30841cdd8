"""Paths: the steps the recipe takes on a 2D test function."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lrlab.charts import (
    divergence_table,
    thinned,
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
from lrlab.ui.descent.inspector import arrows_of, inspected, inspector_table
from lrlab.ui.descent.trajectory_map import (
    noise_controls,
    surface_choice,
    trajectory_controls,
    trajectory_map,
)
from lrlab.ui.recipe.current import THIS, current_trajectory, details, stretched

require_bootstrap()

st.title("Paths", anchor=False)
answer = st.container()
map_side, chart_side = two_sides("paths", 6, 5)
with chart_side:
    surface = surface_choice()
    st.markdown(SURFACES[surface].teaches)
    trajectory_controls(surface)
    with st.expander("Noise, as in stochastic gradients"):
        noise_controls()
path = current_trajectory()
with map_side:
    numbers = inspected(path)
    trajectory_map(path, arrows_of(numbers, path) if numbers else ())
answer.markdown(f"**{trajectory_sentence(path)}** {diagnose_trajectory(path)}")
with map_side:
    star = "★ marks the global minimum, " if path.surface.minima else ""
    st.caption(f"Click the map to start there. {star}○ the start.")
    if numbers:
        inspector_table(numbers, path.recipe.optimizer_spec)
with chart_side:
    table = thinned(trajectory_table(path, THIS))
    until = path.steps if path.diverged_at is None else path.diverged_at
    show_chart(
        value_chart,
        "values",
        table.loc[table["step"] <= until, ["step", "gap", "f", "recipe"]],
        divergence_table([path]),
        recipes=(THIS,),
        has_minimum=bool(path.surface.minima),
    )
    rates = table[["step", "learning_rate", "recipe"]]
    show_chart(trajectory_rate_chart, "path_rates", rates, recipes=(THIS,))
    if stretched() and (path.recipe.schedule_spec.step_params or path.recipe.ramp):
        st.caption(f"The schedule is stretched to the path's {path.steps:,} steps.")
if path.recipe.optimizer_spec.on_vectors:
    st.info(path.recipe.optimizer_spec.on_vectors, icon=":material/info:")
st.download_button(
    "Path as CSV",
    partial(trajectory_csv, path),
    "path.csv",
    "text/csv",
    icon=":material/download:",
)
with st.expander("The function", icon=":material/landscape:"):
    st.latex(path.surface.latex)
details(path.recipe)
