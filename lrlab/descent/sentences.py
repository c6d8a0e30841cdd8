"""What trajectories, races and maps show, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lrlab.descent.hyperparameter_map import HyperparameterMap
from lrlab.descent.race import Runner
from lrlab.descent.trajectory import Trajectory
from lrlab.recipes.recipe import Recipe
from lrlab.text import format_number

NEAR = 1e-3
"""Within this share of the first gap to the minimum, a path has arrived."""


def trajectory_sentence(path: Trajectory) -> str:
    """What is seen on the map, in words."""
    surface, steps = path.surface, path.steps
    if path.diverged_at is not None:
        return _lost_sentence(path, path.diverged_at)
    first, last = float(path.values[0]), float(path.values[-1])
    said = f"After {steps:,} steps f went from {format_number(first)} to {format_number(last)}."
    if path.left_map_at is not None:
        said += f" The path leaves the map at step {path.left_map_at:,}."
    if not surface.minima:
        return said
    if surface.is_below(last):
        return f"{said} Out there this function is lower than anywhere on the map."
    gaps = path.values - surface.minimum
    near = np.flatnonzero(gaps <= NEAR * gaps[0]) if gaps[0] > 0 else np.array([0])
    if near.size and gaps[-1] <= NEAR * gaps[0]:
        arrived = int(near[0])
        return f"{said} It has arrived at the minimum, first at step {arrived:,}."
    moved = float(np.hypot(*(path.points[-1] - path.points[0])))
    minima = np.array(surface.minima)
    away = float(np.min(np.hypot(*(minima - path.points[-1]).T)))
    if moved < 0.02 * surface.width:
        return (
            f"{said} It has hardly moved: a larger learning rate or more steps would take it "
            "farther."
        )
    return f"{said} It ends {format_number(away)} away from the nearest global minimum."


def _lost_sentence(path: Trajectory, k: int) -> str:
    """How a path was lost at step ``k``."""
    surface = path.surface
    if surface.minimum == -np.inf:
        return (
            "Runs down without end, as this function has no minimum: from step "
            f"{k:,} on the path is farther away than 1,000 widths of the map."
        )
    before = path.points[max(k - 1, 0)]
    if not (np.isfinite(path.points[k]).all() or np.isfinite(surface.gradient_at(before)).all()):
        x, y = before
        return (
            f"Cannot go on after step {k - 1:,}: at ({format_number(x)}, {format_number(y)}) this function has "
            "no finite gradient. Try another start or a smaller learning rate."
        )
    fell = surface.minimum is None and path.values[k] < path.values[0]
    if fell or surface.is_below(path.values[k]):
        return (
            f"Runs down and away: at step {k:,} the path is farther away than 1,000 widths of the "
            "map, and f is lower there than at the start."
        )
    return (
        f"Diverges: at step {k:,} the path is farther away than 1,000 widths "
        "of the map. The learning rate is too high here; try a smaller one."
    )


def no_trajectory_sentence(recipe: Recipe) -> str:
    """Why a reactive schedule has no path on a test function."""
    label = recipe.schedule_spec.label
    return (
        f"“{label}” has no path here: it cuts the learning rate when the validation loss is "
        "stuck, and a test function has none. Choose another schedule to see a path."
    )


def race_sentence(ran: Mapping[str, Runner], fair: bool) -> str:
    """Who ended lowest, in words."""
    finished = {
        label: float(runner.path.values[-1])
        for label, runner in ran.items()
        if runner.path.diverged_at is None and np.isfinite(runner.path.values[-1])
    }
    if not finished:
        return "All diverge. Try a smaller learning rate."
    steps = next(iter(ran.values())).path.steps
    winner = min(finished, key=finished.__getitem__)
    how = f" at its best learning rate, {format_number(ran[winner].rate)}" if fair else ""
    said = f"After {steps:,} steps {winner} is lowest{how}: f = {format_number(finished[winner])}."
    lost = [label for label in ran if label not in finished]
    return said + (f" Diverged: {', '.join(lost)}." if lost else "")


def map_sentence(result: HyperparameterMap) -> str:
    """What a map of outcomes shows, in words, with the best pair of values."""
    total = result.values.size
    diverged = int((result.diverged_at >= 0).sum())
    said = f"Of {total:,} pairs of {result.x.param.name} and {result.y.param.name} "
    said += (
        f"{format_number(diverged / total * 100, 2)} % diverge." if diverged else "none diverges."
    )
    kept = np.where((result.diverged_at >= 0) | ~np.isfinite(result.values), np.inf, result.values)
    if not np.isfinite(kept).any():
        return said
    row, column = np.unravel_index(int(kept.argmin()), kept.shape)
    x, y = result.x, result.y
    return (
        f"{said} The lowest value, {format_number(kept.min())}, is at {x.param.name} = "
        f"{x.text(int(column), 2)} and {y.param.name} = {y.text(int(row), 2)}."
    )
