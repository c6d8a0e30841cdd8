"""A connection to PostgreSQL on which nothing is waited for for ever; loaded where one is used."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

ANSWER_SECONDS = 25.0
"""How long the server may take over one statement; it ends one that waits for a lock before."""


class BoundedConnection(psycopg.Connection):
    """A connection that is closed when the server hangs: its machine may still confirm all that is
    sent, so that the network sees nothing wrong."""

    def wait(self, *arguments: Any, **options: Any) -> Any:
        """Wait for the server as `psycopg.Connection.wait` does, but not longer than that.

        Raises:
            psycopg.OperationalError: there was no answer.
        """
        try:
            return super().wait(*arguments, **{"timeout": ANSWER_SECONDS} | options)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> BoundedConnection:
    """What SQLAlchemy's event ``do_connect`` asks for."""
    return BoundedConnection.connect(*arguments, **options)
