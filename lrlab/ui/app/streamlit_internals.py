"""Every private or undocumented part of Streamlit that the package relies on, as of 1.67.

Each docstring says why the part is needed and which test fails when Streamlit changes it.
tests/test_architecture.py checks that no other module imports these parts.
"""

from __future__ import annotations

import sys
import time

from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = [
    "FLUSH_SECONDS",
    "SWITCH_INTERVAL",
    "DeltaGenerator",
    "disable_pages_directory",
    "is_history_navigation",
    "session_id",
    "shorten_switch_interval",
    "wait_for_flush",
]

# DeltaGenerator: what st.columns and st.container return; `lrlab.ui.app.layout` annotates with it,
# and Streamlit has no public name for it. Every test of a page fails at import without it.

SWITCH_INTERVAL = 0.002
"""Seconds a Python thread runs before it yields to a waiting one; Python's default is 0.005."""

FLUSH_SECONDS = 0.1
"""Ten times Streamlit's ``MESSAGE_FLUSH_INTERVAL_SECS``, the longest that queued messages wait."""


def disable_pages_directory() -> None:
    """Tell Streamlit that ``st.navigation`` defines the pages, as ``st.navigation`` does itself.

    Until ``st.navigation`` has run once in a server, Streamlit treats a folder called ``pages`` as
    its older kind of multipage app and runs the script of a deep link without ``app.py``. Calling
    ``st.navigation`` from a page instead would lose the requested page.

    Noticed by tests/browser/test_story.py, whose first visit is a deep link.
    """
    PagesManager.uses_pages_directory = False


def session_id() -> str | None:
    """The current session's id; ``None`` outside a session.

    Streamlit has no public id of a session; `lrlab.ui.app.polling` counts watchers by it.

    Noticed by tests/test_train_page.py, which watches a run, and by mypy.
    """
    context = get_script_run_ctx()
    return context.session_id if context else None


def is_history_navigation() -> bool:
    """Whether this run of the script follows the browser's Back or Forward button.

    Only then do widgets bound to the query parameters read their values from the address again, and
    `lrlab.ui.recipe.sidebar` has to draw them before the page. Streamlit has no public name for it.

    Noticed by ``test_reset_takes_the_parameters_out_of_the_address_and_back_brings_them_back`` in
    tests/browser/test_views.py; every second run of a page in tests/test_pages.py fails if the
    attribute is gone.
    """
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def wait_for_flush() -> None:
    """Wait until the messages sent so far have left for the browser.

    ``st.rerun`` drops queued messages. When the script has changed the address, the browser must
    receive the change before the rerun, or it sends the old address with its next request.

    Noticed by ``test_a_bad_link_is_told_and_mended_in_the_address`` in tests/browser/test_views.py.
    """
    time.sleep(FLUSH_SECONDS)


def shorten_switch_interval() -> None:
    """Let Streamlit's event loop send messages sooner while a page is computed.

    The loop releases the interpreter lock with each message it sends and then waits up to one
    switch interval to get it back from the thread that runs the page. With Python's 5 ms, messages
    that are ready would arrive late.

    Measured by ``python -m bench browser`` (slider to repainted chart); no test asserts it.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
