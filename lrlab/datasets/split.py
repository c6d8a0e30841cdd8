"""The images a run trains, validates and tests on: the notebook's split and its scaling.

Pixels stay ``uint8`` here; a network scales them itself, one batch at a time, with the table that
`standardisation_table` makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrlab.datasets.sources import FETCH_HINT, DataSource
from lrlab.params import InvalidInput

SPLIT_SEED = 1
"""The notebook's ``random_state``."""
SUBSET_SEED = 2017
"""Decides which images a smaller training set holds. It is not the run's seed: runs that differ
in their seed alone train on the same images."""
VALUES = 256


@dataclass(frozen=True, eq=False)
class Images:
    """All images of a source, and which of them a run trains, validates and tests on.

    Args:
        images: uint8, shape ``(n, 28, 28)``: the training files' images, then the test files'.
        labels: uint8, shape ``(n,)``.
        train_rows, validation_rows, test_rows: int32, places in both.
        mean, deviation: see `mean_and_deviation`; of the images trained on.
        table: see `standardisation_table`; by these two.
    """

    images: np.ndarray
    labels: np.ndarray
    train_rows: np.ndarray
    validation_rows: np.ndarray
    test_rows: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    table: np.ndarray


def check_train_size(source: DataSource, train_size: int) -> None:
    """Refuses a training set larger than what the source holds.

    Raises:
        InvalidInput: it is larger; the message names both numbers and what to do.
    """
    largest = source.largest_train_size
    if train_size > largest:
        hint = f" For more, get the full set: {FETCH_HINT}" if source.key == "sample" else ""
        raise InvalidInput(
            f"run: train_size = {train_size} is not allowed. {source.label} leaves {largest} "
            f"images to train on: choose {largest} or fewer.{hint}"
        )


def read_images(source: DataSource) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of a source, as `Images` holds them."""
    files = source.files
    images = np.concatenate([source.read(files.train_images), source.read(files.test_images)])
    labels = np.concatenate([source.read(files.train_labels), source.read(files.test_labels)])
    return images, labels


def load_images(
    source: DataSource,
    train_size: int,
    read: Callable[[DataSource], tuple[np.ndarray, np.ndarray]] = read_images,
) -> Images:
    """Reads a source and splits it as the notebook does.

    Three quarters of the training files are for training, the rest for validation. A smaller
    training set is the first images of a fixed, stratified shuffle of the training part, so a
    larger one contains every smaller one.

    Args:
        source: the copy to read.
        train_size: images to train on, from 1 to ``source.largest_train_size``.
        read: gives the images and labels; for a caller that has read them before.

    Raises:
        InvalidInput: ``train_size`` is more than the source holds.
    """
    check_train_size(source, train_size)
    images, labels = read(source)
    # The permutation and the cut of scikit-learn's train_test_split(..., random_state=1), which
    # the notebook calls. The library itself would cost a worker 60 MB.
    order = np.random.RandomState(SPLIT_SEED).permutation(source.train_images).astype(np.int32)
    held_back = source.train_images - source.largest_train_size
    validation_rows, train_rows = order[:held_back], order[held_back:]
    # The whole training part keeps the split's own order: the order decides the batches, and
    # with it whether the notebook's numbers come out.
    if train_size < len(train_rows):
        train_rows = train_rows[stratified_order(labels[train_rows])[:train_size]]
    test_rows = np.arange(source.train_images, len(labels), dtype=np.int32)
    mean, deviation = mean_and_deviation(images[train_rows])
    table = standardisation_table(mean, deviation)
    return Images(images, labels, train_rows, validation_rows, test_rows, mean, deviation, table)


def stratified_order(labels: np.ndarray) -> np.ndarray:
    """A fixed shuffle whose every beginning has the classes in their overall shares.

    Each image of a class with ``m`` images gets a random place in its own ``m``-th part of the
    whole, so the first ``n`` images hold ``n / len(labels)`` of each class, give or take one.

    Args:
        labels: shape ``(n,)``.

    Returns:
        Indices into ``labels``, int64, shape ``(n,)``.
    """
    random = np.random.default_rng(SUBSET_SEED)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


def standardisation_table(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """What each value of each pixel becomes when the images are standardised.

    A pixel is scaled by its own mean and standard deviation, as the notebook does in float64.
    There are only 256 values, so a table holds every result, and looking one up is exactly the
    notebook's scaling rounded to float32.

    Args:
        mean, deviation: see `mean_and_deviation`.

    Returns:
        float32, shape ``(28, 28, 256)``: ``table[row, column, value]``.
    """
    values = np.arange(VALUES)
    return ((values - mean[..., None]) / deviation[..., None]).astype(np.float32)


def mean_and_deviation(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's mean and standard deviation over images; 1 for a pixel that never varies.

    Args:
        images: uint8, shape ``(n, 28, 28)``.

    Returns:
        Two arrays, float64, shape ``(28, 28)``.
    """
    # Row by row, because NumPy's standard deviation makes a float64 copy of what it is given:
    # 280 MB for all rows at once.
    rows = range(images.shape[1])
    mean = np.stack([images[:, row].mean(axis=0) for row in rows])
    deviation = np.stack([images[:, row].std(axis=0) for row in rows])
    deviation[deviation == 0] = 1
    return mean, deviation
