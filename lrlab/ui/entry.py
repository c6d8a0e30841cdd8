"""Every page goes through ``app.py``, whichever address a visitor comes by."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

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


def go_to(script: str) -> NoReturn:
    """Switch to another page, and keep what the address bar says.

    ``st.switch_page`` cannot: it clears the URL's parameters first, and those are bound to the
    sidebar's widgets. This is the rest of what it does.

    Args:
        script: a page's path, such as ``pages/train.py``.
    """
    context = get_script_run_ctx()
    pages = context.pages_manager.get_pages()
    wanted = next(key for key, page in pages.items() if page["script_path"].endswith(script))
    context.script_requests.request_rerun(
        RerunData(
            query_string=context.query_string,
            page_script_hash=wanted,
            cached_message_hashes=context.cached_message_hashes,
            context_info=context.context_info,
        )
    )
    # The request is taken at the next thing that is drawn.
    st.empty()
    st.stop()
