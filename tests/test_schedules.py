"""Every schedule of Keras gives Keras's learning rates, also at special steps."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from lrlab import SCHEDULES, Recipe
from lrlab.params import InvalidInput
from lrlab.schedules import Schedule

TOLERANCE = 2e-6
"""Maximum difference from Keras's learning rate, relative to the peak; Keras uses float32."""

IN_KERAS = {key: spec for key, spec in SCHEDULES.items() if spec.keras_class is not None}

OWN_DEFAULTS = {
    "initial_learning_rate": "required by Keras",
    "decay_steps": "required by Keras",
    "first_decay_steps": "required by Keras",
    "decay_rate": "required by Keras",
    "boundaries": "required by Keras",
    "values": "required by Keras",
}
"""Parameters whose default LR Lab chooses, with the reason."""

CURVES: tuple[tuple[str, dict[str, Any], tuple[int, ...]], ...] = (
    ("constant", {"learning_rate": 0.3}, (1000,)),
    ("polynomial_decay", {"decay_steps": 130}, (130,)),
    (
        "polynomial_decay",
        {"decay_steps": 70, "end_learning_rate": 0.02, "power": 2.5, "cycle": True},
        (70, 140, 210, 7000),
    ),
    ("polynomial_decay", {"decay_steps": 1407, "end_learning_rate": 0.5, "power": 0.5}, (1407,)),
    (
        "polynomial_decay",
        {"decay_steps": 41, "end_learning_rate": 0.0, "power": 1.0, "cycle": True},
        (41, 82, 123, 4100),
    ),
    ("exponential_decay", {"decay_steps": 60, "decay_rate": 0.7}, (60, 120)),
    (
        "exponential_decay",
        {"decay_steps": 121, "decay_rate": 0.48, "staircase": True},
        (121, 242, 363, 1210),
    ),
    ("exponential_decay", {"decay_steps": 100_000, "decay_rate": 0.96}, (2814, 100_000)),
    ("exponential_decay", {"decay_steps": 500, "decay_rate": 1.2}, (500, 5000)),
    ("inverse_time_decay", {"decay_steps": 60, "decay_rate": 3.5}, (60, 120)),
    (
        "inverse_time_decay",
        {"decay_steps": 83, "decay_rate": 0.2, "staircase": True},
        (83, 166, 249, 8300),
    ),
    ("piecewise_constant_decay", {"boundaries": [50], "values": [0.4, 0.01]}, (50,)),
    (
        "piecewise_constant_decay",
        {"boundaries": [0, 7, 8, 150, 90_000], "values": [0.1, 0.5, 0.2, 0.0, 0.3, 0.05]},
        (7, 8, 150, 90_000),
    ),
    ("cosine_decay", {"decay_steps": 120, "alpha": 0.1}, (120,)),
    ("cosine_decay", {"decay_steps": 120, "warmup_steps": 50}, (50, 120, 170)),
    (
        "cosine_decay",
        {"decay_steps": 90, "alpha": 0.3, "warmup_target": 1.5, "warmup_steps": 40},
        (40, 130),
    ),
    (
        "cosine_decay",
        {"initial_learning_rate": 0.0, "decay_steps": 2000, "warmup_target": 0.01}
        | {"warmup_steps": 281},
        (281, 2281),
    ),
    ("cosine_decay", {"warmup_target": 0.02, "warmup_steps": 0, "decay_steps": 100}, (100,)),
)
"""Schedule, parameters, and special steps: ends, restarts and boundaries."""

RESTARTS = tuple(
    (first, t_mul) for first in (7, 10, 30, 83, 1000) for t_mul in (1.0, 1.1, 1.5, 2.0, 3.0, 10.0)
)
"""First lengths and growth factors of cosine cycles."""


def recipe_of(key: str, params: dict[str, Any]) -> Recipe:
    return Recipe.from_dict({"optimizer": {"name": "sgd"}, "schedule": {"name": key} | params})


def keras_rates(recipe: Recipe, steps: np.ndarray) -> np.ndarray:
    """The learning rate that Keras's optimizer reports at each step."""
    optimizer = recipe.keras_optimizer()
    rates = []
    for step in steps.tolist():
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    return np.array(rates)


def around(special: tuple[int, ...] | list[int]) -> set[int]:
    return {step + offset for step in special for offset in (-2, -1, 0, 1, 2) if step + offset >= 0}


def restarts_of(first: int, t_mul: float, max_count: int = 15) -> list[int]:
    """The steps, rounded down, at which the first ``max_count`` cycles end."""
    ends = np.cumsum(first * t_mul ** np.arange(max_count))
    return [int(end) for end in ends if end < 5_000_000]


def assert_keras_agrees(recipe: Recipe, steps: set[int]) -> None:
    at = np.array(sorted(steps))
    rates = recipe.learning_rates_at(at)
    peak = max(rates.max(), recipe.learning_rates(201).max())
    differences = np.abs(rates - keras_rates(recipe, at)) / peak
    assert differences.max() < TOLERANCE, f"at step {at[differences.argmax()]}"


@pytest.mark.parametrize(("key", "params", "special"), CURVES)
def test_each_learning_rate_equals_keras(
    key: str, params: dict[str, Any], special: tuple[int, ...]
) -> None:
    distant_steps = {10 * special[-1], 1_000_003, 9_999_999}
    growing = key == "exponential_decay" and params["decay_rate"] > 1
    steps = set(range(201)) | around(special) | (set() if growing else distant_steps)
    assert_keras_agrees(recipe_of(key, params), steps)


@pytest.mark.parametrize(("first", "t_mul"), RESTARTS)
def test_restarts_occur_at_the_same_steps_as_in_keras(first: int, t_mul: float) -> None:
    params = {"first_decay_steps": first, "t_mul": t_mul, "m_mul": 0.9, "alpha": 0.05}
    steps = around(restarts_of(first, t_mul)) | set(range(0, 200, 7)) | {999_999}
    assert_keras_agrees(recipe_of("cosine_decay_restarts", params), steps)


def test_the_curves_cover_every_schedule_of_keras_and_every_parameter() -> None:
    covered = {(key, name) for key, params, _ in CURVES for name in params}
    covered |= {("cosine_decay_restarts", n) for n in ("first_decay_steps", "t_mul", "m_mul")}
    covered |= {("cosine_decay_restarts", "alpha")}
    shared = {(key, "initial_learning_rate") for key in IN_KERAS}
    described = {(key, param.name) for key, spec in IN_KERAS.items() for param in spec.params}
    assert described - shared <= covered


def test_every_schedule_exported_by_keras_is_available() -> None:
    import keras

    exported = {name for name, v in vars(keras.optimizers.schedules).items() if inspect.isclass(v)}
    exported.remove("LearningRateSchedule")
    assert exported == {spec.keras_class for spec in IN_KERAS.values()}


@pytest.mark.parametrize("spec", IN_KERAS.values(), ids=IN_KERAS)
def test_parameters_and_defaults_equal_keras(spec: Schedule) -> None:
    import keras

    keras_class = getattr(keras.optimizers.schedules, spec.keras_class)
    signature = inspect.signature(keras_class).parameters
    assert {param.name for param in spec.params} == set(signature) - {"name"}
    for param in spec.params:
        keras_default = signature[param.name].default
        if keras_default is inspect.Parameter.empty:
            assert param.name in OWN_DEFAULTS
        else:
            assert param.default == keras_default, param.name


def test_learning_rates_have_one_float64_entry_per_step() -> None:
    recipe = recipe_of("exponential_decay", {"initial_learning_rate": 0.1, "decay_steps": 10})
    rates = recipe.learning_rates(25)
    assert rates.shape == (25,)
    assert rates.dtype == np.float64
    assert rates[0] == 0.1
    assert recipe.learning_rates(0).shape == (0,)
    np.testing.assert_array_equal(recipe.learning_rates_at(np.arange(25)), rates)


@pytest.mark.parametrize("steps", [-1, 2.5, "3", True, None, 10**9, float("nan")])
def test_an_invalid_number_of_steps_is_refused(steps: Any) -> None:
    with pytest.raises(InvalidInput, match="steps = "):
        recipe_of("constant", {}).learning_rates(steps)


def test_a_recipe_without_a_schedule_is_constant_at_keras_default() -> None:
    recipe = Recipe.from_dict({"optimizer": {"name": "sgd"}})
    np.testing.assert_array_equal(recipe.learning_rates(3), [0.01, 0.01, 0.01])


def test_a_cosine_without_warmup_target_has_no_warmup() -> None:
    without = recipe_of("cosine_decay", {"decay_steps": 100})
    ignored = recipe_of("cosine_decay", {"decay_steps": 100, "warmup_steps": 30})
    np.testing.assert_array_equal(without.learning_rates(150), ignored.learning_rates(150))
