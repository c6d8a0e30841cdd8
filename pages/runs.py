"""Runs: all of them in one table; tick one to look at it, several to compare them."""

from __future__ import annotations

import streamlit as st

from lrlab.lines import lines_of
from lrlab.ui.compare import comparison, lines_for
from lrlab.ui.describe import about
from lrlab.ui.entry import require_entry
from lrlab.ui.group import opened
from lrlab.ui.live import run_view
from lrlab.ui.picked import picked_runs
from lrlab.ui.run_table import known_runs, run_table
from lrlab.ui.server import store_errors

require_entry()

st.title("Runs", anchor=False)
st.markdown("Tick a run to look at it, several to compare them; the address is a link to them.")
with store_errors():
    run_table()
    runs = known_runs(picked_runs())
    if len(runs) == 1:
        run_view(runs[0].id)
        about(runs[0])
    elif len(lines_of(runs)) == 1:
        opened(runs[0].id)
    elif runs:
        comparison(lines_for(runs))
