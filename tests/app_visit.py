"""Visits to the app's pages with Streamlit's AppTest, shared by several test modules."""

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
"""The script names of all pages."""

ME, SOMEBODY = "0123456789abcdef" * 2, "fedcba9876543210" * 2
"""Two browser identities; AppTest does not run the component that reports one."""

# Streamlit decides once per server whether a folder "pages" makes an old multipage app;
# st.navigation turns that off. AppTest resets the decision before each run, so give it a subclass
# to reset instead.
PagesManager.uses_pages_directory = False
app_test.PagesManager = type("PagesManager", (PagesManager,), {})


@contextmanager
def serving(database_url: str) -> Iterator[None]:
    """Serves pages with this database; stops the engine and its workers at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_VARIABLE, database_url)
        # The page process never loads Keras. If Keras is loaded, Streamlit clears its session after
        # every rerun, which takes a tenth of a second.
        patch.delitem(sys.modules, "keras", raising=False)
        st.cache_resource.clear()
        try:
            yield
        finally:
            with suppress(StoreUnavailable):
                app_server = server()
                app_server.engine.stop()
                app_server.opened.close()
            st.cache_resource.clear()


def visit(page: str = "home", link: dict[str, str] | None = None, browser: str = ME) -> AppTest:
    """Opens a page through ``app.py`` in a new session.

    Expanders for formulas, code and epoch snapshots are open.

    Args:
        page: script name of the page.
        link: URL query parameters.
        browser: identity of the browser.
    """
    session = AppTest.from_file(str(APP), default_timeout=30)
    for fold in ("formulas", "code", "learned"):
        session.session_state[f"{fold}.open"] = True
    session.session_state["browser"] = {"id": browser}
    session.query_params.update(link or {})
    return session.run() if page == "home" else go(session, page)


def go(session: AppTest, page: str) -> AppTest:
    """Goes to another page in the same session."""
    return session.switch_page(f"pages/{page}.py").run()


def button(session: AppTest, label: str) -> AppTest:
    """Presses the button with this label."""
    return next(item for item in session.button if item.label == label).click().run()


def page_text(session: AppTest) -> str:
    """All text on a page: titles, markdown, captions and messages."""
    kinds = ("title", "markdown", "caption", "text", "error", "warning", "info")
    return "\n".join(item.value for kind in kinds for item in session.get(kind))


def button_labels(session: AppTest) -> list[str]:
    return [item.label for item in session.button]


def assert_no_errors(session: AppTest) -> None:
    """Asserts that a page shows its title and neither an exception nor an error."""
    assert [item.message for item in session.exception] == []
    assert [item.value for item in session.error] == []
    assert session.title[0].value
