"""A run as it is watched: its state, progress and charts, polled only while it is under way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import streamlit as st

from lrlab.charts import (
    accuracy_chart,
    loss_chart,
    recorded_rate_chart,
)
from lrlab.controls.draft import draft_of
from lrlab.experiments.diagnosis import diagnose_run
from lrlab.runs.store import ENDED, RESUMABLE, Run, State
from lrlab.text import format_duration, format_measure, format_number
from lrlab.training.checkpoint_files import remove_checkpoints
from lrlab.training.compile_mode import COMPILE_MODES
from lrlab.training.measurements import EpochRecord, Point
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.app.polling import (
    QUIET,
    PollIntervals,
    is_crowded,
    may_rerun,
    note_poll,
    poll_intervals,
)
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.session_draft import put_draft
from lrlab.ui.runs.access_codes import class_code, instructor_code, is_instructor
from lrlab.ui.runs.run_cache import CachedRun, cached_run, run_now

Drawn = tuple[State, bool, str, str]
"""What of a run decides its header, and whether its view has timers."""

BADGES = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "finished": ("green", ":material/check:"),
    "stopped": ("orange", ":material/stop:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("red", ":material/power_off:"),
}
"""Colour and icon of each state; the state is always written out beside them."""

FIGURE_WIDTH = 185
"""Pixels of a figure with its name."""

PHASES = {
    "preparing": "preparing images and network",
    "compiling": "compiling the network into one program",
    "training": "training",
    "testing": "measuring on the test images",
}


def run_view(run_id: int) -> None:
    """Draw a run, and keep it up to date while it is queued or running."""
    store = server().store
    run = store.run(run_id)
    # What comes and goes keeps to a place of its own: the charts below it then stay the same.
    with st.container():
        run_header(run)
    drawn, now = _drawn(run), poll_intervals()
    active = run.state not in ENDED
    with st.container():
        st.fragment(_watch_progress, run_every=now.progress if active else None)(run_id, drawn, now)
    with st.container():
        st.fragment(_watch_charts, run_every=now.charts if active else None)(run_id)


def _drawn(run: Run) -> Drawn:
    return run.state, run.stop_requested is not None, run.reason, run.resumed


def _watch_progress(run_id: int, drawn: Drawn, drawn_at: PollIntervals) -> None:
    note_poll()
    with report_store_errors():
        store = server().store
        run = run_now(store, run_id)
        slower = drawn_at == QUIET and is_crowded()
        if (_drawn(run) != drawn or (slower and run.state not in ENDED)) and may_rerun():
            # The whole page runs again, with another header, without timers or with slower.
            st.rerun()
        _progress(run, cached_run(store, run))


def _watch_charts(run_id: int) -> None:
    with report_store_errors():
        store = server().store
        run = run_now(store, run_id)
        now = cached_run(store, run)
        with st.container():
            _diagnosis(run, now)
        _results(run, now.history.epochs)
        _charts(run, now)


def run_header(run: Run) -> None:
    """A run's name, state and reason, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Run {run.id}: {run.name}", width="stretch")
        _actions(run)
    if run.diverged:
        st.badge(f"{run.state}: diverged", icon=":material/trending_up:", color="orange")
    else:
        colour, icon = BADGES[run.state]
        st.badge(run.state, icon=icon, color=colour)
    if run.reason:
        st.text(run.reason[0].upper() + run.reason[1:] + ".")
    if run.resumed and run.state != "queued":
        st.caption(f"Attempt {run.attempt}: {run.resumed}.")


def _actions(run: Run) -> None:
    """The buttons of what this visitor can do with a run."""
    mine = run.owner == browser() or is_instructor()
    if mine and run.state in RESUMABLE:
        st.button(
            "Resume",
            icon=":material/resume:",
            on_click=_resume,
            args=(run.id,),
            help="Go on from the last epoch that was kept, as if the run had never stopped.",
        )
    if mine and run.state not in ENDED:
        st.button(
            "Stopping…" if run.stop_requested else "Stop",
            icon=":material/stop:",
            on_click=_stop,
            args=(run.id,),
            disabled=run.stop_requested is not None,
            help="End this run and keep what was measured.",
        )
    st.button(
        "Use its settings",
        icon=":material/content_copy:",
        on_click=put_draft,
        args=(draft_of(run.plan),),
        help="Put this run's recipe and settings into the sidebar.",
    )
    if mine and run.state != "running":
        st.button(
            "Delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(run.id,),
            help="Remove this run and all it measured.",
        )


def _stop(run_id: int) -> None:
    with report_store_errors():
        server().store.request_stop(run_id, by=browser() or "", code=instructor_code())


def _resume(run_id: int) -> None:
    with report_store_errors():
        server().store.resume(run_id, by=browser() or "", code=class_code())


def _delete(run_id: int) -> None:
    with report_store_errors():
        server().store.delete(run_id, by=browser() or "", code=instructor_code())
        with suppress(OSError):
            # What cannot be removed now, the next worker tries to.
            remove_checkpoints(server().checkpoints, run_id)


def _progress(run: Run, now: CachedRun) -> None:
    plan = now.history.plan
    if run.state == "queued":
        st.progress(0.0, _waiting(run))
        return
    epoch = plan.epoch_at(run.step)
    said = f"epoch {epoch} of {plan.epochs} · step {run.step:,} of {run.total_steps:,}"
    if run.state == "running":
        said = f"{PHASES.get(run.phase, run.phase)} · {said}{_time_left(run)}"
    elif run.started and run.ended:
        said += f" · {format_duration(run.ended - run.started)}"
    st.progress(run.step / run.total_steps, said[0].upper() + said[1:])
    if run.state == "running":
        st.markdown(_passing(now.history.points[-1]) if now.history.points else "")


def _passing(point: Point) -> str:
    """What is measured right now, before the charts show it."""
    return (
        f"Loss of the passing batches **{format_number(point.loss)}**, learning rate "
        f"**{format_number(point.learning_rate)}**."
    )


def _waiting(run: Run) -> str:
    """Where a run stands in the queue, and about how long it waits."""
    place = server().store.place(run.id)
    if place is None:
        return "It begins now."
    said = "next in line" if place.number == 1 else f"number {place.number} in the queue"
    if place.seconds:
        said += f", begins in about {format_duration(place.seconds)}"
    return f"Waiting: {said}."


def _diagnosis(run: Run, now: CachedRun) -> None:
    """What stands out in a run that came to an end by itself, and what to try."""
    if run.group is not None and server().store.group(run.group).kind == "range_test":
        # It is meant to end in a divergence.
        return
    if run.state == "finished" and (found := diagnose_run(now.history)):
        st.info(f"{found.what} **Try this:** {found.suggestion}", icon=":material/lightbulb:")


def _time_left(run: Run) -> str:
    # A resumed run has steps behind it that this attempt took no time for.
    if not run.started or run.phase != "training" or run.step == 0 or run.attempt > 1:
        return ""
    spent = time.time() - run.started
    return f" · about {format_duration(spent * (run.total_steps - run.step) / run.step)} left"


def _results(run: Run, epochs: Sequence[EpochRecord]) -> None:
    last = epochs[-1] if epochs else None
    # Where there is no room for four beside each other, they take two lines.
    with st.container(horizontal=True):
        for label, value, share in (
            ("Training loss", last and last.loss, False),
            ("Validation loss", last and last.val_loss, False),
            ("Validation accuracy", last and last.val_accuracy, True),
        ):
            after = f"After epoch {last.epoch}." if last else None
            st.metric(label, format_measure(value, share), help=after, width=FIGURE_WIDTH)
        tested = format_measure(run.test_accuracy, share=True)
        on_test = "On the test images, after the last epoch."
        st.metric("Test accuracy", tested, help=on_test, width=FIGURE_WIDTH)


def _charts(run: Run, now: CachedRun) -> None:
    plan = now.history.plan
    left, right = two_sides(f"run-{run.id}")
    with left:
        st.markdown("**Loss** of the passing batches (grey) and after each epoch")
        show_chart(loss_chart, f"loss.{run.id}", now.point_rows, now.epoch_rows, length=plan.epochs)
    with right:
        st.markdown("**Accuracy** after each epoch")
        show_chart(accuracy_chart, f"accuracy.{run.id}", now.epoch_rows, length=plan.epochs)
    reactive = plan.recipe.schedule_spec.reactive
    beside = "; it follows from the validation loss" if reactive else ", over the planned curve"
    st.markdown(f"**Learning rate**: recorded in training{beside}")
    show_chart(
        recorded_rate_chart,
        f"rate.{run.id}",
        now.planned_rows,
        now.point_rows,
        length=plan.epochs,
        foreseen=not reactive,
    )
    if now.rate_difference is not None:
        st.caption(
            f"Largest difference between recorded and planned: {format_number(now.rate_difference, 2)}."
        )
    began = datetime.fromtimestamp(run.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    source = f" Data: {run.data_source}." if run.data_source else ""
    way = f" Trained as {COMPILE_MODES[run.compile_mode].label}." if run.compile_mode else ""
    st.caption(
        f"{plan.network.upper()}, {plan.epochs} epochs, batch size {plan.batch_size}, seed "
        f"{plan.seed}, {plan.train_size:,} training images. Queued {began}.{source}{way}"
    )
