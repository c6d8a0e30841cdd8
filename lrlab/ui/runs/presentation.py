"""The presentation view: one run in large type; it switches to newer runs automatically."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lrlab.charts import accuracy_chart, loss_chart
from lrlab.experiments.run_list import state_summary
from lrlab.runs.store import Run
from lrlab.text import escape_markdown, format_measure
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.run_cache import cached_run

POLL_SECONDS = 1.0

CHART_HEIGHT = 330
"""Pixels."""

OWN_RUN, ANY_RUN = "my newest run", "the newest run of all"
"""Which runs the view follows."""


def presentation() -> None:
    """Draw the newest run for people at the back of a room, and switch to a newer one."""
    st.html(Path(__file__).parents[1] / "app" / "presentation.css")
    st.fragment(_follow, run_every=POLL_SECONDS)()


def _follow() -> None:
    view = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        followed = st.segmented_control(
            "Follow", [OWN_RUN, ANY_RUN], default=OWN_RUN, required=True, key="present.whose"
        )
        st.page_link("pages/train.py", label="Back to Train", icon=":material/close:")
    with view, report_store_errors():
        run = _newest(server().store.runs(browser() or "" if followed == OWN_RUN else None))
        if run is None:
            st.title("No run yet", anchor=False)
            st.markdown("Start one on the Train page; it appears here automatically.")
        else:
            _header(run)
            _body(run)


def _newest(runs: list[Run]) -> Run | None:
    """The running run, else the one that started last, else the first in the queue, else None.

    Args:
        runs: newest first.
    """
    started = [run for run in runs if run.started]
    running = [run for run in started if run.state == "running"]
    if started:
        return (running or sorted(started, key=lambda run: run.started or 0, reverse=True))[0]
    return runs[-1] if runs else None


def _header(run: Run) -> None:
    st.title(escape_markdown(run.name), anchor=False)
    plan = run.plan
    st.progress(
        run.step / run.total_steps,
        f"{state_summary([run]).capitalize()} · epoch {plan.epoch_at(run.step)} of {plan.epochs}",
    )


def _body(run: Run) -> None:
    cached = cached_run(server().store, run)
    epochs, length = cached.history.epochs, cached.history.plan.epochs
    last = epochs[-1] if epochs else None
    for column, label, value, share in zip(
        st.columns(3),
        ("Training loss", "Validation accuracy", "Test accuracy"),
        (last.loss if last else None, last.val_accuracy if last else None, run.test_accuracy),
        (False, True, True),
        strict=True,
    ):
        column.metric(label, format_measure(value, share, short=True))
    left, right = two_sides("present")
    with left:
        show_chart(
            loss_chart,
            f"present.loss.{run.id}",
            cached.point_rows,
            cached.epoch_rows,
            large=True,
            length=length,
            height=CHART_HEIGHT,
        )
    with right:
        show_chart(
            accuracy_chart,
            f"present.accuracy.{run.id}",
            cached.epoch_rows,
            large=True,
            length=length,
            height=CHART_HEIGHT,
        )
