"""Starting a run: the button, the presets, and what stands in the way."""

from __future__ import annotations

import streamlit as st

from lrlab.controls.draft import draft_of
from lrlab.datasets.sources import FETCH_HINT, find_source
from lrlab.recipes.plan import PRESETS, RunPlan, seed_plans
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.session_draft import put_draft
from lrlab.ui.runs.access_codes import class_code
from lrlab.ui.runs.recent_runs import OPEN

_QUEUED = "start.queued"
"""Session key: whether the last press of the button queued a run."""

MOST_SEEDS = 20
"""Seeds that can be started at once."""

STARTING_SECONDS = 2.0
"""Between two looks at a worker that is starting."""


def start_row(plan: RunPlan) -> None:
    """The start button with the number of seeds, and a button for each of the notebook's exercises
    beside it."""
    columns = st.columns([2, 3, *(3 for _ in PRESETS)], gap="medium", vertical_alignment="bottom")
    with columns[0]:
        seeds = st.number_input(
            "Seeds",
            1,
            MOST_SEEDS,
            key="start.seeds",
            persist_state="session",
            help="Train the recipe with so many seeds, from the run's own upwards: one training "
            "alone says little, as the next seed may come out otherwise.",
        )
    with columns[1]:
        start_button(plan, "Start" if seeds == 1 else f"Start {seeds} runs", seeds)
    for column, (title, preset) in zip(columns[2:], PRESETS.items(), strict=True):
        column.button(
            title,
            icon=":material/school:",
            on_click=put_draft,
            args=(draft_of(preset),),
            help="Set recipe and run as the notebook does; then press Start.",
            width="stretch",
        )


def start_button(plan: RunPlan, label: str, seeds: int = 1) -> bool:
    """The button that queues the planned run, or a group with so many seeds; whether it just
    did."""
    pressed = st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(plan, seeds),
        disabled=browser() is None,
        help="Train this recipe in the background; leave the page as you like.",
        width="stretch",
    )
    return pressed and st.session_state[_QUEUED]


def _start(plan: RunPlan, seeds: int) -> None:
    st.session_state[_QUEUED] = False
    asks = {"owner": browser(), "name": plan.recipe.label, "code": class_code()}
    with report_store_errors():
        store = server().store
        if seeds == 1:
            st.session_state[OPEN] = store.queue(plan, **asks)
        else:
            asks["name"] += f", {seeds} seeds"
            group = store.queue_group(seed_plans(plan, seeds), **asks, kind="seeds")
            st.session_state[OPEN] = store.runs(group=group)[0].id
        st.session_state[_QUEUED] = True


def engine_note() -> None:
    """Who trains the runs, if not this server; and that the worker is starting, while it is."""
    starting = server().engine.status().state == "starting"
    st.fragment(_engine_note, run_every=STARTING_SECONDS if starting else None)()


def _engine_note() -> None:
    status = server().engine.status()
    if status.state == "standby":
        st.caption("Another server of LR Lab trains the runs; should it end, this one takes over.")
    elif status.state == "starting":
        st.caption("The worker is starting and importing TensorFlow; runs begin in some seconds.")


def data_note() -> None:
    """Which copy of Fashion-MNIST is in use, and why not a better one."""
    source = find_source()
    st.caption(f"Data: {source.description}.")
    for warning in source.warnings:
        st.warning(warning, icon=":material/database_off:")
    if source.key == "sample":
        st.info(f"Runs use the bundled sample. For the full set: {FETCH_HINT}")
