"""Runs and their metrics in SQLite or PostgreSQL; the only SQL of LR Lab."""

from __future__ import annotations

from lrlab.store.database import StoreError, StoreUnavailable, wal_is_safe
from lrlab.store.rows import (
    IllegalTransition,
    NotAllowed,
    QueueFull,
    StaleAttempt,
    UnknownRun,
    WriteRefused,
)
from lrlab.store.states import (
    ENDED,
    GROUP_KINDS,
    RESUMABLE,
    TRANSITIONS,
    Group,
    GroupKind,
    Lease,
    Place,
    Run,
    State,
    WorkerRecord,
)
from lrlab.store.store import Store

__all__ = [
    "ENDED",
    "GROUP_KINDS",
    "RESUMABLE",
    "TRANSITIONS",
    "Group",
    "GroupKind",
    "IllegalTransition",
    "Lease",
    "NotAllowed",
    "Place",
    "QueueFull",
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
