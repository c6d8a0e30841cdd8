"""The table of all runs: filtered, sorted, and ticked to open one or to compare several."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

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

MAX_ENTRIES = 200
"""Entries listed, newest first."""

ANY = "any"

GROUP_HELP = "For seeds: their mean; for a sweep: its best run."

_TICKED = "runs.ticked"
"""Session key: whether ticks have changed since the page was last drawn."""

_ADDRESS = "runs.seen"
"""Session key of the run numbers that the address held when it was last compared."""

_TABLE_VERSION = "runs.turn"
"""Session key of a number in the table's key; it grows when the address changes elsewhere."""


class _Filters(NamedTuple):
    own: bool
    text: str
    state: str | None
    tag: str | None
    grouped: bool


def run_table() -> None:
    """Draw the filters and the table, polled while any run is active; ticks go into the address."""
    active = server().store.has_active_runs()
    st.fragment(_refresh, run_every=poll_intervals().lists if active else None)(active)


def _refresh(was_active: bool) -> None:
    with report_store_errors():
        _table(was_active)


def _table(was_active: bool) -> None:
    if st.session_state.pop(_TICKED, False):
        # The ticked runs are drawn outside this fragment.
        st.rerun()
    store = server().store
    filters = _filter_controls()
    if was_active and not store.has_active_runs() and may_rerun():
        st.rerun()
    runs = store.runs(browser() or "" if filters.own else None)
    groups = store.groups() if filters.grouped else []
    entries = filter_entries(list_entries(runs, groups), filters.text, filters.state, filters.tag)
    if not entries:
        st.caption(_empty_text(filters.own, bool(runs)))
        return
    shown = entries[:MAX_ENTRIES]
    rows = _rows(shown)
    key, ticked = _key_and_ticked_rows(shown)
    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        height=min(36 * len(rows) + 40, 330),
        on_select=partial(_select_ticked, shown, key),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked, "columns": [], "cells": []}},
        placeholder="–",
        alt="Table of runs. Tick a row to open a run, several to compare them.",
        # A window of 800 pixels fits the columns up to the best accuracy, one of 1280 pixels those
        # up to the seconds.
        column_config={
            "run": st.column_config.NumberColumn("Run", format="%d", width=50),
            "name": st.column_config.TextColumn("Name", width=160),
            "state": st.column_config.TextColumn("State", width=112),
            "best": st.column_config.NumberColumn(
                "Best acc.",
                format="percent",
                width=78,
                help=f"The highest validation accuracy of all epochs. {GROUP_HELP}",
            ),
            "last": st.column_config.NumberColumn(
                "Last acc.",
                format="percent",
                width=76,
                help=f"Validation accuracy after the last epoch. {GROUP_HELP}",
            ),
            "curve": st.column_config.LineChartColumn(
                "Accuracy", width=80, help=f"Validation accuracy by epoch. {GROUP_HELP}"
            ),
            "recipe": st.column_config.TextColumn("Recipe", width=150),
            "seconds": st.column_config.NumberColumn(
                "Seconds", format="%.1f", width=72, help="For a group: all its runs together."
            ),
            "tags": st.column_config.ListColumn("Tags", width="small"),
            "queued": st.column_config.DatetimeColumn("Queued", format="distance"),
        },
    )
    if len(entries) > MAX_ENTRIES:
        st.caption(
            f"The newest {MAX_ENTRIES} of {len(entries)}; use the filters to find the others."
        )


def _filter_controls() -> _Filters:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Whose", ["Mine", "All"], default="Mine", required=True, key="runs.whose"
        )
        text = st.text_input("Find", key="runs.find", placeholder="name, tag or note", width=200)
        state = st.selectbox("State", [ANY, *TRANSITIONS], key="runs.state", width=140)
        tags = {tag for run in server().store.runs() for tag in run.tags}
        tag = st.selectbox("Tag", [ANY, *sorted(tags)], key="runs.tag", width=140)
        grouped = st.toggle(
            "One row per group",
            True,
            key="runs.together",
            help="Runs that were queued together, such as the seeds of one recipe.",
        )
    return _Filters(
        whose == "Mine",
        text,
        None if state == ANY else state,
        None if tag == ANY else tag,
        grouped,
    )


def _empty_text(own: bool, filtered: bool) -> str:
    if filtered:
        return "No run matches these filters."
    text = "You have no runs yet." if own else "There are no runs yet."
    return f"{text} Start one on the Train page."


def _rows(entries: Sequence[RunListEntry]) -> pd.DataFrame:
    ids = [run_id for entry in entries for run_id in entry.ids]
    epochs = server().store.epochs_of(ids)
    now = time.time()
    rows = []
    for entry in entries:
        curve = accuracy_curve(entry, epochs)
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
    """The entry's state; for a single running run with its progress."""
    return f"running, {entry.done:.0%}" if entry.state == "running" else entry.state


def _key_and_ticked_rows(entries: Sequence[RunListEntry]) -> tuple[str, list[int]]:
    """The table's key, and the rows that are ticked initially.

    Streamlit keeps ticks by row, so the table gets a new key when the rows change, and when the
    address changes by other means than a tick (a link, the browser's Back).
    """
    selected, state = selected_runs(), st.session_state
    if state.get(_ADDRESS) != selected:
        state[_ADDRESS] = selected
        state[_TABLE_VERSION] = state.get(_TABLE_VERSION, 0) + 1
    rows = [i for i, entry in enumerate(entries) if set(entry.ids) <= set(selected)]
    entry_ids = tuple(entry.ids for entry in entries)
    return f"runs.table.{state[_TABLE_VERSION]}.{hash(entry_ids)}", rows


def _select_ticked(entries: Sequence[RunListEntry], key: str) -> None:
    """Put the ticked runs into the address; runs hidden by the filters stay selected."""
    rows = st.session_state[key]["selection"]["rows"]
    ticked = [run_id for row in rows for run_id in entries[row].ids]
    shown = {run_id for entry in entries for run_id in entry.ids}
    remaining = [run_id for run_id in selected_runs() if run_id not in shown or run_id in ticked]
    selected = tuple(dict.fromkeys([*remaining, *ticked]))
    select_runs(selected)
    st.session_state[_ADDRESS] = selected
    st.session_state[_TICKED] = True


def existing_runs(ids: Sequence[int]) -> list[Run]:
    """The runs with these numbers, in this order; a warning names those that do not exist."""
    runs = {run.id: run for run in server().store.runs()}
    missing = [str(run_id) for run_id in ids if run_id not in runs]
    if missing:
        st.warning(
            f"There is no run {' or '.join(missing)}; it may have been deleted.",
            icon=":material/link_off:",
        )
    return [runs[run_id] for run_id in ids if run_id in runs]
