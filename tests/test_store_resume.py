"""Resuming in the store: permission, what is kept, and writes of the previous attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from lrlab.params import InvalidInput
from lrlab.runs.limits import AccessCodes, Limits
from lrlab.runs.store import (
    ENDED,
    RESUMABLE,
    IllegalTransition,
    NotAllowed,
    QueueFull,
    StaleAttempt,
    State,
    Store,
)
from lrlab.training.measurements import EpochSnapshot, Point
from tests.store_runs import PLAN, bring_to, claim, epoch, queue

STEPS = PLAN.steps_per_epoch


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url, codes=AccessCodes(instructor="chalk dust"))
    opened.register_worker("worker")
    yield opened
    opened.close()


def snapshot(number: int) -> EpochSnapshot:
    confusion = np.eye(10, dtype=np.int64) if number else None
    return EpochSnapshot(number, np.zeros((16, 28, 28), np.uint8), 1.0, confusion)


def begin_attempt(store: Store, epochs: int, resumed: str = "") -> tuple[int, int]:
    run_id, attempt = claim(store)
    setup = {"data_source": "sample", "compile_mode": "fused"}
    store.record_setup(run_id, attempt, **setup, epoch=epochs, resumed=resumed)
    return run_id, attempt


def run_with_two_epochs(store: Store, state: State = "interrupted") -> int:
    """A run that ended during its third epoch."""
    queue(store)
    run_id, attempt = begin_attempt(store, 0)
    store.record_snapshot(run_id, attempt, snapshot(0))
    for number in (1, 2):
        last_point = [Point(number * STEPS - 1, 0.5, 0.1, 2.0, 0.01)]
        store.record_points(run_id, attempt, [Point(number * STEPS - 9, 0.6, 0.1), *last_point])
        store.record_epoch(run_id, attempt, replace(epoch(number), step=number * STEPS))
        store.record_snapshot(run_id, attempt, snapshot(number))
    store.record_points(run_id, attempt, [Point(2 * STEPS, 0.4, 0.1)])
    store.finish(run_id, attempt, state, "as asked")
    return run_id


def point_steps(store: Store, run_id: int) -> list[int]:
    return [point.step for point in store.points(run_id)]


@pytest.mark.parametrize("state", sorted(RESUMABLE))
def test_a_resumed_run_waits_like_a_new_one_and_keeps_its_measurements(
    store: Store, state: State
) -> None:
    run_id = run_with_two_epochs(store, state)
    points, epochs = store.points(run_id), store.epochs(run_id)
    store.resume(run_id, by="ada")
    run = store.run(run_id)
    assert (run.state, run.reason, run.attempt) == ("queued", "", 1)
    assert (run.started, run.ended) == (None, None)
    assert store.queue_position(run_id).position == 1
    assert (store.points(run_id), store.epochs(run_id)) == (points, epochs)


def test_the_next_attempt_deletes_measurements_after_its_checkpoint(store: Store) -> None:
    run_id = run_with_two_epochs(store)
    store.resume(run_id, by="ada")
    assert begin_attempt(store, 1, "resumed at the end of epoch 1") == (run_id, 2)
    run = store.run(run_id)
    assert (run.step, run.resumed) == (STEPS, "resumed at the end of epoch 1")
    assert point_steps(store, run_id) == [STEPS - 9, STEPS - 1]
    assert [row.epoch for row in store.epochs(run_id)] == [1]
    assert store.snapshot_epochs(run_id) == [0, 1]
    store.record_points(run_id, 2, [Point(STEPS, 0.5, 0.1)])
    store.record_snapshot(run_id, 2, snapshot(2))


def test_an_attempt_without_a_checkpoint_deletes_all_measurements(store: Store) -> None:
    run_id = run_with_two_epochs(store)
    store.resume(run_id, by="ada")
    begin_attempt(store, 0)
    assert store.points(run_id) == store.epochs(run_id) == store.snapshot_epochs(run_id) == []
    assert store.run(run_id).step == 0


def test_a_worker_that_wakes_up_cannot_change_a_run_that_is_queued_again(store: Store) -> None:
    run_id = run_with_two_epochs(store)
    store.resume(run_id, by="ada")
    before = store.run(run_id)
    for state in ENDED:
        with pytest.raises(IllegalTransition):
            store.finish(run_id, 1, state, "woke up")
    with pytest.raises(StaleAttempt):
        store.record_points(run_id, 1, [Point(2 * STEPS + 1, 0.4, 0.1)])
    with pytest.raises(StaleAttempt):
        store.record_setup(run_id, 1, data_source="sample", compile_mode="fused")
    assert store.run(run_id) == before


@pytest.mark.parametrize("state", ["queued", "running", *sorted(ENDED - RESUMABLE)])
def test_only_stopped_or_interrupted_runs_can_be_resumed(store: Store, state: State) -> None:
    run_id, _ = bring_to(store, state)
    before = store.run(run_id)
    with pytest.raises(IllegalTransition, match=f"is {state}, so it cannot become queued"):
        store.resume(run_id, by="ada")
    assert store.run(run_id) == before


def test_only_the_owner_or_the_instructor_can_resume_a_run(store: Store) -> None:
    run_id, _ = bring_to(store, "stopped")
    with pytest.raises(NotAllowed, match="another browser"):
        store.resume(run_id, by="bob")
    store.resume(run_id, by="bob", code="chalk dust")
    assert store.run(run_id).state == "queued"


def test_the_queues_limits_apply_to_resumed_runs(store: Store) -> None:
    run_id, _ = bring_to(store, "stopped")
    for name in ("second", "third"):
        queue(store, name)
    with pytest.raises(QueueFull, match="2 runs or groups waiting"):
        store.resume(run_id, by="ada")
    store.limits = Limits(max_epochs=2)
    with pytest.raises(InvalidInput, match="epochs"):
        store.resume(run_id, by="ada")
    assert store.run(run_id).state == "stopped"
