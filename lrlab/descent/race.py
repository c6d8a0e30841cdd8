"""Several recipes from one start: at an equal learning rate, or each at its own best one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.descent.grid import walk_grid
from lrlab.descent.surfaces import Surface, as_surface
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.params import InvalidInput
from lrlab.recipes.recipe import Recipe

MAX_RECIPES = 6
"""Recipes in a race, as many as the theme has colours."""

RATES = np.geomspace(1e-5, 10.0, 121)
"""The learning rates that a fair race tries for every recipe: twenty a power of ten."""

ROUNDING = 1e-18
"""Final values that differ by less than this share of the way down are equally good."""


@dataclass(frozen=True)
class Runner:
    """A recipe in a race.

    Args:
        recipe: as it ran, its rates scaled so that the largest is ``rate``.
        rate: the largest learning rate over the path.
        path: the steps it took.
        finals: the final value at each of `RATES`, infinite where it diverged.
    """

    recipe: Recipe
    rate: float
    path: Trajectory
    finals: np.ndarray


def race(
    recipes: Mapping[str, Recipe],
    surface: str | Surface,
    rate: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 300,
) -> dict[str, Runner]:
    """Run recipes from one start, for the same number of steps.

    Args:
        recipes: one to six, by their label.
        surface: a key of `SURFACES`, or a surface.
        rate: the largest learning rate for everybody; ``None`` is the fair race, in which each
            takes the rate of `RATES` with which it ends lowest.
        start: ``(x, y)``; the surface's own start if omitted.
        steps: optimizer steps.

    Raises:
        InvalidInput: no recipe or more than six, or a bad rate, surface, start or steps.
    """
    if not 1 <= len(recipes) <= MAX_RECIPES:
        raise InvalidInput(f"A race takes 1 to {MAX_RECIPES} recipes, not {len(recipes)}.")
    surface = as_surface(surface)
    start = surface.check_start(surface.start if start is None else start)
    runners = {}
    for label, recipe in recipes.items():
        finals = final_values(recipe, surface, start, steps)
        first = float(surface.at(np.array(start)))
        chosen = best_rate(finals, first) if rate is None else rate
        scaled = recipe.with_peak(chosen, steps)
        path = trace(scaled, surface, start, steps)
        runners[label] = Runner(scaled, chosen, path, finals)
    return runners


def final_values(
    recipe: Recipe, surface: Surface, start: tuple[float, float], steps: int
) -> np.ndarray:
    """The U-curve: where a recipe ends at each of `RATES`, infinite where it diverges."""
    rates = RATES[None, :, None] * recipe.with_peak(1.0, steps).learning_rates(steps)
    ends = walk_grid(recipe, surface, start, rates, {}, (1, len(RATES)))
    lost = (ends.diverged_at[0] >= 0) | ~np.isfinite(ends.values[0])
    return np.where(lost, np.inf, ends.values[0])


def best_rate(finals: np.ndarray, first: float) -> float:
    """The learning rate of `RATES` with the lowest final value; the smallest if all diverged.

    Args:
        finals: the final value at each rate.
        first: the value at the start. Among rates that end equally low, up to rounding, the
            smallest is taken: below a billionth of a billionth of the way down, who is lower is
            chance.
    """
    lowest = finals.min()
    if not np.isfinite(lowest):
        return float(RATES[0])
    return float(RATES[int(np.argmax(finals <= lowest + ROUNDING * abs(first - lowest)))])
