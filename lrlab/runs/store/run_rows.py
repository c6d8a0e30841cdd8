"""A run's row in the database: finding it, and the only way its state changes."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, select, update

from lrlab.recipes.plan import RunPlan
from lrlab.runs.store.database import StoreError
from lrlab.runs.store.schema import artifacts, groups, metrics, runs
from lrlab.runs.store.states import ENDED, TRANSITIONS, Run, State

METRIC_BYTES = 90
"""What a metric takes, its part of the index included: 66 bytes on SQLite, 115 on PostgreSQL."""


class UnknownRun(StoreError):
    """There is no run of this number, or no longer."""


class WriteRefused(StoreError):
    """A write that would put something wrong into the store."""


class StaleAttempt(WriteRefused):
    """A write for an attempt that is over: the run was ended, or begun anew, in the meantime."""


class NotAllowed(WriteRefused):
    """Somebody asks for what only others may do."""


class QueueFull(WriteRefused):
    """No further run can be queued now, by this browser or by anybody."""


class IllegalTransition(WriteRefused):
    """A state that may not follow the run's state."""


def find_run(connection: Connection, run_id: int, *, lock: bool = False) -> Row[Any]:
    """The run's row; ``lock`` keeps others from changing it until the transaction ends.

    Raises:
        UnknownRun: there is none of this number.
    """
    query = select(runs).where(runs.c.id == run_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownRun(f"There is no run {run_id}; it may have been deleted.")
    return row


def find_current_attempt(
    connection: Connection, run_id: int, attempt: int, *, lock: bool = True
) -> Row[Any]:
    """The run's row, if this attempt at it is under way.

    Raises:
        StaleAttempt: it is over, or the run was deleted.
    """
    try:
        row = find_run(connection, run_id, lock=lock)
    except UnknownRun as error:
        raise StaleAttempt(f"Run {run_id} was deleted.") from error
    if row.state != "running":
        raise StaleAttempt(f"Attempt {attempt} of run {run_id} is over: the run is {row.state}.")
    check_attempt(row, attempt)
    return row


def check_attempt(row: Row[Any], attempt: int) -> None:
    """Refuse any attempt but the run's latest.

    Raises:
        StaleAttempt: it is another one.
    """
    if row.attempt != attempt:
        raise StaleAttempt(
            f"Attempt {attempt} of run {row.id} is over: its latest is {row.attempt}."
        )


def update_run(connection: Connection, run_id: int, **values: Any) -> None:
    """Set columns of a run, all but its state."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(values))


def change_state(connection: Connection, row: Row[Any], state: State, **values: Any) -> None:
    """Change a run's state, and set other columns with it.

    Raises:
        IllegalTransition: the table of transitions has no such change.
    """
    if state not in TRANSITIONS[row.state]:
        raise IllegalTransition(f"Run {row.id} is {row.state}, so it cannot become {state}.")
    if state in ENDED:
        values |= {"ended": time.time(), "size": _size(connection, row.id)}
    update_run(connection, row.id, state=state, **values)


def delete_run(connection: Connection, row: Row[Any]) -> None:
    """Remove a run and all that it measured; with its last run a group goes too."""
    for table in (metrics, artifacts):
        connection.execute(delete(table).where(table.c.run_id == row.id))
    connection.execute(delete(runs).where(runs.c.id == row.id))
    others = exists().where(runs.c.group == row.group)
    connection.execute(delete(groups).where(groups.c.id == row.group, ~others))


def _size(connection: Connection, run_id: int) -> int:
    """Bytes that all a run measured takes, about. Neither database reads a content to know its
    length."""
    rows = connection.scalar(select(func.count()).where(metrics.c.run_id == run_id))
    lengths = select(func.sum(func.length(artifacts.c.content)))
    content = connection.scalar(lengths.where(artifacts.c.run_id == run_id))
    return rows * METRIC_BYTES + (content or 0)


def run_from_row(row: Row[Any]) -> Run:
    """The row as a value."""
    values = {column.key: row._mapping[column] for column in runs.c}
    values |= {"plan": plan_from(row.plan), "tags": tuple(json.loads(row.tags))}
    return Run(**values)


@lru_cache(maxsize=4096)
def plan_from(text: str) -> RunPlan:
    """The plan in a row's column. Plans never change, so equal texts share one value.

    Raises:
        InvalidInput: this LR Lab does not allow such a plan.
    """
    return RunPlan.from_dict(json.loads(text))
