"""Charts of one run's measurements."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import ChartData, layer, log_axis, number_axis
from lrlab.training.measurements import EpochRecord, Point

PLANNED, RECORDED = "planned", "recorded"
"""The names of the two curves of a run's learning rate."""


def point_table(points: Sequence[Point], steps_per_epoch: int) -> pd.DataFrame:
    """The measurements within epochs.

    Args:
        points: the points, in the order of their steps.
        steps_per_epoch: optimizer steps in an epoch.

    Returns:
        Columns ``step``, ``epoch`` (fractional), ``loss``, ``learning_rate`` and ``recipe``, which
        is `RECORDED`.
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
    """The measurements at the end of each epoch, one row for each epoch and set of images.

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


def loss_chart(
    points: ChartData, epochs: ChartData, length: int, height: int = 280
) -> alt.LayerChart:
    """A run's loss: of the latest batches, and of each epoch on both sets of images.

    Args:
        points, epochs: rows of `point_table` and `epoch_table`.
        length: the number of epochs in the whole run, which is the end of the axis.
        height: in pixels.
    """
    batches = (
        alt.Chart(points)
        .mark_line(
            strokeWidth=1,
            opacity=0.45,
            color="gray",
            point=alt.OverlayMarkDef(size=4, color="gray"),
        )
        .encode(
            x=_epoch_axis(length),
            y=_loss_axis(),
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("loss:Q", title="loss of the last batches", format=".4f"),
            ],
        )
    )
    lines = _epoch_lines(epochs, _loss_axis(), "loss", length)
    description = "Loss against epoch: of the latest batches, and after each epoch on both sets."
    return layer(batches, lines).properties(height=height, description=description)


def accuracy_chart(epochs: ChartData, length: int, height: int = 280) -> alt.LayerChart:
    """A run's accuracy after each epoch, from `epoch_table` rows."""
    accuracy = alt.Y(
        "accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format="~%")
    )
    description = "Accuracy after each epoch, on training and validation images."
    lines = _epoch_lines(epochs, accuracy, "accuracy", length)
    # As a layered chart it leaves the same margins as the loss chart beside it.
    return layer(lines).properties(height=height, description=description)


def recorded_rate_chart(
    planned: ChartData,
    recorded: ChartData,
    length: int,
    has_plan: bool = True,
    height: int = 240,
) -> alt.LayerChart:
    """The learning rate that steps used, as dots over the planned curve.

    Args:
        planned, recorded: rows of `curve_table`, labelled `PLANNED`, and of `point_table`.
        length: the number of epochs in the whole run.
        has_plan: whether there is a planned curve, so that a legend is needed.
        height: in pixels.
    """
    rate = alt.Y("learning_rate:Q", title="learning rate", axis=number_axis(3))
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1) if has_plan else None
    kind = alt.Color("recipe:N", scale=alt.Scale(domain=[RECORDED, PLANNED]), legend=legend)
    line = (
        alt.Chart(planned)
        .mark_line(strokeWidth=5, opacity=0.3)
        .encode(x=_epoch_axis(length), y=rate, color=kind)
    )
    dots = (
        alt.Chart(recorded)
        .mark_point(size=14, filled=True, opacity=1)
        .encode(
            x=_epoch_axis(length),
            y=rate,
            color=kind,
            tooltip=[
                alt.Tooltip("step:Q", format=","),
                alt.Tooltip("learning_rate:Q", title="learning rate used", format=".4~g"),
            ],
        )
    )
    description = "Learning rate against epoch: recorded in training, over the planned curve."
    return layer(line, dots).properties(height=height, description=description)


def _loss_axis() -> alt.Y:
    # The first losses are ten times the last ones: a linear axis would flatten the rest.
    scale = alt.Scale(type="log", nice=False)
    return alt.Y("loss:Q", title="loss (log)", scale=scale, axis=log_axis())


def _epoch_lines(epochs: ChartData, y: alt.Y, measure: str, length: int) -> alt.Chart:
    return (
        alt.Chart(epochs)
        .mark_line(point=alt.OverlayMarkDef(size=50), strokeWidth=2)
        .encode(
            x=_epoch_axis(length),
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


def _epoch_axis(length: int) -> alt.X:
    return alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(domain=[0, length], nice=False),
        axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
    )
