"""The access codes that a visitor has typed, kept while the page stays open."""

from __future__ import annotations

import streamlit as st

from lrlab.runs.limits import NO_ACCESS_CODES, AccessCodes
from lrlab.runs.store import StoreUnavailable
from lrlab.ui.app.server import report_store_errors, server

_CLASS, _INSTRUCTOR = "code.class", "code.instructor"


def class_code() -> str:
    """The code to queue runs with: the instructor code if it is valid, else the class code."""
    return instructor_code() if is_instructor() else str(st.session_state.get(_CLASS, ""))


def instructor_code() -> str:
    """The code to stop and delete other people's runs with."""
    return str(st.session_state.get(_INSTRUCTOR, ""))


def is_instructor() -> bool:
    """Whether this visitor has typed the instructor code."""
    return _codes().is_instructor(instructor_code())


def class_code_box() -> None:
    """Draw the box for the class code, if the server requires one that is not yet typed."""
    codes = _codes()
    if codes.may_queue(class_code()):
        return
    _code_box("Class code", _CLASS, "This server requires its class code to train runs.")
    if class_code():
        st.caption("This is not the class code.")


def instructor_controls() -> None:
    """Draw the box for the instructor code, and the controls that the code unlocks.

    Draws nothing on a server without an instructor code.
    """
    codes = _codes()
    if not codes.instructor:
        return
    # A valid code adds buttons above, which move this expander; Streamlit would then draw it
    # collapsed again.
    expanded = bool(instructor_code())
    with st.expander("For the instructor", expanded=expanded, icon=":material/shield_person:"):
        _code_box("Instructor code", _INSTRUCTOR, "Lets you stop and delete anyone's runs.")
        if is_instructor():
            st.caption("You can stop and delete anyone's runs while this page stays open.")
            st.button(
                "Clear the queue",
                icon=":material/playlist_remove:",
                on_click=_clear_queue,
                help="Stop all waiting runs. Runs that are being trained continue.",
            )
        elif instructor_code():
            st.caption("This is not the instructor code.")


def _codes() -> AccessCodes:
    try:
        return server().store.codes
    except StoreUnavailable:
        # The banner above the page reports the failure; no code can unlock anything now.
        return NO_ACCESS_CODES


def _code_box(label: str, key: str, help_text: str) -> None:
    st.text_input(
        label, key=key, type="password", max_chars=100, help=help_text, persist_state="session"
    )


def _clear_queue() -> None:
    with report_store_errors():
        stopped = server().store.clear_queue(instructor_code())
        st.toast(f"{stopped} waiting run{'' if stopped == 1 else 's'} stopped.")
