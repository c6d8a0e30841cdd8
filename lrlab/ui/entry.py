"""Every page goes through ``app.py``, whichever address a visitor comes by."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

_ENTERED = "entered"


def enter() -> None:
    """Note that ``app.py`` has run in this session; it calls this first."""
    st.session_state[_ENTERED] = True


def require_entry() -> None:
    """Hand over to ``app.py`` if this page was run without it; a page calls this first.

    Until ``st.navigation`` has run once in a server, Streamlit takes a folder called ``pages``
    for its older kind of multipage app: the very first visitor, coming by a deep link, would get
    the page alone, without sidebar and navigation.
    """
    if _ENTERED not in st.session_state:
        # What st.navigation itself does; calling it here would lose the page asked for.
        PagesManager.uses_pages_directory = False
        st.rerun()
