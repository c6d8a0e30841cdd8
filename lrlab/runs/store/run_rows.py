"""A run's row in the database: lookup, updates, and the only way to change a run's state."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, select, update

from lrlab.runs.store.database import StoreError
from lrlab.runs.store.schema import artifacts, groups, metrics, runs
from lrlab.runs.store.states import ENDED, TRANSITIONS, Run, State

METRIC_BYTES = 90
"""Bytes per metric, index included: about the mean of 66 (SQLite) and 115 (PostgreSQL)."""


class UnknownRun(StoreError):
    """The run or group does not exist, or no longer exists."""


class WriteRefused(StoreError):
    """A write that would make the store inconsistent, or that is not allowed."""


class StaleAttempt(WriteRefused):
    """A write for an attempt that is over: the run has ended or was started again."""


class NotAllowed(WriteRefused):
    """A request by someone who has no right to make it."""


class QueueFull(WriteRefused):
    """No more runs can be queued now, by this browser or by anybody."""


class IllegalTransition(WriteRefused):
    """A change to a state that may not follow the run's current state."""


def find_run(connection: Connection, run_id: int, *, lock: bool = False) -> Row[Any]:
    """The run's row; ``lock`` prevents other changes to it until the transaction ends.

    Raises:
        UnknownRun: no run has this id.
    """
    query = select(runs).where(runs.c.id == run_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownRun(f"There is no run {run_id}; it may have been deleted.")
    return row


def find_current_attempt(
    connection: Connection, run_id: int, attempt: int, *, lock: bool = True
) -> Row[Any]:
    """The run's row, provided that this attempt is running.

    Raises:
        StaleAttempt: the attempt is over, or the run was deleted.
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
        StaleAttempt: it is not the latest attempt.
    """
    if row.attempt != attempt:
        raise StaleAttempt(
            f"Attempt {attempt} of run {row.id} is over: the latest attempt is {row.attempt}."
        )


def update_run(connection: Connection, run_id: int, **values: object) -> None:
    """Set columns of a run. To change its state, call `change_state`: it checks the transition."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(values))


def change_state(connection: Connection, row: Row[Any], state: State, **values: object) -> None:
    """Change a run's state and set other columns along with it.

    Raises:
        IllegalTransition: `TRANSITIONS` does not allow the change.
    """
    if state not in TRANSITIONS[row.state]:
        raise IllegalTransition(f"Run {row.id} is {row.state}, so it cannot become {state}.")
    if state in ENDED:
        values |= {"ended": time.time(), "size": _size(connection, row.id)}
    update_run(connection, row.id, state=state, **values)


def delete_run(connection: Connection, row: Row[Any]) -> None:
    """Delete a run and everything it measured; a group is deleted with its last run."""
    for table in (metrics, artifacts):
        connection.execute(delete(table).where(table.c.run_id == row.id))
    connection.execute(delete(runs).where(runs.c.id == row.id))
    others = exists().where(runs.c.group == row.group)
    connection.execute(delete(groups).where(groups.c.id == row.group, ~others))


def _size(connection: Connection, run_id: int) -> int:
    """Approximate bytes of everything a run measured.

    Cheap: both databases know the length of an artifact without reading it.
    """
    count = connection.scalar(select(func.count()).where(metrics.c.run_id == run_id)) or 0
    lengths = select(func.sum(func.length(artifacts.c.content)))
    content = connection.scalar(lengths.where(artifacts.c.run_id == run_id)) or 0
    return count * METRIC_BYTES + content


def run_from_row(row: Row[Any]) -> Run:
    """Convert a row to a `Run`."""
    values = {column.key: row._mapping[column] for column in runs.c}
    return Run(plan_json=values.pop("plan"), tags=tuple(json.loads(values.pop("tags"))), **values)
