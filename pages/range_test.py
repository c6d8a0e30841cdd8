"""Range test: one short run with a growing learning rate shows which ones work."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.server import report_store_errors
from lrlab.ui.range_test.controls import range_test_controls
from lrlab.ui.range_test.result import range_test_result
from lrlab.ui.recipe.current import current_plan
from lrlab.ui.runs.access_codes import class_code_box
from lrlab.ui.runs.start import engine_note

require_bootstrap()

st.title("LR range test", anchor=False)
plan = current_plan()
st.markdown(
    f"Which learning rate suits {plan.recipe.optimizer_spec.label} here? One short run tries them "
    "all: it raises the learning rate at every step, and the loss shows which ones work."
)
with st.container(border=True, key="sides-range"):
    class_code_box()
    range_test_controls(plan)
with report_store_errors():
    engine_note()
    range_test_result(plan)
