"""A run's measurements and chart tables, read once for all sessions that watch the run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import pyarrow as pa

from lrlab.charts import PLANNED, curve_table, epoch_table, point_table
from lrlab.experiments.run_series import max_rate_difference
from lrlab.runs.store import Run, State, Store
from lrlab.training.measurements import RunHistory
from lrlab.ui.app.chart_element import compact
from lrlab.ui.app.polling import CROWDED, is_crowded


@dataclass(frozen=True, eq=False)
class CachedRun:
    """A run's history and its tables for charts.

    Args:
        history: what the run measured.
        point_rows, epoch_rows: the history as rows for charts.
        planned_rows: the planned learning rate as rows for charts.
        rate_difference: the largest difference between planned and recorded learning rate; None
            if either is unknown.
    """

    history: RunHistory
    point_rows: pa.Table
    epoch_rows: pa.Table
    planned_rows: pa.Table
    rate_difference: float | None


def current_run(store: Store, run_id: int) -> Run:
    """The run's current row; while many watch, at most one poll interval old.

    Raises:
        UnknownRun: no run has this number.
    """
    if not is_crowded():
        return store.run(run_id)
    with _reading:
        return _run_at(store, run_id, _poll_number())


def cached_run(store: Store, run: Run) -> CachedRun:
    """The run's measurements, read again only after the run has moved on; while many watch, only
    once per poll interval for all of them."""
    crowded = run.state == "running" and is_crowded()
    version = ("poll", _poll_number()) if crowded else ("step", run.step)
    with _reading:
        return _read(store, run.id, run.attempt, version, run.state, run.phase)


_reading = Lock()
"""Sessions that poll at the same moment wait for the first one's read and share it."""


def _poll_number() -> int:
    """The number of the current poll interval, the same for all sessions."""
    return int(time.monotonic() / CROWDED.progress)


@lru_cache(maxsize=128)
def _run_at(store: Store, run_id: int, _poll: int) -> Run:
    return store.run(run_id)


@lru_cache(maxsize=128)
def _read(
    store: Store, run_id: int, _attempt: int, _version: tuple[str, int], _state: State, _phase: str
) -> CachedRun:
    history = store.history(store.run(run_id))
    plan = history.plan
    return CachedRun(
        history,
        compact(point_table(history.points, plan.steps_per_epoch)),
        compact(epoch_table(history.epochs)),
        compact(curve_table(plan.recipe, plan.total_steps, plan.steps_per_epoch, PLANNED)),
        max_rate_difference(plan.recipe, history.points),
    )
