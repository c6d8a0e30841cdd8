"""Every session goes through ``app.py``, whichever address it opens."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.streamlit_internals import disable_pages_directory, shorten_switch_interval

_BOOTSTRAPPED = "entered"
"""Session key: ``app.py`` has run in this session."""


def mark_bootstrapped() -> None:
    """Record that ``app.py`` has run in this session; ``app.py`` calls this first."""
    st.session_state[_BOOTSTRAPPED] = True
    shorten_switch_interval()


def require_bootstrap() -> None:
    """Rerun through ``app.py`` if this page was run without it; every page calls this first.

    The first visitor of a new server who opens a deep link would otherwise get the page without
    sidebar and navigation, see `disable_pages_directory`.
    """
    if _BOOTSTRAPPED not in st.session_state:
        disable_pages_directory()
        st.rerun()
