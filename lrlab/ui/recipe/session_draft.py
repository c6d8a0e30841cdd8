"""The draft as it lives in the session: read from and written to the widgets' keys."""

from __future__ import annotations

import time
from collections.abc import Mapping

import streamlit as st

from lrlab.controls.draft import read_query
from lrlab.controls.fields import CHOICES, every_field
from lrlab.params import Param

SENDING_SECONDS = 0.1
"""Ten times what Streamlit takes at most to send what is waiting."""

REFUSED = "link.refused"
"""Session key of what the link said and was not taken."""


def held(param: Param, text: str) -> str | bool | int:
    """A text as the parameter's widget holds it: switches hold a bool, plain numbers an int."""
    if param.kind == "bool":
        return text == "true"
    if is_plain_number(param):
        return int(text)
    return text


def is_plain_number(param: Param) -> bool:
    """A whole number without a slider, typed into a number box."""
    return param.kind == "int" and param.slider is None


def current_draft() -> dict[str, str]:
    """What the controls hold now, as texts; what no control has held yet is left out."""
    keys, draft = CHOICES.keys() | every_field().keys(), {}
    # One by one, each of some hundred keys would cost a lock and, where missing, an exception.
    for key, value in st.session_state.to_dict().items():
        if key not in keys or value is None:
            continue
        if isinstance(value, bool):
            draft[key] = "true" if value else "false"
        else:
            draft[key] = str(value)
    return draft


def put_draft(draft: Mapping[str, str]) -> None:
    """Make the controls hold this draft. Call it from a callback, or before the controls."""
    fields = every_field()
    for key, text in draft.items():
        st.session_state[key] = text if key in CHOICES else held(fields[key].param, text)


def open_link() -> None:
    """On a session's first run, put the link into the form that bound widgets read.

    A bound widget takes a value it cannot use as its default, in silence; so the link is checked
    here first, what is refused is taken out and noted, and a choice is named by its label, the
    only name a bound list knows. Comes after ``st.navigation``, so that running the script again
    stays on the page asked for.
    """
    if REFUSED in st.session_state:
        return
    given = st.query_params.to_dict()
    taken, refused = read_query(given)
    readable = {
        key: CHOICES[key][text].label if key in CHOICES else text for key, text in taken.items()
    }
    st.session_state[REFUSED] = refused
    if readable != given:
        st.query_params.from_dict(readable)
        # A rerun drops messages that were not sent yet, and the browser must hear of the new
        # address: it would send the old one with its next rerun.
        time.sleep(SENDING_SECONDS)
        st.rerun()
