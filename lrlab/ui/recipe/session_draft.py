"""The draft in the session state: read from and written to the widgets' keys."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lrlab.controls.draft import read_query
from lrlab.controls.fields import CHOICES, every_field
from lrlab.params import Param
from lrlab.ui.app.streamlit_internals import wait_for_flush

LINK_REFUSALS = "link.refused"
"""Session key of the sentences about the link's refused settings."""


def widget_value(param: Param, text: str) -> str | bool | int:
    """The text as the parameter's widget stores it: toggles a bool, number boxes an int."""
    if param.kind == "bool":
        return text == "true"
    if is_plain_number(param):
        return int(text)
    return text


def is_plain_number(param: Param) -> bool:
    """Whether the parameter is a whole number without a slider, typed into a number box."""
    return param.kind == "int" and param.slider is None


def current_draft() -> dict[str, str]:
    """The controls' current values as texts; controls that were never drawn are left out."""
    keys, draft = CHOICES.keys() | every_field().keys(), {}
    # Reading the hundred or so keys one by one costs a lock each and, if missing, an exception.
    for key, value in st.session_state.to_dict().items():
        if key not in keys or value is None:
            continue
        if isinstance(value, bool):
            draft[key] = "true" if value else "false"
        else:
            draft[key] = str(value)
    return draft


def put_draft(draft: Mapping[str, str]) -> None:
    """Set the controls to this draft. Call it from a callback, or before the controls."""
    fields = every_field()
    for key, text in draft.items():
        st.session_state[key] = text if key in CHOICES else widget_value(fields[key].param, text)


def open_link() -> None:
    """On a session's first run, rewrite the link into the form that bound widgets read.

    A bound widget silently replaces a value it cannot use by its default, and a bound list accepts
    only labels. So the link is checked here first: refused settings are removed and noted under
    `LINK_REFUSALS`, and each choice is given by its label. Call it after ``st.navigation``, so that
    the rerun stays on the requested page.
    """
    if LINK_REFUSALS in st.session_state:
        return
    query = st.query_params.to_dict()
    accepted, refusals = read_query(query)
    rewritten = {
        key: CHOICES[key][text].label if key in CHOICES else text for key, text in accepted.items()
    }
    st.session_state[LINK_REFUSALS] = refusals
    if rewritten != query:
        st.query_params.from_dict(rewritten)
        # The browser must receive the new address before the rerun.
        wait_for_flush()
        st.rerun()
