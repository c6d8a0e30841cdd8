"""The listed minima of a surface are the lowest points within its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from lrlab import SURFACES

KNOWN = [key for key, surface in SURFACES.items() if surface.minima]


@pytest.mark.parametrize("key", KNOWN)
def test_a_minimum_has_the_listed_value_and_a_zero_gradient(key: str) -> None:
    surface = SURFACES[key]
    minima = np.array(surface.minima)
    assert surface.at(minima) == pytest.approx(surface.minimum, abs=1e-9)
    steepest = np.abs(surface.gradient_at(np.array(surface.bounds).T)).max()
    assert np.abs(surface.gradient_at(minima)).max() < 1e-9 * max(steepest, 1.0)
    assert not surface.is_below(surface.at(minima)).any()


@pytest.mark.parametrize("key", KNOWN)
def test_no_point_within_the_bounds_is_lower_and_no_other_as_low(key: str) -> None:
    surface = SURFACES[key]
    axes = [np.linspace(low, high, 401) for low, high in surface.bounds]
    grid = np.stack(np.meshgrid(*axes), axis=-1)
    values = surface.at(grid)
    assert not surface.is_below(values).any()
    # From each local minimum of the grid, descent ends at a listed minimum or at a higher value.
    inner = values[1:-1, 1:-1]
    neighbours = [
        values[1 + i : 400 + i, 1 + j : 400 + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j
    ]
    local_minima = grid[1:-1, 1:-1][
        np.all([inner <= neighbour for neighbour in neighbours], axis=0)
    ]
    lowest = local_minima[np.argsort(surface.at(local_minima))][:30]
    reached = set()
    for start in lowest:
        end = minimize(
            surface.at, start, jac=surface.gradient_at, method="L-BFGS-B", bounds=surface.bounds
        )
        assert end.fun >= surface.minimum - 1e-9
        distances = np.hypot(*(np.array(surface.minima) - end.x).T)
        if end.fun < surface.minimum + 1e-6:
            assert distances.min() < 0.02
            reached.add(int(distances.argmin()))
    assert reached == set(range(len(surface.minima)))


def test_mccormick_is_lower_outside_its_bounds() -> None:
    surface = SURFACES["mccormick"]
    next_wave = np.array(surface.minima[0]) - np.pi
    assert surface.gradient_at(next_wave) == pytest.approx(np.zeros(2), abs=1e-12)
    assert surface.is_below(surface.at(next_wave))
    assert surface.at(next_wave) == pytest.approx(surface.minimum - np.pi)


def test_without_a_known_minimum_no_value_is_below_it() -> None:
    assert not SURFACES["saddle"].is_below(-1e300)
