"""Sweep: one recipe trained with many values of one or two hyperparameters."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.codes import class_code_box
from lrlab.ui.entry import require_entry
from lrlab.ui.recipe import current_plan
from lrlab.ui.server import store_errors
from lrlab.ui.start import engine_note
from lrlab.ui.sweep import sweep_button, sweep_controls
from lrlab.ui.sweep_result import sweep_results

require_entry()

st.title("Sweep", anchor=False)
plan = current_plan()
st.markdown(
    "Which values are best? The recipe is trained with every one of them, on the planned run of "
    "the sidebar."
)
with st.container(border=True, key="sides-sweep"):
    class_code_box()
    if planned := sweep_controls(plan):
        sweep_button(planned)
with store_errors():
    engine_note()
    sweep_results()
