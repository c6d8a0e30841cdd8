"""What is looked at of a run under way, read once for all who watch."""

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
    """What a run's page shows of it.

    Args:
        history: what it measured.
        point_rows, epoch_rows: the same as rows for charts.
        planned_rows: the planned learning rate, as rows for charts.
        rate_difference: the largest difference between planned and recorded learning rate, if
            both are known.
    """

    history: RunHistory
    point_rows: pa.Table
    epoch_rows: pa.Table
    planned_rows: pa.Table
    rate_difference: float | None


def run_now(store: Store, run_id: int) -> Run:
    """The run as it is; in front of a class, as it was when one of them last looked.

    Raises:
        UnknownRun: there is none of this number.
    """
    if not is_crowded():
        return store.run(run_id)
    with _one_reads:
        return _run_at(store, run_id, _look())


def cached_run(store: Store, run: Run) -> CachedRun:
    """What there is to see of a run, read again only when the run has moved on; in front of a
    class, for all of them together once in the time between two looks."""
    crowded = run.state == "running" and is_crowded()
    moved = ("look", _look()) if crowded else ("step", run.step)
    with _one_reads:
        return _read(store, run.id, run.attempt, moved, run.state, run.phase)


_one_reads = Lock()
"""Thirty that look at the same moment find what the first of them has read."""


def _look() -> int:
    """The number of the class's look that it is time for."""
    return int(time.monotonic() / CROWDED.progress)


@lru_cache(maxsize=128)
def _run_at(store: Store, run_id: int, _look: int) -> Run:
    return store.run(run_id)


@lru_cache(maxsize=128)
def _read(
    store: Store, run_id: int, _attempt: int, _moved: tuple[str, int], _state: State, _phase: str
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
