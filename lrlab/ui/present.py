"""The presentation view: the newest run in large type, followed by itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lrlab.charts import accuracy_chart, loss_chart
from lrlab.entries import states
from lrlab.plan import RunPlan
from lrlab.store import Run
from lrlab.ui.identity import browser
from lrlab.ui.layout import two_sides
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.ui.watching import seen
from lrlab.words import figure, plain

POLL_SECONDS = 1.0

MINE, ANYBODYS = "my newest run", "the newest run of all"


def presentation() -> None:
    """Draw the newest run for people at the back of a room; a newer one takes its place."""
    st.html(Path(__file__).parent / "present.css")
    st.fragment(_follow, run_every=POLL_SECONDS)()


def _follow() -> None:
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Follow", [MINE, ANYBODYS], default=MINE, required=True, key="present.whose"
        )
        st.page_link("pages/train.py", label="Back to Train", icon=":material/close:")
    with place, store_errors():
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
    st.title(plain(run.name), anchor=False)
    plan = RunPlan.from_dict(run.plan)
    st.progress(
        run.step / run.total_steps,
        f"{states([run]).capitalize()} · epoch {plan.epoch_at(run.step)} of {plan.epochs}",
    )


def _body(run: Run) -> None:
    now = seen(server().store, run)
    last = now.epochs[-1] if now.epochs else {}
    for column, label, value, share in zip(
        st.columns(3),
        ("Training loss", "Validation accuracy", "Test accuracy"),
        (last.get("loss"), last.get("val_accuracy"), run.test_accuracy),
        (False, True, True),
        strict=True,
    ):
        column.metric(label, figure(value, share, short=True))
    left, right = two_sides("present")
    with left:
        show(
            loss_chart,
            f"present.loss.{run.id}",
            now.measured,
            now.ends,
            large=True,
            length=now.plan.epochs,
            height=330,
        )
    with right:
        show(
            accuracy_chart,
            f"present.accuracy.{run.id}",
            now.ends,
            large=True,
            length=now.plan.epochs,
            height=330,
        )
