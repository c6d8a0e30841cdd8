"""What all sessions of a server share: the store, and the engine that trains queued runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from lrlab.engine import Engine, end_leftovers
from lrlab.params import InvalidInput
from lrlab.settings import Settings
from lrlab.store import Run, Store, StoreError, StoreUnavailable, WriteRefused
from lrlab.words import plain

_FAILED = "store.failed"
"""Session key: the store could not be used since the page was last drawn."""

COME_BACK_SECONDS = 3.0
"""Between two looks whether the store can be used again."""


class Server(NamedTuple):
    """The store and the engine of this server, and the folder of its runs' checkpoints."""

    store: Store
    engine: Engine
    checkpoints: Path


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """Open the store and start the engine, so that a warm worker waits before the first click.

    Raises:
        InvalidInput: a setting has a value that is not allowed.
        StoreUnavailable: the store cannot be opened; the next call tries again.
    """
    settings = Settings.from_environment()
    try:
        store = Store(settings.database_url, settings.limits, settings.codes)
    except StoreUnavailable:
        # A worker of the server before this one may have stalled with the database locked.
        end_leftovers(settings)
        raise
    engine = Engine(store, settings)
    engine.start()
    return Server(store, engine, settings.checkpoint_folder)


@contextmanager
def store_errors() -> Iterator[None]:
    """Show what is refused or what the store cannot do as a message, and let the page go on."""
    try:
        yield
    except WriteRefused as error:
        st.error(plain(str(error)), icon=":material/block:")
    except InvalidInput as error:
        st.error(plain(str(error)), icon=":material/error:")
    except StoreError as error:
        st.session_state[_FAILED] = True
        st.error(plain(str(error)), icon=":material/database_off:")


def trouble_with(run: Run) -> str:
    """Why a run under way may not be what the store says of it; empty while all is well."""
    status = server().engine.status()
    if run.state != "running" or status.state != "unavailable":
        return ""
    return f"{plain(status.reason)} What is said of this run may be out of date."


def warm_up() -> None:
    """Start the engine with the first visit. A setting or store that cannot be used is the Train
    page's matter; the others do without it."""
    with suppress(StoreError, InvalidInput):
        server()


def come_back() -> None:
    """Draw a page again that could not be drawn for want of the store, once the store can be read.
    ``app.py`` calls this last."""
    if st.session_state.pop(_FAILED, False) and not _can_read():
        st.fragment(_come_back, run_every=COME_BACK_SECONDS)()


def _come_back() -> None:
    st.caption("This page is drawn again as soon as the run database can be read.")
    if _can_read():
        st.rerun()


def _can_read() -> bool:
    with suppress(StoreError, InvalidInput):
        server().store.is_busy()
        return True
    return False
