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
from lrlab.networks import CLASS_NAMES
from lrlab.store import Run
from lrlab.ui.layout import two_sides
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.words import number

MOST_MISTAKES = 12
"""Wrong images shown, the surest first."""


def learned_part(run: Run) -> None:
    """What there is of a run, folded away; nothing before its first epoch."""
    epochs = server().store.learned_epochs(run.id)
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
    with store_errors():
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
            f"White: zero, blue: up to {number(learned.scale)}, orange: down to "
            f"−{number(learned.scale)}. {when[0].upper()}{when[1:]}.",
            alt=f"Sixteen pictures of 28 by 28 weights, {when}.",
        )
        if learned.confusion is not None and learned.class_accuracy is not None:
            left, right = two_sides(f"learned-{run_id}", 3, 2)
            with left:
                st.markdown("**What validation images were taken for**")
                show(
                    confusion_chart,
                    f"learned.confusion.{run_id}",
                    confusion_table(learned.confusion),
                )
            with right:
                st.markdown("**How many of each class were recognised**")
                show(class_chart, f"learned.classes.{run_id}", class_table(learned.class_accuracy))
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
                f"{CLASS_NAMES[label]}, taken for {CLASS_NAMES[guess]} ({shares[guess]:.1%})",
                width=120,
                alt=f"Test image of the class {CLASS_NAMES[label]}",
            )
