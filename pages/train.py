"""Train: start a Fashion-MNIST run in the background and watch it live."""

from __future__ import annotations

import streamlit as st

from lrlab.recipes.sentences import curve_sentence
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.server import report_store_errors
from lrlab.ui.recipe.current import current_plan, details
from lrlab.ui.recipe.sidebar import plan_controls
from lrlab.ui.runs.access_codes import class_code_box, instructor_controls
from lrlab.ui.runs.recent_runs import open_run, run_list
from lrlab.ui.runs.run_detail import run_detail_by_id
from lrlab.ui.runs.start import data_note, engine_note, start_row

require_bootstrap()

st.title("Train", anchor=False)
with st.container(border=True, key="sides-plan"):
    headline = st.container()
    plan_controls(columns=3)
    plan = current_plan()
    headline.markdown(f"**{plan.recipe.label}** on Fashion-MNIST. {curve_sentence(plan)}")
    class_code_box()
    start_row(plan)
    data_note()
with report_store_errors():
    with st.container():
        engine_note()
    if (run_id := open_run()) is not None:
        run_detail_by_id(run_id, plan)
    run_list()
details(plan.recipe)
instructor_controls()
