"""Real Keras optimizers, stepped on points of the plane: the reference for trajectories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrlab import Recipe
from lrlab.descent.surfaces import Point, Surface


@dataclass(frozen=True)
class Walk:
    """Steps of a Keras optimizer on ``n`` variables, each a point on its own surface.

    Args:
        recipe, surfaces: the recipe, and one surface per variable.
        points: before the first and after each step, float64, shape ``(steps + 1, n, 2)``.
        states: one array of the shape of ``points`` per state variable, in the order of the
            optimizer's description; None if Keras does not keep it with these hyperparameters.
        rates: the learning rate that Keras used in each step, shape ``(steps,)``.
    """

    recipe: Recipe
    surfaces: tuple[Surface, ...]
    points: np.ndarray
    states: tuple[np.ndarray | None, ...]
    rates: np.ndarray


def keras_walk(
    recipe: Recipe,
    surfaces: Sequence[Surface],
    starts: Sequence[Point] | None = None,
    steps: int = 200,
    dtype: str = "float64",
) -> Walk:
    """Steps the recipe's Keras optimizer along the gradients of the surfaces.

    Each variable has its own state, like the layers of a network. Gradients are computed in
    float64 at Keras's current point; Keras computes in ``dtype`` and its learning rates in float32.

    Args:
        recipe: determines the optimizer.
        surfaces: one surface per variable.
        starts: start points; each surface's default start if omitted.
        steps: number of optimizer steps.
        dtype: type of the variables, ``"float64"`` or, as in training, ``"float32"``.
    """
    import keras
    import tensorflow as tf

    starts = [surface.start for surface in surfaces] if starts is None else starts
    optimizer = recipe.keras_optimizer()
    variables = [
        keras.Variable(np.array(start), dtype=dtype, name=f"point{i}")
        for i, start in enumerate(starts)
    ]
    optimizer.build(variables)
    state_groups = [
        _state_variables(optimizer, variables, state.name) for state in recipe.optimizer_spec.states
    ]

    def read() -> list[Any]:
        return [
            tf.stack([tf.broadcast_to(v.value, (2,)) for v in group])
            for group in [variables, *(group for group in state_groups if group)]
        ]

    def advance(gradients: Any) -> tuple[Any, list[Any]]:
        rate = tf.convert_to_tensor(optimizer.learning_rate)
        optimizer.apply(tf.unstack(gradients), variables)
        return rate, read()

    advance = tf.function(advance, autograph=False)
    snapshots, rates = [[part.numpy() for part in read()]], []
    with _no_constant_folding(), np.errstate(over="ignore"):
        for _ in range(steps):
            points = snapshots[-1][0].astype(np.float64)
            gradients = [s.gradient_at(at) for s, at in zip(surfaces, points, strict=True)]
            rate, parts = advance(tf.constant(np.array(gradients, dtype)))
            rates.append(float(rate))
            snapshots.append([part.numpy() for part in parts])
    points, *states = (np.array(part, np.float64) for part in zip(*snapshots, strict=True))
    filled = iter(states)
    return Walk(
        recipe=recipe,
        surfaces=tuple(surfaces),
        points=points,
        states=tuple(next(filled) if group else None for group in state_groups),
        rates=np.array(rates),
    )


def _state_variables(optimizer: Any, variables: list[Any], name: str) -> list[Any]:
    """Keras's state variables with this name, one per variable; empty if there are none.

    Keras names them after the variable they belong to. A state shared by all variables (Nadam's
    product of momenta) exists only as an attribute.
    """
    if (shared := getattr(optimizer, f"_{name}", None)) is not None:
        return [shared] * len(variables)
    by_name = {variable.name: variable for variable in optimizer.variables}
    names = [f"{variable.name}_{name}" for variable in variables]
    return [by_name[name] for name in names if name in by_name]


@contextmanager
def _no_constant_folding() -> Iterator[None]:
    """Keeps TensorFlow from turning divisions by a constant into multiplications.

    In a graph it computes ``t / 121`` as ``t * (1 / 121)``, which is slightly less than 1 at
    ``t = 121``. A staircase would then drop, or a restart occur, one step later than when the
    schedule is called directly.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"constant_folding": True})
