"""A path is the one that Keras walks, whole, unclipped, and with an honest verdict."""

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
from lrlab.descent.trajectory import FAR, MAX_PATH_STEPS, _walk_arrays
from lrlab.params import InvalidInput
from tests.cases import CASES, PEAKS, STEPS, walk_of
from tests.oracle import keras_walk

ULP = 2.0**-23
"""The relative size of float32's rounding, in which Keras computes its rates."""


def recipe_of(optimizer: str, rate: float, **hyper: Any) -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": optimizer} | hyper,
            "schedule": {"name": "constant", "learning_rate": rate},
        }
    )


@cache
def stable_path(case: str, i: int) -> np.ndarray | None:
    """The points of a case on one of its surfaces, if they hardly change with the last digit of
    the start."""
    recipe, surfaces = CASES[case]
    surface = surfaces[i]
    points = trace(recipe, surface, steps=STEPS).points
    x, y = surface.start
    signs = ((1, 1), (-1, 1), (1, -1))
    near = [trace(recipe, surface, (x * (1 + i * ULP), y * (1 + j * ULP)), STEPS) for i, j in signs]
    spread = max(np.abs(path.points - points).max() for path in near)
    return points if spread < 1e-6 * surface.width else None


def array_walk(recipe: Recipe, surface: Surface, steps: int) -> np.ndarray:
    """The points of a path walked with NumPy throughout."""
    points = np.full((steps + 1, 2), np.nan)
    points[0] = surface.start
    with np.errstate(all="ignore"):
        state = recipe.optimizer_spec.init(np, points[0], **recipe.hyper)
        _walk_arrays(recipe, surface, points, recipe.learning_rates(steps), state, 0, None)
    return points


def verdict(points: np.ndarray, surface: Surface) -> int | None:
    """The first step that is not finite or farther than 1,000 widths from the map's centre."""
    (x_low, x_high), (y_low, y_high) = surface.bounds
    for k, (x, y) in enumerate(points.tolist()):
        away = math.hypot(x - (x_low + x_high) / 2, y - (y_low + y_high) / 2)
        if not away <= 1000 * max(x_high - x_low, y_high - y_low):
            return k
    return None


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_whole_paths_are_those_of_keras_where_they_are_stable(key: str) -> None:
    stable = 0
    for case in (case for case in CASES if case.startswith(f"{key}-")):
        walk = walk_of(case, "float64")
        for i, surface in enumerate(walk.surfaces):
            points = stable_path(case, i)
            if points is not None:
                stable += 1
                off = np.abs(points - walk.points[:, i]).max() / surface.width
                assert off < 1e-5, f"{case} on {surface.key}"
    assert stable >= len(SURFACES) / 3


@pytest.mark.parametrize("heat", [30.0, 3000.0])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_verdict_on_divergence_is_that_of_keras(key: str, heat: float) -> None:
    recipe = recipe_of(key, heat * PEAKS[key])
    surfaces = [SURFACES[name] for name in ("rosenbrock", "quadratic_bowl", "saddle", "booth")]
    walk = keras_walk(recipe, surfaces, steps=80)
    for i, surface in enumerate(surfaces):
        path = trace(recipe, surface, steps=80)
        assert path.diverged_at == verdict(walk.points[:, i], surface), surface.key


def test_hot_paths_diverge_for_some_optimizers_and_not_for_others() -> None:
    hot = {key: trace(recipe_of(key, 1.0), "rosenbrock").diverged_at for key in ("sgd", "lion")}
    assert hot["sgd"] is not None
    assert hot["lion"] is None


@pytest.mark.parametrize("key", [k for k, spec in OPTIMIZERS.items() if spec.elementwise])
def test_floats_and_arrays_walk_the_same_path(key: str) -> None:
    compared = 0
    for case in (case for case in CASES if case.startswith(f"{key}-")):
        recipe, surfaces = CASES[case]
        for i, surface in enumerate(surfaces):
            points = stable_path(case, i)
            if points is not None:
                compared += 1
                off = np.abs(points - array_walk(recipe, surface, STEPS)).max()
                assert off < 1e-9 * surface.width, f"{case} on {surface.key}"
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
def test_where_floats_give_up_arrays_go_on_to_the_same_end(
    recipe: Recipe, surface: Surface
) -> None:
    steps = 2_000
    path = trace(recipe, surface, steps=steps)
    whole = array_walk(recipe, surface, steps)
    finite = np.isfinite(whole)
    np.testing.assert_array_equal(np.isfinite(path.points), finite)
    np.testing.assert_allclose(path.points[finite], whole[finite], rtol=1e-6, atol=1e-9)
    assert path.diverged_at == verdict(whole, surface)


def test_a_division_by_zero_is_divergence_not_an_error() -> None:
    recipe = recipe_of("adagrad", 0.5, initial_accumulator_value=0.0, epsilon=0.0)
    path = trace(recipe, "quadratic_bowl", start=(0.0, 1.0), steps=5)
    assert path.diverged_at == 1
    assert np.isnan(path.points[1:, 0]).all()
    assert np.isfinite(path.points[1:, 1]).all()


def test_a_path_has_one_point_before_and_one_after_each_step() -> None:
    recipe = recipe_of("adam", 0.1)
    path = trace(recipe, "himmelblau", start=(-1.5, 2.0), steps=50)
    assert path.points.shape == (51, 2)
    assert path.values.shape == (51,)
    assert path.learning_rates.shape == (50,)
    assert path.steps == 50
    assert path.points.dtype == path.values.dtype == path.learning_rates.dtype == np.float64
    assert path.points[0].tolist() == [-1.5, 2.0]
    np.testing.assert_array_equal(path.values, SURFACES["himmelblau"].at(path.points))
    np.testing.assert_array_equal(path.learning_rates, recipe.learning_rates(50))


def test_without_a_start_a_path_starts_where_the_surface_says_and_takes_200_steps() -> None:
    path = trace(recipe_of("adam", 0.1), "booth")
    assert path.points.shape == (201, 2)
    assert tuple(path.points[0]) == SURFACES["booth"].start


def test_the_same_call_gives_the_same_path_and_a_longer_one_begins_with_it() -> None:
    recipe = recipe_of("nadam", 0.1)
    short, long = (trace(recipe, "ackley", steps=steps).points for steps in (60, 120))
    np.testing.assert_array_equal(short, trace(recipe, "ackley", steps=60).points)
    np.testing.assert_array_equal(short, long[:61])


def test_a_surface_can_be_given_as_itself() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=4.0)
    path = trace(recipe_of("sgd", 0.25), bowl, start=(2.0, 3.0), steps=1)
    assert path.points[1].tolist() == [1.5, 0.0]
    assert path.surface is bowl


def test_nothing_is_clipped_on_the_way_out() -> None:
    steps = 1_400
    path = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(1.0, 1.0), steps=steps)
    # Along y each step multiplies by 1 - 0.5 * 10 = -4, up to where float64 ends.
    last = 511
    exact = (-4.0) ** np.arange(last + 1)
    np.testing.assert_array_equal(path.points[: last + 1, 1], exact)
    np.testing.assert_array_equal(path.points[: last + 1, 0], 0.5 ** np.arange(last + 1))
    assert not np.isfinite(path.points[last + 1 :, 1]).any()
    assert path.values[250] == pytest.approx(5.0 * 4.0**500)
    assert path.values[last] == math.inf


def test_divergence_is_the_first_step_beyond_a_thousand_widths() -> None:
    path = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(0.0, 1.0), steps=30)
    # 4**6 = 4096 lies within 1,000 widths of 10, 4**7 = 16384 beyond.
    assert FAR == 1000.0
    assert path.diverged_at == 7


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
    path = trace(recipe_of("sgd", 1e-3), "quadratic_bowl", start=start, steps=3)
    assert path.diverged_at == diverged_at


def test_distance_is_measured_from_the_centre_of_the_map() -> None:
    # Rosenbrock's map is centred on (0, 1) and 4 wide.
    rate = recipe_of("sgd", 1e-30)
    assert trace(rate, "rosenbrock", start=(0.0, 4_001.0), steps=1).diverged_at is None
    assert trace(rate, "rosenbrock", start=(0.0, 4_001.5), steps=1).diverged_at == 0
    assert trace(rate, "rosenbrock", start=(0.0, -3_999.5), steps=1).diverged_at == 0


def test_a_point_that_is_not_finite_is_divergence() -> None:
    path = trace(recipe_of("sgd", 1e6), "styblinski_tang", start=(1e100, 1.0), steps=4)
    assert path.diverged_at == 0
    path = trace(recipe_of("sgd", 1e6), "styblinski_tang", start=(4.9, 4.9), steps=9)
    assert path.diverged_at == 1
    assert not np.isfinite(path.points[-1]).any()
    assert path.values.shape == (10,)


def test_leaving_the_map_alone_is_no_divergence() -> None:
    path = trace(recipe_of("sgd", 0.05), "saddle", steps=100)
    assert path.diverged_at is None
    outside = np.abs(path.points).max(axis=1) > 2.0
    assert path.left_map_at == outside.argmax() > 0
    assert np.abs(path.points).max() > 2.0


def test_a_path_that_stays_on_the_map_never_left_it() -> None:
    path = trace(recipe_of("sgd", 0.05), "matyas", steps=100)
    assert path.left_map_at is None
    assert path.diverged_at is None


def test_the_whole_bounds_hold_the_map_and_the_path_up_to_divergence() -> None:
    still = trace(recipe_of("sgd", 0.05), "saddle", steps=100)
    (x_low, x_high), (y_low, y_high) = still.bounds_with_trajectory()
    assert x_low < -2 and x_high > 2
    assert y_low < -2 and y_high > still.points[:, 1].max()
    gone = trace(recipe_of("sgd", 0.5), "quadratic_bowl", start=(0.0, 1.0), steps=300)
    assert np.isfinite(gone.bounds_with_trajectory()).all()
    assert np.abs(gone.bounds_with_trajectory()).max() < 2 * FAR * gone.surface.width


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
def test_a_start_that_is_no_point_is_refused(start: Any) -> None:
    with pytest.raises(InvalidInput, match=r"start = .* is not allowed"):
        trace(recipe_of("sgd", 0.1), "booth", start=start)


@pytest.mark.parametrize("start", [[1, 2], np.array([1.0, 2.0]), (1, 2)], ids=repr)
def test_a_start_may_be_any_pair_of_numbers(start: Sequence[float]) -> None:
    path = trace(recipe_of("sgd", 0.1), "booth", start=start, steps=1)
    assert path.points[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("steps", [0, -1, MAX_PATH_STEPS + 1, 2.0, "5", None, True, math.nan])
def test_a_number_of_steps_that_is_not_allowed_is_refused(steps: Any) -> None:
    with pytest.raises(InvalidInput, match="steps = "):
        trace(recipe_of("sgd", 0.1), "booth", steps=steps)


def test_an_unknown_surface_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="no surface 'bath'"):
        trace(recipe_of("sgd", 0.1), "bath")
