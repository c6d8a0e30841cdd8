"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lrlab.datasets.sources import FETCH_HINT, DataSource, find_source
from lrlab.runs.store import Store
from soak.postgres import PostgresServer, postgres_server

SLOW = (
    "test_resume",
    "test_story",
    "browser",
    "test_block_model",
    "test_pages",
    "test_export_script",
    "test_training",
    "test_engine",
    "test_servers",
    "test_attempts",
    "test_soak",
    "test_epoch_snapshots",
    "test_lengths",
)
"""The slowest modules start first, so that two test processes finish at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves slow modules to the front; the order is otherwise unchanged."""

    def position(item: pytest.Item) -> int:
        names = {item.path.stem, item.path.parent.name}
        return min((SLOW.index(name) for name in names & set(SLOW)), default=len(SLOW))

    items.sort(key=position)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A temporary PostgreSQL server; if none is installed, tests fail in CI, else are skipped."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server())
        except FileNotFoundError as error:
            message = f"the store is not tested on PostgreSQL: {error}"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.db'}"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A new store on each kind of database, with a registered worker named "worker"."""
    opened = Store(database_url)
    opened.register_worker("worker")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def full_data() -> DataSource:
    """The full Fashion-MNIST; if it is missing, tests fail in CI, else are skipped."""
    source = find_source()
    if source.key == "sample":
        message = f"needs the full Fashion-MNIST. Get it with: {FETCH_HINT}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return source


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[tuple[Store, str]]:
    """A new SQLite store and its URL."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    opened = Store(url)
    yield opened, url
    opened.close()
