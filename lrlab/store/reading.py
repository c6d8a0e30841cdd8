"""What the store says of runs and groups; nothing is changed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select

from lrlab.store.database import Part
from lrlab.store.measured import read_epochs, read_points
from lrlab.store.queueing import place
from lrlab.store.rows import UnknownRun, find, run_from
from lrlab.store.schema import groups, runs
from lrlab.store.states import Group, Place, Run


class ReadingStore(Part):
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
            return [run_from(row) for row in connection.execute(query)]

    def is_busy(self) -> bool:
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
            return run_from(find(connection, run_id))

    def points(self, run_id: int, since: int = -1) -> list[dict[str, Any]]:
        """What was measured while training, in the order of steps.

        Args:
            run_id: the run; an unknown one has no points.
            since: only points of later steps.

        Returns:
            A dictionary a point with ``step`` and the fields that `lrlab.measures` names, see
            `lrlab.training.records.Point`; what was not measured there is missing.
        """
        with self._database.reading() as connection:
            return read_points(connection, run_id, since)

    def epochs(self, run_id: int) -> list[dict[str, Any]]:
        """What was measured at the end of each epoch, in order.

        Returns:
            A dictionary an epoch with ``step`` (updates done so far) and
            `lrlab.measures.EPOCH_FIELDS`.
        """
        return self.epochs_of([run_id])[run_id]

    def epochs_of(self, run_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """The same as `epochs` for several runs at once, by their numbers."""
        with self._database.reading() as connection:
            return read_epochs(connection, run_ids)

    def place(self, run_id: int) -> Place | None:
        """Where a run stands in the queue; None when it does not wait."""
        with self._database.reading() as connection:
            return place(connection, run_id)
