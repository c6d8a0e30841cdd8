"""A race is fair: the same start, steps and learning rates tried for every recipe."""

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


def test_at_one_rate_everybody_runs_at_that_rate() -> None:
    ran = race(RECIPES, "himmelblau", rate=0.005, steps=50)
    for label, runner in ran.items():
        assert runner.rate == 0.005
        expected = trace(RECIPES[label].with_peak(0.005, 50), "himmelblau", steps=50)
        assert np.array_equal(runner.path.points, expected.points)


def test_the_u_curve_holds_where_single_paths_end() -> None:
    ran = race(RECIPES, "quadratic_bowl", steps=80)
    for label, runner in ran.items():
        for i in range(0, len(RATES), 15):
            path = trace(RECIPES[label].with_peak(RATES[i], 80), "quadratic_bowl", steps=80)
            if path.diverged_at is None:
                assert runner.finals[i] == pytest.approx(path.values[-1], rel=1e-6, abs=1e-300)
            else:
                assert runner.finals[i] == np.inf


def test_in_a_fair_race_each_takes_its_best_rate() -> None:
    ran = race(RECIPES, "rosenbrock", steps=100)
    for runner in ran.values():
        best = int(np.argmin(runner.finals))
        assert runner.rate == RATES[best]
        assert runner.path.values[-1] == pytest.approx(runner.finals[best], rel=1e-4)


def test_among_equally_good_rates_the_calmest_is_taken() -> None:
    finals = np.full(len(RATES), 1e-31)
    finals[:40] = 1.0
    finals[90] = 0.0
    assert best_rate(finals, first=100.0) == RATES[40]
    assert best_rate(np.full(len(RATES), np.inf), first=100.0) == RATES[0]


def test_a_rate_at_which_everybody_diverges_is_no_error() -> None:
    ran = race({"sgd": RECIPES["sgd"]}, "rosenbrock", rate=10.0, steps=20)
    assert ran["sgd"].path.diverged_at is not None


def test_too_many_recipes_and_none_are_refused() -> None:
    many = {key: Recipe.from_dict({"optimizer": {"name": key}}) for key in list(OPTIMIZERS)[:7]}
    with pytest.raises(InvalidInput, match="7"):
        race(many, "booth")
    with pytest.raises(InvalidInput, match="0"):
        race({}, "booth")
