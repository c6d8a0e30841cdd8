"""The lease: which of several servers dispatches."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.schema import lease
from lrlab.runs.store.states import Lease


class LeaseStore(StorePart):
    """Who dispatches; only that server's workers are given runs."""

    def lease(self) -> Lease | None:
        """Who dispatches; None when nobody does."""
        with self._database.reading() as connection:
            row = connection.execute(select(lease.c.holder, lease.c.beat)).one_or_none()
            return None if row is None else Lease(*row)

    def renew_lease(self, server: str) -> bool:
        """Say that the server that dispatches still lives.

        Returns:
            False when it is not this one, or no longer.
        """
        query = update(lease).where(lease.c.holder == server)
        with self._database.writing() as connection:
            return connection.execute(query.values(beat=lease.c.beat + 1)).rowcount == 1

    def take_lease(self, server: str, seen: Lease | None) -> bool:
        """Become the server that dispatches, unless the lease changed since it was seen.

        Args:
            server: a name that no server had before.
            seen: the lease as it was found to have run out; None for there being none.
        """
        with self._database.writing(whole_queue=True) as connection:
            row = connection.execute(select(lease.c.holder, lease.c.beat)).one_or_none()
            if (None if row is None else Lease(*row)) != seen:
                return False
            connection.execute(delete(lease))
            connection.execute(insert(lease).values(id=1, holder=server, beat=0))
            return True

    def release_lease(self, server: str) -> None:
        """Stop dispatching, if this server does."""
        with self._database.writing() as connection:
            connection.execute(delete(lease).where(lease.c.holder == server))
