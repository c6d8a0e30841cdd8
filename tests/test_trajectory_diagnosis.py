"""Each diagnosis appears for a path that was made to have that cause, and no other."""

from __future__ import annotations

import pytest

from lrlab import Recipe, trace
from lrlab.descent.diagnosis import diagnose_trajectory


def said(optimizer: dict, schedule: dict, surface: str, steps: int, **more: object) -> str:
    recipe = Recipe.from_dict({"optimizer": optimizer, "schedule": schedule})
    return diagnose_trajectory(trace(recipe, surface, steps=steps, **more))


def constant(rate: float) -> dict:
    return {"name": "constant", "learning_rate": rate}


def test_a_rate_over_the_stability_limit_is_named_with_its_ratio() -> None:
    text = said({"name": "sgd"}, constant(0.3), "quadratic_bowl", 200)
    assert "At step 0" in text
    assert "1.5 times the stability limit" in text


def test_for_adaptive_rules_it_is_the_effective_rate_that_counts() -> None:
    text = said({"name": "adadelta"}, constant(1e6), "rosenbrock", 200)
    assert "effective learning rate" in text
    assert "stability limit" in text


def test_a_schedule_that_ends_too_early_is_named_with_its_step() -> None:
    schedule = {"name": "cosine_decay", "initial_learning_rate": 0.01, "decay_steps": 50}
    text = said({"name": "sgd"}, schedule, "matyas", 400)
    assert "schedule ended too early" in text
    assert "from step 4" in text


def test_a_local_minimum_is_told_from_the_global_one() -> None:
    assert "local minimum" in said({"name": "adam"}, constant(0.01), "rastrigin", 800)
    near = said({"name": "adam"}, constant(0.01), "rastrigin", 800, start=(0.2, 0.1))
    assert "local minimum" not in near


def test_bouncing_is_told_from_resting() -> None:
    text = said({"name": "sgd"}, constant(0.01), "rastrigin", 800)
    assert "bounces from wall to wall" in text


def test_a_growing_sum_of_squares_is_named() -> None:
    assert "only grows" in said({"name": "adagrad"}, constant(0.01), "booth", 2000)


def test_a_dominating_epsilon_is_named() -> None:
    text = said({"name": "adam", "epsilon": 1000.0}, constant(0.01), "booth", 500)
    assert "Epsilon dominates" in text


@pytest.mark.parametrize("surface", ["booth", "himmelblau"])
def test_a_path_that_arrives_needs_no_reason(surface: str) -> None:
    assert said({"name": "momentum"}, constant(0.005), surface, 1500) == ""


def test_a_surface_without_a_known_minimum_gets_no_reason() -> None:
    assert said({"name": "sgd"}, constant(0.1), "saddle", 100) == ""
