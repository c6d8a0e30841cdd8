"""The schedules that Keras lacks, and the ramp around any, against what their papers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import RAMP, SCHEDULES

LACKING = ("inverse_sqrt", "warmup_stable_decay", "triangular", "one_cycle")
DRAWN = tuple(key for key, spec in SCHEDULES.items() if not spec.reactive)


def rates(key: str, steps: int, **params: Any) -> np.ndarray:
    return recipe_of(key, **params).learning_rates(steps)


def recipe_of(key: str, ramp: Mapping[str, Any] | None = None, **params: Any) -> Recipe:
    given = {"optimizer": {"name": "adam"}, "schedule": {"name": key} | params}
    return Recipe.from_dict(given if ramp is None else given | {"ramp": ramp})


def test_the_schedules_that_keras_lacks_are_these() -> None:
    without = {key for key, spec in SCHEDULES.items() if not (spec.keras_class or spec.plain)}
    assert without == set(LACKING)


@pytest.mark.parametrize(
    ("decay_rate", "staircase", "height"),
    [
        (1.0, True, lambda t, cycle: np.ones_like(t)),
        (0.5, True, lambda t, cycle: 1 / 2.0 ** (cycle - 1)),
        (0.99**60, False, lambda t, cycle: 0.99**t),
    ],
    ids=["triangular", "triangular2", "exp_range"],
)
def test_triangular_is_smiths_three_policies(
    decay_rate: float, staircase: bool, height: Any
) -> None:
    base, peak, step_size = 0.01, 0.2, 30
    t = np.arange(400.0)
    cycle = np.floor(1 + t / (2 * step_size))
    x = np.abs(t / step_size - 2 * cycle + 1)
    expected = base + (peak - base) * np.maximum(0, 1 - x) * height(t, cycle)
    found = rates(
        "triangular",
        400,
        initial_learning_rate=base,
        max_learning_rate=peak,
        cycle_steps=2 * step_size,
        decay_rate=decay_rate,
        staircase=staircase,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_one_cycle_goes_up_to_its_peak_and_down_far_below_its_start(linear: bool) -> None:
    found = rates(
        "one_cycle",
        120,
        max_learning_rate=0.5,
        total_steps=100,
        warmup_steps=30,
        div_factor=10.0,
        final_div_factor=1000.0,
        linear=linear,
    )
    assert found[0] == pytest.approx(0.05)
    assert found[30] == found.max() == 0.5
    assert (np.diff(found[:31]) > 0).all()
    assert (np.diff(found[30:101]) < 0).all()
    np.testing.assert_allclose(found[100:], 0.05 / 1000, rtol=1e-9)
    # Both ways pass their middle half-way; a straight line has the same slope all along.
    assert found[15] == pytest.approx((0.05 + 0.5) / 2)
    assert found[65] == pytest.approx((0.5 + 0.05 / 1000) / 2)
    straight = np.allclose(np.diff(found[:31]), np.diff(found[:2]))
    assert straight == linear


def test_inverse_sqrt_is_the_transformers_rate() -> None:
    width, warmup = 512, 400
    number = np.arange(1.0, 5001)
    expected = width**-0.5 * np.minimum(number**-0.5, number * warmup**-1.5)
    peak = (width * warmup) ** -0.5
    found = rates("inverse_sqrt", 5000, max_learning_rate=peak, warmup_steps=warmup)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.argmax() == warmup - 1
    assert found.max() == pytest.approx(peak)


def test_warmup_stable_decay_climbs_stays_and_falls() -> None:
    found = rates(
        "warmup_stable_decay",
        130,
        max_learning_rate=0.4,
        total_steps=100,
        warmup_steps=10,
        decay_steps=20,
        alpha=0.1,
    )
    np.testing.assert_allclose(found[:10], 0.4 * np.arange(1, 11) / 10)
    np.testing.assert_allclose(found[9:81], 0.4)
    np.testing.assert_allclose(found[80:101], np.linspace(0.4, 0.04, 21))
    np.testing.assert_allclose(found[100:], 0.04)


def test_warmup_stable_decay_has_the_root_shape_too() -> None:
    found = rates(
        "warmup_stable_decay",
        100,
        max_learning_rate=1.0,
        total_steps=100,
        decay_steps=50,
        warmup_steps=0,
        power=0.5,
    )
    np.testing.assert_allclose(found[50:], 1 - np.sqrt(np.arange(50) / 50), atol=1e-12)


@pytest.mark.parametrize("key", LACKING)
def test_no_rate_jumps(key: str) -> None:
    found = rates(key, 2_000)
    shortest = min(param.default for param in SCHEDULES[key].step_params if param.default)
    # Half a cosine is at its steepest pi / 2 times as steep as a line.
    steepest = np.pi / 2 * found.max() / (shortest / 2)
    assert np.abs(np.diff(found)).max() <= steepest


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
def test_lengths_that_do_not_fit_together_still_give_rates(params: dict[str, Any]) -> None:
    found = rates(params.pop("key"), 100, **params)
    assert np.isfinite(found).all()
    assert (found >= 0).all() and found.max() <= 0.01 * (1 + 1e-12)


@pytest.mark.parametrize("key", LACKING)
def test_numbers_broadcast_against_steps(key: str) -> None:
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


@pytest.mark.parametrize("key", DRAWN)
def test_a_ramp_scales_the_schedule_it_is_put_around(key: str) -> None:
    ramp = {"warmup_steps": 10, "cooldown_steps": 20, "cooldown_end": 100}
    found = recipe_of(key, ramp).learning_rates(120)
    whole = rates(key, 120)
    np.testing.assert_allclose(found[:10], whole[:10] * np.arange(1, 11) / 10)
    np.testing.assert_array_equal(found[9:81], whole[9:81])
    np.testing.assert_allclose(found[80:100], whole[80:100] * np.arange(20, 0, -1) / 20)
    np.testing.assert_array_equal(found[100:], 0)


def test_either_part_of_a_ramp_can_stand_alone() -> None:
    warming = recipe_of("constant", {"warmup_steps": 4}, learning_rate=1.0).learning_rates(5_000)
    np.testing.assert_array_equal(warming[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(warming[4:], 1)
    cooling = {"cooldown_steps": 4, "cooldown_end": 10}
    found = recipe_of("constant", cooling, learning_rate=1.0).learning_rates(12)
    np.testing.assert_array_equal(found, [1] * 7 + [0.75, 0.5, 0.25, 0, 0])


def test_a_ramp_whose_parts_meet_is_a_triangle() -> None:
    ramp = {"warmup_steps": 10, "cooldown_steps": 10, "cooldown_end": 11}
    found = recipe_of("constant", ramp, learning_rate=1.0).learning_rates(11)
    np.testing.assert_allclose(found, np.minimum(np.arange(1, 12), np.arange(11, 0, -1)) / 10)


def test_a_recipe_without_a_ramp_does_not_speak_of_one() -> None:
    plain = recipe_of("constant")
    assert "ramp" not in plain.to_dict()
    assert recipe_of("constant", {}) == plain
    assert recipe_of("constant", {"warmup_steps": 0, "cooldown_steps": 0}) == plain


def test_a_recipe_with_a_ramp_comes_back_from_its_dictionary_and_names_it() -> None:
    recipe = recipe_of("cosine_decay", {"warmup_steps": 5})
    given = {"warmup_steps": 5, "cooldown_steps": 0, "cooldown_end": 1000}
    assert recipe.to_dict()["ramp"] == given
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.label == "Adam, cosine decay, warm-up"
    both = recipe_of("constant", {"warmup_steps": 5, "cooldown_steps": 9})
    assert both.label == "Adam, 0.001, warm-up, cool-down"


@pytest.mark.parametrize(
    ("ramp", "named"),
    [
        ({"warmup_steps": -1}, ["ramp", "warmup_steps = -1", "from 0"]),
        ({"warmup_steps": 1.5}, ["ramp", "warmup_steps = 1.5", "whole number"]),
        ({"cooldown_steps": 20, "cooldown_end": 10}, ["cooldown_steps = 20", "cooldown_end = 10"]),
        ({"rise": 3}, ["ramp", "'rise'", "warmup_steps"]),
        (5, ["ramp = 5", "mapping", "warmup_steps"]),
    ],
)
def test_a_bad_ramp_is_refused_with_its_value_and_what_is_allowed(
    ramp: Any, named: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of("constant", ramp)
    for part in named:
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


def test_a_reactive_schedule_starts_at_the_optimizers_rate_and_takes_no_ramp() -> None:
    assert recipe_of("reduce_lr_on_plateau").schedule.params["learning_rate"] == 0.001
    with pytest.raises(InvalidInput, match="ramp cannot be put around"):
        recipe_of("reduce_lr_on_plateau", {"warmup_steps": 5})


def test_every_schedule_has_a_source_and_a_sentence_of_when_to_use_it() -> None:
    for spec in (*SCHEDULES.values(), RAMP):
        assert spec.reference and spec.latex
        assert spec.when.endswith(".")
