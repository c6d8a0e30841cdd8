"""Schedules: the learning rate at every step of the planned run."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lrlab.charts import curve_chart, curve_table
from lrlab.recipes.sentences import curve_sentence
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.recipe.current import THIS, current_plan, details
from lrlab.ui.recipe.pins import pin_button, pins, unpin_list

require_bootstrap()

plan = current_plan()
st.title("Schedules", anchor=False)
st.markdown(f"**{curve_sentence(plan)}**")

unit_box, log_box, pin_box = st.columns([2, 2, 2], vertical_alignment="bottom")
with unit_box:
    unit = st.segmented_control(
        "Horizontal axis", ["step", "epoch"], default="step", required=True, key="curve.unit"
    )
with log_box:
    axis = st.segmented_control(
        "Learning-rate axis", ["linear", "log"], default="linear", required=True, key="curve.axis"
    )
with pin_box:
    pin_button(plan.recipe)

recipes = {THIS: plan.recipe} | pins()
table = pd.concat(
    curve_table(recipe, plan.total_steps, plan.steps_per_epoch, label)
    for label, recipe in recipes.items()
)
if len(table):
    show_chart(
        curve_chart,
        "curve",
        table,
        recipes=tuple(recipes),
        unit=unit,
        log=axis == "log",
        height=400,
    )
st.caption(
    f"The planned run: {plan.epochs} epoch{'s' if plan.epochs > 1 else ''} of "
    f"{plan.steps_per_epoch:,} steps "
    f"({plan.train_size:,} images in batches of {plan.batch_size}). Change it in the sidebar, "
    "under “Planned run”."
)
unpin_list()
details(plan.recipe)
