"""Workers left over from servers that have ended: these are ended too, and no other process is."""

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
    sys.platform != "linux", reason="only Linux tells whose worker a process is"
)

SERVER = """
import sys
from lrlab.runs.engine.worker_process import start_worker
from lrlab.runs.settings import Settings
worker = start_worker(Settings(sys.argv[1], python=sys.argv[2]), "a server")
print(worker.process.pid, worker.name, flush=True)
sys.stdin.read()
"""
"""A server that starts a worker and does no more."""


class Started(NamedTuple):
    """A server and its worker, which has stalled."""

    server: subprocess.Popen[str]
    worker: psutil.Process
    name: str


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A new database, and workers that stall with it locked."""
    path = tmp_path / "runs.db"
    Store(f"sqlite:///{path}").close()
    return Settings(f"sqlite:///{path}", python=stalling_worker(path), silence_limit=1)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Started]]:
    """Starts servers; they and their workers are gone in the end."""
    every: list[Started] = []

    def start_one() -> Started:
        command = [sys.executable, "-c", SERVER, settings.database_url, settings.python]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        pid, name = process.stdout.readline().split()
        every.append(Started(process, psutil.Process(int(pid)), name))
        stopped = psutil.STATUS_STOPPED
        wait_until(lambda: every[-1].worker.status() == stopped, "the worker stalled")
        return every[-1]

    yield start_one
    for started in every:
        if is_alive(started.worker.pid):
            started.worker.kill()
        started.server.kill()
        started.server.communicate()


def end(started: Started) -> None:
    started.server.kill()
    started.server.wait()


def is_gone(started: Started) -> bool:
    return not is_alive(started.worker.pid)


def test_a_worker_whose_server_has_ended_is_ended(
    start: Callable[[], Started], settings: Settings
) -> None:
    left = start()
    end(left)
    end_orphans(settings)
    wait_until(lambda: is_gone(left), "it was gone")


def test_a_worker_whose_server_lives_is_left_alone(
    start: Callable[[], Started], settings: Settings
) -> None:
    started = start()
    end_orphans(settings)
    assert not is_gone(started)


def test_workers_of_other_stores_and_those_spared_are_left_alone(
    start: Callable[[], Started],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = start()
    end(started)
    end_orphans(settings, spared=[started.name])
    end_orphans(replace(settings, database_url=f"{settings.database_url}.other"))
    monkeypatch.chdir(tmp_path)
    end_orphans(settings)
    assert not is_gone(started)


def test_an_engine_ends_a_leftover_that_keeps_the_database_locked(
    start: Callable[[], Started], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    store = Store(settings.database_url)
    left = start()
    end(left)
    with pytest.raises(StoreUnavailable, match="database is locked"):
        store.runs()
    engine = Engine(store, replace(settings, python="no-such-python"))
    engine.start()
    try:
        wait_until(lambda: is_gone(left), "the leftover was gone")
        wait_until(lambda: "no-such-python" in engine.status().reason, "the store was of use")
    finally:
        engine.stop()
        store.close()


def can_open() -> bool:
    with suppress(StoreUnavailable):
        return bool(server())
    return False


def test_a_server_that_finds_its_database_locked_by_a_leftover_ends_that_and_opens(
    start: Callable[[], Started], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    left = start()
    end(left)
    with serving(settings.database_url):
        session = visit("train")
        assert not session.exception
        assert is_gone(left)
        wait_until(can_open, "it was tried again")
        server().engine.stop()
        session = button(session.run(), "Start")
        assert not session.exception and not session.error
        assert len(server().store.runs()) == 1
