"""What all sessions of a server share: the store, and the engine that trains queued runs."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from lrlab.engine import Engine
from lrlab.settings import Settings
from lrlab.store import Store


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
