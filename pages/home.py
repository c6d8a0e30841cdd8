"""The first page: the whole idea at a glance."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.entry import require_entry
from lrlab.ui.recipe import THIS, current_path, current_plan, details, no_path

require_entry()

plan = current_plan()
reactive = plan.recipe.schedule_spec.reactive
st.title(plan.recipe.label, anchor=False)
st.markdown(
    "What will this optimizer with this schedule do, and what does it really do? Move the "
    "sliders: curve and path follow. Then train a real network with it."
)

# A new server takes half a second to load what draws; the title is seen before.
from lrlab.charts import curve_chart, curve_table  # noqa: E402
from lrlab.ui.layout import two_sides  # noqa: E402
from lrlab.ui.path import noise_controls, path_controls, path_map, surface_choice  # noqa: E402
from lrlab.ui.show import show  # noqa: E402
from lrlab.ui.start import start_button  # noqa: E402
from lrlab.words import curve_sentence, path_sentence  # noqa: E402

if start_button(plan, "Train this recipe"):
    # Without parameters of its own it would clear those bound to the sidebar, which is refused.
    st.switch_page("pages/train.py", query_params={})
curve_side, path_side = two_sides("home")
with curve_side:
    st.subheader("The learning rate, step by step", anchor=False)
    st.markdown(curve_sentence(plan))
    if not reactive:
        show(
            curve_chart,
            "home_curve",
            curve_table(plan.recipe, plan.total_steps, plan.steps_per_epoch, THIS),
            recipes=(THIS,),
            height=440,
        )
with path_side:
    st.subheader("The path it takes", anchor=False)
    surface = surface_choice()
    with st.expander("Steps, start and noise"):
        path_controls(surface)
        noise_controls()
    if reactive:
        no_path(plan.recipe)
    else:
        path = current_path()
        st.markdown(path_sentence(path))
        path_map(path)
details(plan.recipe)
