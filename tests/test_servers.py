"""Servers that are killed, wait for each other and share a store; with real processes."""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import replace

import psutil
import pytest

from lrlab.datasets.sources import find_source
from lrlab.recipes.plan import RunPlan
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store
from tests.engine_runs import (
    ENOUGH_MEMORY,
    LONG,
    RECIPE,
    SHORT,
    is_alive,
    queue_and_wait_until_measured,
    start_server,
    wait_until,
    wait_until_ended,
)


def test_a_run_whose_worker_died_long_ago_is_interrupted_by_the_next_engine(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    store.register_worker("of a machine that lost power")
    run_id = store.queue(SHORT, owner="ada", name="cut off")
    store.claim("of a machine that lost power")
    store.heartbeat("of a machine that lost power", ready=True)
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    with database:
        database.execute("update workers set beat = beat - 3600")
    database.close()

    engine = Engine(store, Settings(database_url=url, python="no-such-python"))
    engine.start()
    try:
        run = wait_until_ended(store, run_id)
        assert (run.state, run.reason) == ("interrupted", "its worker stopped responding")
    finally:
        engine.stop()


def test_two_servers_share_a_store_and_one_takes_over_when_the_other_is_killed(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    with start_server(url) as first:
        running = queue_and_wait_until_measured(store)
        second = Engine(store, Settings(database_url=url))
        second.start()
        try:
            wait_until(
                lambda: second.status().state == "standby", "the second server was on standby"
            )
            waiting = [store.queue(SHORT, owner=owner, name="waits") for owner in "bc"]
            children = psutil.Process(first.pid).children(recursive=True)
            assert second.status().pids == ()
            first.kill()
            ended = [wait_until_ended(store, run_id) for run_id in waiting]
            assert second.status().state == "ready"
        finally:
            second.stop()
    interrupted = store.run(running)
    assert (interrupted.state, interrupted.reason) == (
        "interrupted",
        "LR Lab's server ended during this run",
    )
    assert [(run.state, run.attempt) for run in ended] == [("finished", 1)] * 2
    assert ended[0].ended <= ended[1].started
    assert children and not any(is_alive(worker.pid) for worker in children)
    assert store.workers() == []


@pytest.mark.skipif(sys.platform != "linux", reason="orphans can only be identified on Linux")
def test_a_worker_that_stalled_before_its_server_died_is_killed_by_the_next_server(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    with start_server(url) as server:
        run_id = queue_and_wait_until_measured(store)
        (worker,) = psutil.Process(server.pid).children(recursive=True)
        worker.suspend()
        server.kill()
    engine = Engine(store, Settings(database_url=url, python="no-such-python"))
    engine.start()
    try:
        run = wait_until_ended(store, run_id)
        assert (run.state, run.reason) == ("interrupted", "its worker stopped responding")
        wait_until(lambda: not is_alive(worker.pid), "the worker was gone")
        assert store.points(run_id)
    finally:
        engine.stop()


def test_a_server_that_lost_the_lease_finishes_its_run_and_starts_no_other(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    engine = Engine(store, Settings(database_url=url, worker_memory=ENOUGH_MEMORY))
    engine.start()
    try:
        run_id = queue_and_wait_until_measured(store)
        assert store.take_lease("another", store.lease())
        waiting = store.queue(SHORT, owner="bob", name="waits")
        wait_until(lambda: engine.status().state == "standby", "the server was on standby")
        assert store.run(run_id).state == "running"
        store.request_stop(run_id, by="ada")
        assert wait_until_ended(store, run_id).state == "stopped"
        wait_until(lambda: not engine.status().pids, "its worker was gone")
        assert store.run(waiting).state == "queued"
    finally:
        engine.stop()


def test_several_workers_train_the_runs_of_several_owners_at_the_same_time(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    engine = Engine(store, Settings(database_url=url, workers=2))
    engine.start()
    try:
        ids = [store.queue(LONG, owner=owner, name="long") for owner in "ab"]
        for run_id in ids:
            wait_until(lambda run_id=run_id: store.points(run_id), "the run was in progress")
        assert {store.run(run_id).state for run_id in ids} == {"running"}
        assert len(set(engine.status().pids)) == 2
    finally:
        engine.stop()


def test_a_run_that_exceeds_its_time_limit_is_asked_to_stop(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    store.register_worker("another server's")
    run_id = store.queue(SHORT, owner="ada", name="slow")
    attempt = store.claim("another server's").attempt
    settings = Settings(database_url=url, python="no-such-python", run_minutes=0.001)
    engine = Engine(store, settings)
    engine.start()
    try:
        wait_until(lambda: store.stop_requested(run_id, attempt), "it was asked to stop")
        store.finish(run_id, attempt, "stopped", "stopped at step 3")
    finally:
        engine.stop()
    assert store.run(run_id).reason == "stopped at step 3; a run may take 1 s on this server"


@pytest.mark.skipif(
    sys.platform != "linux", reason="a process's memory can only be limited on Linux"
)
def test_only_the_run_that_needs_too_much_memory_is_interrupted_with_the_reason(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    engine = Engine(store, Settings(database_url=url, run_memory=850))
    engine.start()
    try:
        large = RunPlan.of(RECIPE, "cnn", epochs=1, batch_size=4096)
        large = replace(large, train_size=min(large.train_size, find_source().largest_train_size))
        first = store.queue(large, owner="ada", name="too large")
        second = store.queue(SHORT, owner="bob", name="fits")
        run = wait_until_ended(store, first)
        assert run.state == "interrupted"
        assert run.reason.startswith("its worker was ended by signal ")
        assert run.reason.endswith(", probably because memory ran out")
        assert wait_until_ended(store, second).state == "finished"
    finally:
        engine.stop()
