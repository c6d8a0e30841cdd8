"""What all sessions of a server share: the store, and the engine that trains queued runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import streamlit as st

from lrlab.engine import Engine
from lrlab.params import InvalidInput
from lrlab.settings import Settings
from lrlab.store import Store, StoreError


class Server(NamedTuple):
    """The store and the engine of this server."""

    store: Store
    engine: Engine


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """Open the store and start the engine, so that a warm worker waits before the first click.

    Raises:
        StoreUnavailable: the store cannot be opened; the next call tries again.
    """
    settings = Settings.from_environment()
    store = Store(settings.database_url)
    engine = Engine(store, settings)
    engine.start()
    return Server(store, engine)


@contextmanager
def store_errors() -> Iterator[None]:
    """Show what the store refuses or cannot do as a message, and let the page go on."""
    try:
        yield
    except StoreError as error:
        st.error(str(error), icon=":material/database_off:")


@contextmanager
def refusals() -> Iterator[None]:
    """Show what is refused of what a person gave as a message, and let the page go on."""
    try:
        yield
    except InvalidInput as error:
        st.error(str(error), icon=":material/error:")


def warm_up() -> None:
    """Start the engine with the first visit. A store that cannot be used is the Train page's
    matter; the others do without it."""
    with suppress(StoreError):
        server()
