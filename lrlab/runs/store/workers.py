"""The half of the store that workers and engines use: runs are begun, measured and ended here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from lrlab.params import InvalidInput
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
    plan_from,
    run_from_row,
    update_run,
)
from lrlab.runs.store.schema import lease, runs, workers
from lrlab.runs.store.snapshots import delete_snapshots_after
from lrlab.runs.store.states import ENDED, Run, State, WorkerRecord

if TYPE_CHECKING:
    from lrlab.training.measurements import EpochRecord, Point


class WorkerStore(StorePart):
    """What workers and engines do with runs."""

    def register_worker(self, name: str, server: str | None = None) -> None:
        """Say that a worker lives and is importing TensorFlow.

        Args:
            name: a name that no worker had before.
            server: the server that keeps it; without one it is given runs whoever has the lease.
        """
        row = {"name": name, "server": server, "ready": False, "beat": time.time()}
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
        """Begin the run that is next, for exactly one of the workers that ask.

        Returns:
            The run with its new attempt number; None when none may begin now, this worker counts
            as dead, or its server does not hold the lease.
        """
        with self._database.reading() as connection:
            # Idle workers ask often; they take the write lock only when there is something.
            if next_run(connection) is None:
                return None
        dispatching = (
            select(workers.c.name)
            .outerjoin(lease, lease.c.holder == workers.c.server)
            .where(workers.c.name == worker)
            .where(workers.c.server.is_(None) | lease.c.holder.is_not(None))
            .with_for_update(of=workers)
        )
        with self._database.writing(whole_queue=True) as connection:
            if connection.scalar(dispatching) is None:
                return None
            while (run_id := next_run(connection)) is not None:
                waiting = select(runs).where(runs.c.id == run_id, runs.c.state == "queued")
                row = connection.execute(waiting.with_for_update()).one_or_none()
                if row is None:
                    # Stopped or deleted while this waited for its row.
                    continue
                take_turn(connection, row.owner)
                begun = {"attempt": row.attempt + 1, "worker": worker, "started": time.time()}
                asked = {"stop_requested": None, "stop_reason": ""}
                change_state(connection, row, "running", phase="preparing", **begun, **asked)
                row = find_run(connection, run_id)
                try:
                    return run_from_row(row)
                except InvalidInput as error:
                    # A plan of another version of LR Lab; the next run must not wait for it.
                    change_state(connection, row, "failed", reason=str(error))
            return None

    def run_of(self, worker: str) -> Run | None:
        """The run that a worker has now."""
        query = select(runs).where(runs.c.state == "running", runs.c.worker == worker)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else run_from_row(row)

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
            change_state(connection, row, "interrupted", reason=reason)
            return run_from_row(find_run(connection, row.id))

    def stop_overdue(self, seconds: float, reason: str) -> None:
        """Ask all runs to stop that have been running for longer than this.

        Args:
            seconds: how long an attempt at a run may take.
            reason: the same in plain words.
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

    def retire(self, keep: int, keep_bytes: int, batch: int = 20) -> int:
        """Remove the oldest ended runs beyond a number or a size, and what only they needed.

        Args:
            keep: how many ended runs stay at most.
            keep_bytes: what those that stay may take together.
            batch: how many are removed at most, so that nobody waits long for this.

        Returns:
            How many were removed.
        """
        newest_first = (runs.c.ended.desc(), runs.c.id.desc())
        number = func.row_number().over(order_by=newest_first)
        size = func.sum(runs.c.size).over(order_by=newest_first)
        ended = select(runs.c.id, number.label("number"), size.label("size"))
        ended = ended.where(runs.c.state.in_(ENDED)).subquery()
        old = (
            select(ended.c.id)
            .where((ended.c.number > keep) | (ended.c.size > keep_bytes))
            .order_by(ended.c.number.desc())
            .limit(batch)
        )
        with self._database.reading() as connection:
            ids = list(connection.scalars(old))
        if not ids:
            return 0
        still = select(runs).where(runs.c.id.in_(ids), runs.c.state.in_(ENDED))
        with self._database.writing(whole_queue=True) as connection:
            rows = connection.execute(still.with_for_update()).all()
            for row in rows:
                delete_run(connection, row)
            forget_turns(connection, keep)
            return len(rows)

    # What a worker writes for the attempt it has; each raises StaleAttempt when that is over.

    def record_phase(self, run_id: int, attempt: int, phase: str) -> None:
        """Say what the worker is at, a `lrlab.training.recorder.Phase`."""
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
        """Say how an attempt trains, and from where. From here on it measures, so what earlier
        attempts measured past that place goes in the same transaction.

        Args:
            run_id, attempt: the attempt that begins.
            data_source: which copy of Fashion-MNIST it uses.
            compile_mode: a key of `lrlab.training.compile_mode.COMPILE_MODES`.
            epoch: how many epochs it need not train, because it goes on from a checkpoint.
            resumed: the same in plain words, where it is not the first attempt.
        """
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            step = plan_from(row.plan).steps_per_epoch * epoch
            delete_metrics_after(connection, run_id, step)
            delete_snapshots_after(connection, run_id, epoch)
            setup = {"data_source": data_source, "compile_mode": compile_mode, "resumed": resumed}
            update_run(connection, run_id, step=step, **setup)

    def record_points(self, run_id: int, attempt: int, points: Sequence[Point]) -> bool:
        """Add points and move the run's progress to the last of them.

        Returns:
            As `stop_requested`, which a worker asks whenever it writes points.

        Raises:
            WriteRefused: the run has a point at one of these steps already.
        """
        if not points:
            return self.stop_requested(run_id, attempt)
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            add_points(connection, run_id, points)
            update_run(connection, run_id, step=int(points[-1].step) + 1)
            return row.stop_requested is not None

    def record_epoch(self, run_id: int, attempt: int, epoch: EpochRecord) -> None:
        """Add what was measured at an epoch's end.

        Raises:
            WriteRefused: the run has an epoch that ended at this step already.
        """
        with self._database.writing() as connection:
            find_current_attempt(connection, run_id, attempt)
            add_epoch(connection, run_id, epoch)
            update_run(connection, run_id, step=int(epoch.step))

    def stop_requested(self, run_id: int, attempt: int) -> bool:
        """Whether somebody asked for the run to stop."""
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
            state: what the run becomes.
            reason: how it ended, in plain words.
            test_loss, test_accuracy: on the test images, where it came so far.
            diverged: whether it ended because its loss stopped being finite.

        Raises:
            UnknownRun: there is none of this number.
            StaleAttempt: the run was begun anew in the meantime.
            IllegalTransition: the state may not follow the run's.
        """
        outcome = {"test_loss": test_loss, "test_accuracy": test_accuracy, "diverged": diverged}
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            check_attempt(row, attempt)
            if row.state == "queued":
                # To be resumed: the attempt that ended has no say in that.
                raise IllegalTransition(f"Run {run_id} is queued, so it cannot become {state}.")
            if state == "stopped" and row.stop_reason:
                reason = f"{reason}; {row.stop_reason}"
            change_state(connection, row, state, reason=reason, **outcome)
