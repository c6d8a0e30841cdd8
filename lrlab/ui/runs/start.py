"""Starting runs: the start button, the presets, and notes on the engine and the data."""

from __future__ import annotations

import streamlit as st

from lrlab.controls.draft import draft_of
from lrlab.datasets.sources import FETCH_HINT, find_source
from lrlab.recipes.plan import PRESETS, RunPlan, seed_plans
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.session_draft import put_draft
from lrlab.ui.runs.access_codes import class_code
from lrlab.ui.runs.recent_runs import OPEN_RUN

_QUEUED = "start.queued"
"""Session key: whether the last press of the button queued a run."""

MAX_SEEDS = 20
"""Seeds that can be started at once."""

STARTING_POLL_SECONDS = 2.0
"""Poll interval while a worker is starting."""


def start_row(plan: RunPlan) -> None:
    """Draw the start button with the number of seeds, and a button for each notebook exercise."""
    columns = st.columns([2, 3, *(3 for _ in PRESETS)], gap="medium", vertical_alignment="bottom")
    with columns[0]:
        seeds = st.number_input(
            "Seeds",
            1,
            MAX_SEEDS,
            key="start.seeds",
            persist_state="session",
            help="Train the recipe with this many seeds, counting up from the run's own. A single "
            "run says little: another seed may give a different result.",
        )
    with columns[1]:
        start_button(plan, "Start" if seeds == 1 else f"Start {seeds} runs", seeds)
    for column, (title, preset) in zip(columns[2:], PRESETS.items(), strict=True):
        column.button(
            title,
            icon=":material/school:",
            on_click=put_draft,
            args=(draft_of(preset),),
            help="Load this exercise's recipe and run settings, then press Start.",
            width="stretch",
        )


def start_button(plan: RunPlan, label: str, seeds: int = 1) -> bool:
    """Draw the button that queues the planned run.

    Args:
        plan: the planned run.
        label: the button's label.
        seeds: how many seeds to train; more than one are queued as a group.

    Returns:
        Whether this press of the button has queued the run or the group.
    """
    pressed = st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(plan, seeds),
        disabled=browser() is None,
        help="Train this recipe in the background; you can leave the page meanwhile.",
        width="stretch",
    )
    return pressed and bool(st.session_state[_QUEUED])


def _start(plan: RunPlan, seeds: int) -> None:
    st.session_state[_QUEUED] = False
    owner, name, code = browser() or "", plan.recipe.label, class_code()
    with report_store_errors():
        store = server().store
        if seeds == 1:
            run_id = store.queue(plan, owner=owner, name=name, code=code)
        else:
            group = store.queue_group(
                seed_plans(plan, seeds),
                owner=owner,
                name=f"{name}, {seeds} seeds",
                kind="seeds",
                code=code,
            )
            run_id = store.runs(group=group)[0].id
        st.session_state[OPEN_RUN] = run_id
        st.session_state[_QUEUED] = True


def engine_note() -> None:
    """Say that another server trains the runs, or that the worker is still starting."""
    starting = server().engine.status().state == "starting"
    st.fragment(_engine_note, run_every=STARTING_POLL_SECONDS if starting else None)()


def _engine_note() -> None:
    status = server().engine.status()
    if status.state == "standby":
        st.caption("Another LR Lab server trains the runs; if it ends, this one takes over.")
    elif status.state == "starting":
        st.caption("The worker is starting and importing TensorFlow; runs start in a few seconds.")


def data_note() -> None:
    """Say which copy of Fashion-MNIST is in use, and why no better one."""
    source = find_source()
    st.caption(f"Data: {source.description}.")
    for warning in source.warnings:
        st.warning(warning, icon=":material/database_off:")
    if source.key == "sample":
        st.info(f"Runs use the bundled sample. For the full dataset: {FETCH_HINT}")
