"""What a run is, the states it can be in, and the one table of legal transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
"""From each state, the states that may follow it."""

ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed", "interrupted"})
"""The states in which nothing is under way."""

RESUMABLE: frozenset[State] = frozenset(state for state in ENDED if "queued" in TRANSITIONS[state])
"""The states from which a run can be resumed."""

GroupKind = Literal["seeds", "sweep", "range_test"]

GROUP_KINDS: tuple[GroupKind, ...] = ("seeds", "sweep", "range_test")
"""Why runs were queued together: one recipe with several seeds, a grid of hyperparameters, or a
search for a learning rate."""


@dataclass(frozen=True)
class Group:
    """Runs that were queued together and are looked at together.

    Args:
        id: its number, never reused.
        name: what people call it, plain text.
        owner: who queued it.
        kind: see `GROUP_KINDS`.
        created: when it was queued, UTC in seconds since 1970.
    """

    id: int
    name: str
    owner: str
    kind: GroupKind
    created: float


@dataclass(frozen=True)
class Run:
    """One training, as the store knows it; all times are UTC in seconds since 1970.

    Args:
        id: its number; numbers are given in the order of queueing and never reused.
        name: what people call it, plain text.
        owner: who queued it (the identity of a browser).
        group: the number of the group it was queued in; None for a run by itself.
        notes: what its owner wrote about it, plain text.
        tags: short words to find it by.
        state: see `State`.
        reason: how and why it ended, in plain words; empty until then.
        diverged: whether it ended because its loss stopped being finite.
        plan: what is trained.
        data_source: which copy of Fashion-MNIST it used; empty until it is known.
        compile_mode: how it is trained, a key of `lrlab.training.compile_mode.COMPILE_MODES`; empty
            until it is known.
        attempt: how often a worker has begun it; 0 while it was never begun.
        resumed: where the latest attempt went on, in plain words; empty for the first.
        worker: the name of the worker that began the latest attempt.
        created, started, ended: when it was queued, begun and ended.
        stop_requested: when somebody asked for it to stop.
        stop_reason: why, where it was not its owner who did.
        phase: what the worker is at (see `lrlab.training.recorder.Phase`); empty while queued.
        step: optimizer updates done so far.
        total_steps: optimizer updates the whole plan takes.
        test_loss, test_accuracy: measured on the test images after training.
        size: bytes that all it measured takes in the database, about; 0 until it has ended.
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
    plan: RunPlan
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


@dataclass(frozen=True)
class WorkerRecord:
    """A worker that counts as alive.

    Args:
        name: unique among all workers there ever were.
        server: the name of the server that keeps it; None for one on its own.
        ready: whether it has imported TensorFlow and takes runs.
        beat: when it last said that it lives, UTC in seconds since 1970.
    """

    name: str
    server: str | None
    ready: bool
    beat: float


@dataclass(frozen=True)
class Lease:
    """Which server dispatches: only its workers are given runs.

    Args:
        holder: the server's name, unique among all servers there ever were.
        beat: grows each time the holder says that it lives.
    """

    holder: str
    beat: int


@dataclass(frozen=True)
class QueuePosition:
    """Where a run stands in the queue.

    Args:
        number: how many runs begin until this one has, itself included: 1 is next.
        seconds: about how long until it begins; None while nothing like the runs before it has
            been measured.
    """

    number: int
    seconds: float | None
