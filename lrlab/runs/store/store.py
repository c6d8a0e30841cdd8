"""The store, the only channel to the workers: its parts together, and what visitors ask of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from lrlab.recipes.plan import RunPlan
from lrlab.runs.limits import DEFAULT_LIMITS, NO_ACCESS_CODES, AccessCodes, Limits
from lrlab.runs.store.annotations import checked_label, described
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
    plan_from,
    update_run,
)
from lrlab.runs.store.schema import groups, runs
from lrlab.runs.store.snapshots import SnapshotStore
from lrlab.runs.store.states import RESUMABLE, GroupKind
from lrlab.runs.store.workers import WorkerStore


class Store(QueryStore, SnapshotStore, WorkerStore, LeaseStore):
    """Runs and their metrics in one database; safe to use from many threads and processes.

    Every call is one short transaction. Any call can raise `StoreUnavailable`.

    Args:
        url: see `lrlab.runs.settings.Settings.database_url`.
        limits: what may be queued.
        codes: what lets somebody queue at all, or stop and delete the runs of others.
    """

    def __init__(
        self, url: str, limits: Limits = DEFAULT_LIMITS, codes: AccessCodes = NO_ACCESS_CODES
    ) -> None:
        super().__init__(Database(url))
        self.limits = limits
        self.codes = codes

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()

    def queue(self, plan: RunPlan, *, owner: str, name: str, code: str = "") -> int:
        """Put a run into the queue, behind its owner's others, and return its number.

        Args:
            plan: what to train.
            owner: who asks for it.
            name: what to call it; like the owner 1 to 100 printable characters.
            code: the class code or the instructor code, where it takes one to queue a run.

        Raises:
            InvalidInput: a name or an owner that is not allowed, or a run that is too large.
            NotAllowed: not this code.
            QueueFull: the owner has enough waiting, or the queue is full.
        """
        self._check_code(code)
        self.limits.check(plan)
        row = _new_run(plan, owner, name)
        with self._database.writing(whole_queue=True) as connection:
            admit(connection, row["owner"], 1, self.limits)
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
        """Put several runs into the queue as one group, all or none, and return its number.

        Args:
            plans: what to train, by the name of the run, in the order to train in.
            owner, name, code: as for `queue`.
            kind: why they belong together.

        Raises:
            InvalidInput: no plan or too many, one that is too large, or a name or an owner that
                is not allowed.
            NotAllowed: not this code.
            QueueFull: the owner has enough waiting, or the queue has not enough room.
        """
        self._check_code(code)
        self.limits.check_group(len(plans))
        for plan in plans.values():
            self.limits.check(plan)
        row = {
            "name": checked_label(name, "name"),
            "owner": checked_label(owner, "owner"),
            "kind": kind,
            "created": time.time(),
        }
        rows = [_new_run(plan, owner, label) for label, plan in plans.items()]
        with self._database.writing(whole_queue=True) as connection:
            admit(connection, row["owner"], len(rows), self.limits)
            group = connection.scalar(insert(groups).values(row).returning(groups.c.id))
            connection.execute(insert(runs), [row | {"group": group} for row in rows])
            return group

    def rename_group(self, group_id: int, *, by: str, name: str) -> None:
        """Let a group's owner give it another name.

        Args:
            group_id: the group.
            by: who asks; only its owner may.
            name: as for `queue`.

        Raises:
            InvalidInput: a name that is not allowed.
            UnknownRun: there is none of this number.
            NotAllowed: the group is somebody else's.
        """
        label = checked_label(name, "name")
        if self.group(group_id).owner != by:
            raise NotAllowed(f"Group {group_id} is somebody else's: only its owner names it.")
        with self._database.writing() as connection:
            connection.execute(update(groups).where(groups.c.id == group_id).values(name=label))

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
            NotAllowed: the run is somebody else's.
        """
        values = described(tags, notes)
        if name is not None:
            values["name"] = checked_label(name, "name")
        with self._database.writing() as connection:
            if find_run(connection, run_id, lock=True).owner != by:
                raise NotAllowed(f"Run {run_id} is somebody else's: only its owner names it.")
            if values:
                update_run(connection, run_id, **values)

    def request_stop(self, run_id: int, *, by: str, code: str = "") -> None:
        """Ask for a run to stop: a queued one is stopped at once, a running one when its worker
        has seen it. One that has ended stays as it is.

        Args:
            run_id: the run.
            by: who asks; a run is its owner's.
            code: the instructor code, which opens everybody's runs.

        Raises:
            UnknownRun: there is none of this number.
            NotAllowed: it is somebody else's.
        """
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_right(row, by, code)
            why = "" if row.owner == by else "the instructor stopped it"
            if row.state == "queued":
                _stop_queued(connection, row, why)
            elif row.state == "running" and row.stop_requested is None:
                update_run(connection, run_id, stop_requested=time.time(), stop_reason=why)

    def resume(self, run_id: int, *, by: str, code: str = "") -> None:
        """Put a run that was stopped or interrupted into the queue again. What it measured stays
        until the next attempt has found the checkpoint it goes on from.

        Args:
            run_id, by: as for `request_stop`.
            code: as for `queue`; the instructor code also opens everybody's runs.

        Raises:
            UnknownRun: there is none of this number.
            InvalidInput: the run is larger than is allowed by now.
            NotAllowed: it is somebody else's, or not this code.
            QueueFull: its owner has enough waiting, or the queue is full.
            IllegalTransition: it was neither stopped nor interrupted.
        """
        self._check_code(code)
        unset = {"stop_reason": "", "reason": ""}
        unset |= dict.fromkeys(("started", "ended", "stop_requested"))
        with self._database.writing(whole_queue=True) as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_right(row, by, code)
            if row.state in RESUMABLE:
                self.limits.check(plan_from(row.plan))
                admit(connection, row.owner, 1, self.limits)
            change_state(connection, row, "queued", phase="", **unset)

    def clear_queue(self, code: str) -> int:
        """Stop all runs that wait, and return how many there were.

        Args:
            code: the instructor code.

        Raises:
            NotAllowed: not this code.
        """
        if not self.codes.is_instructor(code):
            raise NotAllowed("Only the instructor code lets somebody clear the queue.")
        waiting = select(runs).where(runs.c.state == "queued").order_by(runs.c.id)
        with self._database.writing(whole_queue=True) as connection:
            rows = connection.execute(waiting.with_for_update()).all()
            for row in rows:
                _stop_queued(connection, row, "the instructor cleared the queue")
            return len(rows)

    def delete(self, run_id: int, *, by: str, code: str = "") -> None:
        """Remove a run and all that it measured; with its last run a group goes too.

        Args:
            run_id, by, code: as for `request_stop`.

        Raises:
            UnknownRun: there is none of this number.
            NotAllowed: it is somebody else's.
            WriteRefused: it is running.
        """
        with self._database.writing() as connection:
            row = find_run(connection, run_id, lock=True)
            self._check_right(row, by, code)
            if row.state == "running":
                raise WriteRefused(f"Run {run_id} is running: stop it before deleting it.")
            delete_run(connection, row)

    def _check_code(self, code: str) -> None:
        if not self.codes.may_queue(code):
            raise NotAllowed(
                "This server asks for a class code before it trains a run. Type it on the page "
                "Train."
            )

    def _check_right(self, row: Row[Any], by: str, code: str) -> None:
        if row.owner != by and not self.codes.is_instructor(code):
            raise NotAllowed(
                f"Run {row.id} is another browser's. Only the browser that started it can stop, "
                "resume or delete it, or somebody with the instructor code."
            )


def _stop_queued(connection: Connection, row: Row[Any], why: str) -> None:
    """Stop a run that waits."""
    begun = f"its attempt {row.attempt + 1}" if row.attempt else "it"
    said = f"stopped before {begun} began"
    change_state(connection, row, "stopped", reason=f"{said}; {why}" if why else said)


def _new_run(plan: RunPlan, owner: str, name: str) -> dict[str, Any]:
    return {
        "name": checked_label(name, "name"),
        "owner": checked_label(owner, "owner"),
        "state": "queued",
        "plan": json.dumps(plan.to_dict(), allow_nan=False),
        "total_steps": plan.total_steps,
        "created": time.time(),
    }
