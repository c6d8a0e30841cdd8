"""The queue: who may join it, which run is next, and how long the others wait.

Scheduling is round-robin among owners: the next run is the oldest queued run of the owner whose
latest start was longest ago. An owner has at most one run running. A group consists of one owner's
runs, so a long group takes one turn at a time like everybody else.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from lrlab.runs.limits import Limits
from lrlab.runs.store.run_rows import QueueFull
from lrlab.runs.store.schema import runs, turns, workers
from lrlab.runs.store.states import QueuePosition

MEASURED_RUNS = 30
"""How many of the latest completed runs are used to estimate the time per step."""

PaceKey = tuple[str, int]
"""What determines the time per step: the network and the batch size."""


def round_robin(waiting: Iterable[tuple[int, str]], turns: Mapping[str, int]) -> list[int]:
    """The order in which queued runs start, one after the other.

    Args:
        waiting: id and owner of each run, oldest first.
        turns: owner -> sequence number of the owner's latest start; owners who never started a run
            are missing.

    Returns:
        The run ids.
    """
    queues: dict[str, deque[int]] = {}
    for run_id, owner in waiting:
        queues.setdefault(owner, deque()).append(run_id)
    # After one round every owner's latest start is later than all earlier ones, in the same order,
    # so the order of owners never changes.
    owners = deque(sorted(queues, key=lambda owner: (turns.get(owner, 0), queues[owner][0])))
    order = []
    while owners:
        owner = owners.popleft()
        order.append(queues[owner].popleft())
        if queues[owner]:
            owners.append(owner)
    return order


def admit(connection: Connection, owner: str, count: int, limits: Limits) -> None:
    """Check that an owner may queue a run, or a group of ``count`` runs.

    Raises:
        QueueFull: the owner has too many runs waiting, or the queue is full.
    """
    queued = connection.execute(
        select(runs.c.id, runs.c.group, runs.c.owner).where(runs.c.state == "queued")
    ).all()
    owned = {
        ("group", row.group) if row.group else ("run", row.id)
        for row in queued
        if row.owner == owner
    }
    if len(owned) >= limits.max_waiting:
        raise QueueFull(
            f"You have {len(owned)} runs or groups waiting, the most that one browser may have. "
            "Wait until one of them starts, or stop one."
        )
    if len(queued) + count > limits.max_queue:
        room = max(0, limits.max_queue - len(queued))
        raise QueueFull(
            f"{len(queued)} runs are waiting and the queue holds {limits.max_queue}, so there is "
            f"room for {room or 'no'} more. Try again when some of them have finished."
        )


def next_run(connection: Connection) -> int | None:
    """The id of the queued run to start next; None if no run may start now."""
    running = set(connection.scalars(select(runs.c.owner).where(runs.c.state == "running")))
    order = _order(connection, without=running)
    return order[0] if order else None


def take_turn(connection: Connection, owner: str) -> None:
    """Record that a run of this owner starts now.

    Turns are stored apart from the runs, so that deleting runs does not move an owner forward.
    """
    latest = connection.scalar(select(func.max(turns.c.turn))) or 0
    connection.execute(delete(turns).where(turns.c.owner == owner))
    connection.execute(insert(turns).values(owner=owner, turn=latest + 1))


def forget_turns(connection: Connection, keep: int) -> None:
    """Delete the turns of all but the latest ``keep`` owners; the table would grow without limit,
    because every new browser is a new owner."""
    latest_forgotten = select(turns.c.turn).order_by(turns.c.turn.desc()).offset(keep).limit(1)
    connection.execute(delete(turns).where(turns.c.turn <= latest_forgotten.scalar_subquery()))


def queue_position(connection: Connection, run_id: int) -> QueuePosition | None:
    """Where a run stands in the queue; None if it is not queued."""
    order = _order(connection, without=set())
    if run_id not in order:
        return None
    position = order.index(run_id) + 1
    ahead = runs.c.id.in_(order[: position - 1]) | (runs.c.state == "running")
    paces = _paces(connection)
    estimates = [_seconds_left(row, paces) for row in connection.execute(select(runs).where(ahead))]
    ready = connection.scalar(select(func.count()).where(workers.c.ready)) or 1
    known = [seconds for seconds in estimates if seconds is not None]
    return QueuePosition(position, sum(known) / ready if len(known) == len(estimates) else None)


def _order(connection: Connection, without: set[str]) -> list[int]:
    """The ids of queued runs in starting order, leaving out some owners."""
    waiting = connection.execute(
        select(runs.c.id, runs.c.owner).where(runs.c.state == "queued").order_by(runs.c.id)
    ).all()
    if not waiting:
        return []
    latest_turns = dict(connection.execute(select(turns.c.owner, turns.c.turn)).all())
    return round_robin(
        ((run_id, owner) for run_id, owner in waiting if owner not in without), latest_turns
    )


def _paces(connection: Connection) -> dict[PaceKey, float]:
    """Median seconds per step by network and batch size: the whole duration of a run divided by
    its steps."""
    # For a run with several attempts, only the duration of the last attempt is known.
    completed = (
        select(runs)
        .where(runs.c.state == "finished", runs.c.test_loss.is_not(None), runs.c.attempt == 1)
        .order_by(runs.c.id.desc())
        .limit(MEASURED_RUNS)
    )
    measured: dict[PaceKey, list[float]] = {}
    for row in connection.execute(completed):
        seconds = (row.ended - row.started) / row.total_steps
        measured.setdefault(_pace_key(row), []).append(seconds)
    return {key: median(seconds) for key, seconds in measured.items()}


def _pace_key(row: Row[Any]) -> PaceKey:
    # The raw JSON, because a plan that is no longer allowed still tells how long a step took.
    plan = json.loads(row.plan)
    return plan["network"], plan["batch_size"]


def _seconds_left(row: Row[Any], paces: Mapping[PaceKey, float]) -> float | None:
    pace = paces.get(_pace_key(row))
    return None if pace is None else pace * (row.total_steps - row.step)
