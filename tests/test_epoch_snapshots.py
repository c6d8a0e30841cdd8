"""Epoch snapshots and results: equal to scikit-learn's counts, true to the network, and stored."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from lrlab.datasets.split import load_images
from lrlab.runs.store import StaleAttempt, Store, WriteRefused
from lrlab.training.compile_mode import UNFUSED
from lrlab.training.epoch_snapshots import (
    FILTERS,
    MAX_MISTAKES,
    surest_mistakes,
    weights_as_images,
)
from lrlab.training.measurements import EpochSnapshot, RunResult
from lrlab.training.trainer import train
from tests.store_runs import bring_to
from tests.training_runs import SAMPLE, ListSink, plan_of

PLAN = plan_of({"optimizer": {"name": "nadam"}}, train_size=320, epochs=2)


@pytest.fixture(scope="module")
def sink() -> ListSink:
    trained = ListSink()
    assert train(PLAN, trained, SAMPLE, UNFUSED).kind == "completed"
    return trained


@pytest.fixture(scope="module")
def model(sink: ListSink, tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """The trained network, loaded from the run's Keras file."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    path.write_bytes(sink.results[0].keras_file)
    return keras.saving.load_model(path)


def test_the_confusion_matrix_equals_scikit_learns_on_the_validation_images(
    sink: ListSink, model: keras.Model
) -> None:
    images = load_images(SAMPLE, PLAN.train_size)
    labels = images.labels[images.validation_rows]
    predicted = model.predict(images.images[images.validation_rows], verbose=0).argmax(axis=1)
    snapshot = sink.all_snapshots[-1]
    np.testing.assert_array_equal(snapshot.confusion, confusion_matrix(labels, predicted))
    shares = recall_score(labels, predicted, average=None)
    np.testing.assert_allclose(snapshot.class_accuracy, shares)
    accuracy = snapshot.confusion.trace() / snapshot.confusion.sum()
    assert accuracy == pytest.approx(sink.epochs[-1].val_accuracy)


def test_a_snapshot_is_reported_at_the_start_and_after_every_epoch(sink: ListSink) -> None:
    assert [snapshot.epoch for snapshot in sink.all_snapshots] == [0, 1, 2]
    assert sink.all_snapshots[0].confusion is sink.all_snapshots[0].class_accuracy is None
    start, *_, end = (snapshot.filters for snapshot in sink.all_snapshots)
    assert (start != end).any()


def test_the_filters_are_the_first_units_weights(sink: ListSink, model: keras.Model) -> None:
    kernel = np.array(model.trainable_variables[0])[:, :FILTERS]
    snapshot = sink.all_snapshots[-1]
    assert snapshot.filters.shape == (FILTERS, 28, 28)
    assert snapshot.scale == pytest.approx(np.abs(kernel).max())
    weights = (snapshot.filters.astype(float) - 128) / 127 * snapshot.scale
    expected = kernel.T.reshape(FILTERS, 28, 28)
    np.testing.assert_allclose(weights, expected, atol=snapshot.scale / 250)


def test_a_convolutions_filters_become_small_images() -> None:
    kernel = np.arange(-72, 72, dtype=np.float32).reshape(3, 3, 1, 16)
    filters, scale = weights_as_images(kernel)
    assert (filters.shape, filters.dtype, scale) == ((16, 3, 3), np.uint8, 72.0)
    np.testing.assert_allclose(
        (filters[5].astype(float) - 128) / 127 * 72, kernel[..., 0, 5], atol=0.3
    )
    zeros, scale = weights_as_images(np.zeros((9, 20)))
    assert (zeros == 128).all()
    assert (zeros.shape, scale) == ((16, 3, 3), 0.0)


def test_the_mistakes_are_the_most_confident_wrong_predictions(
    sink: ListSink, model: keras.Model
) -> None:
    images = load_images(SAMPLE, PLAN.train_size)
    mistakes = sink.results[0].mistakes
    assert len(mistakes.numbers) == MAX_MISTAKES
    rows = images.test_rows[mistakes.numbers]
    np.testing.assert_array_equal(mistakes.images, images.images[rows])
    np.testing.assert_array_equal(mistakes.labels, images.labels[rows])
    assert (mistakes.probabilities.argmax(axis=1) != mistakes.labels).all()
    probabilities = model.predict(images.images[images.test_rows], verbose=0)
    np.testing.assert_allclose(mistakes.probabilities, probabilities[mistakes.numbers], atol=1e-5)
    wrong = probabilities[probabilities.argmax(axis=1) != images.labels[images.test_rows]].max(
        axis=1
    )
    surest = np.sort(wrong)[::-1][:MAX_MISTAKES]
    np.testing.assert_allclose(mistakes.probabilities.max(axis=1), surest, atol=1e-5)


def test_a_network_without_mistakes_has_none() -> None:
    images = load_images(SAMPLE, 10)
    labels = images.labels[images.test_rows]
    mistakes = surest_mistakes(np.eye(10)[labels], images)
    assert mistakes.images.shape == (0, 28, 28)
    assert mistakes.probabilities.shape == (0, 10)


# In the store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    opened.register_worker("worker")
    return opened


def record(store: Store, run_id: int, attempt: int, sink: ListSink) -> None:
    for snapshot in sink.all_snapshots:
        store.record_snapshot(run_id, attempt, snapshot)
    store.record_result(run_id, attempt, sink.results[0])


def assert_equal(stored: object, expected: EpochSnapshot | RunResult) -> None:
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(stored, name), value, err_msg=name)


def test_the_store_returns_what_was_recorded(store: Store, sink: ListSink) -> None:
    run_id, attempt = bring_to(store, "running")
    assert store.snapshot_epochs(run_id) == []
    assert (
        store.epoch_snapshot(run_id, 1)
        is store.mistakes(run_id)
        is store.keras_file(run_id)
        is None
    )
    record(store, run_id, attempt, sink)
    assert store.snapshot_epochs(run_id) == [0, 1, 2]
    for snapshot in sink.all_snapshots:
        assert_equal(store.epoch_snapshot(run_id, snapshot.epoch), snapshot)
    assert_equal(store.mistakes(run_id), sink.results[0].mistakes)
    assert store.keras_file(run_id) == sink.results[0].keras_file
    with pytest.raises(WriteRefused, match="already has data for epoch 1"):
        store.record_snapshot(run_id, attempt, sink.all_snapshots[1])
    with pytest.raises(StaleAttempt):
        store.record_snapshot(run_id, attempt - 1, sink.all_snapshots[1])


def test_snapshots_and_results_are_deleted_with_their_run(store: Store, sink: ListSink) -> None:
    run_id, attempt = bring_to(store, "running")
    record(store, run_id, attempt, sink)
    store.finish(run_id, attempt, "finished", "completed")
    store.delete(run_id, by="ada")
    assert store.snapshot_epochs(run_id) == []
    assert store.keras_file(run_id) is None
