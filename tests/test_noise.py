"""Seeded gradient noise: reproducible, and without effect at 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lrlab import OPTIMIZERS, Recipe, trace
from lrlab.descent.trajectory import NOISE, NOISE_SEED
from lrlab.optimizers.base import step
from lrlab.params import InvalidInput


def recipe_of(name: str, learning_rate: float = 0.01) -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": name},
            "schedule": {"name": "constant", "learning_rate": learning_rate},
        }
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_noise_of_zero_changes_nothing(name: str) -> None:
    plain = trace(recipe_of(name), "himmelblau", steps=100)
    noiseless = trace(recipe_of(name), "himmelblau", steps=100, noise=0.0, noise_seed=7)
    assert np.array_equal(plain.points, noiseless.points)
    assert (plain.noise, noiseless.noise) == (0.0, 0.0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_seed_gives_the_same_trajectory_and_another_seed_another(name: str) -> None:
    first, repeated, other = (
        trace(recipe_of(name), "himmelblau", steps=100, noise=2.0, noise_seed=seed)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first.points, repeated.points)
    assert not np.array_equal(first.points, other.points)
    assert (first.noise, first.noise_seed) == (2.0, 1)


def test_a_longer_trajectory_starts_like_the_shorter_one() -> None:
    short, long = (
        trace(recipe_of("adam"), "himmelblau", steps=steps, noise=2.0) for steps in (50, 200)
    )
    assert np.array_equal(short.points, long.points[:51])
    assert np.array_equal(short.gradients(50), long.gradients(50))


def test_each_step_uses_the_exact_gradient_and_the_noise() -> None:
    trajectory = trace(recipe_of("sgd", 0.001), "himmelblau", steps=2000, noise=3.0, noise_seed=5)
    used_gradients = -np.diff(trajectory.points, axis=0) / 0.001
    assert trajectory.gradients(2000) == pytest.approx(used_gradients, abs=1e-6)
    noise = used_gradients - trajectory.surface.gradient_at(trajectory.points[:-1])
    drawn = np.random.default_rng(5).normal(0.0, 3.0, (2000, 2))
    assert noise == pytest.approx(drawn, abs=1e-6)
    # With the requested standard deviation, mean 0, and independent for x and y.
    assert noise.std(axis=0) == pytest.approx(np.array([3.0, 3.0]), rel=0.1)
    assert np.abs(noise.mean(axis=0)).max() < 0.3
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_floats_and_arrays_get_the_same_noise(name: str) -> None:
    recipe = recipe_of(name)
    trajectory = trace(recipe, "himmelblau", steps=60, noise=2.0, noise_seed=3)
    spec, x = recipe.optimizer_spec, trajectory.points[0]
    state = spec.init(np, x, **recipe.hyper)
    for k, kick in enumerate(np.random.default_rng(3).normal(0.0, 2.0, (60, 2))):
        g = trajectory.surface.gradient_at(x) + kick
        rate = trajectory.learning_rates[k]
        x, state = step(spec, np, x, g, state, rate, k + 1, recipe.hyper, recipe.shared)
        assert trajectory.points[k + 1] == pytest.approx(x, rel=1e-9, abs=1e-9)


def test_a_trajectory_that_switches_to_arrays_keeps_its_noise() -> None:
    # x overflows on the way; the remaining steps are computed with arrays.
    trajectory = trace(
        recipe_of("sgd", 5.0), "saddle", (0.5, 0.5), steps=700, noise=1.0, noise_seed=2
    )
    kicks = np.random.default_rng(2).normal(0.0, 1.0, (700, 2))
    x = 0.5
    for k in range(300):
        assert trajectory.points[k, 0] == pytest.approx(x, rel=1e-9)
        x -= 5.0 * (2.0 * x + kicks[k, 0])
    assert trajectory.diverged_at is not None


@pytest.mark.parametrize(
    ("arguments", "mentioned"),
    [
        ({"noise": -1.0}, "noise = -1.0"),
        ({"noise": float("nan")}, "noise = nan"),
        ({"noise": float("inf")}, "noise = inf"),
        ({"noise": "much"}, "noise = 'much'"),
        ({"noise": None}, "noise = None"),
        ({"noise_seed": -1}, "noise_seed = -1"),
        ({"noise_seed": 1.5}, "noise_seed = 1.5"),
        ({"noise_seed": 2**31}, "noise_seed = 2147483648"),
        ({"noise_seed": "a"}, "noise_seed = 'a'"),
    ],
)
def test_an_invalid_noise_or_seed_is_refused_with_its_value(
    arguments: dict[str, Any], mentioned: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        trace(recipe_of("sgd"), "booth", steps=5, **arguments)
    assert mentioned in str(refused.value) and "must be" in str(refused.value)


def test_noise_is_off_by_default() -> None:
    assert (NOISE.default, NOISE_SEED.default) == (0.0, 0)
    assert NOISE.grid()[0] == 0.0
