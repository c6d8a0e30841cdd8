"""All numbers of one step of a trajectory, as they enter the formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.arrays import Tensor
from lrlab.descent.trajectory import Trajectory
from lrlab.optimizers.base import StateVariable, clip_gradient, step
from lrlab.params import InvalidInput

NUDGE = 1e-5
"""The offset of the central differences that measure curvature, in widths of the map."""


@dataclass(frozen=True)
class StepNumbers:
    """The numbers of one optimizer step; arrays have shape ``(2,)``, x then y.

    Args:
        step: the index of the step, counted from 0.
        point: the point before the step.
        gradient: the gradient that the update rule used, after clipping.
        learning_rate: the schedule's learning rate for this step.
        states: each state variable of the optimizer, with its value before and after the step.
        move: the change of the point.
        effective_rate: the learning rate with which plain gradient descent would have made the
            same move, for each coordinate; not finite where the gradient is 0.
        curvatures: eigenvalues of the surface's Hessian at the point, the smaller first.
        stability_limit: ``2 / largest curvature``, the learning rate above which plain gradient
            descent overshoots further with each step; infinite where no curvature is positive.
    """

    step: int
    point: np.ndarray
    gradient: np.ndarray
    learning_rate: float
    states: tuple[tuple[StateVariable, np.ndarray, np.ndarray], ...]
    move: np.ndarray
    effective_rate: np.ndarray
    curvatures: np.ndarray
    stability_limit: float


def inspect_step(trajectory: Trajectory, k: int) -> StepNumbers:
    """The numbers of step ``k`` of a trajectory, counted from 0.

    Raises:
        InvalidInput: the trajectory has no step of this number.
    """
    if not 0 <= k < trajectory.steps:
        raise InvalidInput(
            f"step = {k} is not allowed. It must be from 0 to {trajectory.steps - 1}."
        )
    recipe, spec, points = trajectory.recipe, trajectory.recipe.optimizer_spec, trajectory.points
    hyper = recipe.hyper
    shared: Mapping[str, Tensor] = recipe.shared
    gradients = trajectory.gradients(k + 1)
    rates = trajectory.learning_rates
    with np.errstate(all="ignore"):
        state = spec.init(np, points[0], **hyper)
        before = state
        for i, g in enumerate(gradients):
            norm = np.sqrt((g * g).sum())
            before = state
            _, state = step(spec, np, points[i], g, state, rates[i], i + 1, hyper, shared, norm)
        g = gradients[k]
        norm = np.sqrt((g * g).sum())
        clipped = clip_gradient(np, g, shared["clipnorm"], shared["clipvalue"], norm)
        move = points[k + 1] - points[k]
        effective_rate = -move / clipped
    curvatures = hessian_eigenvalues(trajectory, points[k])
    return StepNumbers(
        step=k,
        point=points[k],
        gradient=clipped,
        learning_rate=float(rates[k]),
        states=tuple(zip(spec.states, before, state, strict=True)),
        move=move,
        effective_rate=effective_rate,
        curvatures=curvatures,
        stability_limit=stability_limit(curvatures),
    )


def hessian_eigenvalues(trajectory: Trajectory, points: np.ndarray) -> np.ndarray:
    """Curvatures of the trajectory's surface, by central differences of its exact gradient.

    Args:
        trajectory: gives the surface.
        points: where to measure, shape ``(..., 2)``.

    Returns:
        Shape ``(..., 2)``, the smaller first; NaN where they are not finite.
    """
    surface = trajectory.surface
    h = NUDGE * surface.width
    along_x, along_y = np.array([h, 0.0]), np.array([0.0, h])
    with np.errstate(all="ignore"):
        columns = [
            (surface.gradient_at(points + nudge) - surface.gradient_at(points - nudge)) / (2 * h)
            for nudge in (along_x, along_y)
        ]
        matrix = np.stack(columns, axis=-1)
        a, d = matrix[..., 0, 0], matrix[..., 1, 1]
        b = (matrix[..., 0, 1] + matrix[..., 1, 0]) / 2
        middle, spread = (a + d) / 2, np.hypot((a - d) / 2, b)
    return np.stack([middle - spread, middle + spread], axis=-1)


def stability_limit(curvatures: np.ndarray) -> float:
    """``2 / largest curvature``; infinite if that is not positive.

    Args:
        curvatures: eigenvalues of the Hessian at a point, the smaller first, shape ``(2,)``.
    """
    largest = float(curvatures[..., -1])
    return 2.0 / largest if largest > 0 else float("inf")
