"""What all sessions of a server share: the store, and the engine that trains queued runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from lrlab.params import InvalidInput
from lrlab.runs.engine import Engine, end_orphans
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreError, StoreUnavailable
from lrlab.text import escape_markdown

MISSED = "store.missed"
"""Session key of the newest `Missed`, since the whole page was drawn."""

AGAIN_SECONDS = 3.0
"""After a store could not be opened nobody tries again for so long; each try may take a while."""


class Missed(NamedTuple):
    """A part of the page that could not be drawn for want of the store.

    Args:
        reason: why, a sentence for people.
        at: when, by the monotonic clock.
    """

    reason: str
    at: float


@dataclass(frozen=True)
class Server:
    """The store and the engine of this server.

    Args:
        opened: the store, whether it can be read now or not; pages take `store`.
        engine: what gets its runs trained.
        checkpoints: the folder of its runs' checkpoints.
    """

    opened: Store
    engine: Engine
    checkpoints: Path

    @property
    def store(self) -> Store:
        """The store.

        Raises:
            StoreUnavailable: the engine finds that it cannot be read. It tries all the time, so
                that no page has to wait for it, part by part.
        """
        status = self.engine.status()
        if status.fault == "reading":
            raise StoreUnavailable(status.reason)
        return self.opened


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """Open the store and start the engine, so that a warm worker waits before the first click.

    Raises:
        StoreUnavailable: the store cannot be opened, or a setting is not allowed; a later call
            tries again.
    """
    last = _last_try()
    if last and time.monotonic() - last[-1].at < AGAIN_SECONDS:
        raise StoreUnavailable(last[-1].reason)
    try:
        return _open()
    except (InvalidInput, StoreUnavailable) as error:
        last[:] = [Missed(str(error), time.monotonic())]
        raise StoreUnavailable(str(error)) from error


def _open() -> Server:
    settings = Settings.from_environment()
    try:
        store = Store(settings.database_url, settings.limits, settings.codes)
    except StoreUnavailable:
        # A worker of the server before this one may have stalled with the database locked.
        end_orphans(settings)
        raise
    engine = Engine(store, settings)
    engine.start()
    return Server(store, engine, settings.checkpoint_folder)


@st.cache_resource(show_spinner=False)
def _last_try() -> list[Missed]:
    """The last try to open the store, if it failed."""
    return []


@contextmanager
def report_store_errors() -> Iterator[None]:
    """Show what is refused as a message, and let the page go on. That the store cannot be used is
    said once, above the page, see `lrlab.ui.app.status_banner`."""
    try:
        yield
    except StoreUnavailable as error:
        st.session_state[MISSED] = Missed(str(error), time.monotonic())
    except InvalidInput as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
    except StoreError as error:
        st.error(escape_markdown(str(error)), icon=":material/block:")


def warm_up() -> None:
    """Start the engine with the first visit. A setting or store that cannot be used is the matter
    of the pages of runs; the others do without it."""
    with suppress(StoreUnavailable):
        server()
