"""The store, through which pages, engines and workers communicate, and the requests of visitors."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from lrlab.recipes.plan import RunPlan
from lrlab.runs.limits import DEFAULT_LIMITS, NO_ACCESS_CODES, AccessCodes, Limits
from lrlab.runs.store.annotations import annotation_columns, checked_label
from lrlab.runs.store.database import Database
from lrlab.runs.store.leases import LeaseStore
from lrlab.runs.store.queries import QueryStore
from lrlab.runs.store.queue import admit
from lrlab.runs.store.run_rows import (
    NotAllowed,
    WriteRefused,
    change_state,
    delete_run,
    find_run,
    update_run,
)
from lrlab.runs.store.schema import groups, runs
from lrlab.runs.store.snapshots import SnapshotStore
from lrlab.runs.store.states import RESUMABLE, GroupKind, plan_from
from lrlab.runs.store.workers import WorkerStore


class Store(QueryStore, SnapshotStore, WorkerStore, LeaseStore):
    """Runs and their metrics in one database; safe to use from many threads and processes.

    Every call is one short transaction. Any call can raise `StoreUnavailable`.

    Args:
        url: see `lrlab.runs.settings.Settings.database_url`.
        limits: the limits on the queue and on the size of a run.
        codes: the codes required to queue runs, or to stop and delete other people's runs.
    """

    def __init__(
        self, url: str, limits: Limits = DEFAULT_LIMITS, codes: AccessCodes = NO_ACCESS_CODES
    ) -> None:
        super().__init__(Database(url))
        self.limits = limits
        self.codes = codes

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()

    def queue(self, plan: RunPlan, *, owner: str, name: str, code: str = "") -> int:
        """Queue a run behind its owner's other runs and return its id.

        Args:
            plan: what to train.
            owner: the identity of the browser that queues the run.
            name: the run's name; like the owner, 1 to 100 printable characters.
            code: the class code or the instructor code, if the server requires one.

        Raises:
            InvalidInput: the name or owner is not allowed, or the run is too large.
            NotAllowed: the code is wrong.
            QueueFull: the owner has too many runs waiting, or the queue is full.
        """
        self._check_code(code)
        self.limits.check(plan)
        name = checked_label(name, "name")
        owner = checked_label(owner, "owner")
        row = _new_run(plan, owner, name)
        with self._database.writing(whole_queue=True) as connection:
            admit(connection, owner, 1, self.limits)
            return connection.scalar(insert(runs).values(row).returning(runs.c.id))

    def queue_group(
        self,
        plans: Mapping[str, RunPlan],
        *,
        owner: str,
        name: str,
        kind: GroupKind,
        code: str = "",
    ) -> int:
        """Queue several runs as one group, all or none, and return the group's id.

        Args:
            plans: run name -> what to train, in training order.
            owner, name, code: as in `queue`.
            kind: why the runs belong together.

        Raises:
            InvalidInput: there are no plans or too many, a plan is too large, or a name or the
                owner is not allowed.
            NotAllowed: the code is wrong.
            QueueFull: the owner has too many runs waiting, or the queue lacks room for the group.
        """
        self._check_code(code)
        self.limits.check_group(len(plans))
        for plan in plans.values():
            self.limits.check(plan)
        name = checked_label(name, "name")
        owner = checked_label(owner, "owner")
        group_row = {"name": name, "owner": owner, "kind": kind, "created": time.time()}
        run_rows = [
            _new_run(plan, owner, checked_label(run_name, "name"))
            for run_name, plan in plans.items()
        ]
        with self._database.writing(whole_queue=True) as connection:
            admit(connection, owner, len(run_rows), self.limits)
            group_id = connection.scalar(insert(groups).values(group_row).returning(groups.c.id))
            connection.execute(insert(runs), [row | {"group": group_id} for row in run_rows])
            return group_id

    def rename_group(self, group_id: int, *, by: str, name: str) -> None:
        """Rename a group on behalf of its owner.

        Args:
            group_id: the group.
            by: the browser identity that makes the request; it must be the owner.
            name: as in `queue`.

        Raises:
            InvalidInput: the name is not allowed.
            UnknownRun: no group has this id.
            NotAllowed: the group belongs to another owner.
        """
        name = checked_label(name, "name")
        if self.group(group_id).owner != by:
            raise NotAllowed(
                f"Group {group_id} belongs to another browser. Only that browser can rename it."
            )
        with self._database.writing() as connection:
            connection.execute(update(groups).where(groups.c.id == group_id).values(name=name))

    def annotate(
        self,
        run_id: int,
        *,
        by: str,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
    ) -> None:
        """Set a run's name, tags or notes on behalf of its owner; None leaves a value unchanged.

        Args:
            run_id: the run.
            by: the browser identity that makes the request; it must be the owner.
            name: as in `queue`.
            tags: at most `MAX_TAGS` short words; surrounding spaces and duplicates are dropped.
            notes: at most `MAX_NOTES_LENGTH` characters, line breaks allowed.

        Raises:
            InvalidInput: the name, a tag or the notes are not allowed.
            UnknownRun: no run has this id.
            NotAllowed: the run belongs to another owner.
        """
        values = annotation_columns(tags, notes)
        if name is not None:
            values["name"] = checked_label(name, "name")
        with self._database.writing() as connection:
            if find_run(connection, run_id, lock=True).owner != by:
                raise NotAllowed(
                    f"Run {run_id} belongs to another browser. Only that browser can edit its "
                    "name, tags and notes."
                )
            if values:
                update_run(connection, run_id, **values)

    def request_stop(self, run_id: int, *, by: str, code: str = "") -> None:
        """Ask for a run to stop.

        A queued run stops at once, a running one when its worker notices the request. A run that
        has ended stays unchanged.

        Args:
            run_id: the run.
            by: the browser identity that makes the request.
            code: the instructor code, which gives access to everybody's runs.

        Raises:
            UnknownRun: no run has this id.
            NotAllowed: the run belongs to another owner and the code is not the instructor's.
        """
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_access(row, by, code)
            cause = "" if row.owner == by else "the instructor stopped it"
            if row.state == "queued":
                _stop_queued(connection, row, cause)
            elif row.state == "running" and row.stop_requested is None:
                update_run(connection, run_id, stop_requested=time.time(), stop_reason=cause)

    def resume(self, run_id: int, *, by: str, code: str = "") -> None:
        """Queue a stopped or interrupted run again.

        Its measurements stay until the next attempt has found the checkpoint it continues from.

        Args:
            run_id, by: as in `request_stop`.
            code: as in `queue`; the instructor code also gives access to everybody's runs.

        Raises:
            UnknownRun: no run has this id.
            InvalidInput: the run is larger than the limits now allow, or this version of LR Lab
                does not allow its plan.
            NotAllowed: the run belongs to another owner, or the code is wrong.
            QueueFull: the owner has too many runs waiting, or the queue is full.
            IllegalTransition: the run was neither stopped nor interrupted.
        """
        self._check_code(code)
        cleared: dict[str, object] = dict.fromkeys(("started", "ended", "stop_requested"))
        cleared |= {"phase": "", "reason": "", "stop_reason": ""}
        with self._database.writing(whole_queue=True) as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_access(row, by, code)
            if row.state in RESUMABLE:
                self.limits.check(plan_from(row.plan))
                admit(connection, row.owner, 1, self.limits)
            change_state(connection, row, "queued", **cleared)

    def clear_queue(self, code: str) -> int:
        """Stop all queued runs and return how many there were.

        Args:
            code: the instructor code.

        Raises:
            NotAllowed: the code is wrong.
        """
        if not self.codes.is_instructor(code):
            raise NotAllowed("Clearing the queue requires the instructor code.")
        queued = select(runs).where(runs.c.state == "queued").order_by(runs.c.id)
        with self._database.writing(whole_queue=True) as connection:
            rows = connection.execute(queued.with_for_update()).all()
            for row in rows:
                _stop_queued(connection, row, "the instructor cleared the queue")
            return len(rows)

    def delete(self, run_id: int, *, by: str, code: str = "") -> None:
        """Delete a run and everything it measured; a group is deleted with its last run.

        Args:
            run_id, by, code: as in `request_stop`.

        Raises:
            UnknownRun: no run has this id.
            NotAllowed: the run belongs to another owner and the code is not the instructor's.
            WriteRefused: the run is running.
        """
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_access(row, by, code)
            if row.state == "running":
                raise WriteRefused(f"Run {run_id} is running: stop it before deleting it.")
            delete_run(connection, row)

    def _check_code(self, code: str) -> None:
        if not self.codes.may_queue(code):
            raise NotAllowed(
                "This server requires a class code to queue a run. Enter it on the Train page."
            )

    def _check_access(self, row: Row[Any], by: str, code: str) -> None:
        if row.owner != by and not self.codes.is_instructor(code):
            raise NotAllowed(
                f"Run {row.id} belongs to another browser. Only that browser, or someone with the "
                "instructor code, can stop, resume or delete it."
            )


def _stop_queued(connection: Connection, row: Row[Any], cause: str) -> None:
    """Stop a queued run."""
    attempt = f"attempt {row.attempt + 1}" if row.attempt else "it"
    reason = f"stopped before {attempt} began"
    change_state(connection, row, "stopped", reason=f"{reason}; {cause}" if cause else reason)


def _new_run(plan: RunPlan, owner: str, name: str) -> dict[str, object]:
    """The row of a new run; owner and name have been checked."""
    return {
        "name": name,
        "owner": owner,
        "state": "queued",
        "plan": json.dumps(plan.to_dict(), allow_nan=False),
        "total_steps": plan.total_steps,
        "created": time.time(),
    }
