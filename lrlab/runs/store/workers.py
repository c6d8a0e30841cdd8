"""The part of the store that workers and engines use to start, measure and end runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.metrics import add_epoch, add_points, delete_metrics_after
from lrlab.runs.store.queue import forget_turns, next_run, take_turn
from lrlab.runs.store.run_rows import (
    IllegalTransition,
    change_state,
    check_attempt,
    delete_run,
    find_current_attempt,
    find_run,
    run_from_row,
    update_run,
)
from lrlab.runs.store.schema import lease, runs, workers
from lrlab.runs.store.snapshots import delete_snapshots_after
from lrlab.runs.store.states import ENDED, Run, State, WorkerRecord, plan_from

if TYPE_CHECKING:
    from lrlab.training.measurements import EpochRecord, Point


class WorkerStore(StorePart):
    """What workers and engines do with runs."""

    def register_worker(self, name: str, server: str | None = None) -> None:
        """Register a worker that is alive and is importing TensorFlow.

        Args:
            name: a name that no worker has had before.
            server: the server that manages it; None for a standalone worker, which gets runs no
                matter which server holds the lease.
        """
        row = {"name": name, "server": server, "ready": False, "beat": time.time()}
        with self._database.writing() as connection:
            connection.execute(insert(workers).values(row))

    def heartbeat(self, name: str, *, ready: bool) -> bool:
        """Record that a worker is alive.

        Returns:
            False if the worker is marked as dead and must end.
        """
        query = update(workers).where(workers.c.name == name)
        with self._database.writing() as connection:
            return connection.execute(query.values(beat=time.time(), ready=ready)).rowcount == 1

    def workers(self) -> list[WorkerRecord]:
        """The workers that count as alive, including those of other servers."""
        with self._database.reading() as connection:
            return [WorkerRecord(*row) for row in connection.execute(select(workers))]

    def claim(self, worker: str) -> Run | None:
        """Start the next run; if several workers ask at once, exactly one of them gets it.

        Returns:
            The run with its new attempt number. None if no run may start now, the worker is marked
            as dead, or its server does not hold the lease.
        """
        with self._database.reading() as connection:
            # Idle workers poll often; they take the write lock only if a run is waiting.
            if next_run(connection) is None:
                return None
        may_claim = (
            select(workers.c.name)
            .outerjoin(lease, lease.c.holder == workers.c.server)
            .where(workers.c.name == worker)
            .where(workers.c.server.is_(None) | lease.c.holder.is_not(None))
            .with_for_update(of=workers)
        )
        with self._database.writing(whole_queue=True) as connection:
            if connection.scalar(may_claim) is None:
                return None
            while (run_id := next_run(connection)) is not None:
                queued = select(runs).where(runs.c.id == run_id, runs.c.state == "queued")
                row = connection.execute(queued.with_for_update()).one_or_none()
                if row is None:
                    # Stopped or deleted while this transaction waited for the row lock.
                    continue
                take_turn(connection, row.owner)
                change_state(
                    connection,
                    row,
                    "running",
                    phase="preparing",
                    attempt=row.attempt + 1,
                    worker=worker,
                    started=time.time(),
                    stop_requested=None,
                    stop_reason="",
                )
                return run_from_row(find_run(connection, run_id))
            return None

    def run_of_worker(self, worker: str) -> Run | None:
        """The run that a worker is training; None if it has no run."""
        query = select(runs).where(runs.c.state == "running", runs.c.worker == worker)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else run_from_row(row)

    def mark_dead(self, worker: str, reason: str) -> Run | None:
        """Mark a worker as dead and interrupt its run.

        From then on the store refuses all writes of that worker, even if it wakes up again.

        Args:
            worker: its name; marking it again has no effect.
            reason: why, for the people who watch its run.

        Returns:
            The interrupted run; None if the worker had no run.
        """
        claimed = select(runs).where(runs.c.state == "running", runs.c.worker == worker)
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.name == worker))
            row = connection.execute(claimed.with_for_update()).one_or_none()
            if row is None:
                return None
            change_state(connection, row, "interrupted", reason=reason)
            return run_from_row(find_run(connection, row.id))

    def stop_overdue(self, seconds: float, reason: str) -> None:
        """Ask all runs to stop whose current attempt has exceeded the time limit.

        Args:
            seconds: the time limit of an attempt.
            reason: the limit, for people.
        """
        overdue = (
            runs.c.state == "running",
            runs.c.stop_requested.is_(None),
            runs.c.started < time.time() - seconds,
        )
        with self._database.reading() as connection:
            if connection.scalar(select(runs.c.id).where(*overdue).limit(1)) is None:
                return
        query = update(runs).where(*overdue)
        with self._database.writing() as connection:
            connection.execute(query.values(stop_requested=time.time(), stop_reason=reason))

    def delete_old_runs(self, keep: int, keep_bytes: int, batch: int = 20) -> int:
        """Delete the oldest ended runs beyond a number or total size, and outdated turns.

        Args:
            keep: how many ended runs are kept.
            keep_bytes: how many bytes of measurements are kept, see `Run.size`.
            batch: maximum number of runs to delete in one call, which keeps the transaction short.

        Returns:
            How many runs were deleted.
        """
        newest_first = (runs.c.ended.desc(), runs.c.id.desc())
        rank = func.row_number().over(order_by=newest_first).label("rank")
        total_size = func.sum(runs.c.size).over(order_by=newest_first).label("total_size")
        ended = select(runs.c.id, rank, total_size).where(runs.c.state.in_(ENDED)).subquery()
        surplus = (
            select(ended.c.id)
            .where((ended.c.rank > keep) | (ended.c.total_size > keep_bytes))
            .order_by(ended.c.rank.desc())
            .limit(batch)
        )
        with self._database.reading() as connection:
            ids = list(connection.scalars(surplus))
        if not ids:
            return 0
        # A run may have been resumed or deleted since it was selected.
        still_ended = select(runs).where(runs.c.id.in_(ids), runs.c.state.in_(ENDED))
        with self._database.writing(whole_queue=True) as connection:
            rows = connection.execute(still_ended.with_for_update()).all()
            for row in rows:
                delete_run(connection, row)
            forget_turns(connection, keep)
            return len(rows)

    # A worker's writes for its current attempt; each raises StaleAttempt once that attempt is over.

    def record_phase(self, run_id: int, attempt: int, phase: str) -> None:
        """Record what the worker is doing, a `lrlab.training.recorder.Phase`."""
        with self._database.writing() as connection:
            find_current_attempt(connection, run_id, attempt)
            update_run(connection, run_id, phase=phase)

    def record_setup(
        self,
        run_id: int,
        attempt: int,
        *,
        data_source: str,
        compile_mode: str,
        epoch: int = 0,
        resumed: str = "",
    ) -> None:
        """Record how an attempt trains and where it starts.

        The attempt measures from here on, so the same transaction deletes what earlier attempts
        measured after that epoch.

        Args:
            run_id, attempt: the attempt that starts.
            data_source: which copy of Fashion-MNIST it uses.
            compile_mode: a key of `lrlab.training.compile_mode.COMPILE_MODES`.
            epoch: the number of epochs that the checkpoint it resumes from already covers.
            resumed: where it resumes, for people; empty for the first attempt.
        """
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            step = plan_from(row.plan).steps_per_epoch * epoch
            delete_metrics_after(connection, run_id, step)
            delete_snapshots_after(connection, run_id, epoch)
            setup = {"data_source": data_source, "compile_mode": compile_mode, "resumed": resumed}
            update_run(connection, run_id, step=step, **setup)

    def record_points(self, run_id: int, attempt: int, points: Sequence[Point]) -> bool:
        """Add points and set the run's progress to the last of them.

        Returns:
            The same as `stop_requested`, so that a worker learns of a stop with every write.

        Raises:
            WriteRefused: the run already has a point at one of these steps.
        """
        if not points:
            return self.stop_requested(run_id, attempt)
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            add_points(connection, run_id, points)
            update_run(connection, run_id, step=int(points[-1].step) + 1)
            return row.stop_requested is not None

    def record_epoch(self, run_id: int, attempt: int, epoch: EpochRecord) -> None:
        """Add what was measured at the end of an epoch.

        Raises:
            WriteRefused: the run already has an epoch that ended at this step.
        """
        with self._database.writing() as connection:
            find_current_attempt(connection, run_id, attempt)
            add_epoch(connection, run_id, epoch)
            update_run(connection, run_id, step=int(epoch.step))

    def stop_requested(self, run_id: int, attempt: int) -> bool:
        """Whether the run has been asked to stop."""
        with self._database.reading() as connection:
            row = find_current_attempt(connection, run_id, attempt, lock=False)
            return row.stop_requested is not None

    def finish(
        self,
        run_id: int,
        attempt: int,
        state: State,
        reason: str,
        test_loss: float | None = None,
        test_accuracy: float | None = None,
        *,
        diverged: bool = False,
    ) -> None:
        """End an attempt.

        Args:
            run_id, attempt: the attempt that ends.
            state: the run's new state.
            reason: how it ended, for people.
            test_loss, test_accuracy: measured on the test images; None if it ended before that.
            diverged: whether it ended because its loss was no longer finite.

        Raises:
            UnknownRun: no run has this id.
            StaleAttempt: the run has been started again.
            IllegalTransition: the new state may not follow the current one.
        """
        outcome = {"test_loss": test_loss, "test_accuracy": test_accuracy, "diverged": diverged}
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            check_attempt(row, attempt)
            if row.state == "queued":
                # The run is queued to be resumed; an attempt that is over must not end it.
                raise IllegalTransition(f"Run {run_id} is queued, so it cannot become {state}.")
            if state == "stopped" and row.stop_reason:
                reason = f"{reason}; {row.stop_reason}"
            change_state(connection, row, state, reason=reason, **outcome)
