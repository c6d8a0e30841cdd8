"""Recipe x surface -> path."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab.descent import float_ops
from lrlab.descent.surfaces import Point, Surface, as_surface
from lrlab.optimizers.base import step
from lrlab.params import Param
from lrlab.recipes.recipe import Recipe, check_steps

FAR = 1000.0
"""A path farther from the drawn part's centre than this many of its widths has diverged."""

MAX_PATH_STEPS = 100_000

NOISE = Param(
    "noise",
    0.0,
    "How far each gradient component is off by chance (its standard deviation), as gradients of "
    "small batches are.",
    symbol=r"\sigma",
    low=0.0,
    high=1e6,
    slider=(0.0, 10.0),
    label="Gradient noise",
)
NOISE_SEED = Param(
    "noise_seed",
    0,
    "Fixes the noise, so that a path can be repeated.",
    kind="int",
    low=0,
    high=2**31 - 1,
    label="Seed of the noise",
)


@dataclass(frozen=True)
class Trajectory:
    """The steps a recipe takes on a surface; nothing is clipped or hidden.

    Args:
        recipe, surface: what was traced.
        points: where the path was before the first and after each step, float64, shape
            ``(steps + 1, 2)``.
        values: the surface's value at each point, shape ``(steps + 1,)``.
        learning_rates: the rate used by each step, shape ``(steps,)``.
        diverged_at: the first step after which the point is not finite or lies farther out than
            1,000 widths of the drawn part; ``None`` if there is none.
        left_map_at: the first step after which the point lies outside the drawn part, or
            ``None``. Leaving the map alone is not divergence.
        noise, noise_seed: the noise that was added to the gradients; see `trace`.
    """

    recipe: Recipe
    surface: Surface
    points: np.ndarray
    values: np.ndarray
    learning_rates: np.ndarray
    diverged_at: int | None
    left_map_at: int | None
    noise: float = 0.0
    noise_seed: int = 0

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.learning_rates)

    def gradients(self, steps: int) -> np.ndarray:
        """The gradients that the first ``steps`` steps used, noise included, before clipping:
        ``(steps, 2)``."""
        exact = self.surface.gradient_at(self.points[:steps])
        return exact + _kicks(self.noise, self.noise_seed, steps) if self.noise else exact

    def bounds_with_trajectory(self) -> tuple[Point, Point]:
        """Bounds that hold the drawn part of the surface and the path, as far as it did not
        diverge."""
        seen = self.points[: self.diverged_at]
        low, high = np.array(self.surface.bounds).T
        low, high = np.minimum(low, seen.min(axis=0)), np.maximum(high, seen.max(axis=0))
        margin = 0.04 * (high - low)
        pairs = zip((low - margin).tolist(), (high + margin).tolist(), strict=True)
        return tuple(pairs)


def trace(
    recipe: Recipe,
    surface: str | Surface,
    start: tuple[float, float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    noise_seed: int = 0,
) -> Trajectory:
    """The path a recipe takes on a surface.

    Args:
        recipe: the optimizer and its learning-rate schedule.
        surface: a key of `SURFACES`, or a surface.
        start: ``(x, y)``; the surface's own start if omitted.
        steps: how many optimizer steps, 1 to 100,000.
        noise: standard deviation, 0 to 1e6, of the normally distributed number that is added to
            each gradient component at each step.
        noise_seed: 0 to 2**31 - 1; the same seed gives the same noise, and a longer path begins as
            the shorter one does.

    Returns:
        A `Path`; ``points`` has shape ``(steps + 1, 2)``.

    Raises:
        InvalidInput: an unknown surface, a start that is not two finite numbers, or a number of
            steps, a noise or a seed that is not allowed.
    """
    surface = as_surface(surface)
    x, y = surface.check_start(surface.start if start is None else start)
    steps = check_steps(steps, high=MAX_PATH_STEPS)
    noise, noise_seed = NOISE.check(noise, "path"), NOISE_SEED.check(noise_seed, "path")
    kicks = _kicks(noise, noise_seed, steps) if noise else None
    rates = recipe.learning_rates(steps)
    points = np.full((steps + 1, 2), np.nan)
    points[0] = x, y
    with np.errstate(all="ignore"):
        state = recipe.optimizer_spec.init(np, points[0], **recipe.hyper)
        done = 0
        if recipe.optimizer_spec.elementwise:
            done, state = _walk_floats(recipe, surface, points, rates.tolist(), state, kicks)
        _walk_arrays(recipe, surface, points, rates, state, done, kicks)
    return Trajectory(
        recipe=recipe,
        surface=surface,
        points=points,
        values=surface.at(points),
        learning_rates=rates,
        diverged_at=_first(_far(surface, points)),
        left_map_at=_first(_outside(surface, points)),
        noise=noise,
        noise_seed=noise_seed,
    )


def _kicks(noise: float, seed: int, steps: int) -> np.ndarray:
    """What noise adds to the gradient of each step, shape ``(steps, 2)``."""
    return np.random.default_rng(seed).normal(0.0, noise, (steps, 2))


def _walk_floats(
    recipe: Recipe,
    surface: Surface,
    points: np.ndarray,
    rates: list[float],
    state: tuple,
    kicks: np.ndarray | None,
) -> tuple[int, tuple]:
    """Fill ``points`` coordinate by coordinate with Python floats, as far as that goes.

    Stops before the first step that gives no finite point, or that Python's floats refuse to
    compute; returns how many steps were taken, and the state after them as arrays.
    """
    spec, hyper, shared = recipe.optimizer_spec, recipe.hyper, recipe.shared
    gradient, chosen = surface.gradient, surface.chosen
    x, y = points[0].tolist()
    pushes = None if kicks is None else kicks.tolist()
    state_x, state_y = (tuple(float(part[axis]) for part in state) for axis in (0, 1))
    walked: list[tuple[float, float]] = []
    for t, lr in enumerate(rates, start=1):
        try:
            gx, gy = gradient(float_ops, x, y, **chosen)
            if pushes is not None:
                gx, gy = gx + pushes[t - 1][0], gy + pushes[t - 1][1]
            norm = math.hypot(gx, gy)
            next_x, next_state_x = step(spec, float_ops, x, gx, state_x, lr, t, hyper, shared, norm)
            next_y, next_state_y = step(spec, float_ops, y, gy, state_y, lr, t, hyper, shared, norm)
        except (ArithmeticError, ValueError):
            break
        if not (math.isfinite(next_x) and math.isfinite(next_y)):
            break
        x, y, state_x, state_y = next_x, next_y, next_state_x, next_state_y
        walked.append((x, y))
    if walked:
        points[1 : len(walked) + 1] = walked
    return len(walked), tuple(np.array(pair) for pair in zip(state_x, state_y, strict=True))


def _walk_arrays(
    recipe: Recipe,
    surface: Surface,
    points: np.ndarray,
    rates: np.ndarray,
    state: tuple,
    done: int,
    kicks: np.ndarray | None,
) -> None:
    """Fill ``points`` from step ``done`` on with NumPy, where infinity and NaN are values.

    A point of two NaNs stays one for good, so the rest is left as it is.
    """
    spec, hyper, shared = recipe.optimizer_spec, recipe.hyper, recipe.shared
    x = points[done]
    for k in range(done, len(rates)):
        g = np.array(surface.gradient(np, x[0], x[1], **surface.chosen))
        if kicks is not None:
            g = g + kicks[k]
        norm = np.sqrt((g * g).sum())
        x, state = step(spec, np, x, g, state, rates[k], k + 1, hyper, shared, norm)
        points[k + 1] = x
        if np.isnan(x).all():
            return


def _far(surface: Surface, points: np.ndarray) -> np.ndarray:
    centre = np.array([(low + high) / 2 for low, high in surface.bounds])
    distance = np.hypot(*(points - centre).T)
    return ~(distance <= FAR * surface.width)


def _outside(surface: Surface, points: np.ndarray) -> np.ndarray:
    low, high = np.array(surface.bounds).T
    return ~((points >= low) & (points <= high)).all(axis=-1)


def _first(happened: Any) -> int | None:
    return int(np.argmax(happened)) if happened.any() else None
