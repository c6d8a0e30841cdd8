"""Every page goes through ``app.py``, whichever address a visitor comes by."""

from __future__ import annotations

import sys

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

_ENTERED = "entered"

TURN_SECONDS = 0.002
"""How long Python lets a thread go on while another waits; its own choice is 0.005."""


def enter() -> None:
    """Note that ``app.py`` has run in this session; it calls this first."""
    st.session_state[_ENTERED] = True
    # Streamlit's loop gives up its turn with each message it sends. To wait 5 ms for the next one
    # while a page is being made would hold back an answer that is ready.
    sys.setswitchinterval(TURN_SECONDS)


def require_bootstrap() -> None:
    """Hand over to ``app.py`` if this page was run without it; a page calls this first.

    Until ``st.navigation`` has run once in a server, Streamlit takes a folder called ``pages``
    for its older kind of multipage app: the very first visitor, coming by a deep link, would get
    the page alone, without sidebar and navigation.
    """
    if _ENTERED not in st.session_state:
        # What st.navigation itself does; calling it here would lose the page asked for.
        PagesManager.uses_pages_directory = False
        st.rerun()
