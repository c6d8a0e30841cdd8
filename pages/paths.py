"""Paths: the steps the recipe takes on a 2D test function."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lrlab.charts import (
    divergence_table,
    path_csv,
    path_rate_chart,
    path_table,
    thinned,
    value_chart,
)
from lrlab.surfaces import SURFACES
from lrlab.ui.entry import require_entry
from lrlab.ui.inspector import arrows_of, inspected, inspector_table
from lrlab.ui.layout import two_sides
from lrlab.ui.path import noise_controls, path_controls, path_map, surface_choice
from lrlab.ui.recipe import THIS, current_path, details, stretched
from lrlab.ui.show import show
from lrlab.why import why
from lrlab.words import path_sentence

require_entry()

st.title("Paths", anchor=False)
answer = st.container()
map_side, chart_side = two_sides("paths", 6, 5)
with chart_side:
    surface = surface_choice()
    st.markdown(SURFACES[surface].teaches)
    path_controls(surface)
    with st.expander("Noise, as in stochastic gradients"):
        noise_controls()
path = current_path()
with map_side:
    numbers = inspected(path)
    path_map(path, arrows_of(numbers, path) if numbers else ())
answer.markdown(f"**{path_sentence(path)}** {why(path)}")
with map_side:
    star = "★ marks the global minimum, " if path.surface.minima else ""
    st.caption(f"Click the map to start there. {star}○ the start.")
    if numbers:
        inspector_table(numbers, path.recipe.optimizer_spec)
with chart_side:
    table = thinned(path_table(path, THIS))
    until = path.steps if path.diverged_at is None else path.diverged_at
    show(
        value_chart,
        "values",
        table.loc[table["step"] <= until, ["step", "gap", "f", "recipe"]],
        divergence_table([path]),
        recipes=(THIS,),
        has_minimum=bool(path.surface.minima),
    )
    rates = table[["step", "learning_rate", "recipe"]]
    show(path_rate_chart, "path_rates", rates, recipes=(THIS,))
    if stretched() and (path.recipe.schedule_spec.step_params or path.recipe.ramp):
        st.caption(f"The schedule is stretched to the path's {path.steps:,} steps.")
if path.recipe.optimizer_spec.on_vectors:
    st.info(path.recipe.optimizer_spec.on_vectors, icon=":material/info:")
st.download_button(
    "Path as CSV",
    partial(path_csv, path),
    "path.csv",
    "text/csv",
    icon=":material/download:",
)
with st.expander("The function", icon=":material/landscape:"):
    st.latex(path.surface.latex)
details(path.recipe)
