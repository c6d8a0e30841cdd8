"""Points and epochs of runs as rows of the metrics table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from lrlab.runs.store.run_rows import WriteRefused
from lrlab.runs.store.schema import metrics
from lrlab.training.measurements import EPOCH_FIELDS, POINT_FIELDS, EpochRecord, Point


def add_points(connection: Connection, run_id: int, points: Sequence[Point]) -> None:
    """Add points to a run.

    Raises:
        WriteRefused: the run already has a point at one of these steps.
    """
    _add(connection, run_id, "point", POINT_FIELDS, points)


def add_epoch(connection: Connection, run_id: int, epoch: EpochRecord) -> None:
    """Add an epoch to a run.

    Raises:
        WriteRefused: the run already has an epoch that ended at this step.
    """
    _add(connection, run_id, "epoch", EPOCH_FIELDS, [epoch])


def delete_metrics_after(connection: Connection, run_id: int, step: int) -> None:
    """Delete what a run measured after its first ``step`` optimizer steps.

    An epoch is stored under the number of steps done when it ended, a point under the index of
    its last step, counted from 0.
    """
    later = (metrics.c.step > step) | (
        (metrics.c.step == step) & metrics.c.name.startswith("point.", autoescape=True)
    )
    connection.execute(delete(metrics).where(metrics.c.run_id == run_id, later))


def read_points(connection: Connection, run_id: int, since: int) -> list[Point]:
    """The points at steps after ``since``, in step order."""
    rows = _read(connection, [run_id], "point", POINT_FIELDS, since)
    return [Point(step=step, **values) for _, step, values in rows]


def read_epochs(connection: Connection, run_ids: Sequence[int]) -> dict[int, list[EpochRecord]]:
    """Run id -> its epochs, in order."""
    epochs: dict[int, list[EpochRecord]] = {run_id: [] for run_id in run_ids}
    for run_id, step, values in _read(connection, run_ids, "epoch", EPOCH_FIELDS, since=-1):
        number = int(values.pop("epoch"))
        epochs[run_id].append(EpochRecord(epoch=number, step=step, **values))
    return epochs


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
            f"Run {run_id} already has a metric at one of these steps: {steps}."
        ) from error


def _read(
    connection: Connection, run_ids: Sequence[int], kind: str, fields: Sequence[str], since: int
) -> list[tuple[int, int, dict[str, float]]]:
    """Run id, step and field -> value for each step of each run, in that order."""
    names = {f"{kind}.{field}": field for field in fields}
    query = (
        select(metrics.c.run_id, metrics.c.step, metrics.c.name, metrics.c.value)
        .where(metrics.c.run_id.in_(run_ids), metrics.c.step > since, metrics.c.name.in_(names))
        .order_by(metrics.c.run_id, metrics.c.step)
    )
    table: dict[tuple[int, int], dict[str, float]] = {}
    for run_id, step, name, value in connection.execute(query):
        table.setdefault((run_id, step), {})[names[name]] = value
    return [(run_id, step, values) for (run_id, step), values in table.items()]
