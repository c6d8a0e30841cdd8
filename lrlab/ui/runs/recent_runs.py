"""The short list of the visitor's newest runs, one of which is open."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from lrlab.experiments.run_list import RunListEntry, list_entries
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.polling import may_rerun, poll_intervals
from lrlab.ui.app.server import report_store_errors, server

OPEN_RUN = "run"
"""Session key of the open run's number."""

_PICKED = "run.picked"
"""Session key: whether a row was clicked since the page was last drawn."""

MAX_ENTRIES = 5
"""Entries listed, newest first."""


def open_run() -> int | None:
    """The number of the run to show: the picked one, else the visitor's newest, else None."""
    store, visitor = server().store, browser()
    picked = st.session_state.get(OPEN_RUN)
    runs = store.runs()
    if any(run.id == picked for run in runs):
        return picked
    own = [run.id for run in runs if run.owner == visitor]
    return own[0] if own else None


def run_list() -> None:
    """Draw the visitor's newest runs, polled while any run is active; a click on a row opens it."""
    active = server().store.has_active_runs()
    st.fragment(_refresh, run_every=poll_intervals().lists if active else None)(active)


def _refresh(was_active: bool) -> None:
    with report_store_errors():
        _list(was_active)


def _list(was_active: bool) -> None:
    store = server().store
    entries = list_entries(store.runs(browser() or ""), store.groups())[:MAX_ENTRIES]
    if st.session_state.pop(_PICKED, False):
        # The open run is drawn outside this fragment.
        st.rerun()
    if was_active and not store.has_active_runs() and may_rerun():
        st.rerun()
    st.subheader("Your newest runs", anchor=False)
    if not entries:
        st.caption("You have no runs yet. Press Start above.")
    else:
        _table(entries)
    with st.container(horizontal=True):
        st.page_link("pages/runs.py", label="All runs, to compare them", icon=":material/table:")
        st.page_link("pages/present.py", label="On a projector", icon=":material/present_to_all:")


def _table(entries: list[RunListEntry]) -> None:
    # Streamlit keeps a selection by row, so a changed list of runs must start without one.
    key = f"runs.newest.{entries[0].ids[-1]}.{len(entries)}"
    st.dataframe(
        pd.DataFrame([_row(entry) for entry in entries]),
        key=key,
        hide_index=True,
        on_select=partial(_open_selected, [entry.ids[-1] for entry in entries], key),
        selection_mode="single-row",
        placeholder="–",
        alt="Your newest runs. Tick one to open it above.",
        column_config={
            "run": st.column_config.NumberColumn("Run", format="%d", width="small"),
            "name": st.column_config.TextColumn("Name"),
            "state": st.column_config.TextColumn("State"),
            "test_accuracy": st.column_config.NumberColumn("Test accuracy", format="percent"),
            "done": st.column_config.ProgressColumn("Done", format="percent"),
            "epochs": st.column_config.NumberColumn("Epochs", format="%d"),
            "queued": st.column_config.DatetimeColumn("Queued", format="distance"),
        },
    )


def _row(entry: RunListEntry) -> dict[str, object]:
    newest = entry.runs[-1]
    return {
        "run": newest.id,
        "name": entry.name,
        "state": entry.state,
        "test_accuracy": newest.test_accuracy if len(entry.runs) == 1 else None,
        "done": entry.done,
        "epochs": newest.setting("epochs"),
        "queued": datetime.fromtimestamp(newest.created, UTC),
    }


def _open_selected(ids: list[int], key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[OPEN_RUN] = ids[rows[0]]
        st.session_state[_PICKED] = True
