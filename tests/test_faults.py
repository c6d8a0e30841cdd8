"""Failing storage: messages instead of tracebacks, no damaged data, and recovery afterwards."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreUnavailable, database
from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles
from lrlab.training.measurements import Point
from lrlab.ui.app.server import server
from lrlab.ui.app.status_banner import CONSEQUENCES
from soak import disk
from soak.disk import full
from soak.kills import problems_in
from soak.postgres import PostgresServer
from tests.app_visit import ME, button, page_text, serving, visit
from tests.engine_runs import (
    queue_and_wait_until_measured,
    stalling_worker,
    wait_until,
)
from tests.run_histories import small_plan
from tests.store_runs import bring_to, queue

NOBODY = 65534

MEGABYTES = 8

CONSEQUENCE = CONSEQUENCES["reading"]

PAGES_WITH_STORE = ("train", "runs", "sweep", "range_test", "present")
"""The pages that read the store."""


def database_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A small temporary file system."""
    try:
        with disk.small_disk(MEGABYTES) as folder:
            yield folder
    except PermissionError as error:
        pytest.skip(str(error))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Keeps this process from growing any file beyond ``size`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(store: Store, run_id: int, attempt: int) -> int:
    """Records points until the store fails; returns how many it acknowledged."""
    for written in range(10_000):
        try:
            store.record_points(run_id, attempt, [Point(written, 1.0, 0.1)])
        except StoreUnavailable as error:
            assert "cannot be used" in str(error)
            return written
    raise AssertionError("the store never reported the full disk")


def test_a_file_size_limit_loses_nothing_that_was_acknowledged_and_the_store_recovers(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    store.register_worker("worker")
    run_id, attempt = bring_to(store, "running")
    with file_size_limit(database_file(url).stat().st_size + 20_000):
        written = fill(store, run_id, attempt)
        assert [point.step for point in store.points(run_id)] == list(range(written))
    store.record_points(run_id, attempt, [Point(written, 1.0, 0.1)])
    assert [point.step for point in store.points(run_id)] == list(range(written + 1))
    assert problems_in(url) == []


def test_a_full_disk_loses_nothing_that_was_acknowledged_and_the_store_recovers(
    small_disk: Path,
) -> None:
    store = Store(f"sqlite:///{small_disk / 'runs.db'}")
    store.register_worker("worker")
    run_id, attempt = bring_to(store, "running")
    with full(small_disk):
        written = fill(store, run_id, attempt)
        assert [point.step for point in store.points(run_id)] == list(range(written))
    store.record_points(run_id, attempt, [Point(written, 1.0, 0.1)])
    assert [point.step for point in store.points(run_id)] == list(range(written + 1))
    store.close()
    assert problems_in(f"sqlite:///{small_disk / 'runs.db'}") == []


def test_a_checkpoint_that_does_not_fit_leaves_the_previous_one_and_no_partial_file(
    small_disk: Path,
) -> None:
    files = CheckpointFiles(small_disk / "checkpoints", 1, {})
    files.write(Checkpoint(1, (np.ones(1_000),), {}))
    with full(small_disk):
        with pytest.raises(OSError, match="No space left"):
            files.write(Checkpoint(2, (np.ones(1_000_000),), {}))
        assert [path.name for path in files.folder.iterdir()] == ["1.checkpoint"]
        assert files.read()[0].epoch == 1
    files.write(Checkpoint(2, (np.ones(1_000),), {}))
    assert files.read()[0].epoch == 2


@pytest.fixture
def unwritable() -> Iterator[Path]:
    """A folder owned by root; the test may switch to another user, which is undone at the end."""
    if os.geteuid() != 0:
        pytest.skip("only root can switch to another user")
    folder = Path(tempfile.mkdtemp(prefix="lrlab-readonly-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        os.seteuid(0)
        shutil.rmtree(folder)


def test_a_read_only_database_file_is_reported_and_can_still_be_read(
    unwritable: Path,
) -> None:
    store = Store(f"sqlite:///{unwritable / 'runs.db'}")
    run_id = queue(store)
    store.close()
    os.seteuid(NOBODY)
    with pytest.raises(StoreUnavailable, match=r"runs\.db cannot be used: .*readonly"):
        queue(store)
    assert store.run(run_id).state == "queued"
    os.seteuid(0)
    # The open connection is still read-only; the first write fails and closes it.
    with pytest.raises(StoreUnavailable):
        queue(store)
    assert queue(store) > run_id
    store.close()


def test_a_database_locked_by_another_program_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    store = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    queue(store)
    other = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(StoreUnavailable, match="cannot be used: database is locked"):
        queue(store)
    other.execute("rollback")
    other.close()
    queue(store)
    assert len(store.runs()) == 2
    store.close()


def test_a_worker_that_stalls_with_the_database_locked_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    path = tmp_path / "runs.db"
    store = Store(f"sqlite:///{path}")
    settings = Settings(f"sqlite:///{path}", python=stalling_worker(path), heartbeat_timeout=1)
    engine = Engine(store, settings)
    engine.start()
    try:
        ended = "No worker can start: the last one could not use the run database."
        wait_until(lambda: engine.status().reason == ended, "the stalled worker was ended")
        assert store.runs() == []
    finally:
        engine.stop()


def test_a_postgresql_server_that_restarts_is_used_again(postgres: PostgresServer) -> None:
    store = Store(postgres.new_database())
    first = queue(store)
    with postgres.stopped():
        for call in (lambda: queue(store), lambda: store.run(first), store.runs):
            with pytest.raises(StoreUnavailable, match="PostgreSQL server did not answer"):
                call()
    assert store.run(first).state == "queued"
    assert queue(store) > first
    store.close()


def test_a_hanging_postgresql_server_times_out_and_is_used_again_when_it_answers(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 4)
    store = Store(postgres.new_database())
    first = queue(store)
    monkeypatch.setattr("lrlab.runs.store.postgres.ANSWER_SECONDS", 0.2)
    with postgres.hung(), pytest.raises(StoreUnavailable, match="PostgreSQL server did not answer"):
        queue(store)
    monkeypatch.undo()
    assert store.run(first).state == "queued"
    assert queue(store) > first
    store.close()


def assert_continues(store: Store, run_id: int, measured: list[dict[str, float]]) -> None:
    """Asserts that a run continues in the same attempt and that no measurement is missing."""
    wait_until(lambda: len(store.points(run_id)) > len(measured) + 4, "the run continued")
    points = store.points(run_id)
    assert (store.run(run_id).state, store.run(run_id).attempt) == ("running", 1)
    assert points[: len(measured)] == measured
    assert len(set(np.diff([point.step for point in points]))) == 1


def test_a_page_reports_that_the_postgresql_server_is_down_and_the_run_continues_afterwards(
    postgres: PostgresServer,
) -> None:
    with serving(postgres.new_database()):
        store, engine = server().store, server().engine
        run_id = queue_and_wait_until_measured(store, owner=ME)
        measured = store.points(run_id)
        with postgres.stopped():
            wait_until(lambda: engine.status().state == "unavailable", "the engine noticed")
            session = visit("train")
            assert not session.exception
            (message,) = session.error
            assert "did not answer or refused" in message.value and message.value.endswith(
                CONSEQUENCE
            )
            assert "No run yet" not in page_text(visit("present"))
        assert_continues(store, run_id, measured)
        wait_until(lambda: engine.status().state == "ready", "the engine noticed that too")
        session = button(session.run(), "Start")
        assert not session.exception and not session.error
        assert CONSEQUENCE not in page_text(session)
        assert len(store.runs()) == 2


def test_every_page_with_runs_reports_a_locked_database_once_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    plan = small_plan("momentum", 0.01, epochs=1)
    with serving(url):
        store, engine = server().store, server().engine
        store.queue_group({"one": plan, "two": plan}, owner=ME, name="a sweep", kind="sweep")
        store.queue_group({"test": plan}, owner=ME, name="a test", kind="range_test")
        sessions = [visit(page) for page in PAGES_WITH_STORE]
        assert not any(session.error for session in sessions)
        other = sqlite3.connect(tmp_path / "runs.db", isolation_level=None, timeout=30)
        other.execute("begin exclusive")
        wait_until(lambda: engine.status().fault == "reading", "the engine noticed")
        for session in sessions:
            session.run()
            assert not session.exception
            (message,) = session.error
            assert "database is locked" in message.value and message.value.endswith(CONSEQUENCE)
        other.execute("rollback")
        other.close()
        wait_until(lambda: engine.status().fault is None, "the engine noticed that too")
        for session in sessions:
            session.run()
            assert not session.exception and not session.error


@pytest.mark.skipif(sys.platform != "linux", reason="as the full disk above")
def test_a_page_reports_a_full_disk_and_works_again_afterwards(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with serving(url):
        visit("train")
        server().engine.stop()
        with file_size_limit(0):
            session = button(visit("train"), "Start")
            assert not session.exception
            assert any("cannot be used" in item.value for item in session.error)
        session = button(session, "Start")
        assert not session.exception and not session.error
        assert [run.owner for run in server().store.runs()] == [ME]


def test_a_full_disk_during_a_run_is_reported_on_its_page_and_the_run_continues_with_space(
    small_disk: Path,
) -> None:
    with serving(f"sqlite:///{small_disk / 'runs.db'}"):
        store, engine = server().store, server().engine
        run_id = queue_and_wait_until_measured(store, owner=ME)
        with full(small_disk):
            wait_until(lambda: engine.status().state == "unavailable", "the engine noticed")
            for page in ("train", "present"):
                session = visit(page)
                assert not session.exception
                (message,) = session.error
                assert "database or disk is full" in message.value
                assert message.value.endswith(CONSEQUENCES["writing"])
            measured = store.points(run_id)
        assert_continues(store, run_id, measured)
