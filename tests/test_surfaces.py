"""Gradients belong to their functions, and minima are where the descriptions say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrlab import SURFACES
from lrlab.params import InvalidInput
from lrlab.scalar import scalar
from lrlab.surfaces import Surface, as_surface

ALL = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def drawn_grid(surface: Surface, cells: int = 401) -> np.ndarray:
    """Points all over the drawn part, shape ``(cells, cells, 2)``."""
    x, y = (np.linspace(low, high, cells) for low, high in surface.bounds)
    return np.stack(np.meshgrid(x, y), axis=-1)


@ALL
@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(share=st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)))
def test_the_gradient_is_that_of_central_differences(
    surface: Surface, share: tuple[float, float]
) -> None:
    low, high = np.array(surface.bounds).T
    point = low + (high - low) * share
    # Ackley has a tip, where differences taken across it say nothing.
    assume(surface.key != "ackley" or np.hypot(*point) > 0.01)
    h = 1e-5 * surface.width
    apart = np.array([[h, 0.0], [0.0, h]])
    ahead, behind = surface.at(point + apart), surface.at(point - apart)
    slope = (ahead - behind) / (2 * h)
    gradient = surface.gradient_at(point)
    # Differences of rounded values, and the part of third order they leave out, both grow with
    # the size of the function in the neighbourhood.
    size = np.abs([ahead, behind]).max() / surface.width + np.abs(gradient).max()
    np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-6 * (1 + size))


@ALL
def test_the_minima_are_flat_lowest_and_on_the_map(surface: Surface) -> None:
    for minimum in surface.minima:
        assert surface.at(minimum) == pytest.approx(surface.minimum, abs=1e-9)
        assert np.abs(surface.gradient_at(minimum)).max() < 1e-6
        for (low, high), at in zip(surface.bounds, minimum, strict=True):
            assert low <= at <= high
    if surface.minima:
        assert surface.at(drawn_grid(surface)).min() >= surface.minimum - 1e-9


@ALL
def test_no_minimum_is_missing(surface: Surface) -> None:
    if not surface.minima:
        return
    grid = drawn_grid(surface)
    values = surface.at(grid)
    cell = np.array([high - low for low, high in surface.bounds]) / 400
    nearest = np.min([np.abs((grid - at) / cell).max(axis=-1) for at in surface.minima], axis=0)
    lowest_elsewhere = values[nearest > 1].min()
    assert values[nearest <= 1].min() < lowest_elsewhere + 1e-9
    inner = values[1:-1, 1:-1]
    around = [values[1 + i : 400 + i, 1 + j : 400 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    valleys = (inner <= np.min(around, axis=0)) & (nearest[1:-1, 1:-1] > 1)
    # The lowest point of a hole that is as deep as the minimum would be found on the grid, but for
    # the cell's slope: what is left must be clearly higher.
    for row, column in np.argwhere(valleys):
        at = grid[row + 1, column + 1]
        assert lowest_near(surface, at, cell) > surface.minimum + 1e-7, f"a minimum near {at}"


def lowest_near(surface: Surface, at: np.ndarray, cell: np.ndarray) -> float:
    """The lowest value in the cells around a point, on a grid forty times as fine."""
    fine = np.linspace(-1, 1, 81)
    x, y = np.meshgrid(at[0] + cell[0] * fine, at[1] + cell[1] * fine)
    return float(surface.at(np.stack([x, y], axis=-1)).min())


@ALL
def test_floats_and_arrays_give_the_same(surface: Surface) -> None:
    for x, y in drawn_grid(surface, 7).reshape(-1, 2).tolist():
        value = surface.value(scalar, x, y, **surface.chosen)
        gradient = surface.gradient(scalar, x, y, **surface.chosen)
        size = 1e-12 * (1 + abs(value))
        assert value == pytest.approx(float(surface.at((x, y))), abs=size)
        assert gradient == pytest.approx(surface.gradient_at((x, y)).tolist(), rel=1e-11, abs=1e-9)


@ALL
def test_values_and_gradients_have_the_shape_of_their_points(surface: Surface) -> None:
    points = drawn_grid(surface, 5)
    assert surface.at(points).shape == (5, 5)
    assert surface.gradient_at(points).shape == (5, 5, 2)
    assert surface.at(points).dtype == surface.gradient_at(points).dtype == np.float64


@ALL
def test_the_start_is_on_the_map_and_not_at_rest(surface: Surface) -> None:
    for (low, high), at in zip(surface.bounds, surface.start, strict=True):
        assert low < at < high
    assert np.abs(surface.gradient_at(surface.start)).max() > 0
    assert surface.latex and surface.teaches
    sides = [high - low for low, high in surface.bounds]
    assert surface.width == max(sides)


@ALL
def test_far_points_are_infinite_or_no_number_without_warning(surface: Surface) -> None:
    far = np.array([[1e300, -1e300], [np.inf, 0.0], [np.nan, 1.0]])
    with np.errstate(all="raise"):
        assert surface.at(far).shape == (3,)
        assert surface.gradient_at(far).shape == (3, 2)
    assert np.isnan(surface.at(far[2])) or np.isnan(surface.gradient_at(far[2])).any()


def test_the_saddle_has_no_minimum() -> None:
    assert SURFACES["saddle"].minima == ()
    assert SURFACES["saddle"].minimum == -math.inf


def test_the_condition_number_stretches_the_bowl() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=250.0)
    np.testing.assert_array_equal(bowl.gradient_at((2.0, 3.0)), [2.0, 750.0])
    assert bowl.at((2.0, 3.0)) == 2.0 + 1125.0
    np.testing.assert_array_equal(SURFACES["quadratic_bowl"].gradient_at((2.0, 3.0)), [2.0, 30.0])


@pytest.mark.parametrize("value", [0.5, -1, 1e7, "10", None, True, math.nan, math.inf, [10]])
def test_a_condition_number_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"surface quadratic_bowl: condition_number = .*from 1"):
        SURFACES["quadratic_bowl"].with_params(condition_number=value)


def test_an_unknown_surface_or_parameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"no surface 'rosenbrok'.*rosenbrock"):
        as_surface("rosenbrok")
    with pytest.raises(InvalidInput, match="surface booth has no parameter 'kappa'"):
        SURFACES["booth"].with_params(kappa=2.0)


def test_a_surface_stands_for_itself() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=2.0)
    assert as_surface(bowl) is bowl
    assert as_surface("booth") is SURFACES["booth"]
