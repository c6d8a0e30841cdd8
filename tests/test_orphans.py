"""Orphans, the workers of servers that have ended, are killed, and no other process is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from lrlab.runs.engine import Engine, end_orphans
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreUnavailable, database
from lrlab.ui.app.server import server
from tests.app_visit import button, serving, visit
from tests.engine_runs import is_alive, stalling_worker, wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="orphans can only be identified on Linux"
)

SERVER = """
import sys
from lrlab.runs.engine.worker_process import start_worker
from lrlab.runs.settings import Settings
worker = start_worker(Settings(sys.argv[1], python=sys.argv[2]), "a server")
print(worker.process.pid, worker.name, flush=True)
sys.stdin.read()
"""
"""A server that only starts a worker."""


class Started(NamedTuple):
    """A server and its stalled worker."""

    server: subprocess.Popen[str]
    worker: psutil.Process
    name: str


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a new database and workers that stall while they lock it."""
    path = tmp_path / "runs.db"
    Store(f"sqlite:///{path}").close()
    return Settings(f"sqlite:///{path}", python=stalling_worker(path), heartbeat_timeout=1)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Started]]:
    """Starts servers; kills them and their workers at the end."""
    all_started: list[Started] = []

    def start_one() -> Started:
        command = [sys.executable, "-c", SERVER, settings.database_url, settings.python]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        pid, name = process.stdout.readline().split()
        all_started.append(Started(process, psutil.Process(int(pid)), name))
        stopped = psutil.STATUS_STOPPED
        wait_until(lambda: all_started[-1].worker.status() == stopped, "the worker stalled")
        return all_started[-1]

    yield start_one
    for started in all_started:
        if is_alive(started.worker.pid):
            started.worker.kill()
        started.server.kill()
        started.server.communicate()


def kill_server(started: Started) -> None:
    started.server.kill()
    started.server.wait()


def is_worker_gone(started: Started) -> bool:
    return not is_alive(started.worker.pid)


def test_a_worker_whose_server_has_ended_is_killed(
    start: Callable[[], Started], settings: Settings
) -> None:
    orphaned = start()
    kill_server(orphaned)
    end_orphans(settings)
    wait_until(lambda: is_worker_gone(orphaned), "the orphan was gone")


def test_a_worker_whose_server_is_alive_is_not_killed(
    start: Callable[[], Started], settings: Settings
) -> None:
    started = start()
    end_orphans(settings)
    assert not is_worker_gone(started)


def test_workers_of_other_stores_and_spared_workers_are_not_killed(
    start: Callable[[], Started],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = start()
    kill_server(started)
    end_orphans(settings, spared=[started.name])
    end_orphans(replace(settings, database_url=f"{settings.database_url}.other"))
    monkeypatch.chdir(tmp_path)
    end_orphans(settings)
    assert not is_worker_gone(started)


def test_an_engine_kills_an_orphan_that_locks_the_database(
    start: Callable[[], Started], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    store = Store(settings.database_url)
    orphaned = start()
    kill_server(orphaned)
    with pytest.raises(StoreUnavailable, match="database is locked"):
        store.runs()
    engine = Engine(store, replace(settings, python="no-such-python"))
    engine.start()
    try:
        wait_until(lambda: is_worker_gone(orphaned), "the orphan was gone")
        wait_until(lambda: "no-such-python" in engine.status().reason, "the store could be used")
    finally:
        engine.stop()
        store.close()


def can_open() -> bool:
    with suppress(StoreUnavailable):
        return bool(server())
    return False


def test_a_server_whose_database_is_locked_by_an_orphan_kills_it_and_starts(
    start: Callable[[], Started], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    orphaned = start()
    kill_server(orphaned)
    with serving(settings.database_url):
        session = visit("train")
        assert not session.exception
        assert is_worker_gone(orphaned)
        wait_until(can_open, "the store was opened again")
        server().engine.stop()
        session = button(session.run(), "Start")
        assert not session.exception and not session.error
        assert len(server().store.runs()) == 1
