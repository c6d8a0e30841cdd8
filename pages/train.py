"""Train: a real Fashion-MNIST run in the background, watched live."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.codes import class_code_box, instructor_part
from lrlab.ui.entry import require_entry
from lrlab.ui.looked_at import look_at_run
from lrlab.ui.recipe import current_plan, details
from lrlab.ui.runs import open_run, run_list
from lrlab.ui.server import store_errors
from lrlab.ui.sidebar import plan_controls
from lrlab.ui.start import data_note, engine_note, start_row
from lrlab.words import curve_sentence

require_entry()

st.title("Train", anchor=False)
with st.container(border=True, key="sides-plan"):
    headline = st.container()
    plan_controls(columns=3)
    plan = current_plan()
    headline.markdown(f"**{plan.recipe.label}** on Fashion-MNIST. {curve_sentence(plan)}")
    class_code_box()
    start_row(plan)
    data_note()
with store_errors():
    with st.container():
        engine_note()
    if (run_id := open_run()) is not None:
        look_at_run(run_id, plan)
    run_list()
details(plan.recipe)
instructor_part()
