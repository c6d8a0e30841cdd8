"""The seeds of one recipe watched as one: how far they are, their mean, and each by itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lrlab.experiments.run_list import progress, state_summary
from lrlab.runs.store import ENDED, Group, Run
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.access_codes import instructor_code, is_instructor
from lrlab.ui.runs.comparison import POLL_SECONDS, cached_runs_of, curves, lines_for
from lrlab.ui.runs.epoch_snapshots import epoch_snapshots_view
from lrlab.ui.runs.run_view import run_view

ALL = "all"

FAULTS = ("failed", "interrupted")
"""States whose reason is told of each run of a group."""


def seeds_view(group: Group) -> None:
    """Draw all runs of a group of seeds, and keep them up to date while any is under way."""
    runs = server().store.runs(group=group.id)[::-1]
    active = any(run.state not in ENDED for run in runs)
    with st.container(border=True):
        st.fragment(_watch_progress, run_every=POLL_SECONDS if active else None)(group, active)
        seeds = {ALL: "all together"} | {run.id: f"seed {run.plan.seed}" for run in runs}
        shown = st.segmented_control(
            "Look at",
            list(seeds),
            default=ALL,
            required=True,
            format_func=seeds.__getitem__,
            key=f"group.{group.id}.{len(runs)}",
        )
    if shown == ALL:
        st.fragment(_watch_curves, run_every=POLL_SECONDS if active else None)(group)
    else:
        run_view(shown)
        epoch_snapshots_view(server().store.run(shown))


def _watch_progress(group: Group, was_active: bool) -> None:
    with report_store_errors():
        runs = server().store.runs(group=group.id)[::-1]
        if not runs or (was_active and all(run.state in ENDED for run in runs)):
            # Without runs it was deleted elsewhere, and the page no longer draws it.
            st.rerun()
        group_progress(group, runs)


def group_progress(group: Group, runs: Sequence[Run]) -> None:
    """One line of state for all runs of a group, one progress bar, and one button to stop them."""
    title, stop = st.columns([8, 3], vertical_alignment="center")
    title.text(f"Group {group.id}: {group.name}")
    waiting = [run for run in runs if run.state not in ENDED]
    if waiting and (group.owner == browser() or is_instructor()):
        stopping = all(run.stop_requested for run in waiting)
        stop.button(
            "Stopping…" if stopping else "Stop all",
            icon=":material/stop:",
            on_click=_stop_all,
            args=([run.id for run in waiting],),
            disabled=stopping,
            help="End all runs of this group and keep what was measured.",
            width="stretch",
            key=f"stop.group.{group.id}",
        )
    said = state_summary(runs)
    said = f"{len(runs)} runs: {said}." if len(runs) > 1 else f"{said.capitalize()}."
    st.progress(progress(runs), said)
    for reason in dict.fromkeys(run.reason for run in runs if run.state in FAULTS):
        st.text(f"{reason[0].upper()}{reason[1:]}.")


def _stop_all(ids: Sequence[int]) -> None:
    with report_store_errors():
        for run_id in ids:
            server().store.request_stop(run_id, by=browser() or "", code=instructor_code())


def _watch_curves(group: Group) -> None:
    with report_store_errors():
        lines = lines_for(server().store.runs(group=group.id)[::-1])
        curves(lines, cached_runs_of(lines), f"group.{group.id}")
