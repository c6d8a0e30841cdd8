"""Random sequences of store calls: states, attempts and turns agree with a simple model.

Hypothesis generates the calls.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lrlab.runs.limits import AccessCodes, Limits
from lrlab.runs.store import (
    ENDED,
    IllegalTransition,
    NotAllowed,
    QueueFull,
    StaleAttempt,
    Store,
    WriteRefused,
)
from lrlab.training.measurements import Point
from tests.store_runs import PLAN

OWNERS = ("ada", "bob", "cleo")
WORKERS = ("w1", "w2")
LIMITS = Limits(max_waiting=2, max_queue=5)
CODES = AccessCodes(instructor="chalk dust")


@dataclass
class Expected:
    """The expected state of a run."""

    owner: str
    state: str = "queued"
    attempt: int = 0
    worker: str = ""
    steps: list[int] = field(default_factory=list)


class StoreMachine(RuleBasedStateMachine):
    """The store and its model.

    Args:
        url: URL of a new database.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.store = Store(url, LIMITS, CODES)
        for worker in WORKERS:
            self.store.register_worker(worker)
        self.runs: dict[int, Expected] = {}
        self.started_owners: list[str] = []
        """The owners of all started runs, in order."""
        self.steps = iter(range(10**6))
        """Gives each point a different step."""

    def teardown(self) -> None:
        self.store.close()

    def runs_in(self, state: str) -> list[int]:
        return [run_id for run_id, run in self.runs.items() if run.state == state]

    @rule(owner=st.sampled_from(OWNERS))
    def queue(self, owner: str) -> None:
        waiting = self.runs_in("queued")
        own = [run_id for run_id in waiting if self.runs[run_id].owner == owner]
        if len(own) == LIMITS.max_waiting or len(waiting) == LIMITS.max_queue:
            with pytest.raises(QueueFull):
                self.store.queue(PLAN, owner=owner, name="a run")
        else:
            self.runs[self.store.queue(PLAN, owner=owner, name="a run")] = Expected(owner)

    @rule(worker=st.sampled_from(WORKERS))
    def claim(self, worker: str) -> None:
        if any(run.state == "running" and run.worker == worker for run in self.runs.values()):
            return
        busy = {self.runs[run_id].owner for run_id in self.runs_in("running")}
        free = [run_id for run_id in self.runs_in("queued") if self.runs[run_id].owner not in busy]
        run = self.store.claim(worker)
        if not free:
            assert run is None
            return
        last_turns = {owner: turn for turn, owner in enumerate(self.started_owners)}
        next_id = min(
            free, key=lambda run_id: (last_turns.get(self.runs[run_id].owner, -1), run_id)
        )
        expected = self.runs[next_id]
        assert (run.id, run.attempt) == (next_id, expected.attempt + 1)
        expected.state, expected.attempt, expected.worker = "running", run.attempt, worker
        self.started_owners.append(expected.owner)

    @rule(data=st.data(), state=st.sampled_from(sorted(ENDED)))
    def end(self, data: st.DataObject, state: str) -> None:
        if ids := self.runs_in("running"):
            run_id = data.draw(st.sampled_from(ids))
            self.store.finish(run_id, self.runs[run_id].attempt, state, "as asked")
            self.runs[run_id].state = state

    @rule(data=st.data(), epoch=st.sampled_from((0, 1)))
    def set_up(self, data: st.DataObject, epoch: int) -> None:
        if ids := self.runs_in("running"):
            run_id = data.draw(st.sampled_from(ids))
            run = self.runs[run_id]
            setup = {"data_source": "sample", "compile_mode": "fused", "epoch": epoch}
            self.store.record_setup(run_id, run.attempt, **setup)
            run.steps = [step for step in run.steps if step < epoch * PLAN.steps_per_epoch]

    @rule(data=st.data(), by=st.sampled_from((*OWNERS, "instructor")))
    def resume(self, data: st.DataObject, by: str) -> None:
        if not self.runs:
            return
        run_id = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[run_id]
        waiting = [self.runs[other].owner for other in self.runs_in("queued")]
        full = waiting.count(run.owner) == LIMITS.max_waiting or len(waiting) == LIMITS.max_queue
        code = CODES.instructor if by == "instructor" else ""
        if by not in (run.owner, "instructor"):
            expected_error = NotAllowed
        elif run.state not in ("stopped", "interrupted"):
            expected_error = IllegalTransition
        elif full:
            expected_error = QueueFull
        else:
            self.store.resume(run_id, by=by, code=code)
            run.state = "queued"
            return
        with pytest.raises(expected_error):
            self.store.resume(run_id, by=by, code=code)

    @rule(data=st.data(), attempts_behind=st.integers(0, 2))
    def write(self, data: st.DataObject, attempts_behind: int) -> None:
        if not self.runs:
            return
        run_id = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[run_id]
        step = next(self.steps)
        attempt = run.attempt - attempts_behind
        if run.state == "running" and attempts_behind == 0:
            self.store.record_points(run_id, attempt, [Point(step, 1.0, 0.1)])
            run.steps.append(step)
        else:
            with pytest.raises(StaleAttempt):
                self.store.record_points(run_id, attempt, [Point(step, 1.0, 0.1)])

    @rule(data=st.data(), by=st.sampled_from((*OWNERS, "instructor")), delete=st.booleans())
    def stop_or_delete(self, data: st.DataObject, by: str, delete: bool) -> None:
        if not self.runs:
            return
        run_id = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[run_id]
        code = CODES.instructor if by == "instructor" else ""
        call = self.store.delete if delete else self.store.request_stop
        if by not in (run.owner, "instructor"):
            with pytest.raises(NotAllowed):
                call(run_id, by=by, code=code)
        elif delete and run.state == "running":
            with pytest.raises(WriteRefused, match="is running"):
                call(run_id, by=by, code=code)
        else:
            call(run_id, by=by, code=code)
            if delete:
                del self.runs[run_id]
            elif run.state == "queued":
                run.state = "stopped"

    @rule(worker=st.sampled_from(WORKERS))
    def mark_dead(self, worker: str) -> None:
        self.store.mark_dead(worker, "its worker was killed")
        self.store.register_worker(worker)
        for run in self.runs.values():
            if run.state == "running" and run.worker == worker:
                run.state = "interrupted"

    @rule()
    def clear(self) -> None:
        waiting = self.runs_in("queued")
        assert self.store.clear_queue(CODES.instructor) == len(waiting)
        for run_id in waiting:
            self.runs[run_id].state = "stopped"

    @invariant()
    def every_run_is_as_expected(self) -> None:
        stored = {run.id: (run.owner, run.state, run.attempt) for run in self.store.runs()}
        assert stored == {
            run_id: (run.owner, run.state, run.attempt) for run_id, run in self.runs.items()
        }
        for run_id, run in self.runs.items():
            assert [point.step for point in self.store.points(run_id)] == run.steps

    @invariant()
    def no_owner_has_two_running_runs(self) -> None:
        running = [run.owner for run in self.store.runs() if run.state == "running"]
        assert len(running) == len(set(running))

    @invariant()
    def positions_count_up_from_one(self) -> None:
        positions = [
            self.store.queue_position(run_id).position for run_id in self.runs_in("queued")
        ]
        assert sorted(positions) == list(range(1, len(positions) + 1))


def run_machine(new_database: Callable[[], str], examples: int) -> None:
    run_state_machine_as_test(
        lambda: StoreMachine(new_database()),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite_the_store_agrees_with_its_model() -> None:
    with tempfile.TemporaryDirectory() as folder:
        databases = (f"sqlite:///{Path(folder) / f'{number}.db'}" for number in range(10**6))
        run_machine(lambda: next(databases), examples=20)


def test_on_postgresql_the_store_agrees_with_its_model(request: pytest.FixtureRequest) -> None:
    run_machine(request.getfixturevalue("postgres").new_database, examples=6)
