"""How often a session looks at runs under way: less often in front of a class, and in turns.

Streamlit's timers end only when the whole page is drawn anew, so a run's end asks for that of
everybody who watches; a class takes turns at it.
"""

from __future__ import annotations

import math
import random
import time
from threading import Lock
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


class PollIntervals(NamedTuple):
    """Seconds between two looks at how far a run is, at its charts, and at lists of runs."""

    progress: float
    charts: float
    lists: float


QUIET, CROWDED = PollIntervals(0.25, 1.0, 3.0), PollIntervals(1.0, 3.0, 10.0)
"""For a handful of watchers, and for a class."""

OWN_PACE = 0.15
"""How much faster or slower one of a class looks than the others, at most, as a share."""

BETWEEN_TURNS = 0.2
"""Seconds from one whole page drawn anew to the next in a class: each takes a core some 50 ms, and
who still watches is to get an answer in between."""

FEW_WATCHERS = 5
WATCHING_SECONDS = 5.0
"""Who has not looked for so long has gone."""

_one_turns = Lock()


def note_poll() -> None:
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


def poll_intervals() -> PollIntervals:
    """How often to look now. In a class everybody has a slightly different pace: who came at the
    same moment would else look at the same moment ever after, and wait for each other."""
    if not is_crowded():
        return QUIET
    own = random.uniform(1 - OWN_PACE, 1 + OWN_PACE)
    return PollIntervals(*(own * seconds for seconds in CROWDED))


def may_rerun() -> bool:
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
