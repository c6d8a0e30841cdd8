"""For training tests: a sink that keeps everything, small plans, and training in plain Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from lrlab.datasets.fashion_mnist import SAMPLE_SET
from lrlab.datasets.sources import SAMPLE_FOLDER, DataSource
from lrlab.datasets.split import Images, load_images
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult
from lrlab.training.network_model import LAYER_BUILDERS

SAMPLE = DataSource("sample", "Bundled sample of Fashion-MNIST", SAMPLE_FOLDER, SAMPLE_SET)


HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy")
"""The metrics in Keras's history."""


class ListSink:
    """Keeps everything that is reported; requests a stop once ``stop(sink)`` is true."""

    def __init__(self, stop: Callable[[ListSink], bool] = lambda sink: False) -> None:
        self.phases: list[str] = []
        self.all_points: list[Point] = []
        self.epochs: list[EpochRecord] = []
        self.all_snapshots: list[EpochSnapshot] = []
        self.results: list[RunResult] = []
        self.stop = stop

    def started(self, phase: str) -> None:
        self.phases.append(phase)

    def points(self, points: list[Point]) -> bool:
        self.all_points.extend(points)
        return self.stop(self)

    def epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)

    def snapshot(self, snapshot: EpochSnapshot) -> None:
        self.all_snapshots.append(snapshot)

    def result(self, result: RunResult) -> None:
        self.results.append(result)

    def history(self) -> dict[str, list[float]]:
        """The epochs in the form of Keras's history."""
        return {name: [getattr(record, name) for record in self.epochs] for name in HISTORY}


def plan_of(recipe: dict[str, Any], **settings: Any) -> RunPlan:
    """A plan for a small run."""
    return RunPlan.of(Recipe.from_dict(recipe), **({"train_size": 1_000} | settings))


def scaled(images: Images) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training, validation and test images, scaled as in the notebook."""
    row_sets = (images.train_rows, images.validation_rows, images.test_rows)
    training, validation, test = (images.images[rows] for rows in row_sets)
    mean = training.mean(axis=0, keepdims=True)
    deviation = training.std(axis=0, keepdims=True)
    deviation[deviation == 0] = 1
    training, validation, test = (
        (part - mean) / deviation for part in (training, validation, test)
    )
    return training, validation, test


class StepLosses(keras.callbacks.Callback):
    """The mean loss of each batch, from the epoch's running mean that Keras reports."""

    def __init__(self, plan: RunPlan) -> None:
        super().__init__()
        self._plan = plan
        self.losses: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._seen, self._total = 0, 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        size = min(self._plan.batch_size, self._plan.train_size - self._seen)
        self._seen += size
        total = logs["loss"] * self._seen
        self.losses.append((total - self._total) / size)
        self._total = total


def plain_fit(
    plan: RunPlan, jit_compile: bool, *callbacks: keras.callbacks.Callback
) -> tuple[dict[str, list[float]], list[float]]:
    """Trains a plan on the sample as the notebook does: plain Keras, images scaled beforehand.

    Returns:
        Keras's history, and loss and accuracy on the test images.
    """
    images = load_images(SAMPLE, plan.train_size)
    training, validation, test = scaled(images)
    keras.utils.set_random_seed(plan.seed)
    model = keras.Sequential([keras.Input((28, 28)), *LAYER_BUILDERS[plan.network]()])
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=plan.recipe.keras_optimizer(),
        metrics=["accuracy"],
        jit_compile=jit_compile,
    )
    history = model.fit(
        training,
        images.labels[images.train_rows],
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        validation_data=(validation, images.labels[images.validation_rows]),
        callbacks=[*callbacks, *plan.recipe.keras_callbacks()],
        verbose=0,
    )
    return history.history, model.evaluate(test, images.labels[images.test_rows], verbose=0)
