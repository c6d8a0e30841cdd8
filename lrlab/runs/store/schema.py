"""The tables of the store. Any change here needs a new `SCHEMA_VERSION`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from lrlab.runs.store.states import GROUP_KINDS, TRANSITIONS

SCHEMA_VERSION = 4

UPGRADES: Mapping[int, tuple[str, ...]] = {
    3: (
        "alter table runs add column diverged boolean not null default false",
        "update runs set diverged = true where state = 'finished' and reason like 'diverged%'",
    ),
}
"""Older version -> the statements that upgrade its tables to the next version. Version 3 recorded a
divergence only in the reason."""

MAX_ID = 2**31 - 1
"""The largest id of a run or group."""


class _SqliteReal(UserDefinedType[float | str]):
    """A REAL column without conversion: SQLAlchemy's own type would convert the text NaN to NaN."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "REAL"


class Number(TypeDecorator[float]):
    """A double that preserves NaN and infinities.

    SQLite stores NaN as NULL, so NaN is stored there as the text ``NaN``, which a REAL column
    leaves unchanged. Infinities, and PostgreSQL, need no conversion.
    """

    impl = Double
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_SqliteReal() if dialect.name == "sqlite" else Double())

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | str | None:
        if value is None:
            return None
        number = float(value)
        return "NaN" if dialect.name == "sqlite" and math.isnan(number) else number

    def process_result_value(self, value: float | str | None, dialect: Dialect) -> float | None:
        return None if value is None else float(value)


class Id(TypeDecorator[int]):
    """The id of a run or group.

    An id outside the column's range is queried as NULL, which matches no row.
    """

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return value if value is not None and 0 < value <= MAX_ID else None


metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("server", Text),
    Column("ready", Boolean, nullable=False),
    Column("beat", Double, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("beat", Integer, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("turn", Integer, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("created", Double, nullable=False),
    CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in GROUP_KINDS)})"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("group", ForeignKey(groups.c.id)),
    Column("notes", Text, nullable=False, default=""),
    Column("tags", Text, nullable=False, default="[]"),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    # The database's default, as in tables upgraded from version 3.
    Column("diverged", Boolean, nullable=False, server_default=false()),
    Column("plan", Text, nullable=False),
    Column("data_source", Text, nullable=False, default=""),
    Column("way", Text, key="compile_mode", nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("resumed", Text, nullable=False, default=""),
    Column("worker", Text),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("stop_requested", Double),
    Column("stop_reason", Text, nullable=False, default=""),
    Column("phase", Text, nullable=False, default=""),
    Column("step", Integer, nullable=False, default=0),
    Column("total_steps", Integer, nullable=False),
    Column("test_loss", Number),
    Column("test_accuracy", Number),
    Column("size", Integer, nullable=False, default=0),
    CheckConstraint(f"state in ({', '.join(repr(state) for state in TRANSITIONS)})"),
    Index("runs_by_state", "state", "id"),
    Index("runs_by_group", "group", "id"),
    # Without it SQLite reuses the id of the newest run after that run is deleted, and a worker
    # still writing for the deleted run would write into another run.
    sqlite_autoincrement=True,
)

metrics = Table(
    "metrics",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("value", Number, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
