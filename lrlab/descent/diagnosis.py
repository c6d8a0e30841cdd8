"""Why a path diverged or stalled: a sentence from measured numbers."""

from __future__ import annotations

import numpy as np

from lrlab.descent.inspector import hessian_eigenvalues, stability_limit
from lrlab.descent.sentences import NEAR
from lrlab.descent.trajectory import Trajectory
from lrlab.text import format_number

LOOK_BACK = 50
"""Steps at the end of a path that tell how it was moving."""

CLOSE = 0.01
"""Within this share of the map's width of a point, a path is there."""

FADED = 0.01
"""A learning rate below this share of its peak has ended, for all that it still moves."""


def diagnose_trajectory(path: Trajectory) -> str:
    """Plain words on why a path diverged or did not arrive; empty if it arrived."""
    if not path.surface.minima:
        return ""
    if path.diverged_at is not None:
        return _why_diverged(path)
    gaps = path.values - path.surface.minimum
    if gaps[-1] <= NEAR * max(gaps[0], 0.0):
        return ""
    for look in (_resting, _bouncing, _schedule_ended, _epsilon_dominates, _steps_shrank, _slow):
        if said := look(path):
            return said
    return ""


def _why_diverged(path: Trajectory) -> str:
    """The step on the map whose effective rate was highest over the stability limit there."""
    seen = path.points[: path.diverged_at]
    near = np.arange(len(seen))[_on_the_map(path, seen)]
    moves = np.hypot(*(path.points[near + 1] - seen[near]).T)
    with np.errstate(all="ignore"):
        rates = moves / np.hypot(*path.gradients(len(seen))[near].T)
    limits = np.array([stability_limit(c) for c in hessian_eigenvalues(path, seen[near])])
    ratios = rates / limits
    worst = int(np.argmax(ratios))
    if ratios[worst] <= 1:
        return (
            "No single step on the map was over the stability limit of plain gradient descent, so "
            "it is the memory of earlier steps that carried the path away: try less momentum."
        )
    return (
        f"At step {near[worst]:,} the {_called(path)}, {format_number(rates[worst])}, was "
        f"{format_number(ratios[worst], 2)} times the stability limit 2/λ = {format_number(limits[worst])} of "
        "the ground under it (λ: its largest curvature), so each step overshot further than the "
        "last."
    )


def _called(path: Trajectory) -> str:
    """What step over gradient is: the learning rate itself for plain descent alone."""
    at_zero = path.recipe.optimizer_spec.plain_at_zero
    plain = bool(at_zero) and not path.recipe.hyper[at_zero]
    return "learning rate" if plain else "effective learning rate (step over gradient)"


def _on_the_map(path: Trajectory, points: np.ndarray) -> np.ndarray:
    low, high = np.array(path.surface.bounds).T
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    inside[0] = True
    return inside


def _schedule_ended(path: Trajectory) -> str:
    rates = path.learning_rates
    faded = np.flatnonzero(rates < FADED * rates.max())
    if not faded.size or faded[-1] != path.steps - 1:
        return ""
    breaks = np.flatnonzero(np.diff(faded) > 1)
    since = int(faded[breaks[-1] + 1] if breaks.size else faded[0])
    slope = _slope(path, -1)
    start = _slope(path, 0)
    if slope < 1e-3 * start or since > 0.95 * path.steps:
        return ""
    return (
        f"The schedule ended too early: from step {since:,} on the learning rate is below 1 % of "
        f"its peak, while the slope is still {format_number(slope, 2)}. Stretch it, or start higher."
    )


def _epsilon_dominates(path: Trajectory) -> str:
    epsilon = path.recipe.hyper.get("epsilon")
    if not epsilon:
        return ""
    tail = path.gradients(path.steps)[-LOOK_BACK:]
    size = float(np.sqrt((tail * tail).mean()))
    in_root = path.recipe.optimizer_spec.epsilon_in_root
    floor = float(np.sqrt(epsilon)) if in_root else epsilon
    if size > floor or size == 0:
        return ""
    return (
        f"Epsilon dominates: the gradients have shrunk to {format_number(size, 2)}, below the "
        f"{format_number(floor, 2)} that epsilon puts under the fraction, so the steps shrink with them."
    )


def _steps_shrank(path: Trajectory) -> str:
    if not path.recipe.optimizer_spec.only_accumulates:
        return ""
    tail = path.gradients(path.steps)
    with np.errstate(all="ignore"):
        moves = np.diff(path.points, axis=0)
        effective = np.abs(moves / tail)
    first, last = np.nanmedian(effective[:LOOK_BACK]), np.nanmedian(effective[-LOOK_BACK:])
    if not last < 0.5 * first:
        return ""
    return (
        f"The sum of squared gradients only grows: the effective learning rate has shrunk from "
        f"{format_number(first, 2)} to {format_number(last, 2)}. Try a larger learning rate, or RMSprop, which "
        "forgets."
    )


def _resting(path: Trajectory) -> str:
    """Near a critical point: Newton's step to it is short."""
    end = path.points[-1]
    low, high = hessian_eigenvalues(path, end)
    if low > 0:
        to_minimum = _slope(path, -1) / low
        away = np.min(np.hypot(*(np.array(path.surface.minima) - end).T))
        if to_minimum > CLOSE * path.surface.width or away < 2 * CLOSE * path.surface.width:
            return ""
        return (
            "It rests in a local minimum, where the ground bends up all around: a larger learning "
            "rate, more momentum or another start would take it elsewhere."
        )
    if _slope(path, -1) > CLOSE * max(abs(low), abs(high)) * path.surface.width * CLOSE:
        return ""
    return (
        "It hangs near a saddle or on a plain, where the slope is almost 0: momentum or more steps "
        "would take it on."
    )


def _bouncing(path: Trajectory) -> str:
    moves = np.diff(path.points[-LOOK_BACK - 1 :], axis=0)
    turns = (moves[1:] * moves[:-1]).sum(axis=-1) < 0
    if turns.mean() < 0.6:
        return ""
    curvatures = hessian_eigenvalues(path, path.points[-LOOK_BACK:])
    limit = min(stability_limit(each) for each in curvatures)
    rate = float(path.learning_rates[-1])
    return (
        f"It bounces from wall to wall: {turns.mean():.0%} of its last steps turn back. The "
        f"learning rate is {format_number(rate)}, the stability limit here as low as {format_number(limit)}; a "
        "smaller rate, or one that decays, would let it settle."
    )


def _slow(path: Trajectory) -> str:
    low, high = hessian_eigenvalues(path, path.points[-1])
    said = "It is still on its way: more steps or a larger learning rate would take it further."
    if low > 0 and high > 20 * low:
        return (
            f"{said} The ground here is {format_number(high / low, 2)} times steeper across than along "
            "the valley, so a rate that is safe across is slow along it."
        )
    return said


def _slope(path: Trajectory, at: int) -> float:
    return float(np.hypot(*path.surface.gradient_at(path.points[at])))
