"""A message above the page for as long as something is wrong with the store or the workers."""

from __future__ import annotations

import time

import streamlit as st

from lrlab.runs.engine import Fault
from lrlab.runs.store import StoreUnavailable
from lrlab.text import escape_markdown
from lrlab.ui.app.polling import may_rerun, poll_intervals
from lrlab.ui.app.server import RETRY_SECONDS, STORE_FAILURE, StoreFailure, server

CONSEQUENCES: dict[Fault, str] = {
    "reading": "This page reloads by itself once the problem is solved.",
    "writing": (
        "Until this is fixed, nothing can be started or stopped, and the state shown for runs may "
        "be out of date."
    ),
    "workers": "Runs wait in the queue until this is fixed.",
}
"""What each fault means for a visitor of a page about runs."""


def status_banner(about_runs: bool) -> None:
    """Report what is wrong, and run the page again once the store is back, to draw what is missing.

    ``app.py`` calls this last, in a container above the page.

    Args:
        about_runs: whether the page is about runs; the other pages report only a failure that
            followed a click.
    """
    failure = st.session_state.pop(STORE_FAILURE, None)
    if about_runs or failure:
        st.fragment(_banner, run_every=poll_intervals().lists)(failure)


def _banner(failure: StoreFailure | None) -> None:
    reason, fault = _current_fault()
    failure = st.session_state.get(STORE_FAILURE, failure)
    if failure and fault != "reading":
        # The engine may not have noticed yet what the page has.
        if time.monotonic() - failure.at >= RETRY_SECONDS and may_rerun():
            st.session_state.pop(STORE_FAILURE, None)
            st.rerun()
        reason, fault = reason or failure.reason, fault or "reading"
    if fault:
        st.error(f"{escape_markdown(reason)} {CONSEQUENCES[fault]}", icon=":material/power_off:")


def _current_fault() -> tuple[str, Fault | None]:
    try:
        status = server().engine.status()
    except StoreUnavailable as error:
        return str(error), "reading"
    return status.reason, status.fault
