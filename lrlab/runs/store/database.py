"""Opening the store's database and its transactions; errors of the driver become words here."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lrlab.runs.settings import DATABASE_VARIABLE
from lrlab.runs.store.schema import SCHEMA_VERSION, UPGRADES, metadata, schema_version

LOCK_TIMEOUT = 20.0
"""Seconds that a transaction waits for another process's to end; on PostgreSQL also how long one
may do nothing, as the transaction of a worker that stalled does. So whoever waits for a stalled
worker gets its error in time to end it."""

CONNECT_TIMEOUT = 10
"""Seconds that a PostgreSQL server has to answer to a new connection, and that its machine has to
confirm what was sent to it."""

SCHEMA_LOCK = 0x4C524C6162
"""PostgreSQL's advisory lock (any fixed number) held while the tables are made."""

QUEUE_LOCK = SCHEMA_LOCK + 1
"""The same, held by transactions that decide by the whole queue. SQLite has one writer anyway."""

logger = logging.getLogger("lrlab.runs.store")


class StoreError(Exception):
    """The store refuses or fails; the message is for people."""


class StoreUnavailable(StoreError):
    """The database cannot be opened, read or written."""


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether an SQLite library has the fix of the WAL-reset race that can corrupt a database.

    Args:
        version: the library's version, such as ``sqlite3.sqlite_version_info``.

    Source: SQLite's notes on 3.51.3; the fix was carried back to 3.50.7 and 3.44.6.
    """
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


class Database:
    """One database, open in one process; safe to use from many threads.

    Args:
        url: an SQLAlchemy URL of an SQLite file or a PostgreSQL database. The folder of an SQLite
            file, the file and the tables are made where they are missing.

    Raises:
        StoreUnavailable: the URL is of another kind, the database cannot be opened, or it holds
            another version of the tables.
    """

    def __init__(self, url: str) -> None:
        self._url = _supported(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        # Its folder is no business of visitors; the log names it.
        self._name = Path(str(self._url.database)).name
        try:
            if self._sqlite:
                Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
            # What was to be written has no place in a log, least of all on a disk that is full.
            self._engine = create_engine(self._url, hide_parameters=True, **self._engine_options())
        except OSError as error:
            logger.warning("no run database %s: %s", self._url.database, error)
            raise StoreUnavailable(
                f"The folder of the run database {self._name} cannot be made: "
                f"{error.strerror}. Give a writable place in {DATABASE_VARIABLE}."
            ) from error
        except ImportError as error:
            raise StoreUnavailable(
                f"{DATABASE_VARIABLE} asks for PostgreSQL, but its driver is not installed: "
                "pip install 'psycopg[binary]'."
            ) from error
        if self._sqlite:
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _begin)
        else:
            from lrlab.runs.store.postgres import connect

            event.listen(self._engine, "do_connect", connect)
        self._prepare()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short transaction that only reads.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        with self._plain_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, whole_queue: bool = False) -> Iterator[Connection]:
        """A transaction that is committed at the end, or undone by any exception.

        Args:
            whole_queue: it decides by the whole queue, so no other of that kind may go on at the
                same time.

        Raises:
            StoreUnavailable: the database cannot be written.
        """
        writer = self._engine.execution_options(lrlab_writes=True)
        with self._plain_errors(), writer.begin() as connection:
            if whole_queue:
                self._lock(connection, QUEUE_LOCK)
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _engine_options(self) -> dict[str, Any]:
        if self._sqlite:
            return {"connect_args": {"timeout": LOCK_TIMEOUT}}
        milliseconds = round(LOCK_TIMEOUT * 1e3)
        limits = ("lock_timeout", "idle_in_transaction_session_timeout")
        options = " ".join(f"-c {name}={milliseconds}" for name in limits)
        return {
            "pool_pre_ping": True,
            "connect_args": {
                "options": options,
                "connect_timeout": CONNECT_TIMEOUT,
                # Left to itself, a system waits a quarter of an hour for one that was unplugged.
                "tcp_user_timeout": CONNECT_TIMEOUT * 1000,
                "keepalives_idle": CONNECT_TIMEOUT // 2,
                "keepalives_interval": CONNECT_TIMEOUT // 4,
                "keepalives_count": 2,
            },
        }

    def _prepare(self) -> None:
        """Make the tables where there are none; refuse those of another version."""
        try:
            if self._sqlite:
                self._choose_journal()
            with self.writing() as connection:
                self._lock(connection, SCHEMA_LOCK)
                if not inspect(connection).has_table(schema_version.name):
                    metadata.create_all(connection, checkfirst=False)
                    connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
                version = connection.scalar(select(schema_version.c.version))
                version = _upgrade(connection, version)
            if version != SCHEMA_VERSION:
                logger.warning("%s has tables of version %s", self._url.database, version)
                age = "an older" if version < SCHEMA_VERSION else "a newer"
                away = f"move {self._name} away or " if self._sqlite else ""
                raise StoreUnavailable(
                    f"The run database {self._name} was made by {age} LR Lab: its tables are of "
                    f"version {version}, and this one reads version {SCHEMA_VERSION}. It is left "
                    f"as it is. To begin with an empty one, {away}name another in "
                    f"{DATABASE_VARIABLE}; to see its runs and take them out, use the LR Lab that "
                    "wrote it, as README says under Settings."
                )
        except StoreError:
            self.close()
            raise

    def _lock(self, connection: Connection, number: int) -> None:
        if not self._sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": number})

    def _choose_journal(self) -> None:
        wanted = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"
        with self._plain_errors(), self._engine.connect() as connection:
            # The journal is the file's, and cannot be changed inside a transaction.
            driver = connection.connection.driver_connection
            if driver.execute("pragma journal_mode").fetchone()[0] != wanted:
                driver.execute(f"pragma journal_mode = {wanted}")

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
            logger.warning("the run database %s failed: %s", self._url.database, error)
            if self._sqlite:
                # One that was opened while the file could only be read stays so for ever.
                self._engine.dispose()
            # Hosts and users, which PostgreSQL's own words name, are no business of visitors.
            cause = (
                str(getattr(error, "orig", error))
                if self._sqlite
                else "the PostgreSQL server did not answer or refused"
            )
            raise StoreUnavailable(
                f"The run database {self._name} cannot be used: {cause}."
            ) from error


class StorePart:
    """A part of `lrlab.runs.store.Store`, which is the whole.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database


def _upgrade(connection: Connection, version: int) -> int:
    """Bring tables of an older version up to this one, step by step; returns where they are now.

    In the transaction of the caller: all of it happens, or nothing.
    """
    while version in UPGRADES:
        for statement in UPGRADES[version]:
            connection.execute(text(statement))
        version += 1
        connection.execute(schema_version.update().values(version=version))
    return version


def _supported(url: str) -> URL:
    """The URL with the driver that LR Lab uses, or an error that says what is allowed."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    kind = parsed.drivername.partition("+")[0] if parsed else ""
    if parsed and kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed and kind == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite+pysqlite")
    # The value is not repeated: it may hold a password.
    raise StoreUnavailable(
        f"{DATABASE_VARIABLE} must be the URL of an SQLite file, such as "
        "sqlite:///.lrlab/lrlab.db, or of a PostgreSQL database, such as "
        "postgresql://user:password@host/database."
    )


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    # A write that began as a read can fail at once, without waiting, when another process has
    # written in between; taking the write lock first makes everybody wait their turn.
    writes = connection.get_execution_options().get("lrlab_writes", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")
