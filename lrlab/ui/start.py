"""Starting a run: the button, the presets, and what stands in the way."""

from __future__ import annotations

import streamlit as st

from lrlab.draft import draft_of
from lrlab.plan import PRESETS, RunPlan
from lrlab.training.data import FETCH_HINT, find_source
from lrlab.ui.codes import class_code
from lrlab.ui.identity import browser
from lrlab.ui.runs import OPEN
from lrlab.ui.server import server, store_errors
from lrlab.ui.state import put
from lrlab.words import plain

_QUEUED = "start.queued"
"""Session key: whether the last press of the button queued a run."""


def start_row(plan: RunPlan) -> None:
    """The start button, and a button for each of the notebook's exercises beside it."""
    columns = st.columns(1 + len(PRESETS), gap="medium")
    with columns[0]:
        start_button(plan)
    for column, (title, preset) in zip(columns[1:], PRESETS.items(), strict=True):
        column.button(
            title,
            icon=":material/school:",
            on_click=put,
            args=(draft_of(preset),),
            help="Set recipe and run as the notebook does; then press Start.",
            width="stretch",
        )


def start_button(plan: RunPlan, label: str = "Start") -> bool:
    """The button that queues the planned run; whether it just did."""
    pressed = st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(plan,),
        disabled=browser() is None,
        help="Train this recipe in the background; leave the page as you like.",
        width="stretch",
    )
    return pressed and st.session_state[_QUEUED]


def _start(plan: RunPlan) -> None:
    st.session_state[_QUEUED] = False
    with store_errors():
        st.session_state[OPEN] = server().store.queue(
            plan, owner=browser(), name=plan.recipe.label, code=class_code()
        )
        st.session_state[_QUEUED] = True


def engine_note() -> None:
    """Why no run can be trained now, if so; and that the worker is still warming up."""
    status = server().engine.status()
    if status.state == "unavailable":
        st.error(
            f"{plain(status.reason)} Runs wait in the queue until this is mended.",
            icon=":material/power_off:",
        )
    elif status.state == "standby":
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
