"""Schedules in Keras: the preview's formula in training, after saving and loading, and as code."""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lrlab.controls.draft import resolve_plan
from lrlab.keras.schedules import FormulaSchedule
from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import SCHEDULES
from lrlab.training.trainer import train
from tests.test_schedule_formulas import NOT_IN_KERAS, NOT_REACTIVE, recipe_of
from tests.training_runs import SAMPLE, ListSink

FLOAT32 = 2e-6
"""Maximum difference of float32 from the preview, relative to the peak learning rate."""

STEPS = np.unique(np.r_[0:40, 95:105, 290:310, 395:405, 795:805, 995:1005, 10_000, 999_999])
"""Steps around every bend of the curves with default lengths."""

RAMPED = {"warmup_steps": 30, "cooldown_steps": 200, "cooldown_end": 1000}

VARIED: dict[str, dict[str, Any]] = {
    "triangular": {"cycle_steps": 99, "decay_rate": 0.7, "staircase": False},
    "one_cycle": {"linear": True, "div_factor": 7.0, "final_div_factor": 30.0},
    "inverse_sqrt": {"warmup_steps": 1},
    "warmup_stable_decay": {"warmup_steps": 0, "power": 0.5, "alpha": 0.2},
}


def recipes() -> Iterator[Any]:
    """Schedules that Keras lacks, with default and other values; every schedule with a ramp."""
    for key in NOT_IN_KERAS:
        yield pytest.param(recipe_of(key), id=key)
        yield pytest.param(recipe_of(key, **VARIED[key]), id=f"{key} varied")
    for key in NOT_REACTIVE:
        yield pytest.param(recipe_of(key, RAMPED), id=f"{key} ramped")


def rates_of(optimizer: keras.optimizers.Optimizer, steps: Iterable[int] = STEPS) -> np.ndarray:
    """The learning rate of a Keras optimizer at each of these steps."""
    rates = []
    for step in steps:
        optimizer.iterations.assign(int(step))
        rates.append(float(optimizer.learning_rate))
    return np.array(rates)


def run_code(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """The names that the recipe's Keras code defines when it is run as a script."""
    script = folder / "recipe.py"
    script.write_text(recipe.keras_code())
    return runpy.run_path(str(script))


def assert_planned(recipe: Recipe, rates: np.ndarray, steps: np.ndarray = STEPS) -> None:
    planned = recipe.learning_rates_at(steps)
    np.testing.assert_allclose(rates, planned, rtol=0, atol=FLOAT32 * planned.max())


@pytest.mark.parametrize("recipe", recipes())
def test_keras_uses_the_previews_learning_rates_also_after_saving_and_loading(
    recipe: Recipe,
) -> None:
    optimizer = recipe.keras_optimizer()
    assert_planned(recipe, rates_of(optimizer))
    loaded = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert loaded.get_config() == optimizer.get_config()
    assert_planned(recipe, rates_of(loaded))


@pytest.mark.parametrize("recipe", recipes())
def test_the_code_creates_the_same_optimizer_without_lr_lab(recipe: Recipe, tmp_path: Path) -> None:
    assert "lrlab" not in recipe.keras_code()
    optimizer = run_code(recipe, tmp_path)["optimizer"]
    assert_planned(recipe, rates_of(optimizer))
    saved = keras.optimizers.serialize(optimizer)
    assert_planned(recipe, rates_of(keras.optimizers.deserialize(saved)))
    expected, actual = recipe.keras_optimizer().get_config(), optimizer.get_config()
    for config in (expected, actual):
        del config["name"], config["learning_rate"]
    assert actual == expected


@pytest.mark.parametrize("key", NOT_REACTIVE)
def test_every_formula_gives_the_same_with_keras_and_numpy(key: str) -> None:
    spec = SCHEDULES[key]
    values = {param.name: param.default for param in spec.params}
    rates = spec.rate(keras.ops, keras.ops.cast(STEPS, "float32"), **values)
    assert keras.backend.standardize_dtype(rates.dtype) == "float32"
    assert_planned(recipe_of(key), keras.ops.convert_to_numpy(rates))


def test_a_model_with_a_ramped_schedule_can_be_saved_and_loaded(tmp_path: Path) -> None:
    recipe = recipe_of("warmup_stable_decay", RAMPED)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(recipe.keras_optimizer(), "mse")
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 4
    assert_planned(recipe, rates_of(loaded.optimizer))


def test_an_unknown_schedule_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(InvalidInput, match="no schedule 'zigzag'"):
        FormulaSchedule("zigzag", {})


def stretched(key: str, **draft: str) -> RunPlan:
    """A run of one epoch of 32 steps with the schedule scaled to that length."""
    run = {"optimizer": "sgd", "schedule": key, "stretch": "true"}
    return resolve_plan(run | {"epochs": "1", "batch_size": "10", "train_size": "320"} | draft)


@pytest.mark.parametrize(
    "plan",
    [
        *(pytest.param(stretched(key), id=key) for key in NOT_IN_KERAS),
        *(
            pytest.param(
                stretched(
                    key,
                    **{"ramp.warmup_steps.percent": "25", "ramp.cooldown_steps.percent": "50"},
                ),
                id=f"{key} ramped",
            )
            for key in ("constant", "cosine_decay", "triangular")
        ),
    ],
)
def test_a_run_records_the_previews_learning_rates(plan: RunPlan) -> None:
    sink = ListSink()
    assert train(plan, sink, SAMPLE).kind == "completed"
    assert [point.step for point in sink.all_points] == list(range(32))
    recorded = np.array([point.learning_rate for point in sink.all_points])
    assert_planned(plan.recipe, recorded, np.arange(32))
    assert len(np.unique(recorded)) >= 8


def plateau_run(**schedule: Any) -> list[float]:
    """The learning rate of each epoch of a short run."""
    recipe = recipe_of("reduce_lr_on_plateau", learning_rate=1e-3, **schedule)
    sink = ListSink()
    plan = RunPlan.of(recipe, epochs=5, batch_size=32, train_size=320)
    assert train(plan, sink, SAMPLE).kind == "completed"
    rates = [point.learning_rate for point in sink.all_points]
    by_epoch = [set(rates[first : first + 10]) for first in range(0, 50, 10)]
    assert [len(rates) for rates in by_epoch] == [1] * 5
    assert [record.learning_rate for record in sink.epochs] == [min(r) for r in by_epoch]
    return [record.learning_rate for record in sink.epochs]


def test_without_improvement_the_learning_rate_is_reduced_to_its_minimum() -> None:
    # No epoch after the first improves the loss by 100.
    rates = plateau_run(factor=0.5, patience=1, min_delta=100.0, min_lr=2e-4)
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 5e-4, 2.5e-4, 2e-4], rtol=1e-6)


def test_patience_delays_the_first_reduction() -> None:
    rates = plateau_run(factor=0.1, patience=2, min_delta=100.0)
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 1e-4, 1e-4], rtol=1e-6)


def test_cooldown_delays_the_next_reduction() -> None:
    rates = plateau_run(factor=0.1, patience=1, min_delta=100.0, cooldown=2)
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5], rtol=1e-6)


def test_the_code_of_a_reactive_schedule_creates_its_callback(tmp_path: Path) -> None:
    recipe = recipe_of("reduce_lr_on_plateau", factor=0.3, patience=4, min_lr=1e-6)
    names = run_code(recipe, tmp_path)
    (callback,) = names["callbacks"]
    (expected,) = recipe.keras_callbacks()
    assert type(callback) is type(expected) is keras.callbacks.ReduceLROnPlateau
    for name in ("monitor", "factor", "patience", "cooldown", "min_delta", "min_lr"):
        assert getattr(callback, name) == getattr(expected, name), name
    assert (callback.monitor, callback.factor, callback.patience) == ("val_loss", 0.3, 4)
    assert float(names["optimizer"].learning_rate) == pytest.approx(0.001)


def test_only_a_reactive_schedule_needs_a_callback() -> None:
    assert [key for key in SCHEDULES if recipe_of(key).keras_callbacks()] == [
        "reduce_lr_on_plateau"
    ]


def test_the_callbacks_parameters_have_keras_names_and_defaults() -> None:
    callback = keras.callbacks.ReduceLROnPlateau()
    for param in SCHEDULES["reduce_lr_on_plateau"].params[1:]:
        assert getattr(callback, param.name) == param.default, param.name
