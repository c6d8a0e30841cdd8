"""How often a session polls running runs: less often when a whole class watches.

Streamlit's timers end only when the whole page is rerun, so a run's end makes every watching
session rerun its page; in a class the sessions take turns.
"""

from __future__ import annotations

import math
import random
import time
from threading import Lock
from typing import NamedTuple

import streamlit as st

from lrlab.ui.app.streamlit_internals import session_id


class PollIntervals(NamedTuple):
    """Seconds between two polls of a run's progress, of its charts, and of lists of runs."""

    progress: float
    charts: float
    lists: float


QUIET, CROWDED = PollIntervals(0.25, 1.0, 3.0), PollIntervals(1.0, 3.0, 10.0)
"""For up to `FEW_WATCHERS` watchers, and for a class."""

INTERVAL_JITTER = 0.15
"""In a class, each session's intervals differ from `CROWDED` by at most this share."""

BETWEEN_TURNS = 0.2
"""Seconds between two whole-page reruns in a class: each takes a core some 50 ms, and sessions that
still watch must get answers in between."""

FEW_WATCHERS = 5
WATCHING_SECONDS = 5.0
"""A session that has not polled for this long has left."""

_turn_lock = Lock()


def note_poll() -> None:
    """Count this session among the watchers."""
    session = session_id()
    if session:
        _watchers()[session] = time.monotonic()


def is_crowded() -> bool:
    """Whether more than `FEW_WATCHERS` sessions watch, so that each should poll less often."""
    now, watchers = time.monotonic(), _watchers()
    for session, polled_at in list(watchers.items()):
        if now - polled_at > WATCHING_SECONDS:
            watchers.pop(session, None)
    return len(watchers) > FEW_WATCHERS


def poll_intervals() -> PollIntervals:
    """How often to poll now.

    In a class, each session gets a random factor: sessions that opened the page at the same moment
    would otherwise poll at the same moments and wait for each other.
    """
    if not is_crowded():
        return QUIET
    factor = random.uniform(1 - INTERVAL_JITTER, 1 + INTERVAL_JITTER)
    return PollIntervals(*(factor * seconds for seconds in CROWDED))


def may_rerun() -> bool:
    """Whether a session may rerun its whole page now; if not, it asks again at its next poll."""
    if not is_crowded():
        return True
    with _turn_lock:
        now, turns = time.monotonic(), _turns()
        if now - turns["turn"] < BETWEEN_TURNS:
            return False
        turns["turn"] = now
        return True


@st.cache_resource(show_spinner=False)
def _turns() -> dict[str, float]:
    """When a session last had its turn to rerun, by the monotonic clock."""
    return {"turn": -math.inf}


@st.cache_resource(show_spinner=False)
def _watchers() -> dict[str, float]:
    """Session id -> time of the session's last poll, by the monotonic clock."""
    return {}
