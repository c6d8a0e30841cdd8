"""Opening the store's database and its transactions, with driver errors turned into plain text."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lrlab.runs.settings import DATABASE_VARIABLE
from lrlab.runs.store.schema import SCHEMA_VERSION, UPGRADES, metadata, schema_version

LOCK_TIMEOUT = 20.0
"""Seconds a transaction waits for another process's transaction. On PostgreSQL also how long a
transaction may stay idle, for example because its worker stalled. A process blocked by a stalled
worker therefore gets an error in time to end that worker."""

CONNECT_TIMEOUT = 10
"""Seconds a PostgreSQL server has to answer a new connection, and its machine to acknowledge sent
data."""

SCHEMA_LOCK = 0x4C524C6162
"""PostgreSQL's advisory lock (any fixed number) that is held while the tables are created."""

QUEUE_LOCK = SCHEMA_LOCK + 1
"""The advisory lock of transactions that decide based on the whole queue. SQLite needs none, since
only one connection can write at a time."""

logger = logging.getLogger("lrlab.runs.store")


class StoreError(Exception):
    """The store refused a request or failed; the message is for people."""


class StoreUnavailable(StoreError):
    """The database cannot be opened, read or written."""


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether an SQLite library has the fix of the WAL-reset race that can corrupt a database.

    Args:
        version: the library's version, such as ``sqlite3.sqlite_version_info``.

    Source: SQLite's notes on 3.51.3; the fix was backported to 3.50.7 and 3.44.6.
    """
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


class Database:
    """One database, open in one process; safe to use from many threads.

    Args:
        url: an SQLAlchemy URL of an SQLite file or a PostgreSQL database. The folder of an SQLite
            file, the file and the tables are created if missing.

    Raises:
        StoreUnavailable: the URL is not supported, the database cannot be opened, or its tables
            have another version.
    """

    def __init__(self, url: str) -> None:
        self._url = _supported_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        # Messages reach visitors, so they name the file without its folder; the log has both.
        self._name = Path(str(self._url.database)).name
        try:
            if self._sqlite:
                Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
            self._engine = self._create_engine()
        except OSError as error:
            logger.warning("cannot create the folder of %s: %s", self._url.database, error)
            raise StoreUnavailable(
                f"The folder of the run database {self._name} cannot be created: "
                f"{error.strerror}. Set {DATABASE_VARIABLE} to a writable location."
            ) from error
        except ImportError as error:
            raise StoreUnavailable(
                f"{DATABASE_VARIABLE} names a PostgreSQL database, but its driver is not "
                "installed: pip install 'psycopg[binary]'."
            ) from error
        if self._sqlite:
            event.listen(self._engine, "connect", _disable_driver_transactions)
            event.listen(self._engine, "begin", _begin)
        else:
            from lrlab.runs.store.postgres import connect

            event.listen(self._engine, "do_connect", connect)
        self._prepare()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short read-only transaction.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        with self._store_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, whole_queue: bool = False) -> Iterator[Connection]:
        """A transaction that is committed at the end and rolled back by any exception.

        Args:
            whole_queue: whether it decides based on the whole queue; such transactions exclude
                each other.

        Raises:
            StoreUnavailable: the database cannot be written.
        """
        writer = self._engine.execution_options(lrlab_writes=True)
        with self._store_errors(), writer.begin() as connection:
            if whole_queue:
                self._lock(connection, QUEUE_LOCK)
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _create_engine(self) -> Engine:
        # The values of a failed write do not belong in a log, least of all on a full disk.
        if self._sqlite:
            return create_engine(
                self._url, hide_parameters=True, connect_args={"timeout": LOCK_TIMEOUT}
            )
        milliseconds = round(LOCK_TIMEOUT * 1e3)
        limits = ("lock_timeout", "idle_in_transaction_session_timeout")
        return create_engine(
            self._url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={
                "options": " ".join(f"-c {name}={milliseconds}" for name in limits),
                "connect_timeout": CONNECT_TIMEOUT,
                # By default a system waits 15 minutes for a machine that was unplugged.
                "tcp_user_timeout": CONNECT_TIMEOUT * 1000,
                "keepalives_idle": CONNECT_TIMEOUT // 2,
                "keepalives_interval": CONNECT_TIMEOUT // 4,
                "keepalives_count": 2,
            },
        )

    def _prepare(self) -> None:
        """Create missing tables, upgrade older ones, and refuse any other version."""
        try:
            if self._sqlite:
                self._choose_journal()
            with self.writing() as connection:
                self._lock(connection, SCHEMA_LOCK)
                if not inspect(connection).has_table(schema_version.name):
                    metadata.create_all(connection, checkfirst=False)
                    connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
                version = connection.execute(select(schema_version.c.version)).scalar_one()
                version = _upgrade(connection, version)
            if version != SCHEMA_VERSION:
                logger.warning("%s has tables of version %s", self._url.database, version)
                age = "an older" if version < SCHEMA_VERSION else "a newer"
                move = f"move {self._name} away or " if self._sqlite else ""
                raise StoreUnavailable(
                    f"The run database {self._name} was created by {age} version of LR Lab: its "
                    f"tables have version {version}, but this LR Lab reads version "
                    f"{SCHEMA_VERSION}. Nothing was changed. To start with an empty database, "
                    f"{move}set {DATABASE_VARIABLE} to another one. To see or export its runs, "
                    "use the version of LR Lab that wrote it; see Settings in the README."
                )
        except StoreError:
            self.close()
            raise

    def _lock(self, connection: Connection, number: int) -> None:
        if not self._sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": number})

    def _choose_journal(self) -> None:
        mode = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"
        # The journal mode is stored in the file and cannot be changed inside a transaction, so this
        # uses the driver's cursor: SQLAlchemy would begin a transaction.
        with (
            self._store_errors(),
            self._engine.connect() as connection,
            closing(connection.connection.cursor()) as cursor,
        ):
            cursor.execute("pragma journal_mode")
            ((current,),) = cursor.fetchall()
            if current != mode:
                cursor.execute(f"pragma journal_mode = {mode}")

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        """Turn driver errors into `StoreUnavailable`."""
        try:
            yield
        except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
            logger.warning("the run database %s failed: %s", self._url.database, error)
            if self._sqlite:
                # A connection opened while the file was read-only stays read-only.
                self._engine.dispose()
            # PostgreSQL's own messages name hosts and users, which visitors must not see.
            cause = (
                str(getattr(error, "orig", error))
                if self._sqlite
                else "the PostgreSQL server did not answer or refused the request"
            )
            raise StoreUnavailable(
                f"The run database {self._name} cannot be used: {cause}."
            ) from error


class StorePart:
    """Base class of the parts of `lrlab.runs.store.Store`.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database


def _upgrade(connection: Connection, version: int) -> int:
    """Upgrade tables of an older version step by step and return the version reached.

    Runs in the caller's transaction, so all steps succeed or nothing changes.
    """
    while version in UPGRADES:
        for statement in UPGRADES[version]:
            connection.execute(text(statement))
        version += 1
        connection.execute(schema_version.update().values(version=version))
    return version


def _supported_url(url: str) -> URL:
    """The URL with the driver that LR Lab uses.

    Raises:
        StoreUnavailable: it is neither an SQLite file nor a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    kind = parsed.drivername.partition("+")[0] if parsed else ""
    if parsed and kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed and kind == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite+pysqlite")
    # The value may contain a password, so it is not repeated.
    raise StoreUnavailable(
        f"{DATABASE_VARIABLE} must be the URL of an SQLite file, such as "
        "sqlite:///.lrlab/lrlab.db, or of a PostgreSQL database, such as "
        "postgresql://user:password@host/database."
    )


def _disable_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    # A transaction that starts with a read and then writes can fail at once, without waiting, if
    # another process has written in between. Taking the write lock first makes it wait instead.
    writes = connection.get_execution_options().get("lrlab_writes", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")
