"""The step inspector shows the numbers that the trajectory used."""

from __future__ import annotations

import numpy as np
import pytest

from lrlab import OPTIMIZERS, Recipe, Trajectory, trace
from lrlab.descent.inspector import hessian_eigenvalues, inspect_step
from lrlab.descent.surfaces import SURFACES
from lrlab.params import InvalidInput


def trajectory_of(
    optimizer: str, surface: str = "rosenbrock", steps: int = 40, **hyper: object
) -> Trajectory:
    recipe = Recipe.from_dict(
        {
            "optimizer": {"name": optimizer} | hyper,
            "schedule": {"name": "exponential_decay", "initial_learning_rate": 1e-3},
        }
    )
    return trace(recipe, surface, steps=steps)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_states_carry_over_from_each_step_to_the_next(optimizer: str) -> None:
    trajectory = trajectory_of(optimizer)
    numbers = [inspect_step(trajectory, k) for k in (0, 1, 20, 21)]
    for first, second in ((numbers[0], numbers[1]), (numbers[2], numbers[3])):
        assert np.array_equal(first.point + first.move, second.point) or np.allclose(
            first.point + first.move, second.point, rtol=1e-15
        )
        for (_, _, after), (_, before, _) in zip(first.states, second.states, strict=True):
            assert np.array_equal(after, before)


def test_the_effective_rate_of_sgd_is_the_learning_rate() -> None:
    trajectory = trajectory_of("sgd")
    numbers = inspect_step(trajectory, 7)
    assert numbers.learning_rate == trajectory.learning_rates[7]
    assert np.allclose(numbers.effective_rate, numbers.learning_rate)


def test_the_gradient_shown_is_clipped() -> None:
    numbers = inspect_step(trajectory_of("sgd", clipnorm=0.5), 0)
    assert np.hypot(*numbers.gradient) == pytest.approx(0.5)
    assert np.allclose(numbers.effective_rate, numbers.learning_rate)


def test_adams_numbers_satisfy_its_formula() -> None:
    trajectory = trajectory_of("adam")
    k = 11
    numbers = inspect_step(trajectory, k)
    (_, _, m), (_, _, v), _ = numbers.states
    t = k + 1
    alpha = numbers.learning_rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    assert np.allclose(numbers.move, -alpha * m / (np.sqrt(v) + 1e-7), rtol=1e-4)


def test_the_stability_limit_of_a_bowl_follows_from_its_condition_number() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=50.0)
    trajectory = trace(Recipe.from_dict({"optimizer": {"name": "sgd"}}), bowl, steps=3)
    numbers = inspect_step(trajectory, 1)
    assert numbers.curvatures == pytest.approx([1.0, 50.0])
    assert numbers.stability_limit == pytest.approx(2 / 50)


def test_curvatures_at_a_saddle_have_both_signs() -> None:
    trajectory = trace(Recipe.from_dict({"optimizer": {"name": "sgd"}}), "saddle", steps=3)
    assert hessian_eigenvalues(trajectory, trajectory.points) == pytest.approx(
        np.array([[-2.0, 2.0]] * 4)
    )


def test_the_gradient_shown_includes_noise() -> None:
    recipe = Recipe.from_dict({"optimizer": {"name": "sgd"}})
    trajectory = trace(recipe, "booth", steps=20, noise=3.0, noise_seed=4)
    numbers = inspect_step(trajectory, 9)
    assert not np.allclose(numbers.gradient, trajectory.surface.gradient_at(numbers.point))
    assert np.allclose(numbers.move, -numbers.learning_rate * numbers.gradient)


@pytest.mark.parametrize("k", [-1, 40])
def test_a_step_beyond_the_trajectory_is_refused(k: int) -> None:
    with pytest.raises(InvalidInput, match=f"step = {k}"):
        inspect_step(trajectory_of("sgd"), k)
