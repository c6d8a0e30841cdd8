"""What the store says of runs and groups; nothing is changed here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.metrics import read_epochs, read_points
from lrlab.runs.store.queue import place
from lrlab.runs.store.run_rows import UnknownRun, find_run, run_from_row
from lrlab.runs.store.schema import groups, runs
from lrlab.runs.store.states import Group, QueuePosition, Run
from lrlab.training.measurements import EpochRecord, Point, RunHistory


class QueryStore(StorePart):
    """Runs, groups, what was measured, and the queue, as they are now."""

    def group(self, group_id: int) -> Group:
        """One group.

        Raises:
            UnknownRun: there is none of this number.
        """
        query = select(groups).where(groups.c.id == group_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRun(f"There is no group {group_id}; it may have been deleted.")
        return Group(*row)

    def groups(self) -> list[Group]:
        """All groups, the newest first."""
        with self._database.reading() as connection:
            found = connection.execute(select(groups).order_by(groups.c.id.desc()))
            return [Group(*row) for row in found]

    def runs(self, owner: str | None = None, group: int | None = None) -> list[Run]:
        """The runs of one owner or everybody's, of one group or of all, the newest first."""
        query = select(runs).order_by(runs.c.id.desc())
        if owner is not None:
            query = query.where(runs.c.owner == owner)
        if group is not None:
            query = query.where(runs.c.group == group)
        with self._database.reading() as connection:
            return [run_from_row(row) for row in connection.execute(query)]

    def has_active_runs(self) -> bool:
        """Whether any run is queued or running."""
        under_way = exists().where(runs.c.state.in_(("queued", "running")))
        with self._database.reading() as connection:
            return bool(connection.scalar(select(under_way)))

    def run(self, run_id: int) -> Run:
        """One run.

        Raises:
            UnknownRun: there is none of this number.
        """
        with self._database.reading() as connection:
            return run_from_row(find_run(connection, run_id))

    def points(self, run_id: int, since: int = -1) -> list[Point]:
        """What was measured while training, in the order of steps.

        Args:
            run_id: the run; an unknown one has no points.
            since: only points of later steps.
        """
        with self._database.reading() as connection:
            return read_points(connection, run_id, since)

    def epochs(self, run_id: int) -> list[EpochRecord]:
        """What was measured at the end of each epoch, in order."""
        return self.epochs_of([run_id])[run_id]

    def epochs_of(self, run_ids: Sequence[int]) -> dict[int, list[EpochRecord]]:
        """The same as `epochs` for several runs at once, by their numbers."""
        with self._database.reading() as connection:
            return read_epochs(connection, run_ids)

    def history(self, run: Run) -> RunHistory:
        """What a run has measured so far."""
        return RunHistory(run.plan, self.points(run.id), self.epochs(run.id))

    def place(self, run_id: int) -> QueuePosition | None:
        """Where a run stands in the queue; None when it does not wait."""
        with self._database.reading() as connection:
            return place(connection, run_id)
