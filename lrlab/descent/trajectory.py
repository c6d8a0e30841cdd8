"""Recipe x surface -> trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrlab.arrays import State
from lrlab.descent import float_ops
from lrlab.descent.surfaces import Point, Surface, as_surface
from lrlab.optimizers.base import step
from lrlab.params import Param
from lrlab.recipes.recipe import Recipe, check_steps

DIVERGENCE_WIDTHS = 1000.0
"""A trajectory has diverged when it is more than this many map widths from the map's centre."""

MAX_TRAJECTORY_STEPS = 100_000

NOISE = Param(
    "noise",
    0.0,
    "Standard deviation of the random error added to each gradient component, like the error of "
    "gradients from small batches.",
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
    """The steps that a recipe takes on a surface; nothing is clipped or hidden.

    Args:
        recipe, surface: the arguments of `trace`.
        points: the point before the first and after each step, float64, shape ``(steps + 1, 2)``.
        values: the surface's value at each point, shape ``(steps + 1,)``.
        learning_rates: the learning rate of each step, shape ``(steps,)``.
        diverged_at: the first step after which the point is not finite or more than 1,000 map
            widths from the map's centre; ``None`` if there is no such step.
        left_map_at: the first step after which the point is outside the map (the surface's
            bounds), or ``None``. Leaving the map alone is not divergence.
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
        """The number of steps."""
        return len(self.learning_rates)

    def gradients(self, steps: int) -> np.ndarray:
        """The gradients of the first ``steps`` steps, with noise, before clipping.

        Returns:
            Shape ``(steps, 2)``.
        """
        exact = self.surface.gradient_at(self.points[:steps])
        return exact + _gradient_noise(self.noise, self.noise_seed, steps) if self.noise else exact

    def bounds_with_trajectory(self) -> tuple[Point, Point]:
        """Bounds that hold the map and the trajectory up to divergence, with a margin."""
        points = self.points[: self.diverged_at]
        low, high = np.array(self.surface.bounds).T
        low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
        margin = 0.04 * (high - low)
        (x_low, y_low), (x_high, y_high) = (low - margin).tolist(), (high + margin).tolist()
        return (x_low, x_high), (y_low, y_high)


def trace(
    recipe: Recipe,
    surface: str | Surface,
    start: tuple[float, float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    noise_seed: int = 0,
) -> Trajectory:
    """Trace a recipe on a surface.

    Args:
        recipe: the optimizer and its learning-rate schedule.
        surface: a key of `SURFACES`, or a surface.
        start: ``(x, y)``; the surface's own start if omitted.
        steps: the number of optimizer steps, 1 to 100,000.
        noise: standard deviation, 0 to 1e6, of the normally distributed number that is added to
            each gradient component at each step.
        noise_seed: 0 to 2**31 - 1. The same seed gives the same noise, and a longer trajectory
            begins with the steps of a shorter one.

    Returns:
        A `Trajectory`; ``points`` has shape ``(steps + 1, 2)``.

    Raises:
        InvalidInput: an unknown surface, a start that is not two finite numbers, or a number of
            steps, a noise or a seed that is not allowed.
    """
    surface = as_surface(surface)
    x, y = surface.check_start(surface.start if start is None else start)
    steps = check_steps(steps, high=MAX_TRAJECTORY_STEPS)
    noise = NOISE.check_number(noise, "path")
    noise_seed = int(NOISE_SEED.check_number(noise_seed, "path"))
    gradient_noise = _gradient_noise(noise, noise_seed, steps) if noise else None
    rates = recipe.learning_rates(steps)
    points = np.full((steps + 1, 2), np.nan)
    points[0] = x, y
    with np.errstate(all="ignore"):
        state = recipe.optimizer_spec.init(np, points[0], **recipe.hyper)
        done = 0
        if recipe.optimizer_spec.elementwise:
            done, state = _trace_floats(
                recipe, surface, points, rates.tolist(), state, gradient_noise
            )
        _trace_arrays(recipe, surface, points, rates, state, done, gradient_noise)
    return Trajectory(
        recipe=recipe,
        surface=surface,
        points=points,
        values=surface.at(points),
        learning_rates=rates,
        diverged_at=_first_true(_is_far(surface, points)),
        left_map_at=_first_true(_is_off_map(surface, points)),
        noise=noise,
        noise_seed=noise_seed,
    )


def _gradient_noise(noise: float, seed: int, steps: int) -> np.ndarray:
    """The noise that is added to the gradient of each step, shape ``(steps, 2)``."""
    return np.random.default_rng(seed).normal(0.0, noise, (steps, 2))


def _trace_floats(
    recipe: Recipe,
    surface: Surface,
    points: np.ndarray,
    rates: list[float],
    state: State,
    gradient_noise: np.ndarray | None,
) -> tuple[int, State]:
    """Fill ``points`` one coordinate at a time with Python floats, as far as possible.

    Stops before the first step whose point is not finite, or for which Python's floats raise an
    error.

    Returns:
        The number of steps taken, and the state after them as arrays.
    """
    spec, hyper, shared = recipe.optimizer_spec, recipe.hyper, recipe.shared
    gradient, surface_params = surface.gradient, surface.chosen
    x, y = points[0].tolist()
    noise = None if gradient_noise is None else gradient_noise.tolist()
    state_x, state_y = (tuple(float(part[axis]) for part in state) for axis in (0, 1))
    traced: list[tuple[float, float]] = []
    for t, lr in enumerate(rates, start=1):
        try:
            gx, gy = gradient(float_ops, x, y, **surface_params)
            if noise is not None:
                gx, gy = gx + noise[t - 1][0], gy + noise[t - 1][1]
            norm = math.hypot(gx, gy)
            next_x, next_state_x = step(spec, float_ops, x, gx, state_x, lr, t, hyper, shared, norm)
            next_y, next_state_y = step(spec, float_ops, y, gy, state_y, lr, t, hyper, shared, norm)
        except (ArithmeticError, ValueError):
            break
        if not (math.isfinite(next_x) and math.isfinite(next_y)):
            break
        x, y, state_x, state_y = next_x, next_y, next_state_x, next_state_y
        traced.append((x, y))
    if traced:
        points[1 : len(traced) + 1] = traced
    return len(traced), tuple(np.array(pair) for pair in zip(state_x, state_y, strict=True))


def _trace_arrays(
    recipe: Recipe,
    surface: Surface,
    points: np.ndarray,
    rates: np.ndarray,
    state: State,
    done: int,
    gradient_noise: np.ndarray | None,
) -> None:
    """Fill ``points`` from step ``done`` on with NumPy, which computes with infinity and NaN.

    Stops at a point of two NaNs, because all later points are NaN too, as ``points`` already is.
    """
    spec, hyper, shared = recipe.optimizer_spec, recipe.hyper, recipe.shared
    x = points[done]
    for k in range(done, len(rates)):
        g = np.array(surface.gradient(np, x[0], x[1], **surface.chosen))
        if gradient_noise is not None:
            g = g + gradient_noise[k]
        norm = np.sqrt((g * g).sum())
        x, state = step(spec, np, x, g, state, rates[k], k + 1, hyper, shared, norm)
        points[k + 1] = x
        if np.isnan(x).all():
            return


def _is_far(surface: Surface, points: np.ndarray) -> np.ndarray:
    centre = np.array([(low + high) / 2 for low, high in surface.bounds])
    distance = np.hypot(*(points - centre).T)
    return ~(distance <= DIVERGENCE_WIDTHS * surface.width)


def _is_off_map(surface: Surface, points: np.ndarray) -> np.ndarray:
    low, high = np.array(surface.bounds).T
    return ~((points >= low) & (points <= high)).all(axis=-1)


def _first_true(flags: np.ndarray) -> int | None:
    return int(np.argmax(flags)) if flags.any() else None
