"""Runs as CSV: what they measured, one row a point or an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrlab.training.measurements import (
    EPOCH_FIELDS,
    POINT_FIELDS,
    EpochRecord,
    Point,
    RunHistory,
)

POINT_COLUMNS = ("step", *POINT_FIELDS)
EPOCH_COLUMNS = ("step", *EPOCH_FIELDS)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula, and runs it."""


@dataclass(frozen=True)
class ExportedRun:
    """A run and what it measured.

    Args:
        number, name: of the run.
        history: its points and epochs.
    """

    number: int
    name: str
    history: RunHistory


def points_csv(runs: Iterable[ExportedRun]) -> str:
    """What runs measured between epochs, in full precision: ``run``, ``name``, `POINT_COLUMNS`,
    empty where it was not measured. Only one run is held at a time."""
    return _csv(POINT_COLUMNS, ((run, run.history.points) for run in runs))


def epochs_csv(runs: Iterable[ExportedRun]) -> str:
    """What runs measured as each epoch ended: ``run``, ``name``, `EPOCH_COLUMNS`, as for
    `points_csv`."""
    return _csv(EPOCH_COLUMNS, ((run, run.history.epochs) for run in runs))


def without_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that would begin so gets an apostrophe.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _csv(
    columns: Sequence[str],
    tables: Iterable[tuple[ExportedRun, Sequence[Point] | Sequence[EpochRecord]]],
) -> str:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["run", "name", *columns])
    for run, rows in tables:
        named = [run.number, without_formula(run.name)]
        writer.writerows([*named, *(getattr(row, column) for column in columns)] for row in rows)
    return lines.getvalue()
