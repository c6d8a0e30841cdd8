"""The store: runs, their metrics and the workers; the queue, and the only channel between them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, insert, select, update

from lrlab.params import InvalidInput
from lrlab.plan import RunPlan
from lrlab.store.database import Database
from lrlab.store.measured import add_epoch, add_points, read_epochs, read_points
from lrlab.store.notes import described
from lrlab.store.rows import (
    MAX_ID,
    UnknownRun,
    WriteRefused,
    change,
    check_attempt,
    find,
    find_current,
    move,
    run_from,
)
from lrlab.store.schema import groups, metrics, runs, workers
from lrlab.store.states import Group, GroupKind, Run, State, WorkerRecord

if TYPE_CHECKING:
    from lrlab.training.recorder import EpochRecord, Point

MAX_LABEL = 100
"""The most characters of a run's name, and of an owner."""


class Store:
    """Runs and their metrics in one database; safe to use from many threads and processes.

    Every call is one short transaction. Any call can raise `StoreUnavailable`.

    Args:
        url: see `lrlab.settings.Settings.database_url`.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()

    # Runs: queueing, reading, stopping, deleting.

    def queue(self, plan: RunPlan, *, owner: str, name: str) -> int:
        """Put a run at the queue's end and return its number.

        Args:
            plan: what to train.
            owner: who asks for it.
            name: what to call it; like the owner 1 to 100 printable characters.

        Raises:
            InvalidInput: a name or an owner that is not allowed.
        """
        row = _new_run(plan, owner, name)
        with self._database.writing() as connection:
            return connection.scalar(insert(runs).values(row).returning(runs.c.id))

    def queue_group(
        self, plans: Mapping[str, RunPlan], *, owner: str, name: str, kind: GroupKind
    ) -> int:
        """Put several runs at the queue's end as one group, all or none, and return its number.

        Args:
            plans: what to train, by the name of the run, in the order to train in.
            owner, name: as for `queue`.
            kind: why they belong together.

        Raises:
            InvalidInput: no plan, or a name or an owner that is not allowed.
        """
        if not plans:
            raise InvalidInput("A group needs at least one run.")
        row = {
            "name": _label(name, "name"),
            "owner": _label(owner, "owner"),
            "kind": kind,
            "created": time.time(),
        }
        rows = [_new_run(plan, owner, label) for label, plan in plans.items()]
        with self._database.writing() as connection:
            group = connection.scalar(insert(groups).values(row).returning(groups.c.id))
            connection.execute(insert(runs), [row | {"group": group} for row in rows])
            return group

    def group(self, group_id: int) -> Group:
        """One group.

        Raises:
            UnknownRun: there is none of this number.
        """
        query = select(groups).where(groups.c.id == group_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none() if 0 < group_id <= MAX_ID else None
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
            A dictionary a point with ``step`` and `POINT_FIELDS`: ``loss`` is the mean over the
            batches since the point before, ``learning_rate`` the rate that update ``step`` used.
        """
        with self._database.reading() as connection:
            return read_points(connection, run_id, since)

    def epochs(self, run_id: int) -> list[dict[str, Any]]:
        """What was measured at the end of each epoch, in order.

        Returns:
            A dictionary an epoch with ``step`` (updates done so far) and `EPOCH_FIELDS`.
        """
        return self.epochs_of([run_id])[run_id]

    def epochs_of(self, run_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """The same as `epochs` for several runs at once, by their numbers."""
        with self._database.reading() as connection:
            return read_epochs(connection, run_ids)

    def describe(
        self,
        run_id: int,
        *,
        by: str,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
    ) -> None:
        """Let a run's owner name it, tag it and note something about it; None leaves as it was.

        Args:
            run_id: the run.
            by: who asks; only its owner may.
            name: as for `queue`.
            tags: at most `MAX_TAGS` short words; spaces around them and doubles are dropped.
            notes: at most `MAX_NOTES` characters, line breaks allowed.

        Raises:
            InvalidInput: a name, tag or note that is not allowed.
            UnknownRun: there is none of this number.
            WriteRefused: the run is somebody else's.
        """
        values = described(tags, notes)
        if name is not None:
            values["name"] = _label(name, "name")
        with self._database.writing() as connection:
            if find(connection, run_id, lock=True).owner != by:
                raise WriteRefused(f"Run {run_id} is somebody else's: only its owner names it.")
            if values:
                change(connection, run_id, **values)

    def request_stop(self, run_id: int) -> None:
        """Ask for a run to stop: a queued one is stopped at once, a running one when its worker
        has seen it. One that has ended stays as it is.

        Raises:
            UnknownRun: there is none of this number.
        """
        with self._database.writing() as connection:
            row = find(connection, run_id, lock=True)
            if row.state == "queued":
                move(connection, row, "stopped", reason="stopped before it began")
            elif row.state == "running" and row.stop_requested is None:
                change(connection, run_id, stop_requested=time.time())

    def delete(self, run_id: int) -> None:
        """Remove a run and all that it measured; with its last run a group goes too.

        Raises:
            UnknownRun: there is none of this number.
            WriteRefused: it is running.
        """
        with self._database.writing() as connection:
            row = find(connection, run_id, lock=True)
            if row.state == "running":
                raise WriteRefused(f"Run {run_id} is running: stop it before deleting it.")
            connection.execute(delete(metrics).where(metrics.c.run_id == run_id))
            connection.execute(delete(runs).where(runs.c.id == run_id))
            others = exists().where(runs.c.group == row.group)
            connection.execute(delete(groups).where(groups.c.id == row.group, ~others))

    # Workers, and the runs they have.

    def register_worker(self, name: str) -> None:
        """Say that a worker lives and is importing TensorFlow; its name was never used before."""
        row = {"name": name, "ready": False, "beat": time.time()}
        with self._database.writing() as connection:
            connection.execute(insert(workers).values(row))

    def beat(self, name: str, *, ready: bool) -> bool:
        """Say that a worker still lives.

        Returns:
            False when it counts as dead: it must not go on.
        """
        query = update(workers).where(workers.c.name == name)
        with self._database.writing() as connection:
            return connection.execute(query.values(beat=time.time(), ready=ready)).rowcount == 1

    def workers(self) -> list[WorkerRecord]:
        """The workers that count as alive, those of other servers included."""
        with self._database.reading() as connection:
            return [WorkerRecord(*row) for row in connection.execute(select(workers))]

    def claim(self, worker: str) -> Run | None:
        """Begin the oldest queued run, for exactly one of the workers that ask.

        Returns:
            The run with its new attempt number; None when none waits or this worker counts as
            dead.
        """
        waiting = select(runs.c.id).where(runs.c.state == "queued").order_by(runs.c.id).limit(1)
        with self._database.reading() as connection:
            # Idle workers ask often; they take the write lock only when there is something.
            if connection.scalar(waiting) is None:
                return None
        alive = select(workers.c.name).where(workers.c.name == worker).with_for_update()
        with self._database.writing() as connection:
            if connection.scalar(alive) is None:
                return None
            run_id = connection.scalar(waiting.with_for_update(skip_locked=True))
            if run_id is None:
                return None
            row = find(connection, run_id)
            begun = {"attempt": row.attempt + 1, "worker": worker, "started": time.time()}
            move(connection, row, "running", phase="preparing", **begun)
            return run_from(find(connection, run_id))

    def run_of(self, worker: str) -> Run | None:
        """The run that a worker has now."""
        query = select(runs).where(runs.c.state == "running", runs.c.worker == worker)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else run_from(row)

    def bury(self, worker: str, reason: str) -> Run | None:
        """Count a worker as dead; a run it had is interrupted.

        From then on the store takes nothing from it, should it wake up again.

        Args:
            worker: its name; burying it twice does no harm.
            reason: why, in plain words, for the people of its run.

        Returns:
            The run it had, as it is now.
        """
        had = select(runs).where(runs.c.state == "running", runs.c.worker == worker)
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.name == worker))
            row = connection.execute(had.with_for_update()).one_or_none()
            if row is None:
                return None
            move(connection, row, "interrupted", reason=reason)
            return run_from(find(connection, row.id))

    # What a worker writes for the attempt it has; each raises StaleAttempt when that is over.

    def record_phase(self, run_id: int, attempt: int, phase: str) -> None:
        """Say what the worker is at, a `lrlab.training.recorder.Phase`."""
        with self._database.writing() as connection:
            find_current(connection, run_id, attempt)
            change(connection, run_id, phase=phase)

    def record_setup(self, run_id: int, attempt: int, *, data_source: str, way: str) -> None:
        """Say which copy of Fashion-MNIST the run uses, and how it is trained."""
        with self._database.writing() as connection:
            find_current(connection, run_id, attempt)
            change(connection, run_id, data_source=data_source, way=way)

    def record_points(self, run_id: int, attempt: int, points: Sequence[Point]) -> None:
        """Add points and move the run's progress to the last of them.

        Raises:
            WriteRefused: the run has a point at one of these steps already.
        """
        if not points:
            return
        with self._database.writing() as connection:
            find_current(connection, run_id, attempt)
            add_points(connection, run_id, points)
            change(connection, run_id, step=int(points[-1].step) + 1)

    def record_epoch(self, run_id: int, attempt: int, epoch: EpochRecord) -> None:
        """Add what was measured at an epoch's end.

        Raises:
            WriteRefused: the run has an epoch that ended at this step already.
        """
        with self._database.writing() as connection:
            find_current(connection, run_id, attempt)
            add_epoch(connection, run_id, epoch)
            change(connection, run_id, step=int(epoch.step))

    def stop_requested(self, run_id: int, attempt: int) -> bool:
        """Whether somebody asked for the run to stop."""
        with self._database.reading() as connection:
            row = find_current(connection, run_id, attempt, lock=False)
            return row.stop_requested is not None

    def finish(
        self,
        run_id: int,
        attempt: int,
        state: State,
        reason: str,
        test_loss: float | None = None,
        test_accuracy: float | None = None,
    ) -> None:
        """End an attempt.

        Args:
            run_id, attempt: the attempt that ends.
            state: what the run becomes.
            reason: how it ended, in plain words.
            test_loss, test_accuracy: on the test images, where it came so far.

        Raises:
            UnknownRun: there is none of this number.
            StaleAttempt: the run was begun anew in the meantime.
            IllegalTransition: the state may not follow the run's.
        """
        tested = {"test_loss": test_loss, "test_accuracy": test_accuracy}
        with self._database.writing() as connection:
            row = find(connection, run_id, lock=True)
            check_attempt(row, attempt)
            move(connection, row, state, reason=reason, **tested)


def _new_run(plan: RunPlan, owner: str, name: str) -> dict[str, Any]:
    return {
        "name": _label(name, "name"),
        "owner": _label(owner, "owner"),
        "state": "queued",
        "plan": json.dumps(plan.to_dict(), allow_nan=False),
        "total_steps": plan.total_steps,
        "created": time.time(),
    }


def _label(value: str, what: str) -> str:
    label = value.strip()
    if not 0 < len(label) <= MAX_LABEL or not label.isprintable():
        raise InvalidInput(
            f"A run's {what} must have 1 to {MAX_LABEL} printable characters in one line, "
            f"not {value[: MAX_LABEL + 1]!r}."
        )
    return label
