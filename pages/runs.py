"""Runs: all of them in one table; tick one to look at it, several to compare them."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.entry import require_entry
from lrlab.ui.looked_at import look_at
from lrlab.ui.picked import picked_runs
from lrlab.ui.recipe import current_plan
from lrlab.ui.run_table import known_runs, run_table
from lrlab.ui.server import store_errors
from lrlab.ui.take_away import take_away

require_entry()

st.title("Runs", anchor=False)
st.markdown("Tick a run to look at it, several to compare them; the address is a link to them.")
with store_errors():
    run_table()
    if runs := known_runs(picked_runs()):
        look_at(runs, current_plan())
        take_away(runs)
