"""The schedules that Keras lacks, and ramps, compared with the formulas of their papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import RAMP, SCHEDULES

NOT_IN_KERAS = ("inverse_sqrt", "warmup_stable_decay", "triangular", "one_cycle")
NOT_REACTIVE = tuple(key for key, spec in SCHEDULES.items() if not spec.reactive)


def rates(key: str, steps: int, **params: Any) -> np.ndarray:
    return recipe_of(key, **params).learning_rates(steps)


def recipe_of(key: str, ramp: Mapping[str, Any] | None = None, **params: Any) -> Recipe:
    values = {"optimizer": {"name": "adam"}, "schedule": {"name": key} | params}
    return Recipe.from_dict(values if ramp is None else values | {"ramp": ramp})


def test_the_schedules_that_keras_lacks() -> None:
    without = {key for key, spec in SCHEDULES.items() if not (spec.keras_class or spec.plain)}
    assert without == set(NOT_IN_KERAS)


@pytest.mark.parametrize(
    ("decay_rate", "staircase", "height"),
    [
        (1.0, True, lambda t, cycle: np.ones_like(t)),
        (0.5, True, lambda t, cycle: 1 / 2.0 ** (cycle - 1)),
        (0.99**60, False, lambda t, cycle: 0.99**t),
    ],
    ids=["triangular", "triangular2", "exp_range"],
)
def test_triangular_gives_smiths_three_policies(
    decay_rate: float, staircase: bool, height: Any
) -> None:
    base, peak, step_size = 0.01, 0.2, 30
    t = np.arange(400.0)
    cycle = np.floor(1 + t / (2 * step_size))
    x = np.abs(t / step_size - 2 * cycle + 1)
    expected = base + (peak - base) * np.maximum(0, 1 - x) * height(t, cycle)
    curve = rates(
        "triangular",
        400,
        initial_learning_rate=base,
        max_learning_rate=peak,
        cycle_steps=2 * step_size,
        decay_rate=decay_rate,
        staircase=staircase,
    )
    np.testing.assert_allclose(curve, expected, rtol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_one_cycle_rises_to_its_peak_and_falls_far_below_its_start(linear: bool) -> None:
    curve = rates(
        "one_cycle",
        120,
        max_learning_rate=0.5,
        total_steps=100,
        warmup_steps=30,
        div_factor=10.0,
        final_div_factor=1000.0,
        linear=linear,
    )
    assert curve[0] == pytest.approx(0.05)
    assert curve[30] == curve.max() == 0.5
    assert (np.diff(curve[:31]) > 0).all()
    assert (np.diff(curve[30:101]) < 0).all()
    np.testing.assert_allclose(curve[100:], 0.05 / 1000, rtol=1e-9)
    # Both shapes are half-way after half the steps; only the line has a constant slope.
    assert curve[15] == pytest.approx((0.05 + 0.5) / 2)
    assert curve[65] == pytest.approx((0.5 + 0.05 / 1000) / 2)
    straight = np.allclose(np.diff(curve[:31]), np.diff(curve[:2]))
    assert straight == linear


def test_inverse_sqrt_equals_the_transformers_schedule() -> None:
    width, warmup = 512, 400
    number = np.arange(1.0, 5001)
    expected = width**-0.5 * np.minimum(number**-0.5, number * warmup**-1.5)
    peak = (width * warmup) ** -0.5
    curve = rates("inverse_sqrt", 5000, max_learning_rate=peak, warmup_steps=warmup)
    np.testing.assert_allclose(curve, expected, rtol=1e-12)
    assert curve.argmax() == warmup - 1
    assert curve.max() == pytest.approx(peak)


def test_warmup_stable_decay_rises_stays_and_falls() -> None:
    curve = rates(
        "warmup_stable_decay",
        130,
        max_learning_rate=0.4,
        total_steps=100,
        warmup_steps=10,
        decay_steps=20,
        alpha=0.1,
    )
    np.testing.assert_allclose(curve[:10], 0.4 * np.arange(1, 11) / 10)
    np.testing.assert_allclose(curve[9:81], 0.4)
    np.testing.assert_allclose(curve[80:101], np.linspace(0.4, 0.04, 21))
    np.testing.assert_allclose(curve[100:], 0.04)


def test_warmup_stable_decay_can_have_a_square_root_shape() -> None:
    curve = rates(
        "warmup_stable_decay",
        100,
        max_learning_rate=1.0,
        total_steps=100,
        decay_steps=50,
        warmup_steps=0,
        power=0.5,
    )
    np.testing.assert_allclose(curve[50:], 1 - np.sqrt(np.arange(50) / 50), atol=1e-12)


@pytest.mark.parametrize("key", NOT_IN_KERAS)
def test_curves_have_no_jumps(key: str) -> None:
    curve = rates(key, 2_000)
    shortest = min(param.default for param in SCHEDULES[key].step_params if param.default)
    # The maximum slope of half a cosine is pi / 2 times that of a line.
    steepest = np.pi / 2 * curve.max() / (shortest / 2)
    assert np.abs(np.diff(curve)).max() <= steepest


@pytest.mark.parametrize(
    "params",
    [
        {"key": "one_cycle", "warmup_steps": 0, "total_steps": 1},
        {"key": "one_cycle", "warmup_steps": 50, "total_steps": 20},
        {"key": "warmup_stable_decay", "warmup_steps": 0, "total_steps": 1, "decay_steps": 1},
        {"key": "warmup_stable_decay", "warmup_steps": 50, "total_steps": 20, "decay_steps": 40},
        {"key": "inverse_sqrt", "warmup_steps": 1},
        {"key": "triangular", "cycle_steps": 2},
    ],
    ids=str,
)
def test_inconsistent_lengths_give_valid_learning_rates(params: dict[str, Any]) -> None:
    curve = rates(params.pop("key"), 100, **params)
    assert np.isfinite(curve).all()
    assert (curve >= 0).all() and curve.max() <= 0.01 * (1 + 1e-12)


@pytest.mark.parametrize("key", NOT_IN_KERAS)
def test_parameters_broadcast_against_steps(key: str) -> None:
    spec = SCHEDULES[key]
    t = np.arange(50.0)
    values = {param.name: param.default for param in spec.params}
    for param in spec.params:
        if param.kind == "bool":
            continue
        several = np.array([values[param.name], values[param.name] / 2])
        table = spec.rate(np, t, **values | {param.name: several[:, None]})
        rows = [spec.rate(np, t, **values | {param.name: value}) for value in several]
        np.testing.assert_array_equal(np.broadcast_to(table, (2, 50)), rows)


@pytest.mark.parametrize("key", NOT_REACTIVE)
def test_a_ramp_scales_its_schedule(key: str) -> None:
    ramp = {"warmup_steps": 10, "cooldown_steps": 20, "cooldown_end": 100}
    curve = recipe_of(key, ramp).learning_rates(120)
    without_ramp = rates(key, 120)
    np.testing.assert_allclose(curve[:10], without_ramp[:10] * np.arange(1, 11) / 10)
    np.testing.assert_array_equal(curve[9:81], without_ramp[9:81])
    np.testing.assert_allclose(curve[80:100], without_ramp[80:100] * np.arange(20, 0, -1) / 20)
    np.testing.assert_array_equal(curve[100:], 0)


def test_a_ramp_can_have_only_a_warmup_or_only_a_cooldown() -> None:
    warming = recipe_of("constant", {"warmup_steps": 4}, learning_rate=1.0).learning_rates(5_000)
    np.testing.assert_array_equal(warming[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(warming[4:], 1)
    cooling = {"cooldown_steps": 4, "cooldown_end": 10}
    curve = recipe_of("constant", cooling, learning_rate=1.0).learning_rates(12)
    np.testing.assert_array_equal(curve, [1] * 7 + [0.75, 0.5, 0.25, 0, 0])


def test_a_ramp_whose_parts_meet_is_a_triangle() -> None:
    ramp = {"warmup_steps": 10, "cooldown_steps": 10, "cooldown_end": 11}
    curve = recipe_of("constant", ramp, learning_rate=1.0).learning_rates(11)
    np.testing.assert_allclose(curve, np.minimum(np.arange(1, 12), np.arange(11, 0, -1)) / 10)


def test_a_recipe_without_a_ramp_has_no_ramp_entry() -> None:
    plain = recipe_of("constant")
    assert "ramp" not in plain.to_dict()
    assert recipe_of("constant", {}) == plain
    assert recipe_of("constant", {"warmup_steps": 0, "cooldown_steps": 0}) == plain


def test_a_recipe_with_a_ramp_is_read_back_and_names_it_in_its_label() -> None:
    recipe = recipe_of("cosine_decay", {"warmup_steps": 5})
    ramp = {"warmup_steps": 5, "cooldown_steps": 0, "cooldown_end": 1000}
    assert recipe.to_dict()["ramp"] == ramp
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.label == "Adam, cosine decay, warm-up"
    both = recipe_of("constant", {"warmup_steps": 5, "cooldown_steps": 9})
    assert both.label == "Adam, 0.001, warm-up, cool-down"


@pytest.mark.parametrize(
    ("ramp", "mentioned"),
    [
        ({"warmup_steps": -1}, ["ramp", "warmup_steps = -1", "from 0"]),
        ({"warmup_steps": 1.5}, ["ramp", "warmup_steps = 1.5", "whole number"]),
        ({"cooldown_steps": 20, "cooldown_end": 10}, ["cooldown_steps = 20", "cooldown_end = 10"]),
        ({"rise": 3}, ["ramp", "'rise'", "warmup_steps"]),
        (5, ["ramp = 5", "mapping", "warmup_steps"]),
    ],
)
def test_an_invalid_ramp_is_refused_with_its_value_and_what_is_allowed(
    ramp: Any, mentioned: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of("constant", ramp)
    for part in mentioned:
        assert part in str(refusal.value)


def test_scaling_a_recipe_keeps_its_ramp() -> None:
    recipe = recipe_of("one_cycle", {"warmup_steps": 10})
    scaled = recipe.with_peak(0.5, 400)
    assert scaled.ramp == recipe.ramp
    assert scaled.learning_rates(400).max() == pytest.approx(0.5)


def test_a_reactive_schedule_says_that_it_cannot_be_drawn_ahead() -> None:
    assert [key for key, spec in SCHEDULES.items() if spec.reactive] == ["reduce_lr_on_plateau"]
    recipe = recipe_of("reduce_lr_on_plateau")
    with pytest.raises(ValueError, match="cannot be drawn ahead"):
        recipe.learning_rates(10)


def test_a_reactive_schedule_starts_at_the_optimizers_learning_rate_and_allows_no_ramp() -> None:
    assert recipe_of("reduce_lr_on_plateau").schedule.params["learning_rate"] == 0.001
    with pytest.raises(InvalidInput, match="cannot be combined with schedule reduce_lr_on_plateau"):
        recipe_of("reduce_lr_on_plateau", {"warmup_steps": 5})


def test_every_schedule_has_a_source_and_says_when_to_use_it() -> None:
    for spec in (*SCHEDULES.values(), RAMP):
        assert spec.reference and spec.latex
        assert spec.when.endswith(".")
