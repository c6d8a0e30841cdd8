"""The first page: schedule curve and optimizer path of the current recipe at a glance."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.recipe.current import (
    THIS,
    current_plan,
    current_trajectory,
    details,
    no_trajectory_note,
)

require_bootstrap()

plan = current_plan()
reactive = plan.recipe.schedule_spec.reactive
st.title(plan.recipe.label, anchor=False)
st.markdown(
    "What will this optimizer do with this schedule, and what does it really do? Move the "
    "sliders: the curve and the path follow. Then train a real network with it."
)

# A new server takes half a second to import the drawing modules; the title is sent before that.
from lrlab.charts import curve_chart, curve_table  # noqa: E402
from lrlab.descent.sentences import trajectory_sentence  # noqa: E402
from lrlab.recipes.sentences import curve_sentence  # noqa: E402
from lrlab.ui.app.chart_element import show_chart  # noqa: E402
from lrlab.ui.app.layout import two_sides  # noqa: E402
from lrlab.ui.descent.trajectory_map import (  # noqa: E402
    noise_controls,
    surface_choice,
    trajectory_controls,
    trajectory_map,
)
from lrlab.ui.runs.start import start_button  # noqa: E402

if start_button(plan, "Train this recipe"):
    # Without query_params, switch_page would clear those bound to the sidebar, which Streamlit
    # refuses.
    st.switch_page("pages/train.py", query_params={})
curve_side, trajectory_side = two_sides("home")
with curve_side:
    st.subheader("The learning rate, step by step", anchor=False)
    st.markdown(curve_sentence(plan))
    if not reactive:
        show_chart(
            curve_chart,
            "home_curve",
            curve_table(plan.recipe, plan.total_steps, plan.steps_per_epoch, THIS),
            recipes=(THIS,),
            height=440,
        )
with trajectory_side:
    st.subheader("The path it takes", anchor=False)
    surface = surface_choice()
    with st.expander("Steps, start and noise"):
        trajectory_controls(surface)
        noise_controls()
    if reactive:
        no_trajectory_note(plan.recipe)
    else:
        trajectory = current_trajectory()
        st.markdown(trajectory_sentence(trajectory))
        trajectory_map(trajectory)
details(plan.recipe)
