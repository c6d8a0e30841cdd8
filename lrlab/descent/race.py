"""Several recipes from one start: all at one learning rate, or each at its own best one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.descent.grid import trace_grid
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe

MAX_RECIPES = 6
"""The largest number of recipes in a race: the number of colours in the theme."""

RATES = np.geomspace(1e-5, 10.0, 121)
"""The learning rates that a fair race tries for every recipe, twenty per power of ten."""

ROUNDING = 1e-18
"""Final values are equally good if they differ by less than this share of the total descent."""


@dataclass(frozen=True)
class Runner:
    """A recipe in a race.

    Args:
        recipe: the recipe, with learning rates scaled so that the largest is ``rate``.
        rate: the largest learning rate over the trajectory.
        trajectory: the steps it took.
        final_values: the final value at each of `RATES`, infinite where it diverged.
    """

    recipe: Recipe
    rate: float
    trajectory: Trajectory
    final_values: np.ndarray


def race(
    recipes: Mapping[str, Recipe],
    surface: str | Surface,
    rate: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> dict[str, Runner]:
    """Run recipes from one start, for the same number of steps.

    Args:
        recipes: one to six, by label.
        surface: a key of `SURFACES`, or a surface.
        rate: the largest learning rate of every recipe. ``None`` runs a fair race, in which each
            recipe gets the rate of `RATES` with which it ends lowest.
        start: ``(x, y)``; the surface's own start if omitted.
        steps: optimizer steps, 1 to 100,000.

    Raises:
        InvalidInput: no recipe or more than six, or a learning rate, surface, start or number of
            steps that is not allowed.
    """
    if not 1 <= len(recipes) <= MAX_RECIPES:
        raise InvalidInput(f"A race takes 1 to {MAX_RECIPES} recipes, not {len(recipes)}.")
    surface = as_surface(surface)
    start = surface.check_start(surface.start if start is None else start)
    runners = {}
    for label, recipe in recipes.items():
        finals = final_values(recipe, surface, start, steps)
        first = float(surface.at(np.array(start)))
        peak = best_rate(finals, first) if rate is None else rate
        scaled = recipe.with_peak(peak, steps)
        runners[label] = Runner(scaled, peak, trace(scaled, surface, start, steps), finals)
    return runners


def final_values(
    recipe: Recipe, surface: Surface, start: tuple[float, float], steps: int
) -> np.ndarray:
    """The U-curve: the final value at each of `RATES`, infinite where the recipe diverges."""
    rates = RATES[None, :, None] * recipe.with_peak(1.0, steps).learning_rates(steps)
    ends = trace_grid(recipe, surface, start, rates, {}, (1, len(RATES)))
    diverged = (ends.diverged_at[0] >= 0) | ~np.isfinite(ends.values[0])
    return np.where(diverged, np.inf, ends.values[0])


def best_rate(finals: np.ndarray, first: float) -> float:
    """The learning rate of `RATES` with the lowest final value; the smallest if all diverged.

    Among rates that end equally low up to `ROUNDING`, the smallest is returned, because which of
    them is lowest is then rounding error.

    Args:
        finals: the final value at each rate.
        first: the value at the start.
    """
    lowest = finals.min()
    if not np.isfinite(lowest):
        return float(RATES[0])
    return float(RATES[int(np.argmax(finals <= lowest + ROUNDING * abs(first - lowest)))])
