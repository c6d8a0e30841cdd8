"""Sweep: train one recipe with many values of one or two hyperparameters."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.server import report_store_errors
from lrlab.ui.recipe.current import current_plan
from lrlab.ui.runs.access_codes import class_code_box
from lrlab.ui.runs.start import engine_note
from lrlab.ui.sweep.controls import sweep_button, sweep_controls
from lrlab.ui.sweep.result import sweep_results

require_bootstrap()

st.title("Sweep", anchor=False)
plan = current_plan()
st.markdown(
    "Which values are best? The recipe is trained with each of them; the sidebar's run settings "
    "apply to all."
)
with st.container(border=True, key="sides-sweep"):
    class_code_box()
    if planned := sweep_controls(plan):
        sweep_button(planned)
with report_store_errors():
    engine_note()
    sweep_results()
