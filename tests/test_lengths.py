"""Gradient norm and update ratio, compared with those of a plain ``model.fit``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from lrlab.training.compile_mode import FUSED, SMALL_BLOCK_STEPS, UNFUSED, CompileMode
from lrlab.training.measurements import Point
from lrlab.training.trainer import train
from tests.training_runs import SAMPLE, ListSink, plain_fit, plan_of

RATE = 0.05


class Lengths(keras.callbacks.Callback):
    """Records for each step the length of the update and the norm of the weights before it."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[float] = []
        self.before: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._before = self._weights()
        self.before.append(float(np.linalg.norm(self._before)))

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        self.moved.append(float(np.linalg.norm(self._weights() - self._before)))

    def _weights(self) -> np.ndarray:
        weights = self.model.trainable_variables
        return np.concatenate([np.ravel(weight.value) for weight in weights]).astype(np.float64)


def sgd(**settings: Any) -> dict[str, Any]:
    schedule = {"name": "constant", "learning_rate": RATE}
    return {"optimizer": {"name": "sgd", **settings}, "schedule": schedule}


def points_of(recipe: dict[str, Any], mode: CompileMode, **settings: int) -> list[Point]:
    sink = ListSink()
    train(plan_of(recipe, **settings), sink, SAMPLE, mode)
    return sink.all_points


@pytest.mark.parametrize("mode", [FUSED, UNFUSED], ids=lambda mode: mode.key)
def test_the_last_step_of_each_block_has_gradient_norm_and_update_ratio(mode: CompileMode) -> None:
    # Two epochs, each with a full block and a block of one full and one smaller batch.
    settings = {"train_size": 300, "batch_size": 31, "epochs": 2}
    points, expected = points_of(sgd(), mode, **settings), Lengths()
    plain_fit(plan_of(sgd(), **settings), mode.jit_compile, expected)

    steps = [point.step for point in points if point.gradient_norm is not None]
    assert steps == [SMALL_BLOCK_STEPS - 1, 9, 10 + SMALL_BLOCK_STEPS - 1, 19]
    assert steps == [point.step for point in points if point.update_ratio is not None]
    moved, before = np.array(expected.moved)[steps], np.array(expected.before)[steps]
    norms = [points[step].gradient_norm for step in steps]
    np.testing.assert_allclose(norms, moved / RATE, rtol=1e-3)
    ratios = [points[step].update_ratio for step in steps]
    np.testing.assert_allclose(ratios, moved / before, rtol=1e-3)


def test_the_gradient_is_measured_before_it_is_clipped() -> None:
    one_step = {"train_size": 32, "batch_size": 32, "epochs": 1}
    (unclipped,) = points_of(sgd(), UNFUSED, **one_step)
    (clipped,) = points_of(sgd(clipnorm=0.01), UNFUSED, **one_step)
    assert unclipped.gradient_norm == pytest.approx(clipped.gradient_norm, rel=1e-6)
    # Keras clips each of the six variables separately.
    factor = 0.01 * 6**0.5 / unclipped.gradient_norm
    assert clipped.update_ratio == pytest.approx(unclipped.update_ratio * factor, rel=1e-3)
