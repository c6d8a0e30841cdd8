"""The view of a seed group: its progress, the mean over its seeds, and each run on its own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lrlab.experiments.run_list import progress, state_summary
from lrlab.runs.store import ENDED, Group, Run
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.access_codes import instructor_code, is_instructor
from lrlab.ui.runs.comparison import POLL_SECONDS, cached_series, curves, run_series
from lrlab.ui.runs.epoch_snapshots import epoch_snapshots_view
from lrlab.ui.runs.run_view import run_view

ALL = "all"

FAULTS = ("failed", "interrupted")
"""States for which a group shows the reason of each run."""


def seeds_view(group: Group) -> None:
    """Draw all runs of a seed group, and keep them up to date while any of them is active."""
    runs = server().store.runs(group=group.id)[::-1]
    active = any(run.state not in ENDED for run in runs)
    with st.container(border=True):
        st.fragment(_watch_progress, run_every=POLL_SECONDS if active else None)(group, active)
        labels: dict[str | int, str] = {ALL: "all together"}
        labels |= {run.id: f"seed {run.setting('seed')}" for run in runs}
        shown = st.segmented_control(
            "Show",
            list(labels),
            default=ALL,
            required=True,
            format_func=labels.__getitem__,
            key=f"group.{group.id}.{len(runs)}",
        )
    if isinstance(shown, int):
        run_view(shown)
        epoch_snapshots_view(server().store.run(shown))
    else:
        st.fragment(_watch_curves, run_every=POLL_SECONDS if active else None)(group)


def _watch_progress(group: Group, was_active: bool) -> None:
    with report_store_errors():
        runs = server().store.runs(group=group.id)[::-1]
        if not runs or (was_active and all(run.state in ENDED for run in runs)):
            # A group without runs was deleted in another session; a rerun stops drawing it.
            st.rerun()
        group_progress(group, runs)


def group_progress(group: Group, runs: Sequence[Run]) -> None:
    """Draw a group's name, the states of its runs, one progress bar and one button to stop all."""
    title, stop = st.columns([8, 3], vertical_alignment="center")
    title.text(f"Group {group.id}: {group.name}")
    active = [run for run in runs if run.state not in ENDED]
    if active and (group.owner == browser() or is_instructor()):
        stopping = all(run.stop_requested for run in active)
        stop.button(
            "Stopping…" if stopping else "Stop all",
            icon=":material/stop:",
            on_click=_stop_all,
            args=([run.id for run in active],),
            disabled=stopping,
            help="End all runs of this group and keep their measurements.",
            width="stretch",
            key=f"stop.group.{group.id}",
        )
    summary = state_summary(runs)
    text = f"{len(runs)} runs: {summary}." if len(runs) > 1 else f"{summary.capitalize()}."
    st.progress(progress(runs), text)
    for reason in dict.fromkeys(run.reason for run in runs if run.state in FAULTS):
        st.text(f"{reason[0].upper()}{reason[1:]}.")


def _stop_all(ids: Sequence[int]) -> None:
    with report_store_errors():
        for run_id in ids:
            server().store.request_stop(run_id, by=browser() or "", code=instructor_code())


def _watch_curves(group: Group) -> None:
    with report_store_errors():
        series = run_series(server().store.runs(group=group.id)[::-1])
        curves(series, cached_series(series), f"group.{group.id}")
