"""The store: valid states, exclusive claims, no stale writes, no lost data; on both databases."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from lrlab.params import InvalidInput
from lrlab.runs.store import (
    ENDED,
    TRANSITIONS,
    IllegalTransition,
    StaleAttempt,
    State,
    Store,
    UnknownRun,
    WriteRefused,
)
from lrlab.training.measurements import Point
from tests.store_runs import PLAN, bring_to, epoch, queue

# Queueing, reading, stopping and deleting runs


def test_a_queued_run_is_read_back_unchanged(store: Store) -> None:
    run = store.run(queue(store, name="  Nadam, ηₜ <b>1e-3</b> "))
    assert (run.name, run.owner) == ("Nadam, ηₜ <b>1e-3</b>", "ada")
    assert (run.state, run.attempt, run.step) == ("queued", 0, 0)
    assert run.plan == PLAN
    assert run.total_steps == PLAN.total_steps
    assert abs(run.created - time.time()) < 600
    assert run.started is run.ended is run.stop_requested is run.worker is None


def test_the_settings_of_a_plan_that_is_no_longer_allowed_can_be_read(store: Store) -> None:
    run = store.run(queue(store))
    older = replace(run, plan_json=run.plan_json.replace('"mlp"', '"perceptron"'))
    with pytest.raises(InvalidInput, match="perceptron"):
        _ = older.plan
    assert (older.setting("epochs"), older.setting("seed")) == (PLAN.epochs, PLAN.seed)


def test_runs_are_listed_newest_first_and_by_owner(store: Store) -> None:
    first, second, third = queue(store), queue(store, owner="bob"), queue(store)
    assert [run.id for run in store.runs()] == [third, second, first]
    assert [run.id for run in store.runs(owner="ada")] == [third, first]
    assert store.runs(owner="nobody") == []


@pytest.mark.parametrize("label", ["", "   ", "x" * 101, "two\nlines", "nul\0", "\ud800"])
def test_an_invalid_name_or_owner_queues_nothing(store: Store, label: str) -> None:
    with pytest.raises(InvalidInput, match="The name of a run or group must have 1 to 100"):
        queue(store, name=label)
    with pytest.raises(InvalidInput, match="The owner of a run or group must have 1 to 100"):
        queue(store, owner=label)
    assert store.runs() == []


@pytest.mark.parametrize("number", [-1, 0, 1, 2**31, 2**70])
def test_an_unknown_run_number_is_refused(store: Store, number: int) -> None:
    calls = (
        lambda: store.run(number),
        lambda: store.request_stop(number, by="ada"),
        lambda: store.delete(number, by="ada"),
    )
    for call in calls:
        with pytest.raises(UnknownRun, match=f"no run {number}"):
            call()
    assert store.queue_position(number) is None


def test_stopping_a_queued_run_ends_it_at_once(store: Store) -> None:
    run_id = queue(store)
    store.request_stop(run_id, by="ada")
    assert store.run(run_id).state == "stopped"
    assert store.run(run_id).reason == "stopped before it began"
    assert store.run(run_id).ended is not None
    assert store.claim("worker") is None


def test_a_running_run_with_a_stop_request_continues_until_its_worker_ends_it(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    assert not store.stop_requested(run_id, attempt)
    store.request_stop(run_id, by="ada")
    run = store.run(run_id)
    assert run.state == "running"
    assert store.stop_requested(run_id, attempt)
    store.request_stop(run_id, by="ada")
    assert store.run(run_id).stop_requested == run.stop_requested


@pytest.mark.parametrize("state", sorted(ENDED))
def test_stopping_an_ended_run_changes_nothing(store: Store, state: State) -> None:
    run_id, _ = bring_to(store, state)
    before = store.run(run_id)
    store.request_stop(run_id, by="ada")
    assert store.run(run_id) == before


def test_deleting_a_run_deletes_its_metrics_and_its_number_is_not_reused(
    store: Store,
) -> None:
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)])
    with pytest.raises(WriteRefused, match="stop it before deleting"):
        store.delete(run_id, by="ada")
    store.finish(run_id, attempt, "stopped", "stopped")
    store.delete(run_id, by="ada")
    assert store.runs() == store.points(run_id) == store.epochs(run_id) == []
    assert queue(store) > run_id


# States


def test_every_final_state_can_be_reached(store: Store) -> None:
    for state in ENDED:
        run_id, _ = bring_to(store, state)
        run = store.run(run_id)
        assert (run.state, run.reason, run.attempt) == (state, "as asked", 1)
        assert run.created <= run.started <= run.ended


def test_every_illegal_transition_is_refused_and_changes_nothing(store: Store) -> None:
    refused = 0
    for state in TRANSITIONS:
        run_id, attempt = bring_to(store, state)
        before = store.run(run_id)
        for target in set(TRANSITIONS) - TRANSITIONS[state]:
            with pytest.raises(IllegalTransition, match=f"is {state}.* become {target}"):
                store.finish(run_id, attempt, target, "no")
            assert store.run(run_id) == before
            refused += 1
        if state in ("queued", "running"):
            store.mark_dead("worker", "done with it")
            store.register_worker("worker")
            store.request_stop(run_id, by="ada")
    assert refused == 6 * 6 - 8


def test_a_finished_run_has_its_test_results(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.finish(run_id, attempt, "finished", "completed", test_loss=0.4, test_accuracy=0.86)
    run = store.run(run_id)
    assert (run.test_loss, run.test_accuracy) == (0.4, 0.86)


# Groups


def test_a_group_queues_all_its_runs_or_none(store: Store) -> None:
    plans = {f"seed {seed}": replace(PLAN, seed=seed) for seed in (1, 2, 3)}
    group = store.queue_group(plans, owner="ada", name="three seeds", kind="seeds")
    alone = queue(store)
    runs = store.runs(group=group)
    assert [run.name for run in reversed(runs)] == list(plans)
    assert {(run.owner, run.group, run.state) for run in runs} == {("ada", group, "queued")}
    assert store.run(alone).group is None
    stored_group = store.group(group)
    assert (stored_group.name, stored_group.owner, stored_group.kind) == (
        "three seeds",
        "ada",
        "seeds",
    )
    with pytest.raises(InvalidInput, match="name"):
        store.queue_group({"fine": PLAN, "": PLAN}, owner="ada", name="bad", kind="seeds")
    with pytest.raises(InvalidInput, match="at least one"):
        store.queue_group({}, owner="ada", name="none", kind="seeds")
    assert len(store.runs()) == 4


def test_a_group_is_deleted_with_its_last_run(store: Store) -> None:
    plans = {name: PLAN for name in ("first", "second")}
    group = store.queue_group(plans, owner="ada", name="two", kind="sweep")
    first, second = (run.id for run in store.runs(group=group))
    store.delete(first, by="ada")
    assert store.group(group).kind == "sweep"
    store.delete(second, by="ada")
    with pytest.raises(UnknownRun, match=f"no group {group}"):
        store.group(group)


# Workers and attempts


def test_a_claimed_run_has_its_worker_and_phase(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    run = store.run(run_id)
    assert (run.state, run.worker, run.attempt, run.phase) == ("running", "worker", 1, "preparing")
    assert store.run_of_worker("worker") == run
    store.record_phase(run_id, attempt, "training")
    store.record_setup(run_id, attempt, data_source="bundled sample", compile_mode="fused")
    assert store.run(run_id).phase == "training"
    assert (store.run(run_id).data_source, store.run(run_id).compile_mode) == (
        "bundled sample",
        "fused",
    )
    store.finish(run_id, attempt, "finished", "completed")
    assert store.run_of_worker("worker") is None


def writes(store: Store, run_id: int, attempt: int) -> list[Callable[[], object]]:
    """All writes that a worker can make for an attempt."""
    return [
        lambda: store.record_phase(run_id, attempt, "training"),
        lambda: store.record_setup(run_id, attempt, data_source="elsewhere", compile_mode="fused"),
        lambda: store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)]),
        lambda: store.record_epoch(run_id, attempt, epoch(1)),
        lambda: store.stop_requested(run_id, attempt),
    ]


def test_a_write_of_another_attempt_is_refused(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    before = store.run(run_id)
    for stale_write in writes(store, run_id, attempt - 1):
        with pytest.raises(StaleAttempt, match=f"Attempt 0 of run {run_id} is over"):
            stale_write()
    with pytest.raises(StaleAttempt):
        store.finish(run_id, attempt - 1, "finished", "completed")
    assert store.run(run_id) == before
    assert store.points(run_id) == store.epochs(run_id) == []


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_write_for_a_run_that_has_ended_is_refused(store: Store, state: State) -> None:
    run_id, attempt = bring_to(store, state)
    before = store.run(run_id)
    for stale_write in writes(store, run_id, attempt):
        with pytest.raises(StaleAttempt, match=f"the run is {state}"):
            stale_write()
    assert store.run(run_id) == before
    assert store.points(run_id) == store.epochs(run_id) == []


def test_a_write_for_a_deleted_run_is_refused(store: Store) -> None:
    run_id, attempt = bring_to(store, "stopped")
    store.delete(run_id, by="ada")
    for stale_write in writes(store, run_id, attempt):
        with pytest.raises(StaleAttempt, match="was deleted"):
            stale_write()


def test_a_worker_marked_dead_loses_its_run_and_gets_no_other(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)])
    queue(store, name="next")
    assert [record.name for record in store.workers()] == ["worker"]
    assert store.heartbeat("worker", ready=True)
    assert store.workers()[0].ready

    ended = store.mark_dead("worker", "its worker was killed")
    assert ended == store.run(run_id)
    assert (ended.state, ended.reason) == ("interrupted", "its worker was killed")
    assert len(store.points(run_id)) == 1
    assert store.workers() == []
    assert not store.heartbeat("worker", ready=True)
    assert store.claim("worker") is None
    assert store.mark_dead("worker", "again") is None
    assert store.run(run_id) == ended


# Metrics


def test_points_and_epochs_are_read_back_in_order_and_advance_the_progress(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [])
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1), Point(4, 2.0, 0.09)])
    assert store.run(run_id).step == 5
    store.record_points(run_id, attempt, [Point(9, 1.5, 0.08)])
    store.record_epoch(run_id, attempt, epoch(1))
    assert store.run(run_id).step == 10
    store.record_points(run_id, attempt, [Point(10, 1.4, 0.07)])
    store.record_epoch(run_id, attempt, epoch(2))

    assert store.points(run_id)[1] == Point(4, 2.0, 0.09)
    assert [point.step for point in store.points(run_id)] == [0, 4, 9, 10]
    assert [point.step for point in store.points(run_id, since=4)] == [9, 10]
    first, second = store.epochs(run_id)
    assert first == epoch(1)
    assert second.epoch == 2


def test_a_metric_can_be_written_once_and_a_refused_batch_writes_nothing(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)])
    store.record_epoch(run_id, attempt, epoch(1))
    with pytest.raises(WriteRefused, match=r"already has a metric at one of these steps: 20, 0\."):
        store.record_points(run_id, attempt, [Point(20, 1.0, 0.1), Point(0, 9.9, 0.1)])
    with pytest.raises(WriteRefused, match=r"already has a metric at one of these steps: 10\."):
        store.record_epoch(run_id, attempt, epoch(1, loss=9.9))
    assert store.points(run_id) == [Point(0, 2.3, 0.1)]
    assert [row.loss for row in store.epochs(run_id)] == [0.5]
    assert store.run(run_id).step == 10


def test_nan_and_infinities_are_stored(store: Store) -> None:
    special_values = [math.nan, math.inf, -math.inf, 0.0, 5e-324, 0.1 + 0.2]
    run_id, attempt = bring_to(store, "running")
    store.record_points(
        run_id, attempt, [Point(step, value, value) for step, value in enumerate(special_values)]
    )
    store.record_epoch(run_id, attempt, epoch(1, loss=math.nan))
    store.finish(run_id, attempt, "finished", "diverged at step 6", math.nan, math.inf)

    points = store.points(run_id)
    for field in ("loss", "learning_rate"):
        assert [repr(getattr(point, field)) for point in points] == [
            repr(value) for value in special_values
        ]
    assert math.isnan(store.epochs(run_id)[0].loss)
    assert math.isnan(store.run(run_id).test_loss)
    assert store.run(run_id).test_accuracy == math.inf
