"""Visits of the app's pages by Streamlit's AppTest, as several test modules make them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from lrlab.runs.settings import DATABASE_VARIABLE
from lrlab.runs.store import StoreUnavailable
from lrlab.ui.app.server import server

APP = Path(__file__).parents[1] / "app.py"
PAGES = tuple(path.stem for path in sorted((APP.parent / "pages").glob("*.py")))
"""Every page, by the name of its script."""

ME, SOMEBODY = "0123456789abcdef" * 2, "fedcba9876543210" * 2
"""Two browsers' names; AppTest runs no component that could say one."""

# Whether a folder called "pages" makes an old multipage app is asked once in a server's life, and
# st.navigation's answer then stays. AppTest forgets it before each run; so it forgets a copy's.
PagesManager.uses_pages_directory = False
app_test.PagesManager = type("PagesManager", (PagesManager,), {})


@contextmanager
def serving(database_url: str) -> Iterator[None]:
    """A server's life: pages use this database; the engine, with its worker, ends with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_VARIABLE, database_url)
        # A page's process never has Keras. Where it does, Streamlit clears Keras's session after
        # every run, which takes a tenth of a second.
        patch.delitem(sys.modules, "keras", raising=False)
        st.cache_resource.clear()
        try:
            yield
        finally:
            with suppress(StoreUnavailable):
                running = server()
                running.engine.stop()
                running.opened.close()
            st.cache_resource.clear()


def visit(page: str = "home", link: dict[str, str] | None = None, browser: str = ME) -> AppTest:
    """A new session on a page, opened through ``app.py``, with a link's parameters.

    Formulas, code and what a network learned are unfolded.
    """
    session = AppTest.from_file(str(APP), default_timeout=30)
    for fold in ("formulas", "code", "learned"):
        session.session_state[f"{fold}.open"] = True
    session.session_state["browser"] = {"id": browser}
    session.query_params.update(link or {})
    return session.run() if page == "home" else go(session, page)


def go(session: AppTest, page: str) -> AppTest:
    """The same session on another page."""
    return session.switch_page(f"pages/{page}.py").run()


def button(session: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    return next(item for item in session.button if item.label == label).click().run()


def said(session: AppTest) -> str:
    """All that a page says in sentences."""
    kinds = ("title", "markdown", "caption", "text", "error", "warning", "info")
    return "\n".join(item.value for kind in kinds for item in session.get(kind))
