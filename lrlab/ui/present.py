"""The presentation view: the newest run in large type, followed by itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lrlab.charts import accuracy_chart, epoch_table, loss_chart, point_table
from lrlab.entries import states
from lrlab.plan import RunPlan
from lrlab.store import Run
from lrlab.ui.identity import browser
from lrlab.ui.layout import two_sides
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.words import plain

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
    run = None
    with store_errors():
        run = _newest(server().store.runs(browser() or "" if whose == MINE else None))
    with place, store_errors():
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
    epoch = min(run.step // plan.steps_per_epoch + 1, plan.epochs)
    st.progress(
        run.step / run.total_steps,
        f"{states([run]).capitalize()} · epoch {epoch} of {plan.epochs}",
    )


def _body(run: Run) -> None:
    store = server().store
    plan = RunPlan.from_dict(run.plan)
    points, epochs = store.points(run.id), store.epochs(run.id)
    last = epochs[-1] if epochs else None
    columns = st.columns(3)
    for column, label, value in (
        (columns[0], "Training loss", last and f"{last['loss']:.3f}"),
        (columns[1], "Validation accuracy", last and f"{last['val_accuracy']:.1%}"),
        (
            columns[2],
            "Test accuracy",
            None if run.test_accuracy is None else f"{run.test_accuracy:.1%}",
        ),
    ):
        column.metric(label, value or "–")
    ends = epoch_table(epochs)
    left, right = two_sides("present")
    with left:
        show(
            loss_chart,
            f"present.loss.{run.id}",
            point_table(points, plan.steps_per_epoch),
            ends,
            large=True,
            length=plan.epochs,
            height=330,
        )
    with right:
        show(
            accuracy_chart,
            f"present.accuracy.{run.id}",
            ends,
            large=True,
            length=plan.epochs,
            height=330,
        )
