"""Train: a real Fashion-MNIST run in the background, watched live."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.live import run_view
from lrlab.ui.recipe import current_plan, details
from lrlab.ui.runs import open_run, run_list
from lrlab.ui.sidebar import plan_controls
from lrlab.ui.start import data_note, engine_note, presets, start_button
from lrlab.words import curve_sentence

st.title("Train", anchor=False)
plan = current_plan()
with st.container(border=True):
    st.markdown(f"**{plan.recipe.label}** on Fashion-MNIST. {curve_sentence(plan)}")
    plan_controls()
    presets()
    start_button(plan)
engine_note()
data_note()
if (run_id := open_run()) is not None:
    run_view(run_id)
run_list()
details(plan.recipe)
