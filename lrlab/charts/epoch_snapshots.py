"""Charts of epoch snapshots: which classes a network confuses, and its first weights."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from lrlab.charts.style import ChartData, layer
from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.descent.raster import HIGH, LOW

NEGATIVE, ZERO, POSITIVE = (0xD5, 0x5E, 0x00), (0xF7, 0xF7, 0xF7), (0x00, 0x72, 0xB2)
"""The colours of weights: orange for negative, blue for positive (Okabe and Ito, 2008)."""

DARK_SHARE = 0.5
"""A cell with a square-root share above this is dark, so its text must be light."""

TILE_GAP = 2
"""The gap between the pictures of two units, measured in weights."""


def confusion_table(confusion: np.ndarray) -> pd.DataFrame:
    """A confusion matrix as a table, one row per cell.

    Args:
        confusion: shape ``(10, 10)``, ``confusion[i, j]`` is the number of images of class
            ``i`` classified as ``j``.

    Returns:
        Columns ``actual``, ``predicted`` (class names), ``images`` and ``share`` (of all images
        of the actual class; 0 for a class without images).
    """
    totals = confusion.sum(axis=1, keepdims=True)
    shares = confusion / np.maximum(totals, 1)
    rows, columns = np.indices(confusion.shape)
    names = np.array(FASHION_MNIST.class_names)
    return pd.DataFrame(
        {
            "actual": names[rows.ravel()],
            "predicted": names[columns.ravel()],
            "images": confusion.ravel(),
            "share": shares.ravel(),
        }
    )


def confusion_chart(data: ChartData, height: int = 380) -> alt.LayerChart:
    """A confusion matrix from `confusion_table` rows; a darker cell has a larger share."""
    base = alt.Chart(data).encode(
        x=alt.X("predicted:O", title="predicted class", sort=list(FASHION_MNIST.class_names)).axis(
            labelAngle=-40, labelOverlap=False
        ),
        y=alt.Y("actual:O", title="actual class", sort=list(FASHION_MNIST.class_names)),
    )
    boxes = base.mark_rect().encode(
        color=alt.Color(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[HIGH, LOW], type="sqrt"), legend=None
        ),
        tooltip=[
            alt.Tooltip("actual:O", title="actual class"),
            alt.Tooltip("predicted:O", title="predicted class"),
            alt.Tooltip("images:Q", format=","),
            alt.Tooltip("share:Q", format=".1%"),
        ],
    )
    texts = (
        base.transform_filter("datum.images > 0")
        .mark_text(tooltip=None, fontSize=11)
        .encode(
            text=alt.Text("images:Q", format=","),
            color=alt.when(f"datum.share > {DARK_SHARE**2}")
            .then(alt.value("white"))
            .otherwise(alt.value("black")),
        )
    )
    description = "Confusion matrix of the validation images: predicted class against actual class."
    return layer(boxes, texts).properties(height=height, description=description)


def class_table(accuracy: np.ndarray) -> pd.DataFrame:
    """The share of each class's images that was recognised: columns ``name`` and ``accuracy``.

    Args:
        accuracy: shape ``(10,)``; NaN for a class without images, which gets no row.
    """
    return pd.DataFrame({"name": FASHION_MNIST.class_names, "accuracy": accuracy}).dropna()


def class_chart(data: ChartData, height: int = 380) -> alt.Chart:
    """The accuracy of each class, from `class_table` rows."""
    base = alt.Chart(data).encode(
        x=alt.X(
            "accuracy:Q",
            title="recognised",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="~%"),
        ),
        y=alt.Y("name:O", title=None, sort=list(FASHION_MNIST.class_names)),
        tooltip=[alt.Tooltip("name:O", title="class"), alt.Tooltip("accuracy:Q", format=".1%")],
    )
    description = "The share of each class's validation images that was recognised."
    return base.mark_bar().properties(height=height, description=description)


def weights_picture(filters: np.ndarray, across: int = 8, scale: int = 4) -> np.ndarray:
    """The incoming weights of some units as one picture.

    White is 0, blue is positive, orange is negative.

    Args:
        filters: uint8, shape ``(units, rows, columns)``; 128 is zero.
        across: the number of units in a row of the picture.
        scale: the width and height of a weight in pixels.

    Returns:
        uint8, RGB, shape ``(height, width, 3)``.
    """
    level = np.clip((filters.astype(np.float64) - 128) / 127, -1, 1)[..., None]
    zero = np.array(ZERO)
    end = np.where(level < 0, NEGATIVE, POSITIVE)
    colours = np.rint(zero + (end - zero) * np.abs(level)).astype(np.uint8)
    units, rows, columns = filters.shape
    down = -(-units // across)
    height, width = rows + TILE_GAP, columns + TILE_GAP
    sheet = np.full((down * height - TILE_GAP, across * width - TILE_GAP, 3), 255, np.uint8)
    for i, tile in enumerate(colours):
        top, left = i // across * height, i % across * width
        sheet[top : top + rows, left : left + columns] = tile
    return sheet.repeat(scale, axis=0).repeat(scale, axis=1)
