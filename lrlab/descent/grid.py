"""Many trajectories at once: the same update rules over arrays of shape (..., 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.arrays import Tensor
from lrlab.descent.surfaces import Surface
from lrlab.descent.trajectory import DIVERGENCE_WIDTHS
from lrlab.optimizers.base import step
from lrlab.recipes.recipe import Recipe

CHUNK = 5_000
"""How many trajectories are traced at a time: their arrays fit in the processor's cache."""


@dataclass(frozen=True)
class GridEnds:
    """The ends of many trajectories.

    Args:
        points: the last points, shape ``(rows, columns, 2)``.
        values: the surface's value there, shape ``(rows, columns)``.
        diverged_at: the step of divergence (see `Trajectory`), else -1.
        arrived_at: the first step within the tolerance of a global minimum, else -1.
    """

    points: np.ndarray
    values: np.ndarray
    diverged_at: np.ndarray
    arrived_at: np.ndarray


def trace_grid(
    recipe: Recipe,
    surface: Surface,
    start: tuple[float, float],
    rates: np.ndarray,
    hyper: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    tolerance: float | None = None,
) -> GridEnds:
    """Trace a grid of trajectories that differ in learning rates and hyperparameters.

    Args:
        recipe: gives the optimizer, and the hyperparameters that are the same everywhere.
        surface: the surface of all trajectories.
        start: the start of all trajectories.
        rates: learning rates, shape ``(rows or 1, columns or 1, steps)``.
        hyper: hyperparameters that differ, each of shape ``(rows or 1, columns or 1, 1)``.
        shape: ``(rows, columns)`` of the grid.
        tolerance: the distance from a global minimum, in widths of the map, that counts as
            arrived. ``None`` skips this check, which saves time.
    """
    rows, columns = shape
    chunk_rows = max(1, CHUNK // columns)
    parts = [
        _trace_rows(
            recipe,
            surface,
            start,
            _rows(rates, slice(row, row + chunk_rows)),
            {name: _rows(values, slice(row, row + chunk_rows)) for name, values in hyper.items()},
            (min(chunk_rows, rows - row), columns),
            tolerance,
        )
        for row in range(0, rows, chunk_rows)
    ]
    points, diverged_at, arrived_at = (np.concatenate(part) for part in zip(*parts, strict=True))
    return GridEnds(points, surface.at(points), diverged_at, arrived_at)


def _rows(values: np.ndarray, chunk: slice) -> np.ndarray:
    return values if values.shape[0] == 1 else values[chunk]


def _trace_rows(
    recipe: Recipe,
    surface: Surface,
    start: tuple[float, float],
    rates: np.ndarray,
    varied: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    tolerance: float | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    spec = recipe.optimizer_spec
    hyper: dict[str, Tensor] = dict(recipe.hyper)
    shared: dict[str, Tensor] = dict(recipe.shared)
    for name, values in varied.items():
        if name == spec.decay_param:
            shared["weight_decay"] = values
        else:
            (shared if name in shared else hyper)[name] = values
    x, g = _pairs(shape), _pairs(shape)
    x[...] = start
    diverged_at, arrived_at = np.full(shape, -1), np.full(shape, -1)
    centre = np.array([(low + high) / 2 for low, high in surface.bounds])
    far_squared = (DIVERGENCE_WIDTHS * surface.width) ** 2
    # No point whose coordinates are all smaller than this can have diverged.
    safe = DIVERGENCE_WIDTHS * surface.width / 2 - np.abs(centre).max()
    near_squared = None if tolerance is None else (tolerance * surface.width) ** 2
    clips_norm = shared["clipnorm"] is not None
    with np.errstate(all="ignore"):
        state = spec.init(np, x, **hyper)
        for k in range(rates.shape[-1]):
            g[..., 0], g[..., 1] = surface.gradient(np, x[..., 0], x[..., 1], **surface.chosen)
            norm = np.sqrt((g * g).sum(axis=-1, keepdims=True)) if clips_norm else None
            lr = rates[..., k, None]
            x, state = step(spec, np, x, g, state, lr, k + 1, hyper, shared, norm)
            # After most steps no point is far out. Two reductions show that; NaN fails them.
            flat = np.moveaxis(x, -1, 0)
            if not (flat.max() < safe and flat.min() > -safe):
                _note_first(diverged_at, ~(_squared_distance(x, centre) <= far_squared), k + 1)
            if near_squared is not None:
                for minimum in surface.minima:
                    near = _squared_distance(x, np.array(minimum)) <= near_squared
                    _note_first(arrived_at, near, k + 1)
    return x, diverged_at, arrived_at


def _pairs(shape: tuple[int, int]) -> np.ndarray:
    """An uninitialised array of shape ``(*shape, 2)`` that holds each coordinate contiguously.

    NumPy keeps this memory order in all results, and computes with it twice as fast.
    """
    return np.moveaxis(np.empty((2, *shape)), 0, -1)


def _squared_distance(x: np.ndarray, point: np.ndarray) -> np.ndarray:
    difference = x - point
    difference *= difference
    return difference[..., 0] + difference[..., 1]


def _note_first(first_step: np.ndarray, happened: np.ndarray, k: int) -> None:
    """Write step ``k`` into ``first_step`` wherever something happened for the first time."""
    if happened.any():
        first_step[happened & (first_step < 0)] = k
