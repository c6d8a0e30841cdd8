"""One step of a path under the lens: the numbers that go into the formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrlab.descent.trajectory import Trajectory
from lrlab.optimizers.base import StateVariable, clip_gradient, step
from lrlab.params import InvalidInput

NUDGE = 1e-5
"""Half the distance, in widths of the map, over which curvature is measured."""


@dataclass(frozen=True)
class StepNumbers:
    """What update ``step`` of a path did, and why; arrays have shape ``(2,)``, x then y.

    Args:
        step: which update, counted from 0.
        point: where it began.
        gradient: the gradient the rule used, after clipping.
        learning_rate: the schedule's rate for this update.
        states: what the optimizer remembered, each with its value before and after.
        move: the step taken.
        effective_rate: the learning rate that plain gradient descent would have needed for the
            same step, one a coordinate; not finite where the gradient is 0.
        curvatures: eigenvalues of the surface's Hessian at the point, the smaller first.
        stability_limit: ``2 / largest curvature``, the rate above which plain gradient descent
            overshoots ever further; infinite where the surface bends down both ways.
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


def inspect_step(path: Trajectory, k: int) -> StepNumbers:
    """The numbers of update ``k`` of a path.

    Raises:
        InvalidInput: the path has no update of this number.
    """
    if not 0 <= k < path.steps:
        raise InvalidInput(f"step = {k} is not allowed. It must be from 0 to {path.steps - 1}.")
    recipe, spec = path.recipe, path.recipe.optimizer_spec
    gradients = path.gradients(k + 1)
    shared = recipe.shared
    with np.errstate(all="ignore"):
        state = spec.init(np, path.points[0], **recipe.hyper)
        before = state
        for i, g in enumerate(gradients):
            norm = np.sqrt((g * g).sum())
            before = state
            _, state = step(
                spec,
                np,
                path.points[i],
                g,
                state,
                path.learning_rates[i],
                i + 1,
                recipe.hyper,
                shared,
                norm,
            )
        g = gradients[k]
        used = clip_gradient(np, g, shared["clipnorm"], shared["clipvalue"], np.sqrt((g * g).sum()))
        move = path.points[k + 1] - path.points[k]
        effective = -move / used
    curvatures = hessian_eigenvalues(path, path.points[k])
    return StepNumbers(
        step=k,
        point=path.points[k],
        gradient=used,
        learning_rate=float(path.learning_rates[k]),
        states=tuple(zip(spec.states, before, state, strict=True)),
        move=move,
        effective_rate=effective,
        curvatures=curvatures,
        stability_limit=stability_limit(curvatures),
    )


def hessian_eigenvalues(path: Trajectory, points: np.ndarray) -> np.ndarray:
    """Curvatures of the path's surface, by central differences of its exact gradient.

    Args:
        path: whose surface is measured.
        points: shape ``(..., 2)``.

    Returns:
        Shape ``(..., 2)``, the smaller first; NaN where they are not finite.
    """
    surface = path.surface
    h = NUDGE * surface.width
    across, up = np.array([h, 0.0]), np.array([0.0, h])
    with np.errstate(all="ignore"):
        columns = [
            (surface.gradient_at(points + nudge) - surface.gradient_at(points - nudge)) / (2 * h)
            for nudge in (across, up)
        ]
        matrix = np.stack(columns, axis=-1)
        a, d = matrix[..., 0, 0], matrix[..., 1, 1]
        b = (matrix[..., 0, 1] + matrix[..., 1, 0]) / 2
        middle, spread = (a + d) / 2, np.hypot((a - d) / 2, b)
    return np.stack([middle - spread, middle + spread], axis=-1)


def stability_limit(curvatures: np.ndarray) -> float:
    """``2 / largest curvature``; infinite where that is not positive."""
    largest = float(curvatures[..., -1])
    return 2.0 / largest if largest > 0 else float("inf")
