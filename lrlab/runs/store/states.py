"""Runs and groups as values, the states of a run, and the table of legal transitions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lrlab.recipes.plan import RunPlan

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]

TRANSITIONS: Mapping[State, frozenset[State]] = {
    "queued": frozenset({"running", "stopped"}),
    "running": frozenset({"finished", "stopped", "failed", "interrupted"}),
    "finished": frozenset(),
    "stopped": frozenset({"queued"}),
    "failed": frozenset(),
    "interrupted": frozenset({"queued"}),
}
"""State -> the states that may follow it."""

ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed", "interrupted"})
"""The states of a run that is neither queued nor running."""

RESUMABLE: frozenset[State] = frozenset(state for state in ENDED if "queued" in TRANSITIONS[state])
"""The states from which a run can be resumed."""

GroupKind = Literal["seeds", "sweep", "range_test"]

GROUP_KINDS: tuple[GroupKind, ...] = ("seeds", "sweep", "range_test")
"""Why runs were queued together: one recipe with several seeds, a grid of hyperparameters, or a
learning-rate range test."""


@dataclass(frozen=True)
class Group:
    """Runs that were queued together and are shown together.

    Args:
        id: unique number, never reused.
        name: plain text.
        owner: the identity of the browser that queued it.
        kind: see `GROUP_KINDS`.
        created: when it was queued, UTC in seconds since 1970.
    """

    id: int
    name: str
    owner: str
    kind: GroupKind
    created: float


@lru_cache(maxsize=4096)
def plan_from(text: str) -> RunPlan:
    """The plan stored in a row. Plans never change, so equal texts share one value.

    Raises:
        InvalidInput: this version of LR Lab does not allow the plan.
    """
    return RunPlan.from_dict(json.loads(text))


@dataclass(frozen=True)
class Run:
    """One training run as stored; all times are UTC in seconds since 1970.

    Args:
        id: unique number, assigned in queueing order and never reused.
        name: plain text.
        owner: the identity of the browser that queued it.
        group: the id of the group it was queued in; None for a single run.
        notes: the owner's notes, plain text.
        tags: short words to find it by.
        state: see `State`.
        reason: how and why it ended, for people; empty until then.
        diverged: whether it ended because its loss was no longer finite.
        plan_json: the plan as it is stored; see `plan`.
        data_source: which copy of Fashion-MNIST it used; empty until known.
        compile_mode: a key of `lrlab.training.compile_mode.COMPILE_MODES`; empty until known.
        attempt: how many times a worker has started it; 0 if never.
        resumed: where the latest attempt resumed, for people; empty for the first attempt.
        worker: the name of the worker that started the latest attempt.
        created, started, ended: when it was queued, started and ended.
        stop_requested: when someone asked for it to stop.
        stop_reason: why, if that was not its owner.
        phase: what the worker is doing (see `lrlab.training.recorder.Phase`); empty while queued.
        step: optimizer steps done so far.
        total_steps: optimizer steps in the whole plan.
        test_loss, test_accuracy: measured on the test images after training.
        size: approximate bytes its measurements take in the database; 0 until it has ended.
    """

    id: int
    name: str
    owner: str
    group: int | None
    notes: str
    tags: tuple[str, ...]
    state: State
    reason: str
    diverged: bool
    plan_json: str
    data_source: str
    compile_mode: str
    attempt: int
    resumed: str
    worker: str | None
    created: float
    started: float | None
    ended: float | None
    stop_requested: float | None
    stop_reason: str
    phase: str
    step: int
    total_steps: int
    test_loss: float | None
    test_accuracy: float | None
    size: int

    @property
    def plan(self) -> RunPlan:
        """What is trained.

        Raises:
            InvalidInput: this version of LR Lab does not allow the stored plan.
        """
        return plan_from(self.plan_json)

    def setting(self, name: str) -> int:
        """A setting of the stored plan, even if this version of LR Lab does not allow the plan.

        Args:
            name: its name in `lrlab.recipes.plan.PLAN_PARAMS`.
        """
        return int(json.loads(self.plan_json)[name])


@dataclass(frozen=True)
class WorkerRecord:
    """A worker that counts as alive.

    Args:
        name: unique among all workers, past ones included.
        server: the name of the server that manages it; None for a standalone worker.
        ready: whether it has imported TensorFlow and takes runs.
        heartbeat: when it last reported that it is alive, UTC in seconds since 1970.
    """

    name: str
    server: str | None
    ready: bool
    heartbeat: float


@dataclass(frozen=True)
class Lease:
    """The right to dispatch runs: only workers of the server that holds it get runs.

    Args:
        holder: the server's name, unique among all servers, past ones included.
        heartbeat: a counter that grows each time the holder reports that it is alive.
    """

    holder: str
    heartbeat: int


@dataclass(frozen=True)
class QueuePosition:
    """Where a run stands in the queue.

    Args:
        position: 1 if the run starts next.
        seconds: estimated time until it starts; None until similar runs have been measured for
            every run ahead of it.
    """

    position: int
    seconds: float | None
