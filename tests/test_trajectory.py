"""A trajectory equals Keras's, is not clipped, and its divergence is reported correctly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from lrlab import OPTIMIZERS, SURFACES, Recipe, trace
from lrlab.descent.surfaces import Surface
from lrlab.descent.trajectory import DIVERGENCE_WIDTHS, MAX_TRAJECTORY_STEPS, _trace_arrays
from lrlab.params import InvalidInput
from tests.cases import CASES, PEAKS, STEPS, walk_of
from tests.oracle import keras_walk

ULP = 2.0**-23
"""Relative rounding error of float32, in which Keras computes its learning rates."""


def recipe_of(optimizer: str, rate: float, **hyper: Any) -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": optimizer} | hyper,
            "schedule": {"name": "constant", "learning_rate": rate},
        }
    )


@cache
def stable_points(case: str, i: int) -> np.ndarray | None:
    """The points of a case on one of its surfaces, or None if they change noticeably with the last
    digit of the start."""
    recipe, surfaces = CASES[case]
    surface = surfaces[i]
    points = trace(recipe, surface, steps=STEPS).points
    x, y = surface.start
    signs = ((1, 1), (-1, 1), (1, -1))
    nearby = [
        trace(recipe, surface, (x * (1 + i * ULP), y * (1 + j * ULP)), STEPS) for i, j in signs
    ]
    spread = max(np.abs(trajectory.points - points).max() for trajectory in nearby)
    return points if spread < 1e-6 * surface.width else None


def array_points(recipe: Recipe, surface: Surface, steps: int) -> np.ndarray:
    """The points of a trajectory computed only with arrays."""
    points = np.full((steps + 1, 2), np.nan)
    points[0] = surface.start
    with np.errstate(all="ignore"):
        state = recipe.optimizer_spec.init(np, points[0], **recipe.hyper)
        _trace_arrays(recipe, surface, points, recipe.learning_rates(steps), state, 0, None)
    return points


def divergence_step(points: np.ndarray, surface: Surface) -> int | None:
    """The first step that is not finite or more than 1,000 widths from the centre of the bounds."""
    (x_low, x_high), (y_low, y_high) = surface.bounds
    for k, (x, y) in enumerate(points.tolist()):
        distance = math.hypot(x - (x_low + x_high) / 2, y - (y_low + y_high) / 2)
        if not distance <= 1000 * max(x_high - x_low, y_high - y_low):
            return k
    return None


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_stable_trajectories_equal_keras(key: str) -> None:
    stable = 0
    for case in (case for case in CASES if case.startswith(f"{key}-")):
        walk = walk_of(case, "float64")
        for i, surface in enumerate(walk.surfaces):
            points = stable_points(case, i)
            if points is not None:
                stable += 1
                error = np.abs(points - walk.points[:, i]).max() / surface.width
                assert error < 1e-5, f"{case} on {surface.key}"
    assert stable >= len(SURFACES) / 3


@pytest.mark.parametrize("factor", [30.0, 3000.0])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_divergence_occurs_at_the_same_step_as_in_keras(key: str, factor: float) -> None:
    recipe = recipe_of(key, factor * PEAKS[key])
    surfaces = [SURFACES[name] for name in ("rosenbrock", "quadratic_bowl", "saddle", "booth")]
    walk = keras_walk(recipe, surfaces, steps=80)
    for i, surface in enumerate(surfaces):
        trajectory = trace(recipe, surface, steps=80)
        assert trajectory.diverged_at == divergence_step(walk.points[:, i], surface), surface.key


def test_a_high_learning_rate_diverges_for_some_optimizers_and_not_for_others() -> None:
    divergence = {
        key: trace(recipe_of(key, 1.0), "rosenbrock").diverged_at for key in ("sgd", "lion")
    }
    assert divergence["sgd"] is not None
    assert divergence["lion"] is None


@pytest.mark.parametrize("key", [k for k, spec in OPTIMIZERS.items() if spec.elementwise])
def test_floats_and_arrays_give_the_same_trajectory(key: str) -> None:
    compared = 0
    for case in (case for case in CASES if case.startswith(f"{key}-")):
        recipe, surfaces = CASES[case]
        for i, surface in enumerate(surfaces):
            points = stable_points(case, i)
            if points is not None:
                compared += 1
                error = np.abs(points - array_points(recipe, surface, STEPS)).max()
                assert error < 1e-9 * surface.width, f"{case} on {surface.key}"
    assert compared >= len(SURFACES) / 3


@pytest.mark.parametrize(
    ("recipe", "surface"),
    [
        (recipe_of("sgd", 1.0), SURFACES["rosenbrock"]),
        (recipe_of("momentum", 0.3), SURFACES["beale"]),
        (recipe_of("sgd", 3.0), SURFACES["quadratic_bowl"]),
        (
            recipe_of("adagrad", 0.5, initial_accumulator_value=0.0, epsilon=0.0),
            SURFACES["matyas"],
        ),
        (recipe_of("nesterov", 1e6), SURFACES["styblinski_tang"]),
        (
            recipe_of("ftrl", 0.5, learning_rate_power=-10.0),
            replace(SURFACES["rosenbrock"], start=(1e6, 1.0)),
        ),
        (recipe_of("sgd", 0.1), replace(SURFACES["rastrigin"], start=(1e308, 1.0))),
    ],
    ids=["overflow", "momentum", "slow overflow", "0 / 0", "at once", "power", "sine of infinity"],
)
def test_a_trajectory_that_switches_from_floats_to_arrays_has_the_same_points(
    recipe: Recipe, surface: Surface
) -> None:
    steps = 2_000
    trajectory = trace(recipe, surface, steps=steps)
    expected = array_points(recipe, surface, steps)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(trajectory.points), finite)
    np.testing.assert_allclose(trajectory.points[finite], expected[finite], rtol=1e-6, atol=1e-9)
    assert trajectory.diverged_at == divergence_step(expected, surface)


def test_a_division_by_zero_is_divergence_and_not_an_error() -> None:
    recipe = recipe_of("adagrad", 0.5, initial_accumulator_value=0.0, epsilon=0.0)
    trajectory = trace(recipe, "quadratic_bowl", start=(0.0, 1.0), steps=5)
    assert trajectory.diverged_at == 1
    assert np.isnan(trajectory.points[1:, 0]).all()
    assert np.isfinite(trajectory.points[1:, 1]).all()


def test_a_trajectory_has_a_point_before_and_after_each_step() -> None:
    recipe = recipe_of("adam", 0.1)
    trajectory = trace(recipe, "himmelblau", start=(-1.5, 2.0), steps=50)
    assert trajectory.points.shape == (51, 2)
    assert trajectory.values.shape == (51,)
    assert trajectory.learning_rates.shape == (50,)
    assert trajectory.steps == 50
    assert (
        trajectory.points.dtype
        == trajectory.values.dtype
        == trajectory.learning_rates.dtype
        == np.float64
    )
    assert trajectory.points[0].tolist() == [-1.5, 2.0]
    np.testing.assert_array_equal(trajectory.values, SURFACES["himmelblau"].at(trajectory.points))
    np.testing.assert_array_equal(trajectory.learning_rates, recipe.learning_rates(50))


def test_a_trajectorys_defaults_are_the_surfaces_start_and_200_steps() -> None:
    trajectory = trace(recipe_of("adam", 0.1), "booth")
    assert trajectory.points.shape == (201, 2)
    assert tuple(trajectory.points[0]) == SURFACES["booth"].start


def test_trajectories_are_reproducible_and_a_longer_one_starts_with_the_shorter_one() -> None:
    recipe = recipe_of("nadam", 0.1)
    short, long = (trace(recipe, "ackley", steps=steps).points for steps in (60, 120))
    np.testing.assert_array_equal(short, trace(recipe, "ackley", steps=60).points)
    np.testing.assert_array_equal(short, long[:61])


def test_a_surface_object_is_accepted() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=4.0)
    trajectory = trace(recipe_of("sgd", 0.25), bowl, start=(2.0, 3.0), steps=1)
    assert trajectory.points[1].tolist() == [1.5, 0.0]
    assert trajectory.surface is bowl


def test_points_are_not_clipped() -> None:
    steps = 1_400
    trajectory = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(1.0, 1.0), steps=steps)
    # Each step multiplies y by 1 - 0.5 * 10 = -4, until float64 overflows.
    last = 511
    exact = (-4.0) ** np.arange(last + 1)
    np.testing.assert_array_equal(trajectory.points[: last + 1, 1], exact)
    np.testing.assert_array_equal(trajectory.points[: last + 1, 0], 0.5 ** np.arange(last + 1))
    assert not np.isfinite(trajectory.points[last + 1 :, 1]).any()
    assert trajectory.values[250] == pytest.approx(5.0 * 4.0**500)
    assert trajectory.values[last] == math.inf


def test_divergence_is_the_first_step_beyond_a_thousand_widths() -> None:
    trajectory = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(0.0, 1.0), steps=30)
    # 4**6 = 4096 is within 1,000 widths of 10; 4**7 = 16384 is not.
    assert DIVERGENCE_WIDTHS == 1000.0
    assert trajectory.diverged_at == 7


@pytest.mark.parametrize(
    ("start", "diverged_at"),
    [
        ((10_000.0, 0.0), None),
        ((math.nextafter(10_000.0, math.inf), 0.0), 0),
        ((6_000.0, -8_000.0), None),
        ((6_000.0, -8_001.0), 0),
    ],
)
def test_exactly_a_thousand_widths_from_the_centre_is_not_yet_divergence(
    start: tuple[float, float], diverged_at: int | None
) -> None:
    trajectory = trace(recipe_of("sgd", 1e-3), "quadratic_bowl", start=start, steps=3)
    assert trajectory.diverged_at == diverged_at


def test_distance_is_measured_from_the_centre_of_the_bounds() -> None:
    # Rosenbrock's bounds are centred on (0, 1) and 4 wide.
    rate = recipe_of("sgd", 1e-30)
    assert trace(rate, "rosenbrock", start=(0.0, 4_001.0), steps=1).diverged_at is None
    assert trace(rate, "rosenbrock", start=(0.0, 4_001.5), steps=1).diverged_at == 0
    assert trace(rate, "rosenbrock", start=(0.0, -3_999.5), steps=1).diverged_at == 0


def test_a_point_that_is_not_finite_is_divergence() -> None:
    trajectory = trace(recipe_of("sgd", 1e6), "styblinski_tang", start=(1e100, 1.0), steps=4)
    assert trajectory.diverged_at == 0
    trajectory = trace(recipe_of("sgd", 1e6), "styblinski_tang", start=(4.9, 4.9), steps=9)
    assert trajectory.diverged_at == 1
    assert not np.isfinite(trajectory.points[-1]).any()
    assert trajectory.values.shape == (10,)


def test_leaving_the_map_is_not_divergence() -> None:
    trajectory = trace(recipe_of("sgd", 0.05), "saddle", steps=100)
    assert trajectory.diverged_at is None
    outside = np.abs(trajectory.points).max(axis=1) > 2.0
    assert trajectory.left_map_at == outside.argmax() > 0
    assert np.abs(trajectory.points).max() > 2.0


def test_a_trajectory_that_stays_on_the_map_never_left_it() -> None:
    trajectory = trace(recipe_of("sgd", 0.05), "matyas", steps=100)
    assert trajectory.left_map_at is None
    assert trajectory.diverged_at is None


def test_the_extended_bounds_include_the_map_and_the_trajectory_up_to_divergence() -> None:
    stable = trace(recipe_of("sgd", 0.05), "saddle", steps=100)
    (x_low, x_high), (y_low, y_high) = stable.bounds_with_trajectory()
    assert x_low < -2 and x_high > 2
    assert y_low < -2 and y_high > stable.points[:, 1].max()
    diverging = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(0.0, 1.0), steps=300)
    assert np.isfinite(diverging.bounds_with_trajectory()).all()
    assert (
        np.abs(diverging.bounds_with_trajectory()).max()
        < 2 * DIVERGENCE_WIDTHS * diverging.surface.width
    )


@pytest.mark.parametrize(
    "start",
    [
        (math.nan, 0.0),
        (0.0, math.inf),
        (1.0,),
        (1.0, 2.0, 3.0),
        "ab",
        7,
        ("x", "y"),
        (None, 1.0),
        (10**400, 0),
        ((1.0, 2.0), (3.0, 4.0)),
    ],
    ids=repr,
)
def test_a_start_that_is_not_a_point_is_refused(start: Any) -> None:
    with pytest.raises(InvalidInput, match=r"start = .* is not allowed"):
        trace(recipe_of("sgd", 0.1), "booth", start=start)


@pytest.mark.parametrize("start", [[1, 2], np.array([1.0, 2.0]), (1, 2)], ids=repr)
def test_a_start_can_be_any_pair_of_numbers(start: Sequence[float]) -> None:
    trajectory = trace(recipe_of("sgd", 0.1), "booth", start=start, steps=1)
    assert trajectory.points[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("steps", [0, -1, MAX_TRAJECTORY_STEPS + 1, 2.0, "5", None, True, math.nan])
def test_an_invalid_number_of_steps_is_refused(steps: Any) -> None:
    with pytest.raises(InvalidInput, match="steps = "):
        trace(recipe_of("sgd", 0.1), "booth", steps=steps)


def test_an_unknown_surface_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="no surface 'bath'"):
        trace(recipe_of("sgd", 0.1), "bath")
