"""Sentences that say what trajectories, races and hyperparameter maps show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lrlab.descent.hyperparameter_map import HyperparameterMap
from lrlab.descent.race import Runner
from lrlab.descent.trajectory import Trajectory
from lrlab.recipes.recipe import Recipe
from lrlab.text import format_number

ARRIVED_SHARE = 1e-3
"""A trajectory has arrived if its gap to the minimum is at most this share of its first gap."""


def trajectory_sentence(trajectory: Trajectory) -> str:
    """Say what the map of a trajectory shows."""
    surface, steps = trajectory.surface, trajectory.steps
    if trajectory.diverged_at is not None:
        return _divergence_sentence(trajectory, trajectory.diverged_at)
    first, last = float(trajectory.values[0]), float(trajectory.values[-1])
    sentence = f"In {steps:,} steps, f went from {format_number(first)} to {format_number(last)}."
    if trajectory.left_map_at is not None:
        sentence += f" The path leaves the map at step {trajectory.left_map_at:,}."
    if not surface.minima:
        return sentence
    if surface.is_below(last):
        return f"{sentence} Out there this function is lower than anywhere on the map."
    gaps = trajectory.values - surface.minimum
    arrivals = np.flatnonzero(gaps <= ARRIVED_SHARE * gaps[0]) if gaps[0] > 0 else np.array([0])
    if arrivals.size and gaps[-1] <= ARRIVED_SHARE * gaps[0]:
        return f"{sentence} It has arrived at the minimum, first at step {int(arrivals[0]):,}."
    moved = float(np.hypot(*(trajectory.points[-1] - trajectory.points[0])))
    distances = np.hypot(*(np.array(surface.minima) - trajectory.points[-1]).T)
    if moved < 0.02 * surface.width:
        return (
            f"{sentence} The path has hardly moved: a larger learning rate or more steps would "
            "take it further."
        )
    distance = format_number(float(np.min(distances)))
    return f"{sentence} It ends {distance} away from the nearest global minimum."


def _divergence_sentence(trajectory: Trajectory, k: int) -> str:
    """Say how a trajectory diverged at step ``k``."""
    surface, points = trajectory.surface, trajectory.points
    if surface.minimum == -np.inf:
        return (
            "Runs down without end, because this function has no minimum: from step "
            f"{k:,} on, the path is more than 1,000 map widths away."
        )
    before = points[max(k - 1, 0)]
    if not (np.isfinite(points[k]).all() or np.isfinite(surface.gradient_at(before)).all()):
        x, y = before
        return (
            f"Cannot go on after step {k - 1:,}: at ({format_number(x)}, {format_number(y)}) this "
            "function has no finite gradient. Try another start or a smaller learning rate."
        )
    fell = surface.minimum is None and trajectory.values[k] < trajectory.values[0]
    if fell or surface.is_below(trajectory.values[k]):
        return (
            f"Runs down and away: at step {k:,} the path is more than 1,000 map widths away, and "
            "f is lower there than at the start."
        )
    return (
        f"Diverges: at step {k:,} the path is more than 1,000 map widths away. The learning rate "
        "is too high here; try a smaller one."
    )


def no_trajectory_sentence(recipe: Recipe) -> str:
    """Say why a reactive schedule has no path on a test function."""
    label = recipe.schedule_spec.label
    return (
        f"“{label}” has no path here: it lowers the learning rate when the validation loss stops "
        "improving, and a test function has no validation loss. Choose another schedule to see a "
        "path."
    )


def race_sentence(runners: Mapping[str, Runner], fair: bool) -> str:
    """Say which recipe ended lowest, and which diverged.

    Args:
        runners: the race, by label.
        fair: each recipe ran at its best learning rate.
    """
    finished = {
        label: float(runner.trajectory.values[-1])
        for label, runner in runners.items()
        if runner.trajectory.diverged_at is None and np.isfinite(runner.trajectory.values[-1])
    }
    if not finished:
        return "All diverge. Try a smaller learning rate."
    steps = next(iter(runners.values())).trajectory.steps
    winner = min(finished, key=finished.__getitem__)
    rate = f" at its best learning rate, {format_number(runners[winner].rate)}" if fair else ""
    value = format_number(finished[winner])
    sentence = f"After {steps:,} steps, {winner} is lowest{rate}: f = {value}."
    diverged = [label for label in runners if label not in finished]
    return sentence + (f" Diverged: {', '.join(diverged)}." if diverged else "")


def map_sentence(result: HyperparameterMap) -> str:
    """Say how many cells of a hyperparameter map diverge, and which pair of values is best."""
    x, y = result.x, result.y
    total = result.values.size
    diverged = result.diverged_at >= 0
    count = int(diverged.sum())
    share = f"{format_number(count / total * 100, 2)}% diverge." if count else "none diverges."
    sentence = f"Of {total:,} pairs of {x.param.name} and {y.param.name}, {share}"
    values = np.where(diverged | ~np.isfinite(result.values), np.inf, result.values)
    if not np.isfinite(values).any():
        return sentence
    row, column = np.unravel_index(int(values.argmin()), values.shape)
    return (
        f"{sentence} The lowest value, {format_number(values.min())}, is at {x.param.name} = "
        f"{x.text(int(column), 2)} and {y.param.name} = {y.text(int(row), 2)}."
    )
