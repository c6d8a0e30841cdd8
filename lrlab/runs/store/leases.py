"""The lease, which decides which of several servers dispatches runs."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.schema import lease
from lrlab.runs.store.states import Lease


class LeaseStore(StorePart):
    """The dispatch lease; only workers of the server that holds it get runs."""

    def lease(self) -> Lease | None:
        """The current lease; None if no server holds it."""
        with self._database.reading() as connection:
            row = connection.execute(select(lease.c.holder, lease.c.beat)).one_or_none()
            return None if row is None else Lease(*row)

    def renew_lease(self, server: str) -> bool:
        """Report that the server holding the lease is still alive.

        Returns:
            False if this server does not hold the lease, or no longer holds it.
        """
        query = update(lease).where(lease.c.holder == server)
        with self._database.writing() as connection:
            return connection.execute(query.values(beat=lease.c.beat + 1)).rowcount == 1

    def take_lease(self, server: str, expected: Lease | None) -> bool:
        """Take the lease, unless it has changed since it was last read.

        Args:
            server: a name that no server has had before.
            expected: the lease that was found to have expired; None if there was no lease.

        Returns:
            Whether this server now holds the lease.
        """
        with self._database.writing(whole_queue=True) as connection:
            row = connection.execute(select(lease.c.holder, lease.c.beat)).one_or_none()
            if (None if row is None else Lease(*row)) != expected:
                return False
            connection.execute(delete(lease))
            connection.execute(insert(lease).values(id=1, holder=server, beat=0))
            return True

    def release_lease(self, server: str) -> None:
        """Give up the lease, if this server holds it."""
        with self._database.writing() as connection:
            connection.execute(delete(lease).where(lease.c.holder == server))
