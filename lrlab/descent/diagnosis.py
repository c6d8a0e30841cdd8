"""Why a trajectory diverged or stalled: one sentence from measured numbers."""

from __future__ import annotations

import numpy as np

from lrlab.descent.inspector import hessian_eigenvalues, stability_limit
from lrlab.descent.sentences import ARRIVED_SHARE
from lrlab.descent.trajectory import Trajectory
from lrlab.params import number_of
from lrlab.text import format_number

LAST_STEPS = 50
"""The number of steps at the end of a trajectory that show how it was moving."""

CLOSE = 0.01
"""Points closer than this share of the map's width count as the same place."""

ENDED = 0.01
"""A schedule whose learning rate stays below this share of its peak counts as ended."""


def diagnose_trajectory(trajectory: Trajectory) -> str:
    """Say why a trajectory diverged or did not arrive at a global minimum.

    Returns:
        A sentence; empty if the trajectory arrived, if no minimum is known, or if no cause was
        found.
    """
    if not trajectory.surface.minima:
        return ""
    if trajectory.diverged_at is not None:
        return _divergence_cause(trajectory)
    gaps = trajectory.values - trajectory.surface.minimum
    if gaps[-1] <= ARRIVED_SHARE * max(gaps[0], 0.0):
        return ""
    # Each returns its sentence, or an empty text if it does not apply.
    checks = (_resting, _bouncing, _schedule_ended, _epsilon_dominates, _steps_shrank, _slow)
    for check in checks:
        if sentence := check(trajectory):
            return sentence
    return ""


def _divergence_cause(trajectory: Trajectory) -> str:
    """Name the step on the map with the highest ratio of effective rate to stability limit."""
    points = trajectory.points[: trajectory.diverged_at]
    steps = np.arange(len(points))[_on_the_map(trajectory, points)]
    moves = np.hypot(*(trajectory.points[steps + 1] - points[steps]).T)
    with np.errstate(all="ignore"):
        rates = moves / np.hypot(*trajectory.gradients(len(points))[steps].T)
    curvatures = hessian_eigenvalues(trajectory, points[steps])
    limits = np.array([stability_limit(each) for each in curvatures])
    ratios = rates / limits
    worst = int(np.argmax(ratios))
    if ratios[worst] <= 1:
        return (
            "No single step on the map exceeded the stability limit of plain gradient descent, so "
            "it was momentum from earlier steps that carried the path away: try less momentum."
        )
    return (
        f"At step {steps[worst]:,} the {_rate_name(trajectory)}, {format_number(rates[worst])}, "
        f"was {format_number(ratios[worst], 2)} times the stability limit "
        f"2/λ = {format_number(limits[worst])} at that point (λ: the largest curvature there), so "
        "each step overshot further than the last."
    )


def _rate_name(trajectory: Trajectory) -> str:
    """What step over gradient is called: for plain gradient descent it is the learning rate."""
    at_zero = trajectory.recipe.optimizer_spec.plain_at_zero
    plain = bool(at_zero) and not trajectory.recipe.hyper[at_zero]
    return "learning rate" if plain else "effective learning rate (step over gradient)"


def _on_the_map(trajectory: Trajectory, points: np.ndarray) -> np.ndarray:
    """Which points lie on the map; the first always counts as on it. Shape ``(points,)``."""
    low, high = np.array(trajectory.surface.bounds).T
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    inside[0] = True
    return inside


def _schedule_ended(trajectory: Trajectory) -> str:
    rates = trajectory.learning_rates
    ended = np.flatnonzero(rates < ENDED * rates.max())
    if not ended.size or ended[-1] != trajectory.steps - 1:
        return ""
    breaks = np.flatnonzero(np.diff(ended) > 1)
    since = int(ended[breaks[-1] + 1] if breaks.size else ended[0])
    last_slope = _slope(trajectory, -1)
    first_slope = _slope(trajectory, 0)
    if last_slope < 1e-3 * first_slope or since > 0.95 * trajectory.steps:
        return ""
    return (
        f"The schedule ended too early: from step {since:,} on, the learning rate is below 1% of "
        f"its peak, while the slope is still {format_number(last_slope, 2)}. Stretch the schedule, "
        "or start with a higher learning rate."
    )


def _epsilon_dominates(trajectory: Trajectory) -> str:
    hyper = trajectory.recipe.hyper
    if not hyper.get("epsilon"):
        return ""
    epsilon = number_of(hyper, "epsilon")
    gradients = trajectory.gradients(trajectory.steps)[-LAST_STEPS:]
    size = float(np.sqrt((gradients * gradients).mean()))
    in_root = trajectory.recipe.optimizer_spec.epsilon_in_root
    floor = float(np.sqrt(epsilon)) if in_root else epsilon
    if size > floor or size == 0:
        return ""
    return (
        f"Epsilon dominates: the gradients have shrunk to {format_number(size, 2)}, below the "
        f"{format_number(floor, 2)} that epsilon adds to the denominator, so the steps shrink with "
        "them."
    )


def _steps_shrank(trajectory: Trajectory) -> str:
    if not trajectory.recipe.optimizer_spec.only_accumulates:
        return ""
    gradients = trajectory.gradients(trajectory.steps)
    with np.errstate(all="ignore"):
        moves = np.diff(trajectory.points, axis=0)
        effective = np.abs(moves / gradients)
    first, last = np.nanmedian(effective[:LAST_STEPS]), np.nanmedian(effective[-LAST_STEPS:])
    if not last < 0.5 * first:
        return ""
    return (
        f"The sum of squared gradients only grows: the effective learning rate has shrunk from "
        f"{format_number(first, 2)} to {format_number(last, 2)}. Try a larger learning rate, or "
        "RMSprop, which forgets old gradients."
    )


def _resting(trajectory: Trajectory) -> str:
    """The sentence for an end near a critical point, which a short Newton step shows, or empty."""
    end = trajectory.points[-1]
    low, high = hessian_eigenvalues(trajectory, end)
    width = trajectory.surface.width
    if low > 0:
        newton_step = _slope(trajectory, -1) / low
        distance = np.min(np.hypot(*(np.array(trajectory.surface.minima) - end).T))
        if newton_step > CLOSE * width or distance < 2 * CLOSE * width:
            return ""
        return (
            "The path rests in a local minimum, where the surface curves upwards in every "
            "direction: a larger learning rate, more momentum or another start would take it "
            "elsewhere."
        )
    if _slope(trajectory, -1) > CLOSE * max(abs(low), abs(high)) * width * CLOSE:
        return ""
    return (
        "The path is stuck near a saddle point or on a plateau, where the slope is almost 0: "
        "momentum or more steps would move it on."
    )


def _bouncing(trajectory: Trajectory) -> str:
    moves = np.diff(trajectory.points[-LAST_STEPS - 1 :], axis=0)
    turns = (moves[1:] * moves[:-1]).sum(axis=-1) < 0
    if turns.mean() < 0.6:
        return ""
    curvatures = hessian_eigenvalues(trajectory, trajectory.points[-LAST_STEPS:])
    limit = min(stability_limit(each) for each in curvatures)
    rate = float(trajectory.learning_rates[-1])
    return (
        f"The path bounces from wall to wall: {turns.mean():.0%} of its last steps turn back. The "
        f"learning rate is {format_number(rate)}, and the stability limit here is as low as "
        f"{format_number(limit)}; a smaller learning rate, or one that decays, would let the path "
        "settle."
    )


def _slow(trajectory: Trajectory) -> str:
    low, high = hessian_eigenvalues(trajectory, trajectory.points[-1])
    sentence = (
        "The path is still on its way: more steps or a larger learning rate would take it further."
    )
    if low > 0 and high > 20 * low:
        return (
            f"{sentence} The surface here curves {format_number(high / low, 2)} times more "
            "strongly across the valley than along it, so a learning rate that is safe across the "
            "valley is slow along it."
        )
    return sentence


def _slope(trajectory: Trajectory, index: int) -> float:
    """The norm of the exact gradient at a point of the trajectory."""
    return float(np.hypot(*trajectory.surface.gradient_at(trajectory.points[index])))
