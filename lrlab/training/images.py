"""The images a run trains, validates and tests on: the notebook's split and its scaling.

Pixels stay ``uint8`` here; a network scales them itself, one batch at a time, with the table that
`standardisation_table` makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrlab.params import InvalidInput
from lrlab.training.data import FETCH_HINT, VALIDATION_SHARE, DataSource

SPLIT_SEED = 1
"""The notebook's ``random_state``."""
SUBSET_SEED = 2017
"""Decides which images a smaller training set holds. It is not the run's seed: runs that differ
in their seed alone train on the same images."""
VALUES = 256


@dataclass(frozen=True, eq=False)
class Images:
    """What one run works on: images are uint8 of shape ``(n, 28, 28)``, labels uint8 ``(n,)``."""

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


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


def load_images(source: DataSource, train_size: int) -> Images:
    """Reads a source and splits it as the notebook does.

    Three quarters of the training files are for training, the rest for validation. A smaller
    training set is the first images of a fixed, stratified shuffle of the training part, so a
    larger one contains every smaller one. Imports scikit-learn on call.

    Args:
        source: the copy to read.
        train_size: images to train on, from 1 to ``source.largest_train_size``.

    Raises:
        InvalidInput: ``train_size`` is more than the source holds.
    """
    check_train_size(source, train_size)
    from sklearn.model_selection import train_test_split

    files = source.files
    train_images, validation_images, train_labels, validation_labels = train_test_split(
        source.read(files.train_images),
        source.read(files.train_labels),
        test_size=VALIDATION_SHARE,
        random_state=SPLIT_SEED,
    )
    # The whole training part keeps the split's own order: the order decides the batches, and
    # with it whether the notebook's numbers come out.
    if train_size < len(train_labels):
        chosen = stratified_order(train_labels)[:train_size]
        train_images, train_labels = train_images[chosen], train_labels[chosen]
    return Images(
        train_images,
        train_labels,
        validation_images,
        validation_labels,
        source.read(files.test_images),
        source.read(files.test_labels),
    )


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


def standardisation_table(images: np.ndarray) -> np.ndarray:
    """What each value of each pixel becomes when the images are standardised.

    A pixel is scaled by its own mean and standard deviation over ``images``, as the notebook does
    in float64; a pixel that never varies is divided by 1. There are only 256 values, so a table
    holds every result, and looking one up is exactly the notebook's scaling rounded to float32.

    Args:
        images: uint8, shape ``(n, 28, 28)``: the images trained on.

    Returns:
        float32, shape ``(28, 28, 256)``: ``table[row, column, value]``.
    """
    # Row by row, because NumPy's standard deviation makes a float64 copy of what it is given:
    # 280 MB for all rows at once.
    rows = range(images.shape[1])
    mean = np.stack([images[:, row].mean(axis=0) for row in rows])
    deviation = np.stack([images[:, row].std(axis=0) for row in rows])
    deviation[deviation == 0] = 1
    values = np.arange(VALUES)
    return ((values - mean[..., None]) / deviation[..., None]).astype(np.float32)
