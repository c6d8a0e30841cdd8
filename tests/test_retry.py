"""A worker's store that is briefly unavailable: pending writes are done once, or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lrlab.runs.retry import retry_while_unavailable
from lrlab.runs.store import StaleAttempt, Store, StoreUnavailable, WriteRefused
from lrlab.runs.worker import next_run
from lrlab.training.measurements import Point
from tests.store_runs import bring_to, queue

POINTS = [Point(0, 1.0, 0.1), Point(1, 0.5, 0.1)]


@dataclass
class LostAnswers:
    """A call whose first ``lost`` answers are lost after the call has taken effect."""

    call: Callable[[], object]
    lost: int

    def __call__(self) -> object:
        answer = self.call()
        self.lost -= 1
        if self.lost >= 0:
            raise StoreUnavailable("the connection was lost")
        return answer


def test_a_write_whose_answer_was_lost_is_done_once(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    write = LostAnswers(lambda: store.record_points(run_id, attempt, POINTS), lost=1)
    assert retry_while_unavailable(write) is None
    assert [point.step for point in store.points(run_id)] == [0, 1]


def test_a_finish_whose_answer_was_lost_is_kept(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    retry_while_unavailable(
        LostAnswers(lambda: store.finish(run_id, attempt, "finished", "done"), lost=1)
    )
    assert (store.run(run_id).state, store.run(run_id).reason) == ("finished", "done")


def test_a_worker_whose_claim_answer_was_lost_gets_the_same_run(store: Store) -> None:
    first, _ = queue(store, owner="ada"), queue(store, owner="bob")
    run = retry_while_unavailable(LostAnswers(lambda: next_run(store, "worker"), lost=1))
    assert (run.id, run.attempt) == (first, 1)
    assert [run.state for run in store.runs()].count("running") == 1


def test_a_refused_write_is_not_retried(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, POINTS)
    with pytest.raises(WriteRefused):
        retry_while_unavailable(lambda: store.record_points(run_id, attempt, POINTS))


def test_an_attempt_that_ended_in_the_meantime_writes_nothing(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")

    def write() -> None:
        if store.run(run_id).state == "running":
            store.mark_dead("worker", "its worker stopped responding")
            raise StoreUnavailable("the connection was lost")
        store.record_points(run_id, attempt, POINTS)

    with pytest.raises(StaleAttempt):
        retry_while_unavailable(write)
    assert store.points(run_id) == []


def test_retrying_ends_after_the_time_limit(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    (tmp_path / "runs.db").rename(tmp_path / "moved.db")
    (tmp_path / "runs.db").mkdir()
    store.close()
    with pytest.raises(StoreUnavailable):
        retry_while_unavailable(lambda: queue(store), seconds=0)
