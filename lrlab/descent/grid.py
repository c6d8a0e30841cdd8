"""Many paths at once: the same rules over arrays of shape (..., 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab.descent.surfaces import Surface
from lrlab.descent.trajectory import FAR
from lrlab.optimizers.base import step
from lrlab.recipes.recipe import Recipe

CHUNK = 5_000
"""Paths walked at a time: their arrays stay in the processor's cache."""


@dataclass(frozen=True)
class GridEnds:
    """Where many paths ended.

    Args:
        points: the last points, shape ``(rows, columns, 2)``.
        values: the surface's value there, shape ``(rows, columns)``.
        diverged_at: the first step that is not finite or lies too far out (see `Path`), else -1.
        arrived_at: the first step within the tolerance of a global minimum, else -1.
    """

    points: np.ndarray
    values: np.ndarray
    diverged_at: np.ndarray
    arrived_at: np.ndarray


def walk_grid(
    recipe: Recipe,
    surface: Surface,
    start: tuple[float, float],
    rates: np.ndarray,
    hyper: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    tolerance: float | None = None,
) -> GridEnds:
    """Walk a grid of paths that differ in learning rates and hyperparameters.

    Args:
        recipe: its optimizer, and the hyperparameters that do not differ.
        surface, start: where they walk and where all of them start.
        rates: learning rates, shape ``(rows or 1, columns or 1, steps)``.
        hyper: hyperparameters that differ, each of shape ``(rows or 1, columns or 1, 1)``.
        shape: ``(rows, columns)`` of the grid.
        tolerance: distance from a global minimum, in widths of the drawn part, that counts as
            arrived; ``None`` spares the time to look.
    """
    rows, columns = shape
    deep = max(1, CHUNK // columns)
    parts = [
        _walk_rows(
            recipe,
            surface,
            start,
            _rows(rates, slice(row, row + deep)),
            {name: _rows(values, slice(row, row + deep)) for name, values in hyper.items()},
            (min(deep, rows - row), columns),
            tolerance,
        )
        for row in range(0, rows, deep)
    ]
    points, diverged, arrived = (np.concatenate(part) for part in zip(*parts, strict=True))
    return GridEnds(points, surface.at(points), diverged, arrived)


def _rows(values: np.ndarray, chunk: slice) -> np.ndarray:
    return values if values.shape[0] == 1 else values[chunk]


def _walk_rows(
    recipe: Recipe,
    surface: Surface,
    start: tuple[float, float],
    rates: np.ndarray,
    differing: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    tolerance: float | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    spec = recipe.optimizer_spec
    hyper, shared = dict(recipe.hyper), dict(recipe.shared)
    for name, values in differing.items():
        if name == spec.decay_param:
            shared["weight_decay"] = values
        else:
            (shared if name in shared else hyper)[name] = values
    x, g = _pairs(shape), _pairs(shape)
    x[...] = start
    diverged, arrived = np.full(shape, -1), np.full(shape, -1)
    centre = np.array([(low + high) / 2 for low, high in surface.bounds])
    far = (FAR * surface.width) ** 2
    close = FAR * surface.width / 2 - np.abs(centre).max()
    near = None if tolerance is None else (tolerance * surface.width) ** 2
    with np.errstate(all="ignore"):
        state = spec.init(np, x, **hyper)
        for k in range(rates.shape[-1]):
            g[..., 0], g[..., 1] = surface.gradient(np, x[..., 0], x[..., 1], **surface.chosen)
            norm = np.sqrt((g * g).sum(axis=-1, keepdims=True)) if _clips(shared) else None
            lr = rates[..., k, None]
            x, state = step(spec, np, x, g, state, lr, k + 1, hyper, shared, norm)
            # Most steps leave all paths near, which two reductions can tell; NaN fails them.
            flat = np.moveaxis(x, -1, 0)
            if not (flat.max() < close and flat.min() > -close):
                _note_first(diverged, ~(_square_distance(x, centre) <= far), k + 1)
            if near is not None:
                for minimum in surface.minima:
                    _note_first(arrived, _square_distance(x, np.array(minimum)) <= near, k + 1)
    return x, diverged, arrived


def _pairs(shape: tuple[int, int]) -> np.ndarray:
    """An array of shape ``(*shape, 2)`` whose coordinates each lie together in memory: NumPy
    keeps this order in all that is computed from it, and walks it twice as fast."""
    return np.moveaxis(np.empty((2, *shape)), 0, -1)


def _clips(shared: Mapping[str, Any]) -> bool:
    return shared["clipnorm"] is not None


def _square_distance(x: np.ndarray, point: np.ndarray) -> np.ndarray:
    away = x - point
    away *= away
    return away[..., 0] + away[..., 1]


def _note_first(noted: np.ndarray, happens: np.ndarray, k: int) -> None:
    if happens.any():
        noted[happens & (noted < 0)] = k
