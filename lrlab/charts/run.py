"""What a run measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import number_axis, powers_axis
from lrlab.training.measurements import EpochRecord, Point

PLANNED, RECORDED = "planned", "recorded"
"""How the two curves of a run's learning rate are called."""


def point_table(points: Sequence[Point], steps_per_epoch: int) -> pd.DataFrame:
    """What a run measured between epochs.

    Args:
        points: in the order of their steps.
        steps_per_epoch: optimizer steps in an epoch.

    Returns:
        Columns ``step``, ``epoch`` (in fractions), ``loss``, ``learning_rate`` and ``recipe``,
        which is `RECORDED`.
    """
    steps = np.array([point.step for point in points], np.int64)
    return pd.DataFrame(
        {
            "step": steps,
            "loss": np.array([point.loss for point in points], np.float64),
            "learning_rate": np.array([point.learning_rate for point in points], np.float64),
            "epoch": steps / steps_per_epoch,
            "recipe": RECORDED,
        }
    )


def epoch_table(epochs: Sequence[EpochRecord]) -> pd.DataFrame:
    """What a run measured at each epoch's end, a row for each epoch and set of images.

    Returns:
        Columns ``epoch``, ``images`` ("training" or "validation"), ``loss`` and ``accuracy``.
    """
    rows = [
        {
            "epoch": epoch.epoch,
            "images": images,
            "loss": loss,
            "accuracy": accuracy,
        }
        for epoch in epochs
        for images, loss, accuracy in (
            ("training", epoch.loss, epoch.accuracy),
            ("validation", epoch.val_loss, epoch.val_accuracy),
        )
    ]
    return pd.DataFrame(rows, columns=["epoch", "images", "loss", "accuracy"])


def loss_chart(points: Any, epochs: Any, length: int, height: int = 280) -> alt.LayerChart:
    """A run's loss: of the batches as they pass, and of each epoch for both sets of images.

    Args:
        points, epochs: rows of `point_table` and `epoch_table`.
        length: epochs in the whole run, the fixed length of the horizontal axis.
    """
    passing = (
        alt.Chart(points)
        .mark_line(
            strokeWidth=1,
            opacity=0.45,
            color="gray",
            point=alt.OverlayMarkDef(size=4, color="gray"),
        )
        .encode(
            x=_epochs_axis(length),
            y=_loss_axis(),
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("loss:Q", title="loss of the last batches", format=".4f"),
            ],
        )
    )
    ends = _epoch_line(epochs, _loss_axis(), "loss", length)
    description = "Loss against epoch: of the passing batches, and after each epoch on both sets."
    return alt.layer(passing, ends).properties(height=height, description=description)


def accuracy_chart(epochs: Any, length: int, height: int = 280) -> alt.LayerChart:
    """A run's accuracy after each epoch, from `epoch_table` rows."""
    accuracy = alt.Y(
        "accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format="~%")
    )
    description = "Accuracy after each epoch, on training and validation images."
    line = _epoch_line(epochs, accuracy, "accuracy", length)
    # A layer leaves as much room above as the loss beside it.
    return alt.layer(line).properties(height=height, description=description)


def recorded_rate_chart(
    planned: Any, recorded: Any, length: int, foreseen: bool = True, height: int = 240
) -> alt.LayerChart:
    """The learning rate that updates really used, as dots over the planned curve.

    Args:
        planned, recorded: rows of `curve_table`, labelled `PLANNED`, and of `point_table`.
        length: epochs in the whole run.
        foreseen: whether there is a planned curve for the legend to name.
    """
    rate = alt.Y("learning_rate:Q", title="learning rate", axis=number_axis(3))
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1) if foreseen else None
    kind = alt.Color("recipe:N", scale=alt.Scale(domain=[RECORDED, PLANNED]), legend=legend)
    line = (
        alt.Chart(planned)
        .mark_line(strokeWidth=5, opacity=0.3)
        .encode(x=_epochs_axis(length), y=rate, color=kind)
    )
    dots = (
        alt.Chart(recorded)
        .mark_point(size=14, filled=True, opacity=1)
        .encode(
            x=_epochs_axis(length),
            y=rate,
            color=kind,
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("learning_rate:Q", title="learning rate used", format=".4~g"),
            ],
        )
    )
    description = "Learning rate against epoch: recorded in training, over the planned curve."
    return alt.layer(line, dots).properties(height=height, description=description)


def _loss_axis() -> alt.Y:
    # The first batches lose ten times as much as the last: on a linear axis nothing else is seen.
    scale = alt.Scale(type="log", nice=False)
    return alt.Y("loss:Q", title="loss (log)", scale=scale, axis=powers_axis())


def _epoch_line(epochs: Any, y: alt.Y, measure: str, length: int) -> alt.Chart:
    return (
        alt.Chart(epochs)
        .mark_line(point=alt.OverlayMarkDef(size=50), strokeWidth=2)
        .encode(
            x=_epochs_axis(length),
            y=y,
            color=alt.Color(
                "images:N",
                scale=alt.Scale(domain=["training", "validation"]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=[
                alt.Tooltip("images:N"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip(f"{measure}:Q", format=".4f"),
            ],
        )
    )


def _epochs_axis(length: int) -> alt.X:
    return alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(domain=[0, length], nice=False),
        axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
    )
