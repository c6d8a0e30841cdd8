"""What is wrong with the store or the workers: said once a page, for as long as it is."""

from __future__ import annotations

import time

import streamlit as st

from lrlab.runs.engine import Fault
from lrlab.runs.store import StoreUnavailable
from lrlab.text import escape_markdown
from lrlab.ui.app.polling import may_rerun, poll_intervals
from lrlab.ui.app.server import AGAIN_SECONDS, MISSED, Missed, server

UNTIL: dict[Fault, str] = {
    "reading": "This page is drawn again as soon as that is mended.",
    "writing": (
        "Until that is mended nothing can be started or stopped, and what is said of runs may be "
        "out of date."
    ),
    "workers": "Runs wait in the queue until that is mended.",
}
"""What each fault means for who looks at a page of runs."""


def status_banner(of_runs: bool) -> None:
    """Say what is wrong, if anything is; and draw the page again once what could not be drawn can
    be. ``app.py`` calls this last, for a place above the page.

    Args:
        of_runs: whether the page is about runs; the others say only what came of a press of a
            button.
    """
    missed = st.session_state.pop(MISSED, None)
    if of_runs or missed:
        st.fragment(_note, run_every=poll_intervals().lists)(missed)


def _note(missed: Missed | None) -> None:
    reason, fault = _trouble()
    missed = st.session_state.get(MISSED, missed)
    if missed and fault != "reading":
        # The engine may have yet to find what the page has found.
        if time.monotonic() - missed.at >= AGAIN_SECONDS and may_rerun():
            st.session_state.pop(MISSED, None)
            st.rerun()
        reason, fault = reason or missed.reason, fault or "reading"
    if fault:
        st.error(f"{escape_markdown(reason)} {UNTIL[fault]}", icon=":material/power_off:")


def _trouble() -> tuple[str, Fault | None]:
    try:
        status = server().engine.status()
    except StoreUnavailable as error:
        return str(error), "reading"
    return status.reason, status.fault
