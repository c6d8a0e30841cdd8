"""Training with `train`, compared with plain Keras, and what it reports during a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from lrlab.datasets.sources import DataSource
from lrlab.datasets.split import Images, load_images
from lrlab.recipes.plan import NETWORKS
from lrlab.training.compile_mode import FUSED, UNFUSED, CompileMode
from lrlab.training.measurements import Point
from lrlab.training.network_model import (
    BATCH_LOSS,
    GRADIENT_NORM,
    LAYER_BUILDERS,
    LEARNING_RATE,
    UPDATE_RATIO,
    network_layers,
)
from lrlab.training.recorder import MAX_POINTS, Recorder, RunEnded
from lrlab.training.trainer import Outcome, train
from tests.training_runs import SAMPLE, ListSink, plan_of, scaled

NADAM = {"optimizer": {"name": "nadam"}}
DECAYING_SGD = {
    "optimizer": {"name": "sgd"},
    "schedule": {
        "name": "exponential_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 20,
        "decay_rate": 0.5,
    },
}


def notebook_run(
    optimizer: keras.optimizers.Optimizer, images: Images
) -> tuple[dict[str, list[float]], list[float]]:
    """Two epochs of the notebook's cell: history, and loss and accuracy on the test images."""
    training, validation, test = scaled(images)
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(300, activation="selu", kernel_initializer="lecun_normal"),
            keras.layers.Dense(100, activation="selu", kernel_initializer="lecun_normal"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    history = model.fit(
        training,
        images.labels[images.train_rows],
        epochs=2,
        batch_size=32,
        validation_data=(validation, images.labels[images.validation_rows]),
        verbose=0,
    )
    return history.history, model.evaluate(test, images.labels[images.test_rows], verbose=0)


@pytest.mark.parametrize(
    ("recipe", "make_optimizer"),
    [
        (NADAM, lambda: keras.optimizers.Nadam(1e-3)),
        (
            DECAYING_SGD,
            lambda: keras.optimizers.SGD(
                keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=20, decay_rate=0.5)
            ),
        ),
    ],
    ids=["nadam", "sgd with exponential decay"],
)
def test_a_run_equals_the_notebooks_model_fit(
    recipe: dict[str, Any], make_optimizer: Callable[[], keras.optimizers.Optimizer]
) -> None:
    plan, sink = plan_of(recipe, seed=3), ListSink()
    outcome = train(plan, sink, SAMPLE)

    history, (test_loss, test_accuracy) = notebook_run(make_optimizer(), load_images(SAMPLE, 1_000))
    for name, expected in history.items():
        values = [getattr(record, name) for record in sink.epochs]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6, err_msg=name)
    assert outcome == Outcome(
        "completed",
        "completed all 64 steps",
        64,
        "unfused",
        pytest.approx(test_loss, abs=1e-6),
        pytest.approx(test_accuracy, abs=1e-6),
    )
    assert [phase for phase in sink.phases if phase != "compiling"] == [
        "preparing",
        "training",
        "testing",
    ]
    assert [(record.epoch, record.step) for record in sink.epochs] == [(1, 32), (2, 64)]

    planned = plan.recipe.learning_rates(plan.total_steps)
    steps = [point.step for point in sink.all_points]
    assert steps == list(range(64))
    recorded = [point.learning_rate for point in sink.all_points]
    np.testing.assert_allclose(recorded, planned, rtol=0, atol=2e-6 * planned.max())
    assert [record.learning_rate for record in sink.epochs] == [recorded[31], recorded[63]]


def test_the_mean_of_batch_losses_is_the_epochs_loss() -> None:
    sink = ListSink()
    plan = plan_of(DECAYING_SGD, epochs=2, batch_size=300)
    train(plan, sink, SAMPLE)
    sizes = [300, 300, 300, 100]
    for record in sink.epochs:
        losses = [point.loss for point in sink.all_points[record.step - 4 : record.step]]
        assert np.average(losses, weights=sizes) == pytest.approx(record.loss, rel=1e-6)


def feed(recorder: Recorder, losses: list[float], first: int = 0) -> None:
    """Reports batches as Keras does, with a learning rate of ``0.5 ** step``."""
    for batch, loss in enumerate(losses):
        recorder.on_train_batch_end(
            batch,
            {
                BATCH_LOSS: loss,
                LEARNING_RATE: 0.5 ** (first + batch),
                GRADIENT_NORM: 10.0 + first + batch,
                UPDATE_RATIO: 0.1,
            },
        )


def end_epoch(recorder: Recorder, epoch: int, val_loss: float = 0.5) -> None:
    recorder.on_test_begin()
    recorder.on_epoch_end(
        epoch, {"loss": 0.4, "accuracy": 0.8, "val_loss": val_loss, "val_accuracy": 0.7}
    )


def test_a_point_has_the_mean_loss_of_its_block_and_the_last_learning_rate() -> None:
    sink = ListSink()
    recorder = Recorder(sink, total_steps=3 * MAX_POINTS)
    recorder.on_epoch_begin(0)
    feed(recorder, [9.0, 5.0, 1.0, 4.0, 2.0])
    end_epoch(recorder, 0)
    recorder.on_epoch_begin(1)
    feed(recorder, [3.0, 1.0, 2.0], first=5)
    end_epoch(recorder, 1)
    assert sink.all_points == [
        Point(2, 5.0, 0.5**2, 12.0, 0.1),
        Point(4, 3.0, 0.5**4, 14.0, 0.1),
        Point(7, 2.0, 0.5**7, 17.0, 0.1),
    ]
    assert [record.step for record in sink.epochs] == [5, 8]
    assert [record.learning_rate for record in sink.epochs] == [0.5**4, 0.5**7]


def test_the_number_of_points_of_a_long_run_is_limited() -> None:
    sink = ListSink()
    recorder = Recorder(sink, total_steps=2_814)
    for epoch in range(2):
        recorder.on_epoch_begin(epoch)
        feed(recorder, [1.0] * 1_407)
        end_epoch(recorder, epoch)
    assert MAX_POINTS / 2 < len(sink.all_points) <= MAX_POINTS + 2
    assert sink.all_points[-1].step == 2_813


def test_a_diverging_run_ends_at_that_step_and_keeps_its_measurements() -> None:
    recipe = {
        "optimizer": {"name": "sgd"},
        "schedule": {
            "name": "piecewise_constant_decay",
            "boundaries": [39],
            "values": [0.01, 1e6],
        },
    }
    sink = ListSink()
    outcome = train(plan_of(recipe, epochs=3), sink, SAMPLE)
    assert outcome.kind == "diverged"
    assert outcome.text == f"diverged at step {outcome.steps}"
    assert outcome.test_accuracy is None
    assert [record.epoch for record in sink.epochs] == [1]
    assert [point.step for point in sink.all_points] == list(range(outcome.steps + 1))
    *before, last = [point.loss for point in sink.all_points]
    assert np.isfinite(before).all()
    assert not math.isfinite(last)
    assert "testing" not in sink.phases


def test_divergence_within_a_block_keeps_the_finite_part() -> None:
    sink = ListSink()
    recorder = Recorder(sink, total_steps=5 * MAX_POINTS)
    with pytest.raises(RunEnded, match="diverged at step 2"):
        feed(recorder, [2.0, 4.0, math.nan])
    assert sink.all_points[0] == Point(1, 3.0, 0.5, 11.0, 0.1)
    assert (sink.all_points[1].step, sink.all_points[1].learning_rate) == (2, 0.25)
    assert math.isnan(sink.all_points[1].loss)


def test_divergence_in_the_last_update_is_detected_in_the_validation() -> None:
    sink = ListSink()
    recorder = Recorder(sink, total_steps=2)
    recorder.on_epoch_begin(0)
    feed(recorder, [1.0, 1.0])
    with pytest.raises(RunEnded, match="diverged at step 2"):
        end_epoch(recorder, 0, val_loss=math.inf)
    assert sink.epochs[0].val_loss == math.inf


def test_a_stop_ends_the_run_and_keeps_its_measurements() -> None:
    sink = ListSink(stop=lambda sink: len(sink.all_points) > 32)
    outcome = train(plan_of(NADAM, epochs=100), sink, SAMPLE)
    assert outcome.kind == "stopped"
    assert outcome.text == f"stopped at step {outcome.steps}"
    assert 32 < outcome.steps < 3_200
    # An epoch that is stopped early, even during validation, is not reported.
    ended = len(sink.epochs)
    assert 32 * ended <= outcome.steps <= 32 * (ended + 1)
    assert sink.all_points[-1].step == outcome.steps - 1


def test_a_stop_takes_effect_before_training_and_during_validation() -> None:
    sink = ListSink(stop=lambda sink: True)
    stopped = Outcome("stopped", "stopped at step 0", 0, "unfused")
    assert train(plan_of(NADAM), sink, SAMPLE) == stopped
    assert sink.phases == ["preparing"]
    with pytest.raises(RunEnded):
        Recorder(sink, total_steps=1).on_test_batch_end(0)


def test_every_network_has_layers_and_outputs_class_probabilities() -> None:
    assert LAYER_BUILDERS.keys() == NETWORKS.keys()
    images = load_images(SAMPLE, 100)
    for key in NETWORKS:
        model = keras.Sequential(network_layers(key, images.table))
        probabilities = model.predict(images.images[:5], verbose=0)
        assert probabilities.shape == (5, 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_small_cnn_learns() -> None:
    sink = ListSink()
    outcome = train(plan_of(NADAM, network="cnn", train_size=1_500), sink, SAMPLE)
    assert sink.epochs[1].loss < sink.epochs[0].loss
    assert outcome.test_accuracy is not None
    assert outcome.test_accuracy > 0.6


@pytest.mark.parametrize(
    ("mode", "losses", "accuracies"),
    [
        (FUSED, [0.49664, 0.35890], [0.85520, 0.86507]),
        (UNFUSED, [0.49517, 0.36067], [0.8514, 0.8621]),
    ],
    ids=lambda value: value.key if isinstance(value, CompileMode) else "",
)
def test_nadam_on_the_full_data_reaches_the_known_results(
    full_data: DataSource, mode: CompileMode, losses: list[float], accuracies: list[float]
) -> None:
    sink = ListSink()
    outcome = train(plan_of(NADAM, train_size=45_000), sink, full_data, mode)
    # Rounding differs between processors, which can amount to 0.001 after two epochs.
    assert [record.loss for record in sink.epochs] == pytest.approx(losses, abs=1e-3)
    val_accuracies = [record.val_accuracy for record in sink.epochs]
    assert val_accuracies == pytest.approx(accuracies, abs=4e-3)
    assert outcome.test_accuracy == pytest.approx(0.86, abs=0.02)
