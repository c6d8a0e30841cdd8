"""The view of one run: its state, progress and charts, polled only while the run is active."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, NamedTuple

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
from lrlab.ui.runs.run_cache import CachedRun, cached_run, current_run

BadgeColor = Literal["gray", "blue", "green", "orange", "red"]

BADGES: dict[State, tuple[BadgeColor, str]] = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "finished": ("green", ":material/check:"),
    "stopped": ("orange", ":material/stop:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("red", ":material/power_off:"),
}
"""State -> colour and icon of its badge; the badge always names the state too."""

METRIC_WIDTH = 185
"""Width of a metric with its name, in pixels."""

PHASES = {
    "preparing": "preparing images and network",
    "compiling": "compiling the network into one program",
    "training": "training",
    "testing": "measuring on the test images",
}


class HeaderState(NamedTuple):
    """What the header of a run shows. If it changes, the whole page must be drawn again."""

    state: State
    stop_requested: bool
    reason: str
    resumed: str

    @classmethod
    def of(cls, run: Run) -> HeaderState:
        return cls(run.state, run.stop_requested is not None, run.reason, run.resumed)


def run_view(run_id: int) -> None:
    """Draw a run, and keep it up to date while it is queued or running."""
    store = server().store
    run = store.run(run_id)
    # Elements that come and go get a container of their own, so the charts below keep their place.
    with st.container():
        run_header(run)
    header, intervals = HeaderState.of(run), poll_intervals()
    active = run.state not in ENDED
    with st.container():
        st.fragment(_watch_progress, run_every=intervals.progress if active else None)(
            run_id, header, intervals
        )
    with st.container():
        st.fragment(_watch_charts, run_every=intervals.charts if active else None)(run_id)


def _watch_progress(run_id: int, header: HeaderState, intervals: PollIntervals) -> None:
    note_poll()
    with report_store_errors():
        store = server().store
        run = current_run(store, run_id)
        must_slow_down = intervals == QUIET and is_crowded() and run.state not in ENDED
        if (HeaderState.of(run) != header or must_slow_down) and may_rerun():
            # Rerun the whole page: it gets another header, and slower timers or none.
            st.rerun()
        _progress(run, cached_run(store, run))


def _watch_charts(run_id: int) -> None:
    with report_store_errors():
        store = server().store
        run = current_run(store, run_id)
        cached = cached_run(store, run)
        with st.container():
            _diagnosis(run, cached)
        _results(run, cached.history.epochs)
        _charts(run, cached)


def run_header(run: Run) -> None:
    """Draw a run's name, state and reason, and the buttons for what the visitor can do with it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Run {run.id}: {run.name}", width="stretch")
        _actions(run)
    if run.diverged:
        st.badge(f"{run.state}: diverged", icon=":material/trending_up:", color="orange")
    else:
        color, icon = BADGES[run.state]
        st.badge(run.state, icon=icon, color=color)
    if run.reason:
        st.text(run.reason[0].upper() + run.reason[1:] + ".")
    if run.resumed and run.state != "queued":
        st.caption(f"Attempt {run.attempt}: {run.resumed}.")


def _actions(run: Run) -> None:
    may_change = run.owner == browser() or is_instructor()
    if may_change and run.state in RESUMABLE:
        st.button(
            "Resume",
            icon=":material/resume:",
            on_click=_resume,
            args=(run.id,),
            help="Continue from the last saved epoch, as if the run had never stopped.",
        )
    if may_change and run.state not in ENDED:
        st.button(
            "Stopping…" if run.stop_requested else "Stop",
            icon=":material/stop:",
            on_click=_stop,
            args=(run.id,),
            disabled=run.stop_requested is not None,
            help="End this run and keep its measurements.",
        )
    st.button(
        "Use these settings",
        icon=":material/content_copy:",
        on_click=put_draft,
        args=(draft_of(run.plan),),
        help="Put this run's recipe and run settings into the controls.",
    )
    if may_change and run.state != "running":
        st.button(
            "Delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(run.id,),
            help="Remove this run and all its measurements.",
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
            # The next worker tries again to remove what cannot be removed now.
            remove_checkpoints(server().checkpoints, run_id)


def _progress(run: Run, cached: CachedRun) -> None:
    plan = cached.history.plan
    if run.state == "queued":
        st.progress(0.0, _queue_text(run))
        return
    epoch = plan.epoch_at(run.step)
    text = f"epoch {epoch} of {plan.epochs} · step {run.step:,} of {run.total_steps:,}"
    if run.state == "running":
        text = f"{PHASES.get(run.phase, run.phase)} · {text}{_time_left(run)}"
    elif run.started and run.ended:
        text += f" · {format_duration(run.ended - run.started)}"
    st.progress(run.step / run.total_steps, text[0].upper() + text[1:])
    if run.state == "running":
        points = cached.history.points
        st.markdown(_latest_point(points[-1]) if points else "")


def _latest_point(point: Point) -> str:
    """The newest measurement, shown before the charts are polled again."""
    return (
        f"Loss of the latest batches **{format_number(point.loss)}**, learning rate "
        f"**{format_number(point.learning_rate)}**."
    )


def _queue_text(run: Run) -> str:
    """The run's position in the queue, and the estimated wait if it is known."""
    place = server().store.queue_position(run.id)
    if place is None:
        return "Starting now."
    text = "next in line" if place.position == 1 else f"number {place.position} in the queue"
    if place.seconds:
        text += f", starts in about {format_duration(place.seconds)}"
    return f"Waiting: {text}."


def _diagnosis(run: Run, cached: CachedRun) -> None:
    """What stands out in a finished run, and what to try."""
    if run.group is not None and server().store.group(run.group).kind == "range_test":
        # A range test may well end in divergence: that is no problem to report.
        return
    if run.state == "finished" and (diagnosis := diagnose_run(cached.history)):
        st.info(
            f"{diagnosis.what} **Try this:** {diagnosis.suggestion}", icon=":material/lightbulb:"
        )


def _time_left(run: Run) -> str:
    # In a resumed run, earlier attempts did some of the steps, so the time per step is unknown.
    if not run.started or run.phase != "training" or run.step == 0 or run.attempt > 1:
        return ""
    spent = time.time() - run.started
    return f" · about {format_duration(spent * (run.total_steps - run.step) / run.step)} left"


def _results(run: Run, epochs: Sequence[EpochRecord]) -> None:
    last = epochs[-1] if epochs else None
    # The four metrics wrap onto two rows where the page is narrow.
    with st.container(horizontal=True):
        for label, value, share in (
            ("Training loss", last.loss if last else None, False),
            ("Validation loss", last.val_loss if last else None, False),
            ("Validation accuracy", last.val_accuracy if last else None, True),
        ):
            help_text = f"After epoch {last.epoch}." if last else None
            st.metric(label, format_measure(value, share), help=help_text, width=METRIC_WIDTH)
        st.metric(
            "Test accuracy",
            format_measure(run.test_accuracy, share=True),
            help="On the test images, after the last epoch.",
            width=METRIC_WIDTH,
        )


def _charts(run: Run, cached: CachedRun) -> None:
    plan = cached.history.plan
    left, right = two_sides(f"run-{run.id}")
    with left:
        st.markdown("**Loss** of the latest batches (grey) and after each epoch")
        show_chart(
            loss_chart, f"loss.{run.id}", cached.point_rows, cached.epoch_rows, length=plan.epochs
        )
    with right:
        st.markdown("**Accuracy** after each epoch")
        show_chart(accuracy_chart, f"accuracy.{run.id}", cached.epoch_rows, length=plan.epochs)
    reactive = plan.recipe.schedule_spec.reactive
    addition = (
        "; it depends on the validation loss" if reactive else ", drawn on top of the planned curve"
    )
    st.markdown(f"**Learning rate**: recorded in training{addition}")
    show_chart(
        recorded_rate_chart,
        f"rate.{run.id}",
        cached.planned_rows,
        cached.point_rows,
        length=plan.epochs,
        has_plan=not reactive,
    )
    if cached.rate_difference is not None:
        st.caption(
            "Largest difference between recorded and planned: "
            f"{format_number(cached.rate_difference, 2)}."
        )
    queued = datetime.fromtimestamp(run.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    source = f" Data: {run.data_source}." if run.data_source else ""
    compile_mode = f" {COMPILE_MODES[run.compile_mode].label}" if run.compile_mode else ""
    st.caption(
        f"{plan.network.upper()}, {plan.epochs} epoch{'s' if plan.epochs > 1 else ''}, "
        f"batch size {plan.batch_size}, seed "
        f"{plan.seed}, {plan.train_size:,} training images. Queued {queued}.{source}{compile_mode}"
    )
