"""Runs as CSV: what they measured, one row a point or an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.measures import EPOCH_FIELDS, POINT_FIELDS

POINT_COLUMNS = ("step", *POINT_FIELDS)
EPOCH_COLUMNS = ("step", *EPOCH_FIELDS)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula, and runs it."""


@dataclass(frozen=True)
class Measured:
    """A run and what it measured, as the store gives it.

    Args:
        number, name: of the run.
        points: `POINT_COLUMNS`, of the last two those that were measured there.
        epochs: `EPOCH_COLUMNS`.
    """

    number: int
    name: str
    points: Sequence[Mapping[str, Any]]
    epochs: Sequence[Mapping[str, Any]]


def points_csv(runs: Iterable[Measured]) -> str:
    """What runs measured between epochs, in full precision: ``run``, ``name``, `POINT_COLUMNS`,
    empty where it was not measured. Only one run is held at a time."""
    return _csv(POINT_COLUMNS, ((run, run.points) for run in runs))


def epochs_csv(runs: Iterable[Measured]) -> str:
    """What runs measured as each epoch ended: ``run``, ``name``, `EPOCH_COLUMNS`, as for
    `points_csv`."""
    return _csv(EPOCH_COLUMNS, ((run, run.epochs) for run in runs))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that would begin so gets an apostrophe.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _csv(
    columns: Sequence[str], tables: Iterable[tuple[Measured, Sequence[Mapping[str, Any]]]]
) -> str:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["run", "name", *columns])
    for run, rows in tables:
        named = [run.number, harmless(run.name)]
        writer.writerows([*named, *(row.get(column) for column in columns)] for row in rows)
    return lines.getvalue()
