"""A run as it is watched: its state, progress and charts, polled only while it is under way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lrlab.charts import (
    PLANNED,
    accuracy_chart,
    curve_table,
    epoch_table,
    loss_chart,
    point_table,
    recorded_rate_chart,
)
from lrlab.diagnosis import diagnose
from lrlab.draft import draft_of
from lrlab.lines import rate_difference
from lrlab.plan import RunPlan
from lrlab.store import ENDED, Run, State, Store
from lrlab.training.ways import WAYS
from lrlab.ui.codes import instructor_code, is_instructor
from lrlab.ui.identity import browser
from lrlab.ui.layout import two_sides
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.ui.state import put
from lrlab.words import duration, number

HEAD_SECONDS = 0.25
"""Between two looks at how far a run is, for a handful of watchers."""

CHART_SECONDS = 1.0
"""Between two looks at its charts; at how far it is, when a class is watching."""

FEW_WATCHERS = 5
WATCHING_SECONDS = 5.0
"""Who has not looked for so long has gone."""

BADGES = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "finished": ("green", ":material/check:"),
    "stopped": ("orange", ":material/stop:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("red", ":material/power_off:"),
}
"""Colour and icon of each state; the state is always written out beside them."""

PHASES = {
    "preparing": "preparing images and network",
    "compiling": "compiling the network into one program",
    "training": "training",
    "testing": "measuring on the test images",
}


def run_view(run_id: int) -> None:
    """Draw a run, and keep it up to date while it is queued or running."""
    active = server().store.run(run_id).state not in ENDED
    for watch, seconds in ((_watch_head, _head_seconds()), (_watch_charts, CHART_SECONDS)):
        with st.container():
            st.fragment(watch, run_every=seconds if active else None)(run_id, active)


def _watch_head(run_id: int, was_active: bool) -> None:
    """Drawn often, so it reads next to nothing."""
    _watchers()[_session()] = time.monotonic()
    with store_errors():
        run = server().store.run(run_id)
        if was_active and run.state in ENDED:
            # The whole page runs again and builds this view without its timers.
            st.rerun()
        plan = RunPlan.from_dict(run.plan)
        _header(run, plan)
        _progress(run, plan)


def _watch_charts(run_id: int, was_active: bool) -> None:
    with store_errors():
        store = server().store
        run = store.run(run_id)
        plan = RunPlan.from_dict(run.plan)
        epochs = store.epochs(run.id)
        points = _points(store, run.id, run.attempt, run.step, run.state)
        # What comes and goes keeps to a place of its own: the charts below it then stay the same.
        with st.container():
            _diagnosis(run, plan, points, epochs)
        _results(run, epochs)
        _charts(run, plan, points, epochs)


@lru_cache(maxsize=32)
def _points(store: Store, run_id: int, _attempt: int, _step: int, _state: State) -> list[dict]:
    """A run's points, read once for all who watch it; the last three say when they are others."""
    return store.points(run_id)


def _head_seconds() -> float:
    """Between two looks at how far a run is: often enough to feel live, unless there are many."""
    now, watchers = time.monotonic(), _watchers()
    for session, looked in list(watchers.items()):
        if now - looked > WATCHING_SECONDS:
            watchers.pop(session, None)
    return HEAD_SECONDS if len(watchers) <= FEW_WATCHERS else CHART_SECONDS


@st.cache_resource(show_spinner=False)
def _watchers() -> dict[str, float]:
    """When each session last looked at a run under way, by the monotonic clock."""
    return {}


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _header(run: Run, plan: RunPlan) -> None:
    colour, icon = BADGES[run.state]
    title, stop, again, delete = st.columns([5, 3, 4, 3], vertical_alignment="center")
    with title:
        st.text(f"Run {run.id}: {run.name}")
    mine = run.owner == browser() or is_instructor()
    if mine and run.state not in ENDED:
        stop.button(
            "Stopping…" if run.stop_requested else "Stop",
            icon=":material/stop:",
            on_click=_stop,
            args=(run.id,),
            disabled=run.stop_requested is not None,
            help="End this run and keep what was measured.",
            width="stretch",
        )
    copied = again.button(
        "Use its settings",
        icon=":material/content_copy:",
        on_click=put,
        args=(draft_of(plan),),
        help="Put this run's recipe and settings into the sidebar.",
        width="stretch",
    )
    deleted = False
    if mine and run.state != "running":
        deleted = delete.button(
            "Delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(run.id,),
            help="Remove this run and all it measured.",
            width="stretch",
        )
    if copied or deleted:
        # A button in this part of the page reruns this part alone; these two change the rest.
        st.rerun()
    if run.reason.startswith("diverged"):
        st.badge(f"{run.state}: diverged", icon=":material/trending_up:", color="orange")
    else:
        st.badge(run.state, icon=icon, color=colour)
    if run.reason:
        st.text(run.reason[0].upper() + run.reason[1:] + ".")


def _stop(run_id: int) -> None:
    with store_errors():
        server().store.request_stop(run_id, by=browser() or "", code=instructor_code())


def _delete(run_id: int) -> None:
    with store_errors():
        server().store.delete(run_id, by=browser() or "", code=instructor_code())


def _progress(run: Run, plan: RunPlan) -> None:
    if run.state == "queued":
        st.progress(0.0, _waiting(run))
        return
    epoch = min(run.step // plan.steps_per_epoch + 1, plan.epochs)
    said = f"epoch {epoch} of {plan.epochs} · step {run.step:,} of {run.total_steps:,}"
    if run.state == "running":
        said = f"{PHASES.get(run.phase, run.phase)} · {said}{_time_left(run)}"
    elif run.started and run.ended:
        said += f" · {duration(run.ended - run.started)}"
    st.progress(run.step / run.total_steps, said[0].upper() + said[1:])
    if run.state == "running":
        latest = server().store.points(run.id, since=run.step - 2)
        st.markdown(_passing(latest[-1]) if latest else "")


def _passing(point: dict) -> str:
    """What is measured right now, before the charts show it."""
    return (
        f"Loss of the passing batches **{number(point['loss'])}**, learning rate "
        f"**{number(point['learning_rate'])}**."
    )


def _waiting(run: Run) -> str:
    """Where a run stands in the queue, and about how long it waits."""
    place = server().store.place(run.id)
    if place is None:
        return "It begins now."
    said = "next in line" if place.number == 1 else f"number {place.number} in the queue"
    if place.seconds:
        said += f", begins in about {duration(place.seconds)}"
    return f"Waiting: {said}."


def _diagnosis(run: Run, plan: RunPlan, points: list[dict], epochs: list[dict]) -> None:
    """What stands out in a run that came to an end by itself, and what to try."""
    if run.state == "finished" and (found := diagnose(plan, points, epochs)):
        st.info(f"{found.what} **Try this:** {found.suggestion}", icon=":material/lightbulb:")


def _time_left(run: Run) -> str:
    if not run.started or run.phase != "training" or run.step == 0:
        return ""
    spent = time.time() - run.started
    return f" · about {duration(spent * (run.total_steps - run.step) / run.step)} left"


def _results(run: Run, epochs: list[dict]) -> None:
    columns = st.columns(4)
    last = epochs[-1] if epochs else None
    for column, label, key in (
        (columns[0], "Training loss", "loss"),
        (columns[1], "Validation loss", "val_loss"),
        (columns[2], "Validation accuracy", "val_accuracy"),
    ):
        value = "–" if last is None else _measured(last[key], "accuracy" in key)
        column.metric(label, value, help=f"After epoch {last['epoch']}." if last else None)
    tested = "–" if run.test_accuracy is None else _measured(run.test_accuracy, True)
    columns[3].metric("Test accuracy", tested, help="On the test images, after the last epoch.")


def _measured(value: float, share: bool) -> str:
    if not np.isfinite(value):
        return "not finite"
    return f"{value:.2%}" if share else f"{value:.4f}"


def _charts(run: Run, plan: RunPlan, points: list[dict], epochs: list[dict]) -> None:
    measured = point_table(points, plan.steps_per_epoch)
    ends = epoch_table(epochs)
    left, right = two_sides(f"run-{run.id}")
    with left:
        st.markdown("**Loss** of the passing batches (grey) and after each epoch")
        show(loss_chart, f"loss.{run.id}", measured, ends, length=plan.epochs)
    with right:
        st.markdown("**Accuracy** after each epoch")
        show(accuracy_chart, f"accuracy.{run.id}", ends, length=plan.epochs)
    reactive = plan.recipe.schedule_spec.reactive
    beside = "; it follows from the validation loss" if reactive else ", over the planned curve"
    st.markdown(f"**Learning rate**: recorded in training{beside}")
    planned = curve_table(plan.recipe, plan.total_steps, plan.steps_per_epoch, PLANNED)
    show(
        recorded_rate_chart,
        f"rate.{run.id}",
        planned,
        measured,
        length=plan.epochs,
        foreseen=not reactive,
    )
    if (apart := rate_difference(plan.recipe, points)) is not None:
        st.caption(f"Largest difference between recorded and planned: {number(apart, 2)}.")
    began = datetime.fromtimestamp(run.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    source = f" Data: {run.data_source}." if run.data_source else ""
    way = f" Trained as {WAYS[run.way].label}." if run.way else ""
    st.caption(
        f"{plan.network.upper()}, {plan.epochs} epochs, batch size {plan.batch_size}, seed "
        f"{plan.seed}, {plan.train_size:,} training images. Queued {began}.{source}{way}"
    )
