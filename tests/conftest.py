"""What several test modules share."""

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
"""The modules that take longest, so that two processes that share the tests end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow modules come first; the rest stays in order."""

    def place(item: pytest.Item) -> int:
        names = {item.path.stem, item.path.parent.name}
        return min((SLOW.index(name) for name in names & set(SLOW)), default=len(SLOW))

    items.sort(key=place)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own; without one its tests fail in CI, else they are skipped."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgres_server())
        except FileNotFoundError as error:
            message = f"the store is not tested on PostgreSQL: {error}"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.db'}"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A new store on each kind of database, with a worker called "worker"."""
    opened = Store(database_url)
    opened.register_worker("worker")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def full_data() -> DataSource:
    """The full Fashion-MNIST; a test that needs it fails without it in CI, else is skipped."""
    source = find_source()
    if source.key == "sample":
        message = f"needs the full Fashion-MNIST. Get it with: {FETCH_HINT}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return source


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[tuple[Store, str]]:
    """A new store on SQLite, and its URL."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    opened = Store(url)
    yield opened, url
    opened.close()
