"""What a run's network learned: first-layer weights, confusions, and most confident mistakes."""

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

MAX_MISTAKES = 12
"""Misclassified images shown, most confident first."""


def epoch_snapshots_view(run: Run) -> None:
    """Draw a run's epoch snapshots in a collapsed expander; nothing before the first snapshot."""
    epochs = server().store.snapshot_epochs(run.id)
    if not epochs:
        return
    with st.container():
        st.fragment(_expander)(run.id, epochs)


def _expander(run_id: int, epochs: list[int]) -> None:
    # Images are created only once the expander is open. Browsers fetch images in a collapsed
    # expander too, and get errors for those of a page that is left at that moment.
    expander = st.expander(
        "What the network learned",
        icon=":material/visibility:",
        key="learned.open",
        on_change="rerun",
    )
    if expander.open:
        with expander:
            _snapshot(run_id, epochs)


def _snapshot(run_id: int, epochs: list[int]) -> None:
    with report_store_errors():
        epoch = epochs[-1]
        if len(epochs) > 1:
            epoch = st.select_slider(
                "After epoch", epochs, epochs[-1], key=f"learned.{run_id}.{len(epochs)}"
            )
        snapshot = server().store.epoch_snapshot(run_id, epoch)
        if snapshot is None:
            return
        st.markdown("**The weights into sixteen units of the first layer**")
        when = "before the first step" if epoch == 0 else f"after epoch {epoch}"
        st.image(
            weights_picture(snapshot.filters),
            f"White: zero, blue: up to {format_number(snapshot.scale)}, orange: down to "
            f"−{format_number(snapshot.scale)}. {when[0].upper()}{when[1:]}.",
            alt=f"Sixteen pictures of 28 by 28 weights, {when}.",
        )
        if snapshot.confusion is not None and snapshot.class_accuracy is not None:
            left, right = two_sides(f"learned-{run_id}", 3, 2)
            with left:
                st.markdown("**How the validation images were classified**")
                show_chart(
                    confusion_chart,
                    f"learned.confusion.{run_id}",
                    confusion_table(snapshot.confusion),
                )
            with right:
                st.markdown("**The share of each class that was recognised**")
                show_chart(
                    class_chart, f"learned.classes.{run_id}", class_table(snapshot.class_accuracy)
                )
        _mistakes(run_id)


def _mistakes(run_id: int) -> None:
    mistakes = server().store.mistakes(run_id)
    if mistakes is None or not len(mistakes.labels):
        return
    st.markdown("**The most confident mistakes on the test images**")
    guesses = mistakes.probabilities.argmax(axis=1)
    rows = zip(mistakes.images, mistakes.labels, guesses, mistakes.probabilities, strict=True)
    names = FASHION_MNIST.class_names
    with st.container(horizontal=True):
        for image, label, guess, probabilities in list(rows)[:MAX_MISTAKES]:
            st.image(
                image,
                f"{names[label]}, classified as {names[guess]} ({probabilities[guess]:.1%})",
                width=120,
                alt=f"Test image of the class {names[label]}",
            )
