"""Splits the images into training, validation and test sets and scales them as the notebook does.

Pixels stay ``uint8`` here. The network scales them batch by batch with the table from
`standardisation_table`.
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
"""Selects the images of a smaller training set. It is not the run's seed, so runs that differ only
in their seed train on the same images."""
PIXEL_VALUES = 256


@dataclass(frozen=True, eq=False)
class Images:
    """All images of a source and the split of a run.

    Args:
        images: uint8, shape ``(n, 28, 28)``: the training files' images, then the test files'.
        labels: uint8, shape ``(n,)``.
        train_rows, validation_rows, test_rows: int32, indices into ``images`` and ``labels``.
        mean, deviation: `mean_and_deviation` of the training set.
        table: `standardisation_table` of ``mean`` and ``deviation``.
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
    """Checks that a source has enough images for a training set.

    Raises:
        InvalidInput: the training set is too large; the message names both sizes and what to do.
    """
    largest = source.largest_train_size
    if train_size > largest:
        hint = f" For more, get the full set: {FETCH_HINT}" if source.key == "sample" else ""
        raise InvalidInput(
            f"run: train_size = {train_size} is not allowed. {source.label} has {largest} "
            f"training images: choose {largest} or fewer.{hint}"
        )


def read_images(source: DataSource) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of a source, as in `Images`."""
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

    Three quarters of the images in the training files are for training, the rest for validation. A
    smaller training set is the start of a fixed, stratified shuffle of the training part, so every
    training set contains all smaller ones.

    Args:
        source: the copy to read.
        train_size: the number of training images, from 1 to ``source.largest_train_size``.
        read: returns the images and labels; lets a caller reuse arrays it has already read.

    Raises:
        InvalidInput: ``train_size`` is larger than ``source.largest_train_size``.
    """
    check_train_size(source, train_size)
    images, labels = read(source)
    # The same split as scikit-learn's train_test_split(..., random_state=1) in the notebook.
    # Importing scikit-learn would cost each worker 60 MB.
    order = np.random.RandomState(SPLIT_SEED).permutation(source.train_images).astype(np.int32)
    validation_size = source.train_images - source.largest_train_size
    validation_rows, train_rows = order[:validation_size], order[validation_size:]
    # The full training set keeps the order of the split, because the order determines the batches,
    # which must match the notebook's to reproduce its results.
    if train_size < len(train_rows):
        train_rows = train_rows[stratified_order(labels[train_rows])[:train_size]]
    test_rows = np.arange(source.train_images, len(labels), dtype=np.int32)
    mean, deviation = mean_and_deviation(images[train_rows])
    table = standardisation_table(mean, deviation)
    return Images(images, labels, train_rows, validation_rows, test_rows, mean, deviation, table)


def stratified_order(labels: np.ndarray) -> np.ndarray:
    """A fixed shuffle in which every prefix has the overall class shares.

    The ``m`` images of a class get one random position each in ``m`` equal parts of the range, so
    the first ``n`` images contain ``n / len(labels)`` of each class, plus or minus one image.

    Args:
        labels: shape ``(n,)``.

    Returns:
        Indices into ``labels``, int64, shape ``(n,)``.
    """
    random = np.random.default_rng(SUBSET_SEED)
    positions = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        positions[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(positions, kind="stable")


def standardisation_table(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """The standardised value of every possible value of each pixel.

    The notebook scales each pixel by its own mean and standard deviation, in float64. A pixel has
    only 256 possible values, so the table holds every result; looking one up gives exactly the
    notebook's value rounded to float32.

    Args:
        mean, deviation: see `mean_and_deviation`.

    Returns:
        float32, shape ``(28, 28, 256)``: ``table[row, column, value]``.
    """
    values = np.arange(PIXEL_VALUES)
    return ((values - mean[..., None]) / deviation[..., None]).astype(np.float32)


def mean_and_deviation(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and standard deviation of each pixel; the deviation of a constant pixel is set to 1.

    Args:
        images: uint8, shape ``(n, 28, 28)``.

    Returns:
        Two arrays, float64, shape ``(28, 28)``.
    """
    # Row by row, because NumPy's standard deviation makes a float64 copy of its input: 280 MB for
    # all rows at once.
    rows = range(images.shape[1])
    mean = np.stack([images[:, row].mean(axis=0) for row in rows])
    deviation = np.stack([images[:, row].std(axis=0) for row in rows])
    deviation[deviation == 0] = 1
    return mean, deviation
