"""How a run under way is looked at: how often, and read once for all who watch.

Streamlit's timers end only when the whole page is drawn anew, so a run's end asks for that of
everybody who watches; a class takes turns at it.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import pyarrow as pa
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lrlab.charts import PLANNED, curve_table, epoch_table, point_table
from lrlab.lines import rate_difference
from lrlab.plan import RunPlan
from lrlab.store import Run, State, Store
from lrlab.ui.show import compact


class Pace(NamedTuple):
    """Seconds between two looks at how far a run is, at its charts, and at lists of runs."""

    progress: float
    charts: float
    lists: float


QUIET, CROWDED = Pace(0.25, 1.0, 3.0), Pace(1.0, 3.0, 10.0)
"""For a handful of watchers, and for a class."""

OWN_PACE = 0.15
"""How much faster or slower one of a class looks than the others, at most, as a share."""

BETWEEN_TURNS = 0.2
"""Seconds from one whole page drawn anew to the next in a class: each takes a core some 50 ms, and
who still watches is to get an answer in between."""

FEW_WATCHERS = 5
WATCHING_SECONDS = 5.0
"""Who has not looked for so long has gone."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a run's page shows of it.

    Args:
        plan: the run's plan.
        points, epochs: what was measured, as the store gives it.
        measured, ends: the same as rows for charts.
        planned: the planned learning rate, as rows for charts.
        apart: the largest difference between planned and recorded learning rate, if both are
            known.
    """

    plan: RunPlan
    points: list[dict]
    epochs: list[dict]
    measured: pa.Table
    ends: pa.Table
    planned: pa.Table
    apart: float | None


def run_now(store: Store, run_id: int) -> Run:
    """The run as it is; in front of a class, as it was when one of them last looked.

    Raises:
        UnknownRun: there is none of this number.
    """
    if not is_crowded():
        return store.run(run_id)
    with _one_reads:
        return _run_at(store, run_id, _look())


def seen(store: Store, run: Run) -> Seen:
    """What there is to see of a run, read again only when the run has moved on; in front of a
    class, for all of them together once in the time between two looks."""
    crowded = run.state == "running" and is_crowded()
    moved = ("look", _look()) if crowded else ("step", run.step)
    with _one_reads:
        return _read(store, run.id, run.attempt, moved, run.state, run.phase)


_one_reads = Lock()
"""Thirty that look at the same moment find what the first of them has read."""

_one_turns = Lock()


def _look() -> int:
    """The number of the class's look that it is time for."""
    return int(time.monotonic() / CROWDED.progress)


@lru_cache(maxsize=128)
def _run_at(store: Store, run_id: int, _look: int) -> Run:
    return store.run(run_id)


@lru_cache(maxsize=128)
def _read(
    store: Store, run_id: int, _attempt: int, _moved: tuple[str, int], _state: State, _phase: str
) -> Seen:
    plan = RunPlan.from_dict(store.run(run_id).plan)
    points, epochs = store.points(run_id), store.epochs(run_id)
    return Seen(
        plan,
        points,
        epochs,
        compact(point_table(points, plan.steps_per_epoch)),
        compact(epoch_table(epochs)),
        compact(curve_table(plan.recipe, plan.total_steps, plan.steps_per_epoch, PLANNED)),
        rate_difference(plan.recipe, points),
    )


def note_look() -> None:
    """Count this session among the watchers."""
    context = get_script_run_ctx()
    if context:
        _watchers()[context.session_id] = time.monotonic()


def is_crowded() -> bool:
    """Whether so many watch runs under way that each should look less often."""
    now, watchers = time.monotonic(), _watchers()
    for session, looked in list(watchers.items()):
        if now - looked > WATCHING_SECONDS:
            watchers.pop(session, None)
    return len(watchers) > FEW_WATCHERS


def pace() -> Pace:
    """How often to look now. In a class everybody has a slightly different pace: who came at the
    same moment would else look at the same moment ever after, and wait for each other."""
    if not is_crowded():
        return QUIET
    own = random.uniform(1 - OWN_PACE, 1 + OWN_PACE)
    return Pace(*(own * seconds for seconds in CROWDED))


def has_turn() -> bool:
    """Whether a session may draw its whole page anew now; if not, it asks at its next look."""
    if not is_crowded():
        return True
    with _one_turns:
        now, last = time.monotonic(), _turns()
        if now - last["turn"] < BETWEEN_TURNS:
            return False
        last["turn"] = now
        return True


@st.cache_resource(show_spinner=False)
def _turns() -> dict[str, float]:
    """When a session last had its turn, by the monotonic clock."""
    return {"turn": -math.inf}


@st.cache_resource(show_spinner=False)
def _watchers() -> dict[str, float]:
    """When each session last looked, by the monotonic clock."""
    return {}
