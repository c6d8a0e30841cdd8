"""Gradients match their functions, and minima are where the surfaces list them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrlab import SURFACES
from lrlab.descent import float_ops
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.params import InvalidInput

TEXTBOOK: dict[str, Callable[[float, float], float]] = {
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "beale": lambda x, y: (
        (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
    ),
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "three_hump_camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "styblinski_tang": lambda x, y: (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2,
    "goldstein_price": lambda x, y: (
        (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2))
        * (30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))
    ),
    "rastrigin": lambda x, y: 20 + sum(u**2 - 10 * math.cos(2 * math.pi * u) for u in (x, y)),
    "ackley": lambda x, y: (
        -20 * math.exp(-0.2 * math.sqrt((x**2 + y**2) / 2))
        - math.exp((math.cos(2 * math.pi * x) + math.cos(2 * math.pi * y)) / 2)
        + math.e
        + 20
    ),
    "griewank": lambda x, y: 1 + (x**2 + y**2) / 4000 - math.cos(x) * math.cos(y / math.sqrt(2)),
    "levy": lambda x, y: (
        math.sin(math.pi * (1 + (x - 1) / 4)) ** 2
        + ((x - 1) / 4) ** 2 * (1 + 10 * math.sin(math.pi * (1 + (x - 1) / 4) + 1) ** 2)
        + ((y - 1) / 4) ** 2 * (1 + math.sin(2 * math.pi * (1 + (y - 1) / 4)) ** 2)
    ),
    "mccormick": lambda x, y: math.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1,
    "noisy_valley": lambda x, y: (
        x**2 / 10
        + y**2
        + 0.12 * (1 - math.cos(6 * x))
        + 0.08 * (1 - math.cos(9 * x + 5 * y))
        + 0.08 * (1 - math.cos(4 * x - 11 * y))
    ),
    "booth": lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    "matyas": lambda x, y: 0.26 * (x**2 + y**2) - 0.48 * x * y,
    "quadratic_bowl": lambda x, y: (x**2 + 10 * y**2) / 2,
    "saddle": lambda x, y: x**2 - y**2,
    "formula": lambda x, y: 0.2 * x**2 + 0.1 * y**2 + math.sin(2 * x) * math.cos(y),
}
"""The functions as written in the literature and shown in the LaTeX."""

ALL_SURFACES = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def grid_of(surface: Surface, cells: int = 401) -> np.ndarray:
    """Points all over the surface's bounds, shape ``(cells, cells, 2)``."""
    x, y = (np.linspace(low, high, cells) for low, high in surface.bounds)
    return np.stack(np.meshgrid(x, y), axis=-1)


@ALL_SURFACES
@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(share=st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)))
def test_the_gradient_equals_central_differences(
    surface: Surface, share: tuple[float, float]
) -> None:
    low, high = np.array(surface.bounds).T
    point = low + (high - low) * share
    # Ackley has a cusp, across which differences are meaningless.
    assume(surface.key != "ackley" or np.hypot(*point) > 0.01)
    h = 1e-5 * surface.width
    offsets = np.array([[h, 0.0], [0.0, h]])
    ahead, behind = surface.at(point + offsets), surface.at(point - offsets)
    slope = (ahead - behind) / (2 * h)
    gradient = surface.gradient_at(point)
    # Rounding errors of the differences, and the third-order term they neglect, both grow with
    # the size of the function nearby.
    size = np.abs([ahead, behind]).max() / surface.width + np.abs(gradient).max()
    np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-6 * (1 + size))


@ALL_SURFACES
def test_the_value_equals_the_textbook_formula(surface: Surface) -> None:
    for x, y in grid_of(surface, 9).reshape(-1, 2).tolist():
        expected = TEXTBOOK[surface.key](x, y)
        assert float(surface.at((x, y))) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@ALL_SURFACES
def test_the_minima_are_flat_lowest_and_within_the_bounds(surface: Surface) -> None:
    for minimum in surface.minima:
        assert surface.at(minimum) == pytest.approx(surface.minimum, abs=1e-9)
        assert np.abs(surface.gradient_at(minimum)).max() < 1e-6
        for (low, high), at in zip(surface.bounds, minimum, strict=True):
            assert low <= at <= high
    if surface.minima:
        assert surface.at(grid_of(surface)).min() >= surface.minimum - 1e-9


@ALL_SURFACES
def test_no_minimum_within_the_bounds_is_missing(surface: Surface) -> None:
    if not surface.minima:
        return
    grid, values = grid_of(surface), surface.at(grid_of(surface))
    cell = np.array([high - low for low, high in surface.bounds]) / 400
    inner = values[1:-1, 1:-1]
    neighbours = [values[1 + i : 400 + i, 1 + j : 400 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    for row, column in np.argwhere(inner <= np.min(neighbours, axis=0)):
        bottom = lowest_point_near(surface, grid[row + 1, column + 1], cell)
        if surface.at(bottom) < surface.minimum + 1e-9:
            distances = [np.abs(bottom - minimum).max() for minimum in surface.minima]
            assert min(distances) < 1e-3 * surface.width, f"a minimum at {bottom}"


def lowest_point_near(surface: Surface, at: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The lowest point within about a cell, found by repeated refinement."""
    for _ in range(8):
        fine = np.linspace(-1, 1, 21)
        x, y = np.meshgrid(at[0] + cell[0] * fine, at[1] + cell[1] * fine)
        points = np.stack([x, y], axis=-1).reshape(-1, 2)
        at, cell = points[surface.at(points).argmin()], cell / 5
    return at


@ALL_SURFACES
def test_floats_and_arrays_give_the_same(surface: Surface) -> None:
    for x, y in grid_of(surface, 7).reshape(-1, 2).tolist():
        value = surface.value(float_ops, x, y, **surface.chosen)
        gradient = surface.gradient(float_ops, x, y, **surface.chosen)
        size = 1e-12 * (1 + abs(value))
        assert value == pytest.approx(float(surface.at((x, y))), abs=size)
        assert gradient == pytest.approx(surface.gradient_at((x, y)).tolist(), rel=1e-11, abs=1e-9)


@ALL_SURFACES
def test_values_and_gradients_have_the_shape_of_their_points(surface: Surface) -> None:
    points = grid_of(surface, 5)
    assert surface.at(points).shape == (5, 5)
    assert surface.gradient_at(points).shape == (5, 5, 2)
    assert surface.at(points).dtype == surface.gradient_at(points).dtype == np.float64


@ALL_SURFACES
def test_the_start_is_within_the_bounds_and_has_a_gradient(surface: Surface) -> None:
    for (low, high), at in zip(surface.bounds, surface.start, strict=True):
        assert low < at < high
    assert np.abs(surface.gradient_at(surface.start)).max() > 0
    assert surface.latex and surface.teaches
    sides = [high - low for low, high in surface.bounds]
    assert surface.width == max(sides)


@ALL_SURFACES
def test_distant_points_are_infinite_or_nan_without_warning(surface: Surface) -> None:
    distant = np.array([[1e300, -1e300], [np.inf, 0.0], [np.nan, 1.0]])
    with np.errstate(all="raise"):
        assert surface.at(distant).shape == (3,)
        assert surface.gradient_at(distant).shape == (3, 2)
    assert np.isnan(surface.at(distant[2])) or np.isnan(surface.gradient_at(distant[2])).any()


def test_the_saddle_has_no_minimum() -> None:
    assert SURFACES["saddle"].minima == ()
    assert SURFACES["saddle"].minimum == -math.inf


def test_the_condition_number_scales_the_bowl() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=250.0)
    np.testing.assert_array_equal(bowl.gradient_at((2.0, 3.0)), [2.0, 750.0])
    assert bowl.at((2.0, 3.0)) == 2.0 + 1125.0
    np.testing.assert_array_equal(SURFACES["quadratic_bowl"].gradient_at((2.0, 3.0)), [2.0, 30.0])


@pytest.mark.parametrize("value", [0.5, -1, 1e7, "10", None, True, math.nan, math.inf, [10]])
def test_an_invalid_condition_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"surface quadratic_bowl: condition_number = .*from 1"):
        SURFACES["quadratic_bowl"].with_params(condition_number=value)


def test_an_unknown_surface_or_parameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"no surface 'rosenbrok'.*rosenbrock"):
        as_surface("rosenbrok")
    with pytest.raises(InvalidInput, match="surface booth has no parameter 'kappa'"):
        SURFACES["booth"].with_params(kappa=2.0)


def test_as_surface_returns_a_surface_unchanged() -> None:
    bowl = SURFACES["quadratic_bowl"].with_params(condition_number=2.0)
    assert as_surface(bowl) is bowl
    assert as_surface("booth") is SURFACES["booth"]
