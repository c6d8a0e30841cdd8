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
from lrlab.store import Store, StoreError, StoreUnavailable, WriteRefused
from lrlab.words import plain


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
        st.error(plain(str(error)), icon=":material/database_off:")


def warm_up() -> None:
    """Start the engine with the first visit. A setting or store that cannot be used is the Train
    page's matter; the others do without it."""
    with suppress(StoreError, InvalidInput):
        server()
