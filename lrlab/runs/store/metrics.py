"""What runs measured: points and epochs as rows of the table of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from lrlab.runs.store.run_rows import WriteRefused
from lrlab.runs.store.schema import metrics
from lrlab.training.measurements import EPOCH_FIELDS, POINT_FIELDS, EpochRecord, Point


def add_points(connection: Connection, run_id: int, points: Sequence[Point]) -> None:
    """Add points to a run.

    Raises:
        WriteRefused: it has a point at one of their steps already.
    """
    _add(connection, run_id, "point", POINT_FIELDS, points)


def add_epoch(connection: Connection, run_id: int, epoch: EpochRecord) -> None:
    """Add an epoch to a run.

    Raises:
        WriteRefused: it has an epoch that ended at its step already.
    """
    _add(connection, run_id, "epoch", EPOCH_FIELDS, [epoch])


def delete_metrics_after(connection: Connection, run_id: int, step: int) -> None:
    """Remove what was measured after a run's first ``step`` updates.

    An epoch is kept under the number of updates done when it ended, a point under that of its
    last update, the first of which is 0.
    """
    past = (metrics.c.step > step) | (
        (metrics.c.step == step) & metrics.c.name.startswith("point.", autoescape=True)
    )
    connection.execute(delete(metrics).where(metrics.c.run_id == run_id, past))


def read_points(connection: Connection, run_id: int, since: int) -> list[Point]:
    """The points at steps after ``since``, in order."""
    rows = _read(connection, [run_id], "point", POINT_FIELDS, since)
    return [Point(**row) for _, row in rows]


def read_epochs(connection: Connection, run_ids: Sequence[int]) -> dict[int, list[EpochRecord]]:
    """The epochs of each run, in order."""
    found: dict[int, list[EpochRecord]] = {run_id: [] for run_id in run_ids}
    for run_id, row in _read(connection, run_ids, "epoch", EPOCH_FIELDS, since=-1):
        found[run_id].append(EpochRecord(**row | {"epoch": int(row["epoch"])}))
    return found


def _add(
    connection: Connection,
    run_id: int,
    kind: str,
    fields: Sequence[str],
    records: Sequence[Point] | Sequence[EpochRecord],
) -> None:
    rows = [
        {
            "run_id": run_id,
            "step": int(record.step),
            "name": f"{kind}.{field}",
            "value": getattr(record, field),
        }
        for record in records
        for field in fields
        if getattr(record, field) is not None
    ]
    try:
        connection.execute(insert(metrics), rows)
    except IntegrityError as error:
        steps = ", ".join(str(record.step) for record in records)
        raise WriteRefused(
            f"Run {run_id} has a metric at one of these steps already: {steps}."
        ) from error


def _read(
    connection: Connection, run_ids: Sequence[int], kind: str, fields: Sequence[str], since: int
) -> list[tuple[int, dict[str, Any]]]:
    """A run's number and a row of its fields for each of its steps, in order."""
    names = {f"{kind}.{field}": field for field in fields}
    query = (
        select(metrics.c.run_id, metrics.c.step, metrics.c.name, metrics.c.value)
        .where(metrics.c.run_id.in_(run_ids), metrics.c.step > since, metrics.c.name.in_(names))
        .order_by(metrics.c.run_id, metrics.c.step)
    )
    table: dict[tuple[int, int], dict[str, Any]] = {}
    for run_id, step, name, value in connection.execute(query):
        table.setdefault((run_id, step), {"step": step})[names[name]] = value
    return [(run_id, row) for (run_id, _), row in table.items()]
