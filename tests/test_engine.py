"""The engine with real worker processes: runs are trained; a failed worker affects only its run.

A worker takes several seconds to import TensorFlow, so most tests share one warm worker.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrlab.recipes.plan import RunPlan
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store
from lrlab.runs.worker import Exit, describe_error
from tests.engine_runs import (
    ENOUGH_MEMORY,
    PATIENCE,
    RECIPE,
    SHORT,
    is_alive,
    queue_and_wait_until_measured,
    wait_until,
    wait_until_ended,
    worker_pid,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('engine') / 'runs.db'}"
    return Settings(database_url=url, worker_memory=ENOUGH_MEMORY)


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Store]:
    opened = Store(settings.database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engine(store: Store, settings: Settings) -> Iterator[Engine]:
    started = Engine(store, settings)
    started.start()
    yield started
    started.stop()


def test_a_queued_run_is_trained_and_its_measurements_appear(engine: Engine, store: Store) -> None:
    run = wait_until_ended(store, store.queue(SHORT, owner="ada", name="short"))
    assert (run.state, run.attempt, run.step) == ("finished", 1, SHORT.total_steps)
    assert "completed" in run.reason
    assert run.data_source
    assert 0 <= run.test_accuracy <= 1
    assert [row.epoch for row in store.epochs(run.id)] == [1]
    assert [point.step for point in store.points(run.id)] == list(range(SHORT.total_steps))
    assert engine.status().state == "ready"


def test_a_stopped_run_keeps_its_measurements_and_its_worker(engine: Engine, store: Store) -> None:
    before = worker_pid(engine)
    run_id = queue_and_wait_until_measured(store)
    measured = store.points(run_id)
    store.request_stop(run_id, by="ada")
    run = wait_until_ended(store, run_id)
    assert run.state == "stopped"
    assert 0 < run.step < run.total_steps
    assert store.points(run_id)[: len(measured)] == measured
    assert worker_pid(engine) == before


def test_a_run_whose_plan_is_no_longer_valid_fails_with_the_reason(
    engine: Engine, store: Store
) -> None:
    before = worker_pid(engine)
    plan = RunPlan(RECIPE, "perceptron", epochs=1, batch_size=32, seed=1, train_size=256)
    run = wait_until_ended(store, store.queue(plan, owner="ada", name="unknown network"))
    assert run.state == "failed"
    assert "perceptron" in run.reason
    assert worker_pid(engine) == before


def test_a_run_with_an_error_fails_and_the_worker_continues(
    engine: Engine, store: Store, settings: Settings
) -> None:
    before = worker_pid(engine)
    first = queue_and_wait_until_measured(store)
    second = store.queue(SHORT, owner="ada", name="cannot measure")
    database = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), timeout=30)
    with database:
        database.execute(
            "create trigger refuse before insert on metrics "
            f"when new.run_id = {second} begin select raise(abort, 'no'); end"
        )
    database.close()
    store.request_stop(first, by="ada")

    run = wait_until_ended(store, second)
    assert run.state == "failed"
    assert run.reason == (
        "training failed with an error (WriteRefused); the server's log has the details"
    )
    third = wait_until_ended(store, store.queue(SHORT, owner="ada", name="next"))
    assert third.state == "finished"
    assert worker_pid(engine) == before


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (MemoryError(), "an error (MemoryError), probably because memory ran out; the"),
        (ValueError("/secret/path"), "an error (ValueError); the"),
    ],
)
def test_an_error_is_described_without_its_details(error: Exception, description: str) -> None:
    text = describe_error(error)
    assert text == f"training failed with {description} server's log has the details"


def test_a_killed_worker_interrupts_only_its_run_and_is_replaced(
    engine: Engine, store: Store
) -> None:
    before = worker_pid(engine)
    run_id = queue_and_wait_until_measured(store)
    following = store.queue(SHORT, owner="bob", name="next")
    measured = store.points(run_id)
    os.kill(before, signal.SIGKILL)
    run = wait_until_ended(store, run_id)
    assert run.state == "interrupted"
    assert run.reason == (
        "its worker was ended by signal 9 (Killed), probably because memory ran out"
    )
    assert store.points(run_id)[: len(measured)] == measured

    assert wait_until_ended(store, following).state == "finished"
    assert worker_pid(engine) != before


def test_a_hanging_worker_is_replaced_with_and_without_a_stop_request(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    engine = Engine(store, Settings(database_url=url, stop_timeout=1, heartbeat_timeout=6))
    engine.start()
    try:
        first = worker_pid(engine)
        run_id = queue_and_wait_until_measured(store)
        os.kill(first, signal.SIGSTOP)
        store.request_stop(run_id, by="ada")
        run = wait_until_ended(store, run_id)
        assert run.state == "stopped"
        assert run.reason == "its worker did not obey the stop request and was ended"
        assert store.points(run_id)
        wait_until(lambda: not is_alive(first), "the hanging worker was gone")

        run_id = queue_and_wait_until_measured(store)
        second = worker_pid(engine)
        os.kill(second, signal.SIGSTOP)
        run = wait_until_ended(store, run_id)
        assert (run.state, run.reason) == ("interrupted", "its worker stopped responding")
        wait_until(lambda: not is_alive(second), "the hanging worker was gone")
    finally:
        engine.stop()


def start_worker(url: str, runs: int, memory: float = ENOUGH_MEMORY) -> subprocess.Popen[bytes]:
    """Starts a worker named "worker", without an engine."""
    limits = ["--max-runs", str(runs), "--retire-above-mb", str(memory)]
    return subprocess.Popen(
        [sys.executable, "-m", "lrlab.runs.worker", "--name", "worker", *limits],
        stdin=subprocess.PIPE,
        env=os.environ | {"LRLAB_DATABASE_URL": url},
    )


def test_a_worker_retires_after_its_runs(new_store: tuple[Store, str]) -> None:
    store, url = new_store
    ids = [store.queue(SHORT, owner=f"owner {n}", name="short") for n in range(3)]
    with start_worker(url, runs=2) as worker:
        assert worker.wait(PATIENCE) == Exit.RETIRED
    assert [store.run(run_id).state for run_id in ids] == ["finished", "finished", "queued"]


@pytest.mark.skipif(sys.platform != "linux", reason="a process's memory is only known on Linux")
def test_a_worker_that_has_grown_large_retires(new_store: tuple[Store, str]) -> None:
    store, url = new_store
    ids = [store.queue(SHORT, owner="ada", name="short") for _ in range(2)]
    with start_worker(url, runs=2, memory=100) as worker:
        assert worker.wait(PATIENCE) == Exit.RETIRED
    assert [store.run(run_id).state for run_id in ids] == ["finished", "queued"]


def test_a_worker_that_is_marked_dead_exits(new_store: tuple[Store, str]) -> None:
    store, url = new_store
    with start_worker(url, runs=1) as worker:
        wait_until(store.workers, "the worker was registered")
        store.mark_dead("worker", "tried out")
        assert worker.wait(PATIENCE) == Exit.MARKED_DEAD


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        ("no-such-python", "no-such-python cannot be run: No such file or directory"),
        ("false", "the last one ended with exit code 1; the server's log has the details"),
    ],
)
def test_if_no_worker_can_start_the_status_gives_the_reason_and_runs_wait(
    new_store: tuple[Store, str], python: str, reason: str
) -> None:
    store, url = new_store
    run_id = store.queue(SHORT, owner="ada", name="waits")
    engine = Engine(store, Settings(database_url=url, python=python))
    assert engine.status().state == "off"
    engine.start()
    try:
        wait_until(lambda: engine.status().state == "unavailable", "the engine gave up")
        assert engine.status().reason == f"No worker can start: {reason}."
        assert engine.status().pids == ()
    finally:
        engine.stop()
    assert engine.status().state == "off"
    assert store.run(run_id).state == "queued"


def test_if_tensorflow_cannot_be_imported_the_status_says_so(
    new_store: tuple[Store, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('broken on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    store, url = new_store
    engine = Engine(store, Settings(database_url=url))
    engine.start()
    try:
        wait_until(lambda: engine.status().state == "unavailable", "the engine gave up")
        assert engine.status().reason == (
            "No worker can start: the last one could not import TensorFlow; "
            "install what requirements.txt lists."
        )
    finally:
        engine.stop()


def test_a_stopped_engine_ends_its_worker_interrupts_the_run_and_can_start_again(
    engine: Engine, store: Store
) -> None:
    pid = worker_pid(engine)
    run_id = queue_and_wait_until_measured(store)
    engine.stop()
    assert not is_alive(pid)
    assert store.run(run_id).state == "interrupted"
    engine.start()
    assert worker_pid(engine) != pid
