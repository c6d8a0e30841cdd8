"""A race is fair: all recipes get the same start, steps and learning rates to choose from."""

from __future__ import annotations

import numpy as np
import pytest

from lrlab import OPTIMIZERS, SCHEDULES, Recipe, trace
from lrlab.descent.race import RATES, best_rate, race
from lrlab.params import InvalidInput

RECIPES = {
    key: Recipe.from_dict({"optimizer": {"name": key}}) for key in ("sgd", "momentum", "adam")
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_scaling_keeps_the_curves_shape(schedule: str) -> None:
    if schedule == "reduce_lr_on_plateau":
        pytest.skip("has no curve to scale")
    recipe = Recipe.from_dict({"optimizer": {"name": "adam"}, "schedule": {"name": schedule}})
    before = recipe.learning_rates(400)
    after = recipe.with_peak(0.3, 400).learning_rates(400)
    assert after.max() == pytest.approx(0.3)
    assert np.allclose(after, before / before.max() * 0.3, rtol=1e-9, atol=1e-12)


def test_a_given_learning_rate_is_used_for_all_recipes() -> None:
    runners = race(RECIPES, "himmelblau", rate=0.005, steps=50)
    for label, runner in runners.items():
        assert runner.rate == 0.005
        expected = trace(RECIPES[label].with_peak(0.005, 50), "himmelblau", steps=50)
        assert np.array_equal(runner.trajectory.points, expected.points)


def test_the_u_curve_has_the_final_values_of_single_trajectories() -> None:
    runners = race(RECIPES, "quadratic_bowl", steps=80)
    for label, runner in runners.items():
        for i in range(0, len(RATES), 15):
            trajectory = trace(RECIPES[label].with_peak(RATES[i], 80), "quadratic_bowl", steps=80)
            if trajectory.diverged_at is None:
                assert runner.final_values[i] == pytest.approx(
                    trajectory.values[-1], rel=1e-6, abs=1e-300
                )
            else:
                assert runner.final_values[i] == np.inf


def test_each_recipe_uses_its_best_learning_rate() -> None:
    runners = race(RECIPES, "rosenbrock", steps=100)
    for runner in runners.values():
        best = int(np.argmin(runner.final_values))
        assert runner.rate == RATES[best]
        assert runner.trajectory.values[-1] == pytest.approx(runner.final_values[best], rel=1e-4)


def test_among_equally_good_learning_rates_the_lowest_is_used() -> None:
    finals = np.full(len(RATES), 1e-31)
    finals[:40] = 1.0
    finals[90] = 0.0
    assert best_rate(finals, first=100.0) == RATES[40]
    assert best_rate(np.full(len(RATES), np.inf), first=100.0) == RATES[0]


def test_a_learning_rate_at_which_all_diverge_is_not_an_error() -> None:
    runners = race({"sgd": RECIPES["sgd"]}, "rosenbrock", rate=10.0, steps=20)
    assert runners["sgd"].trajectory.diverged_at is not None


def test_too_many_recipes_or_none_are_refused() -> None:
    too_many = {key: Recipe.from_dict({"optimizer": {"name": key}}) for key in list(OPTIMIZERS)[:7]}
    with pytest.raises(InvalidInput, match="7"):
        race(too_many, "booth")
    with pytest.raises(InvalidInput, match="0"):
        race({}, "booth")
