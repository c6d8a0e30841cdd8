"""The table of all runs: filtered, sorted, and ticked to look at one or to compare several."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from lrlab.experiments.run_list import (
    RunListEntry,
    accuracy_curve,
    filter_entries,
    list_entries,
    training_seconds,
)
from lrlab.runs.store import TRANSITIONS, Run
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.polling import may_rerun, poll_intervals
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.run_selection import select_runs, selected_runs

MOST = 200
"""Entries listed, the newest."""

ANY = "any"

OF_GROUPS = "Of seeds: their mean; of a sweep: its best run."

_CHANGED = "runs.ticked"
_SEEN = "runs.seen"
_TURN = "runs.turn"


def run_table() -> None:
    """The filters and the table; what is ticked is put into the address. Kept up to date while
    any run is under way."""
    active = server().store.has_active_runs()
    st.fragment(_refresh, run_every=poll_intervals().lists if active else None)(active)


def _refresh(was_active: bool) -> None:
    with report_store_errors():
        _table(was_active)


def _table(was_active: bool) -> None:
    if st.session_state.pop(_CHANGED, False):
        # What is ticked is drawn outside this part of the page.
        st.rerun()
    store = server().store
    whose, text, state, tag, together = _filters()
    if was_active and not store.has_active_runs() and may_rerun():
        st.rerun()
    runs = store.runs(browser() or "" if whose == "Mine" else None)
    groups = store.groups() if together else []
    entries = filter_entries(list_entries(runs, groups), text, state, tag)
    if not entries:
        st.caption(_nothing(whose, bool(runs)))
        return
    shown = entries[:MOST]
    rows = _rows(shown)
    key, ticked = _ticks(shown)
    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        height=min(36 * len(rows) + 40, 330),
        on_select=partial(_tick, shown, key),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked, "columns": [], "cells": []}},
        placeholder="–",
        alt="Table of runs. Tick rows to look at a run or to compare several.",
        # All up to the best accuracy fit a window of 800 pixels, all up to the seconds one of 1280.
        column_config={
            "run": st.column_config.NumberColumn("Run", format="%d", width=50),
            "name": st.column_config.TextColumn("Name", width=160),
            "state": st.column_config.TextColumn("State", width=112),
            "best": st.column_config.NumberColumn(
                "Best acc.",
                format="percent",
                width=78,
                help=f"The highest validation accuracy of all epochs. {OF_GROUPS}",
            ),
            "last": st.column_config.NumberColumn(
                "Last acc.",
                format="percent",
                width=76,
                help=f"Validation accuracy after the last epoch. {OF_GROUPS}",
            ),
            "curve": st.column_config.LineChartColumn(
                "Accuracy", width=80, help=f"Validation accuracy by epoch. {OF_GROUPS}"
            ),
            "recipe": st.column_config.TextColumn("Recipe", width=150),
            "seconds": st.column_config.NumberColumn(
                "Seconds", format="%.1f", width=72, help="Of all runs of a group together."
            ),
            "tags": st.column_config.ListColumn("Tags", width="small"),
            "queued": st.column_config.DatetimeColumn("Queued", format="distance"),
        },
    )
    if len(entries) > MOST:
        st.caption(f"The newest {MOST} of {len(entries)}; the filters find the others.")


def _filters() -> tuple[str, str, str | None, str | None, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Whose", ["Mine", "All"], default="Mine", required=True, key="runs.whose"
        )
        text = st.text_input("Find", key="runs.find", placeholder="name, tag or note", width=200)
        state = st.selectbox("State", [ANY, *TRANSITIONS], key="runs.state", width=140)
        known = {tag for run in server().store.runs() for tag in run.tags}
        tag = st.selectbox("Tag", [ANY, *sorted(known)], key="runs.tag", width=140)
        together = st.toggle(
            "A group is one row",
            True,
            key="runs.together",
            help="Runs that were queued together, such as the seeds of one recipe.",
        )
    return whose, text, *(None if value == ANY else value for value in (state, tag)), together


def _nothing(whose: str, filtered: bool) -> str:
    if filtered:
        return "No run matches these filters."
    none = "You have no runs yet." if whose == "Mine" else "There are no runs yet."
    return f"{none} Start one on the Train page."


def _rows(entries: Sequence[RunListEntry]) -> pd.DataFrame:
    every = [run for entry in entries for run in entry.runs]
    measured = server().store.epochs_of([run.id for run in every])
    now = time.time()
    rows = []
    for entry in entries:
        curve = accuracy_curve(entry, measured)
        rows.append(
            {
                "run": entry.ids[0],
                "name": entry.name,
                "state": _state(entry),
                "best": max(curve) if curve else None,
                "last": curve[-1] if curve else None,
                "curve": curve,
                "recipe": entry.recipe,
                "seconds": training_seconds(entry.runs, now),
                "tags": list(entry.tags),
                "queued": datetime.fromtimestamp(entry.runs[-1].created, UTC),
            }
        )
    return pd.DataFrame(rows)


def _state(entry: RunListEntry) -> str:
    """A running run's state also says how far it is; a group's tells how many have ended."""
    return f"running, {entry.done:.0%}" if entry.state == "running" else entry.state


def _ticks(entries: Sequence[RunListEntry]) -> tuple[str, list[int]]:
    """The table's key, and the rows that are ticked in it from the start.

    A table keeps its ticks by row, so another list of rows, or another address (a link, Back)
    makes another table.
    """
    picked, state = selected_runs(), st.session_state
    if state.get(_SEEN) != picked:
        state[_SEEN] = picked
        state[_TURN] = state.get(_TURN, 0) + 1
    rows = [i for i, entry in enumerate(entries) if set(entry.ids) <= set(picked)]
    return f"runs.table.{state[_TURN]}.{hash(tuple(entry.ids for entry in entries))}", rows


def _tick(entries: Sequence[RunListEntry], key: str) -> None:
    """Put what is ticked into the address; runs that the filters hide stay picked."""
    rows = st.session_state[key]["selection"]["rows"]
    ticked = [run_id for row in rows for run_id in entries[row].ids]
    shown = {run_id for entry in entries for run_id in entry.ids}
    kept = [run_id for run_id in selected_runs() if run_id not in shown or run_id in ticked]
    picked = tuple(dict.fromkeys([*kept, *ticked]))
    select_runs(picked)
    st.session_state[_SEEN] = picked
    st.session_state[_CHANGED] = True


def known_runs(ids: Sequence[int]) -> list[Run]:
    """Those of these runs that there are, in the order given."""
    found = {run.id: run for run in server().store.runs()}
    missing = [str(run_id) for run_id in ids if run_id not in found]
    if missing:
        st.warning(
            f"There is no run {', '.join(missing)}; it may have been deleted.",
            icon=":material/link_off:",
        )
    return [found[run_id] for run_id in ids if run_id in found]
