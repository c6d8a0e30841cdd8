"""What a run's network learned: what it confuses, its surest mistakes, and its first weights."""

from __future__ import annotations

import streamlit as st

from lrlab.charts import (
    class_chart,
    class_table,
    confusion_chart,
    confusion_table,
    weights_picture,
)
from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.runs.store import Run
from lrlab.text import format_number
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.app.server import report_store_errors, server

MOST_MISTAKES = 12
"""Wrong images shown, the surest first."""


def epoch_snapshots_view(run: Run) -> None:
    """What there is of a run, folded away; nothing before its first epoch."""
    epochs = server().store.snapshot_epochs(run.id)
    if not epochs:
        return
    with st.container():
        st.fragment(_folded)(run.id, epochs)


def _folded(run_id: int, epochs: list[int]) -> None:
    # Pictures are made only once it is opened. Browsers would fetch them also while it is folded
    # away, and be refused those of a page that is left at that moment.
    fold = st.expander(
        "What the network learned",
        icon=":material/visibility:",
        key="learned.open",
        on_change="rerun",
    )
    if fold.open:
        with fold:
            _learned(run_id, epochs)


def _learned(run_id: int, epochs: list[int]) -> None:
    with report_store_errors():
        epoch = epochs[-1]
        if len(epochs) > 1:
            epoch = st.select_slider(
                "After epoch", epochs, epochs[-1], key=f"learned.{run_id}.{len(epochs)}"
            )
        learned = server().store.learned(run_id, epoch)
        if learned is None:
            return
        st.markdown("**The weights into sixteen units of the first layer**")
        when = "before the first step" if epoch == 0 else f"after epoch {epoch}"
        st.image(
            weights_picture(learned.filters),
            f"White: zero, blue: up to {format_number(learned.scale)}, orange: down to "
            f"−{format_number(learned.scale)}. {when[0].upper()}{when[1:]}.",
            alt=f"Sixteen pictures of 28 by 28 weights, {when}.",
        )
        if learned.confusion is not None and learned.class_accuracy is not None:
            left, right = two_sides(f"learned-{run_id}", 3, 2)
            with left:
                st.markdown("**What validation images were taken for**")
                show_chart(
                    confusion_chart,
                    f"learned.confusion.{run_id}",
                    confusion_table(learned.confusion),
                )
            with right:
                st.markdown("**How many of each class were recognised**")
                show_chart(
                    class_chart, f"learned.classes.{run_id}", class_table(learned.class_accuracy)
                )
        _mistakes(run_id)


def _mistakes(run_id: int) -> None:
    mistakes = server().store.mistakes(run_id)
    if mistakes is None or not len(mistakes.labels):
        return
    st.markdown("**The test images it was most sure of, and wrong**")
    guesses = mistakes.probabilities.argmax(axis=1)
    shown = zip(mistakes.images, mistakes.labels, guesses, mistakes.probabilities, strict=True)
    with st.container(horizontal=True):
        for image, label, guess, shares in list(shown)[:MOST_MISTAKES]:
            st.image(
                image,
                f"{FASHION_MNIST.class_names[label]}, taken for {FASHION_MNIST.class_names[guess]} ({shares[guess]:.1%})",
                width=120,
                alt=f"Test image of the class {FASHION_MNIST.class_names[label]}",
            )
