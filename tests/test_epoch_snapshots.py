"""What the network learned: counted as scikit-learn counts, shown as it is, kept in the store."""

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
    MOST_MISTAKES,
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
    found = ListSink()
    assert train(PLAN, found, SAMPLE, UNFUSED).kind == "completed"
    return found


@pytest.fixture(scope="module")
def model(sink: ListSink, tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """The trained network, from the file that the run leaves."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    path.write_bytes(sink.results[0].keras_file)
    return keras.saving.load_model(path)


def test_the_confusion_is_scikit_learns_on_the_validation_images(
    sink: ListSink, model: keras.Model
) -> None:
    images = load_images(SAMPLE, PLAN.train_size)
    labels = images.labels[images.validation_rows]
    said = model.predict(images.images[images.validation_rows], verbose=0).argmax(axis=1)
    learned = sink.all_learned[-1]
    np.testing.assert_array_equal(learned.confusion, confusion_matrix(labels, said))
    shares = recall_score(labels, said, average=None)
    np.testing.assert_allclose(learned.class_accuracy, shares)
    right = learned.confusion.trace() / learned.confusion.sum()
    assert right == pytest.approx(sink.epochs[-1].val_accuracy)


def test_every_epoch_and_the_start_are_reported(sink: ListSink) -> None:
    assert [learned.epoch for learned in sink.all_learned] == [0, 1, 2]
    assert sink.all_learned[0].confusion is sink.all_learned[0].class_accuracy is None
    start, *_, end = (learned.filters for learned in sink.all_learned)
    assert (start != end).any()


def test_the_filters_are_the_first_units_weights(sink: ListSink, model: keras.Model) -> None:
    kernel = np.array(model.trainable_variables[0])[:, :FILTERS]
    learned = sink.all_learned[-1]
    assert learned.filters.shape == (FILTERS, 28, 28)
    assert learned.scale == pytest.approx(np.abs(kernel).max())
    found = (learned.filters.astype(float) - 128) / 127 * learned.scale
    expected = kernel.T.reshape(FILTERS, 28, 28)
    np.testing.assert_allclose(found, expected, atol=learned.scale / 250)


def test_a_convolutions_filters_are_small_images() -> None:
    kernel = np.arange(-72, 72, dtype=np.float32).reshape(3, 3, 1, 16)
    filters, scale = weights_as_images(kernel)
    assert (filters.shape, filters.dtype, scale) == ((16, 3, 3), np.uint8, 72.0)
    np.testing.assert_allclose(
        (filters[5].astype(float) - 128) / 127 * 72, kernel[..., 0, 5], atol=0.3
    )
    nothing, scale = weights_as_images(np.zeros((9, 20)))
    assert (nothing == 128).all()
    assert (nothing.shape, scale) == ((16, 3, 3), 0.0)


def test_the_surest_mistakes_are_wrong_and_come_first(sink: ListSink, model: keras.Model) -> None:
    images = load_images(SAMPLE, PLAN.train_size)
    found = sink.results[0].mistakes
    assert len(found.numbers) == MOST_MISTAKES
    rows = images.test_rows[found.numbers]
    np.testing.assert_array_equal(found.images, images.images[rows])
    np.testing.assert_array_equal(found.labels, images.labels[rows])
    assert (found.probabilities.argmax(axis=1) != found.labels).all()
    said = model.predict(images.images[images.test_rows], verbose=0)
    np.testing.assert_allclose(found.probabilities, said[found.numbers], atol=1e-5)
    wrong = said[said.argmax(axis=1) != images.labels[images.test_rows]].max(axis=1)
    surest = np.sort(wrong)[::-1][:MOST_MISTAKES]
    np.testing.assert_allclose(found.probabilities.max(axis=1), surest, atol=1e-5)


def test_a_network_without_mistakes_has_none() -> None:
    images = load_images(SAMPLE, 10)
    labels = images.labels[images.test_rows]
    found = surest_mistakes(np.eye(10)[labels], images)
    assert found.images.shape == (0, 28, 28)
    assert found.probabilities.shape == (0, 10)


# In the store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    opened.register_worker("worker")
    return opened


def keep(store: Store, run_id: int, attempt: int, sink: ListSink) -> None:
    for learned in sink.all_learned:
        store.record_snapshot(run_id, attempt, learned)
    store.record_result(run_id, attempt, sink.results[0])


def assert_equal(found: object, expected: EpochSnapshot | RunResult) -> None:
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)


def test_the_store_gives_back_what_it_was_given(store: Store, sink: ListSink) -> None:
    run_id, attempt = bring_to(store, "running")
    assert store.snapshot_epochs(run_id) == []
    assert store.learned(run_id, 1) is store.mistakes(run_id) is store.keras_file(run_id) is None
    keep(store, run_id, attempt, sink)
    assert store.snapshot_epochs(run_id) == [0, 1, 2]
    for learned in sink.all_learned:
        assert_equal(store.learned(run_id, learned.epoch), learned)
    assert_equal(store.mistakes(run_id), sink.results[0].mistakes)
    assert store.keras_file(run_id) == sink.results[0].keras_file
    with pytest.raises(WriteRefused, match="epoch 1 already"):
        store.record_snapshot(run_id, attempt, sink.all_learned[1])
    with pytest.raises(StaleAttempt):
        store.record_snapshot(run_id, attempt - 1, sink.all_learned[1])


def test_it_goes_with_its_run(store: Store, sink: ListSink) -> None:
    run_id, attempt = bring_to(store, "running")
    keep(store, run_id, attempt, sink)
    store.finish(run_id, attempt, "finished", "completed")
    store.delete(run_id, by="ada")
    assert store.snapshot_epochs(run_id) == []
    assert store.keras_file(run_id) is None
