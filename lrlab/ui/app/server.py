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

STORE_FAILURE = "store.missed"
"""Session key of the newest `StoreFailure` since the whole page was drawn."""

RETRY_SECONDS = 3.0
"""After the store could not be opened, no session tries again for this long: a try may be slow."""


class StoreFailure(NamedTuple):
    """The store was unavailable, and a part of the page could not be drawn.

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
        opened: the store, even while it cannot be read; pages use `store`.
        engine: runs the workers that train queued runs.
        checkpoints: the folder of the runs' checkpoints.
    """

    opened: Store
    engine: Engine
    checkpoints: Path

    @property
    def store(self) -> Store:
        """The store.

        Raises:
            StoreUnavailable: the engine cannot read it at the moment. The engine keeps trying, so
                no part of a page has to wait for its own attempt.
        """
        status = self.engine.status()
        if status.fault == "reading":
            raise StoreUnavailable(status.reason)
        return self.opened


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """Open the store and start the engine, so that a worker is ready before the first click.

    Raises:
        StoreUnavailable: the store cannot be opened, or a setting is not allowed; a later call
            tries again.
    """
    failures = _last_failure()
    if failures and time.monotonic() - failures[-1].at < RETRY_SECONDS:
        raise StoreUnavailable(failures[-1].reason)
    try:
        return _open()
    except (InvalidInput, StoreUnavailable) as error:
        failures[:] = [StoreFailure(str(error), time.monotonic())]
        raise StoreUnavailable(str(error)) from error


def _open() -> Server:
    settings = Settings.from_environment()
    try:
        store = Store(settings.database_url, settings.limits, settings.codes)
    except StoreUnavailable:
        # A worker of an earlier server may have stalled while holding the database's lock.
        end_orphans(settings)
        raise
    engine = Engine(store, settings)
    engine.start()
    return Server(store, engine, settings.checkpoint_folder)


@st.cache_resource(show_spinner=False)
def _last_failure() -> list[StoreFailure]:
    """The failure of the last attempt to open the store; empty before the first."""
    return []


@contextmanager
def report_store_errors() -> Iterator[None]:
    """Show a refusal as a message and let the page go on.

    An unavailable store is reported once, above the page, by `lrlab.ui.app.status_banner`.
    """
    try:
        yield
    except StoreUnavailable as error:
        st.session_state[STORE_FAILURE] = StoreFailure(str(error), time.monotonic())
    except InvalidInput as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
    except StoreError as error:
        st.error(escape_markdown(str(error)), icon=":material/block:")


def warm_up() -> None:
    """Start the engine with the first visit.

    An unusable setting or store is reported by the pages about runs; the others work without it.
    """
    with suppress(StoreUnavailable):
        server()
