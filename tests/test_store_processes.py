"""Several processes write to one store at the same time, on both databases."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier

import pytest

from lrlab.runs.store import (
    Store,
)
from lrlab.training.measurements import Point
from tests.store_runs import PLAN, epoch, queue

PROCESSES = 4


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, keep_barrier, (barrier,)) as pool:
        yield pool


def keep_barrier(barrier: Barrier) -> None:
    """Runs in each process of the pool: keeps the barrier that makes all of them start together."""
    global start_barrier
    start_barrier = barrier


def train_in_turns(url: str, worker: str, batches: int) -> int:
    """Runs in another process: queues a run, claims one, writes its metrics and reads them."""
    start_barrier.wait(timeout=60)
    store = Store(url)
    store.register_worker(worker)
    store.queue(PLAN, owner=worker, name="of a process")
    run = store.claim(worker)
    for batch in range(batches):
        store.record_points(run.id, run.attempt, [Point(batch, 1.0, 0.1)])
        assert store.heartbeat(worker, ready=True)
        assert len(store.points(run.id)) == batch + 1
        assert not store.stop_requested(run.id, run.attempt)
    store.record_epoch(run.id, run.attempt, epoch(1))
    store.finish(run.id, run.attempt, "finished", "completed")
    store.close()
    return run.id


def claim_all(url: str, worker: str) -> list[int]:
    """Runs in another process: claims runs until none is waiting."""
    start_barrier.wait(timeout=60)
    store = Store(url)
    store.register_worker(worker)
    claimed = []
    while (run := store.claim(worker)) is not None:
        claimed.append(run.id)
    store.close()
    return claimed


def test_several_processes_can_open_a_new_store_and_write_at_once(
    database_url: str, processes: ProcessPoolExecutor
) -> None:
    batches = 100
    calls = [
        processes.submit(train_in_turns, database_url, f"process {number}", batches)
        for number in range(PROCESSES)
    ]
    # If the database was locked, this raises StoreUnavailable.
    trained = [call.result() for call in calls]
    store = Store(database_url)
    assert sorted(trained) == sorted(run.id for run in store.runs())
    assert {run.state for run in store.runs()} == {"finished"}
    for run_id in trained:
        assert [point.step for point in store.points(run_id)] == list(range(batches))
    store.close()


def test_every_queued_run_is_claimed_by_exactly_one_process(
    database_url: str, processes: ProcessPoolExecutor
) -> None:
    store = Store(database_url)
    queued = [queue(store, owner=f"browser {number}") for number in range(40)]
    calls = [
        processes.submit(claim_all, database_url, f"process {number}")
        for number in range(PROCESSES)
    ]
    claimed = [call.result() for call in calls]
    assert sorted(itertools.chain(*claimed)) == queued
    assert all(ids == sorted(ids) for ids in claimed)
    assert {run.attempt for run in store.runs()} == {1}
    store.close()
