"""Each diagnosis appears for a trajectory with that problem, and not for others."""

from __future__ import annotations

import pytest

from lrlab import Recipe, trace
from lrlab.descent.diagnosis import diagnose_trajectory


def diagnosis_of(
    optimizer: dict, schedule: dict, surface: str, steps: int, **options: object
) -> str:
    recipe = Recipe.from_dict({"optimizer": optimizer, "schedule": schedule})
    return diagnose_trajectory(trace(recipe, surface, steps=steps, **options))


def constant(rate: float) -> dict:
    return {"name": "constant", "learning_rate": rate}


def test_a_learning_rate_over_the_stability_limit_is_reported_with_its_ratio() -> None:
    text = diagnosis_of({"name": "sgd"}, constant(0.3), "quadratic_bowl", 200)
    assert "At step 0" in text
    assert "1.5 times the stability limit" in text


def test_for_adaptive_optimizers_the_effective_rate_is_compared_with_the_limit() -> None:
    text = diagnosis_of({"name": "adadelta"}, constant(1e6), "rosenbrock", 200)
    assert "effective learning rate" in text
    assert "stability limit" in text


def test_a_schedule_that_ends_too_early_is_reported_with_its_step() -> None:
    schedule = {"name": "cosine_decay", "initial_learning_rate": 0.01, "decay_steps": 50}
    text = diagnosis_of({"name": "sgd"}, schedule, "matyas", 400)
    assert "schedule ended too early" in text
    assert "from step 4" in text


def test_a_local_minimum_is_distinguished_from_the_global_one() -> None:
    assert "local minimum" in diagnosis_of({"name": "adam"}, constant(0.01), "rastrigin", 800)
    near_global = diagnosis_of({"name": "adam"}, constant(0.01), "rastrigin", 800, start=(0.2, 0.1))
    assert "local minimum" not in near_global


def test_bouncing_is_distinguished_from_resting() -> None:
    text = diagnosis_of({"name": "sgd"}, constant(0.01), "rastrigin", 800)
    assert "bounces from wall to wall" in text


def test_a_growing_sum_of_squares_is_reported() -> None:
    assert "only grows" in diagnosis_of({"name": "adagrad"}, constant(0.01), "booth", 2000)


def test_a_dominating_epsilon_is_reported() -> None:
    text = diagnosis_of({"name": "adam", "epsilon": 1000.0}, constant(0.01), "booth", 500)
    assert "Epsilon dominates" in text


@pytest.mark.parametrize("surface", ["booth", "himmelblau"])
def test_a_trajectory_that_arrives_has_no_diagnosis(surface: str) -> None:
    assert diagnosis_of({"name": "momentum"}, constant(0.005), surface, 1500) == ""


def test_on_a_surface_without_a_known_minimum_there_is_no_diagnosis() -> None:
    assert diagnosis_of({"name": "sgd"}, constant(0.1), "saddle", 100) == ""
