"""The LR range test: its plan, its smoothing, its suggestions, and a real one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrlab.experiments.range_test import (
    RULES,
    STEEPEST,
    TENTH,
    range_test_plan,
    range_test_sentence,
    read_range_test,
    smooth,
)
from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.training.measurements import Point
from lrlab.training.trainer import train
from tests.measured import point
from tests.training_runs import SAMPLE, ListSink, plan_of

ADAM = {"optimizer": {"name": "adam", "beta_1": 0.8}}
POWERS = np.linspace(-5, 1, 600)


def points(losses: np.ndarray, powers: np.ndarray = POWERS) -> list[Point]:
    return [
        point(i, loss, 10**power)
        for i, (loss, power) in enumerate(zip(losses, powers, strict=True))
    ]


def valley() -> np.ndarray:
    """Losses that fall fastest at a learning rate of 0.001, are lowest at 0.1 and then grow."""
    fall = 2.3 - 1.8 / (1 + np.exp(-3 * (POWERS + 3)))
    return fall + np.exp(6 * (POWERS - 0.05))


def test_the_plan_increases_the_learning_rate_by_a_constant_factor_from_low_to_high() -> None:
    plan = plan_of(ADAM, epochs=7, train_size=1_000)
    test = range_test_plan(plan, 1e-6, 100.0)
    rates = test.recipe.learning_rates(test.total_steps)
    assert (rates[0], rates[-1]) == pytest.approx((1e-6, 100.0))
    factors = rates[1:] / rates[:-1]
    np.testing.assert_allclose(factors, factors[0], rtol=1e-9)
    assert test.recipe.optimizer == plan.recipe.optimizer
    assert (test.batch_size, test.seed, test.train_size) == (32, 1, 1_000)
    assert test.recipe.schedule.name == "exponential_decay"


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [({"train_size": 45_000}, 1), ({"train_size": 1_000}, 10), ({"train_size": 10}, 100)],
)
def test_the_plan_has_as_many_whole_epochs_as_it_needs_for_enough_steps(
    settings: dict[str, int], epochs: int
) -> None:
    assert range_test_plan(plan_of(ADAM, **settings)).epochs == epochs


def test_a_plan_of_one_step_and_a_reactive_schedule_can_be_tested() -> None:
    recipe = {"optimizer": {"name": "sgd"}, "schedule": {"name": "reduce_lr_on_plateau"}}
    plan = RunPlan.of(Recipe.from_dict(recipe), train_size=10, batch_size=100)
    assert range_test_plan(plan).recipe.learning_rates(1)[0] == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0.1, 0.1, "must be higher"),
        (1.0, 0.1, "must be higher"),
        (0.0, 1.0, "learning_rate = 0.0 is not allowed"),
        (-1.0, 1.0, "learning_rate = -1.0 is not allowed"),
        (1e-5, 10**400, "a number above 0"),
        (math.nan, 1.0, "a number above 0"),
    ],
)
def test_an_invalid_range_is_refused(low: float, high: float, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        range_test_plan(plan_of(ADAM), low, high)


def test_the_moving_average_is_bias_corrected() -> None:
    np.testing.assert_allclose(smooth(np.full(50, 2.5), 20), 2.5)
    losses = np.array([1.0, 3.0, 2.0])
    weights = 0.75 ** np.array([2.0, 1.0, 0.0])
    expected = (losses * weights).sum() / weights.sum()
    assert smooth(losses, 4)[-1] == pytest.approx(expected)
    np.testing.assert_array_equal(smooth(losses, 1), losses)


def test_a_valley_gives_a_suggestion_by_each_rule() -> None:
    losses = valley() + np.random.default_rng(1).normal(0, 0.05, 600)
    test = read_range_test(points(losses))
    assert list(test.suggestions) == list(RULES)
    # The moving average lags by a sixth of a power of ten.
    assert math.log10(test.suggestions[STEEPEST]) == pytest.approx(-3, abs=0.4)
    minimum = POWERS[valley().argmin()]
    assert math.log10(test.suggestions[TENTH]) == pytest.approx(minimum - 1, abs=0.5)
    assert test.lowest_at is not None and test.diverged_at is not None
    assert test.lowest_at < test.diverged_at
    sentence = range_test_sentence(test)
    assert sentence.startswith("Suggested learning rate: ")
    assert "had diverged by" in sentence


def test_a_loss_that_is_not_finite_counts_as_divergence() -> None:
    losses = np.where(POWERS > -0.5, np.nan, np.minimum(valley(), 3))
    test = read_range_test(points(losses))
    assert test.suggestions
    assert test.diverged_at == int(np.flatnonzero(np.isnan(losses))[0])


def test_a_loss_that_never_falls_gives_no_suggestion() -> None:
    flat = read_range_test(points(np.full(600, 2.3)))
    assert (flat.suggestions, flat.lowest_at) == ({}, None)
    assert "not fallen enough" in range_test_sentence(flat)
    rising = read_range_test(points(2.3 * 10 ** (POWERS + 5)))
    assert rising.suggestions == {}
    assert "lower range" in range_test_sentence(rising)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_test_that_has_just_started_gives_no_suggestion(count: int) -> None:
    test = read_range_test(points(valley())[:count])
    assert (len(test.rates), test.suggestions) == (count, {})
    assert range_test_sentence(test)


def test_a_real_range_test_suggests_a_usable_learning_rate() -> None:
    plan = plan_of({"optimizer": {"name": "sgd"}}, train_size=1_000, batch_size=32)
    sink = ListSink()
    outcome = train(range_test_plan(plan), sink, SAMPLE)
    test = read_range_test(sink.all_points)
    assert test.rates[0] == pytest.approx(1e-5)
    assert outcome.kind == "diverged" and test.diverged_at is not None
    assert 3e-4 < test.suggestions[STEEPEST] <= test.suggestions[TENTH] < 0.1
