"""The queue: who may join it, whose run is next, and how long the others wait.

It goes round among owners: whoever's last run began longest ago is next, with the oldest run that
they have waiting, and nobody has two runs going on. A group is runs of one owner, so a long one
takes a turn at a time like everybody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from statistics import median

from sqlalchemy import Connection, Row, delete, func, insert, select

from lrlab.runs.limits import Limits
from lrlab.runs.store.run_rows import QueueFull, plan_from
from lrlab.runs.store.schema import runs, turns, workers
from lrlab.runs.store.states import QueuePosition

MEASURED_RUNS = 30
"""How many of the latest completed runs say how long a step takes."""

Pace = tuple[str, int]
"""What decides how long a step takes: the network and the batch size."""


def round_robin(waiting: Iterable[tuple[int, str]], turns: Mapping[str, int]) -> list[int]:
    """The order in which waiting runs begin, one after the other.

    Args:
        waiting: number and owner of each run, the oldest first.
        turns: of each owner a number that is the larger the later their last run began; who is
            missing never had one.

    Returns:
        The runs' numbers.
    """
    lines: dict[str, deque[int]] = {}
    for run_id, owner in waiting:
        lines.setdefault(owner, deque()).append(run_id)
    # Once round, everybody's turn is later than all turns there were, in the same order.
    owners = deque(sorted(lines, key=lambda owner: (turns.get(owner, 0), lines[owner][0])))
    order = []
    while owners:
        owner = owners.popleft()
        order.append(lines[owner].popleft())
        if lines[owner]:
            owners.append(owner)
    return order


def admit(connection: Connection, owner: str, count: int, limits: Limits) -> None:
    """Let an owner queue a run, or a group of ``count`` runs.

    Raises:
        QueueFull: they have as much waiting as one may, or the whole queue is full.
    """
    queued = connection.execute(
        select(runs.c.id, runs.c.group, runs.c.owner).where(runs.c.state == "queued")
    ).all()
    mine = {
        ("group", row.group) if row.group else ("run", row.id)
        for row in queued
        if row.owner == owner
    }
    if len(mine) >= limits.max_waiting:
        raise QueueFull(
            f"You have {len(mine)} runs or groups waiting, which is as many as one browser may. "
            "Wait until one of them begins, or stop one."
        )
    if len(queued) + count > limits.max_queue:
        room = max(0, limits.max_queue - len(queued))
        raise QueueFull(
            f"{len(queued)} runs are waiting and the queue holds {limits.max_queue}, so there is "
            f"room for {room or 'no'} more. Try again when some have been trained."
        )


def next_run(connection: Connection) -> int | None:
    """The queued run that may begin now and is next; None when there is none."""
    at_it = set(connection.scalars(select(runs.c.owner).where(runs.c.state == "running")))
    order = _order(connection, without=at_it)
    return order[0] if order else None


def take_turn(connection: Connection, owner: str) -> None:
    """Note that a run of this owner begins now.

    Kept apart from the runs: deleting them must not bring anybody forward.
    """
    latest = connection.scalar(select(func.max(turns.c.turn))) or 0
    connection.execute(delete(turns).where(turns.c.owner == owner))
    connection.execute(insert(turns).values(owner=owner, turn=latest + 1))


def forget_turns(connection: Connection, keep: int) -> None:
    """Forget the turns of all but the latest ``keep`` owners: browsers come without end."""
    latest_forgotten = select(turns.c.turn).order_by(turns.c.turn.desc()).offset(keep).limit(1)
    connection.execute(delete(turns).where(turns.c.turn <= latest_forgotten.scalar_subquery()))


def place(connection: Connection, run_id: int) -> QueuePosition | None:
    """Where a run stands in the queue; None when it does not wait."""
    order = _order(connection, without=set())
    if run_id not in order:
        return None
    number = order.index(run_id) + 1
    before = runs.c.id.in_(order[: number - 1]) | (runs.c.state == "running")
    paces = _paces(connection)
    left = [_seconds_left(row, paces) for row in connection.execute(select(runs).where(before))]
    ready = connection.scalar(select(func.count()).where(workers.c.ready)) or 1
    return QueuePosition(number, None if None in left else sum(left) / ready)


def _order(connection: Connection, without: set[str]) -> list[int]:
    waiting = connection.execute(
        select(runs.c.id, runs.c.owner).where(runs.c.state == "queued").order_by(runs.c.id)
    ).all()
    if not waiting:
        return []
    taken = dict(connection.execute(select(turns.c.owner, turns.c.turn)).all())
    return round_robin(((i, owner) for i, owner in waiting if owner not in without), taken)


def _paces(connection: Connection) -> dict[Pace, float]:
    """Seconds a step by network and batch size, all that a run takes shared out to its steps."""
    # A run that was begun again says only how long its last attempt took.
    completed = (
        select(runs)
        .where(runs.c.state == "finished", runs.c.test_loss.is_not(None), runs.c.attempt == 1)
        .order_by(runs.c.id.desc())
        .limit(MEASURED_RUNS)
    )
    measured: dict[Pace, list[float]] = {}
    for row in connection.execute(completed):
        seconds = (row.ended - row.started) / row.total_steps
        measured.setdefault(_pace_of(row), []).append(seconds)
    return {pace: median(seconds) for pace, seconds in measured.items()}


def _pace_of(row: Row) -> Pace:
    plan = plan_from(row.plan)
    return plan.network, plan.batch_size


def _seconds_left(row: Row, paces: Mapping[Pace, float]) -> float | None:
    pace = paces.get(_pace_of(row))
    return None if pace is None else pace * (row.total_steps - row.step)
