"""Read-only queries for runs, groups and the queue."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.metrics import read_epochs, read_points
from lrlab.runs.store.queue import queue_position
from lrlab.runs.store.run_rows import UnknownRun, find_run, run_from_row
from lrlab.runs.store.schema import groups, runs
from lrlab.runs.store.states import Group, QueuePosition, Run
from lrlab.training.measurements import EpochRecord, Point, RunHistory


class QueryStore(StorePart):
    """The current runs, groups, metrics and queue."""

    def group(self, group_id: int) -> Group:
        """One group.

        Raises:
            UnknownRun: no group has this id.
        """
        query = select(groups).where(groups.c.id == group_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRun(f"There is no group {group_id}; it may have been deleted.")
        return Group(*row)

    def groups(self) -> list[Group]:
        """All groups, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(groups).order_by(groups.c.id.desc()))
            return [Group(*row) for row in rows]

    def runs(self, owner: str | None = None, group: int | None = None) -> list[Run]:
        """The runs of one owner and one group, newest first; None means any."""
        query = select(runs).order_by(runs.c.id.desc())
        if owner is not None:
            query = query.where(runs.c.owner == owner)
        if group is not None:
            query = query.where(runs.c.group == group)
        with self._database.reading() as connection:
            return [run_from_row(row) for row in connection.execute(query)]

    def has_active_runs(self) -> bool:
        """Whether any run is queued or running."""
        active = exists().where(runs.c.state.in_(("queued", "running")))
        with self._database.reading() as connection:
            return bool(connection.scalar(select(active)))

    def run(self, run_id: int) -> Run:
        """One run.

        Raises:
            UnknownRun: no run has this id.
        """
        with self._database.reading() as connection:
            return run_from_row(find_run(connection, run_id))

    def points(self, run_id: int, since: int = -1) -> list[Point]:
        """What a run measured during training, in step order.

        Args:
            run_id: the run; an unknown run has no points.
            since: return only points at later steps.
        """
        with self._database.reading() as connection:
            return read_points(connection, run_id, since)

    def epochs(self, run_id: int) -> list[EpochRecord]:
        """What a run measured at the end of each epoch, in order."""
        return self.epochs_of([run_id])[run_id]

    def epochs_of(self, run_ids: Sequence[int]) -> dict[int, list[EpochRecord]]:
        """Run id -> `epochs`, for several runs in one query."""
        with self._database.reading() as connection:
            return read_epochs(connection, run_ids)

    def history(self, run: Run) -> RunHistory:
        """Everything a run has measured so far.

        Raises:
            InvalidInput: this version of LR Lab does not allow the run's plan.
        """
        return RunHistory(run.plan, self.points(run.id), self.epochs(run.id))

    def queue_position(self, run_id: int) -> QueuePosition | None:
        """Where a run stands in the queue; None if it is not queued."""
        with self._database.reading() as connection:
            return queue_position(connection, run_id)
