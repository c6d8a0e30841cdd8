"""Run storage in SQLite or PostgreSQL; the only SQL in LR Lab."""

from __future__ import annotations

from lrlab.runs.store.database import StoreError, StoreUnavailable, wal_is_safe
from lrlab.runs.store.run_rows import (
    IllegalTransition,
    NotAllowed,
    QueueFull,
    StaleAttempt,
    UnknownRun,
    WriteRefused,
)
from lrlab.runs.store.states import (
    ENDED,
    RESUMABLE,
    TRANSITIONS,
    Group,
    GroupKind,
    Lease,
    QueuePosition,
    Run,
    State,
    WorkerRecord,
)
from lrlab.runs.store.store import Store

__all__ = [
    "ENDED",
    "RESUMABLE",
    "TRANSITIONS",
    "Group",
    "GroupKind",
    "IllegalTransition",
    "Lease",
    "NotAllowed",
    "QueueFull",
    "QueuePosition",
    "Run",
    "StaleAttempt",
    "State",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "UnknownRun",
    "WorkerRecord",
    "WriteRefused",
    "wal_is_safe",
]
