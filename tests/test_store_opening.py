"""Opening a store: which databases are accepted, upgraded or refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from lrlab.runs.store import (
    Store,
    StoreUnavailable,
    wal_is_safe,
)
from tests.store_runs import queue


def test_tables_of_another_version_are_refused_and_not_changed(database_url: str) -> None:
    store = Store(database_url)
    run_id = queue(store)
    with create_engine(database_url).begin() as connection:
        connection.execute(text("update schema_version set version = 7"))
    message = r"created by a newer version of .* version 7, .* version 4\. .*LRLAB_DATABASE.*README"
    with pytest.raises(StoreUnavailable, match=message) as refused:
        Store(database_url)
    # Pages show the message, and visitors must not learn the file's path.
    assert "/" not in str(refused.value)
    assert store.run(run_id).state == "queued"
    store.close()


def test_a_database_of_version_3_is_upgraded_with_its_divergences(database_url: str) -> None:
    store = Store(database_url)
    store.register_worker("worker")
    diverged, completed, stopped = (queue(store, owner=name) for name in ("ada", "bob", "eve"))
    for _ in range(3):
        run = store.claim("worker")
        store.finish(run.id, run.attempt, "finished", "completed all 30 steps")
    store.close()
    with create_engine(database_url).begin() as connection:
        connection.execute(text("alter table runs drop column diverged"))
        connection.execute(text("update schema_version set version = 3"))
        reasons = {diverged: "diverged at step 7", stopped: "stopped; diverged minds think alike"}
        for run_id, reason in reasons.items():
            values = {"reason": reason, "id": run_id}
            connection.execute(text("update runs set reason = :reason where id = :id"), values)
    for _ in range(2):
        store = Store(database_url)
        divergence = {run.id: run.diverged for run in store.runs()}
        assert divergence == {diverged: True, completed: False, stopped: False}
        store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://teacher:secret@localhost/runs",
    ],
)
def test_another_kind_of_database_is_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="LRLAB_DATABASE_URL must be the URL of") as error:
        Store(url)
    assert "secret" not in str(error.value)


def test_a_store_creates_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "runs.db"
    Store(f"sqlite:///{path}").close()
    assert path.is_file()


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"folder of .* cannot be created.* writable"):
        Store(f"sqlite:///{tmp_path / 'file' / 'runs.db'}")


def test_a_file_that_is_not_a_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_text("a diary, and by no means a database\n" * 100)
    with pytest.raises(StoreUnavailable, match="cannot be used: file is not a database"):
        Store(f"sqlite:///{path}")
    assert path.read_text().startswith("a diary")


def test_an_unreachable_server_is_reported_without_its_address() -> None:
    with pytest.raises(StoreUnavailable, match="PostgreSQL server did not answer") as error:
        Store("postgresql://teacher:secret@127.0.0.1:1/runs")
    assert "127.0.0.1" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_counts_as_safe_only_in_versions_with_the_fix(
    version: tuple[int, int, int], safe: bool
) -> None:
    assert wal_is_safe(version) is safe


def test_the_journal_mode_is_safe_with_the_installed_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    before = sqlite3.connect(path)
    assert before.execute("pragma journal_mode = wal").fetchone() == ("wal",)
    before.close()
    Store(f"sqlite:///{path}").close()
    after = sqlite3.connect(path)
    expected_mode = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"
    assert after.execute("pragma journal_mode").fetchone() == (expected_mode,)
    after.close()
