"""A PostgreSQL connection that never waits indefinitely; imported only when PostgreSQL is used."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

ANSWER_SECONDS = 25.0
"""Maximum seconds the server may take over one statement. It cancels a statement that waits for a
lock earlier, after `lrlab.runs.store.database.LOCK_TIMEOUT`."""


class BoundedConnection(psycopg.Connection):
    """A connection that is closed when the server hangs.

    The machine of a hung server may still acknowledge every packet, so TCP timeouts detect nothing.
    """

    def wait(self, *arguments: Any, **options: Any) -> Any:
        """Wait for the server like `psycopg.Connection.wait`, but at most `ANSWER_SECONDS`.

        Raises:
            psycopg.OperationalError: the server did not answer in time.
        """
        try:
            return super().wait(*arguments, **{"timeout": ANSWER_SECONDS} | options)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect(
    _dialect: object, _record: object, arguments: tuple[str, ...], options: dict[str, Any]
) -> BoundedConnection:
    """Handler of SQLAlchemy's event ``do_connect``."""
    return BoundedConnection.connect(*arguments, **options)
