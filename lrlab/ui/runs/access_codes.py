"""The codes that a visitor has typed, kept for as long as the page stays open."""

from __future__ import annotations

import streamlit as st

from lrlab.runs.limits import NO_ACCESS_CODES, AccessCodes
from lrlab.runs.store import StoreUnavailable
from lrlab.ui.app.server import report_store_errors, server

_CLASS, _INSTRUCTOR = "code.class", "code.instructor"


def class_code() -> str:
    """What to queue runs with."""
    return instructor_code() if is_instructor() else st.session_state.get(_CLASS, "")


def instructor_code() -> str:
    """What to stop and delete the runs of others with."""
    return st.session_state.get(_INSTRUCTOR, "")


def is_instructor() -> bool:
    """Whether this visitor has the instructor code."""
    return _codes().is_instructor(instructor_code())


def class_code_box() -> None:
    """The box for the class code, on a server that asks for one, until it has been typed."""
    codes = _codes()
    if codes.may_queue(class_code()):
        return
    _code_box("Class code", _CLASS, "This server trains for those who have its class code.")
    if class_code():
        st.caption("This is not the class code.")


def instructor_part() -> None:
    """At the page's end: the box for the instructor code, and what it opens; nothing on a server
    without such a code."""
    codes = _codes()
    if not codes.instructor:
        return
    # The code may open what is drawn above; what has moved would be drawn folded again.
    unfolded = bool(instructor_code())
    with st.expander("For the instructor", expanded=unfolded, icon=":material/shield_person:"):
        _code_box("Instructor code", _INSTRUCTOR, "Opens Stop and Delete for everybody's runs.")
        if is_instructor():
            st.caption("You can stop and delete everybody's runs, on this page as it is open now.")
            st.button(
                "Clear the queue",
                icon=":material/playlist_remove:",
                on_click=_clear,
                help="Stop all runs that wait. Those that are being trained go on.",
            )
        elif instructor_code():
            st.caption("This is not the instructor code.")


def _codes() -> AccessCodes:
    try:
        return server().store.codes
    except StoreUnavailable:
        # It is said above the page; there is nothing to open.
        return NO_ACCESS_CODES


def _code_box(label: str, key: str, help: str) -> None:
    st.text_input(
        label, key=key, type="password", max_chars=100, help=help, persist_state="session"
    )


def _clear() -> None:
    with report_store_errors():
        stopped = server().store.clear_queue(instructor_code())
        st.toast(f"{stopped} waiting run{'' if stopped == 1 else 's'} stopped.")
