"""Runs: all runs in one table; tick one to open it, several to compare them."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.server import report_store_errors
from lrlab.ui.recipe.current import current_plan
from lrlab.ui.runs.downloads import download_buttons
from lrlab.ui.runs.run_detail import run_detail
from lrlab.ui.runs.run_selection import selected_runs
from lrlab.ui.runs.run_table import existing_runs, run_table

require_bootstrap()

st.title("Runs", anchor=False)
st.markdown("Tick a run to open it, several to compare them; the page address links to them.")
with report_store_errors():
    run_table()
    if runs := existing_runs(selected_runs()):
        run_detail(runs, current_plan())
        download_buttons(runs)
