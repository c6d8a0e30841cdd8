"""The presentation view: the newest run in large type, followed by itself."""

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

MINE, ANYBODYS = "my newest run", "the newest run of all"


def presentation() -> None:
    """Draw the newest run for people at the back of a room; a newer one takes its place."""
    st.html(Path(__file__).parent / "presentation.css")
    st.fragment(_follow, run_every=POLL_SECONDS)()


def _follow() -> None:
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Follow", [MINE, ANYBODYS], default=MINE, required=True, key="present.whose"
        )
        st.page_link("pages/train.py", label="Back to Train", icon=":material/close:")
    with place, report_store_errors():
        run = _newest(server().store.runs(browser() or "" if whose == MINE else None))
        if run is None:
            st.title("No run yet", anchor=False)
            st.markdown("Start one on the Train page: it then appears here by itself.")
        else:
            _header(run)
            _body(run)


def _newest(runs: list[Run]) -> Run | None:
    """The run under way, else the one that began last, else the first that waits."""
    begun = [run for run in runs if run.started]
    running = [run for run in begun if run.state == "running"]
    if running or begun:
        return (running or sorted(begun, key=lambda run: run.started or 0, reverse=True))[0]
    return runs[-1] if runs else None


def _header(run: Run) -> None:
    st.title(escape_markdown(run.name), anchor=False)
    plan = run.plan
    st.progress(
        run.step / run.total_steps,
        f"{state_summary([run]).capitalize()} · epoch {plan.epoch_at(run.step)} of {plan.epochs}",
    )


def _body(run: Run) -> None:
    now = cached_run(server().store, run)
    last = now.history.epochs[-1] if now.history.epochs else None
    for column, label, value, share in zip(
        st.columns(3),
        ("Training loss", "Validation accuracy", "Test accuracy"),
        (last and last.loss, last and last.val_accuracy, run.test_accuracy),
        (False, True, True),
        strict=True,
    ):
        column.metric(label, format_measure(value, share, short=True))
    left, right = two_sides("present")
    with left:
        show_chart(
            loss_chart,
            f"present.loss.{run.id}",
            now.point_rows,
            now.epoch_rows,
            large=True,
            length=now.history.plan.epochs,
            height=330,
        )
    with right:
        show_chart(
            accuracy_chart,
            f"present.accuracy.{run.id}",
            now.epoch_rows,
            large=True,
            length=now.history.plan.epochs,
            height=330,
        )
