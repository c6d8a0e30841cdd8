"""The measurements of runs as CSV, one row per point or epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrlab.training.measurements import EPOCH_FIELDS, POINT_FIELDS, EpochRecord, Point

POINT_COLUMNS = ("step", *POINT_FIELDS)
EPOCH_COLUMNS = ("step", *EPOCH_FIELDS)
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet treats a text that starts with one of these as a formula and evaluates it."""


@dataclass(frozen=True)
class ExportedRun:
    """A run and those of its measurements that are exported.

    Args:
        run_id, name: the run's id and name.
        points, epochs: in the order of their steps; empty if they are not exported.
    """

    run_id: int
    name: str
    points: Sequence[Point] = ()
    epochs: Sequence[EpochRecord] = ()


def points_csv(runs: Iterable[ExportedRun]) -> str:
    """The points of runs in full precision.

    The columns are ``run``, ``name`` and `POINT_COLUMNS`; a value that was not measured is empty.
    Only one run is held in memory at a time.
    """
    return _csv(POINT_COLUMNS, ((run, run.points) for run in runs))


def epochs_csv(runs: Iterable[ExportedRun]) -> str:
    """The epochs of runs, like `points_csv`: ``run``, ``name`` and `EPOCH_COLUMNS`."""
    return _csv(EPOCH_COLUMNS, ((run, run.epochs) for run in runs))


def without_formula(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would treat it as a formula.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text


def _csv(
    columns: Sequence[str],
    tables: Iterable[tuple[ExportedRun, Sequence[Point] | Sequence[EpochRecord]]],
) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "name", *columns])
    for run, rows in tables:
        prefix = [run.run_id, without_formula(run.name)]
        writer.writerows([*prefix, *(getattr(row, column) for column in columns)] for row in rows)
    return text.getvalue()
