"""Real Keras as the oracle: its own optimizers, stepped on points of the plane."""

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
    """What a Keras optimizer did on ``n`` variables, each a point on a surface of its own.

    Args:
        recipe, surfaces: what was walked.
        points: before the first and after each step, float64, shape ``(steps + 1, n, 2)``.
        states: one array of the shape of ``points`` a state variable, in the order of the
            description; ``None`` for one that Keras does not keep under these hyperparameters.
        rates: the learning rate Keras used in each step, shape ``(steps,)``.
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
    """Step the recipe's Keras optimizer along the gradients of the surfaces.

    Each variable has its own state, as the layers of a network have. Gradients are taken in
    float64 at the point where Keras is; Keras computes in ``dtype``, its rates in float32.

    Args:
        recipe: gives the optimizer.
        surfaces: where the variables walk, one variable each.
        starts: where they start; each surface's own start if omitted.
        steps: how many optimizer steps.
        dtype: the type of the variables, ``"float64"`` or, as in training, ``"float32"``.
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
    kept = [
        _state_variables(optimizer, variables, state.name) for state in recipe.optimizer_spec.states
    ]

    def read() -> list[Any]:
        return [
            tf.stack([tf.broadcast_to(v.value, (2,)) for v in group])
            for group in [variables, *(group for group in kept if group)]
        ]

    def advance(gradients: Any) -> tuple[Any, list[Any]]:
        rate = tf.convert_to_tensor(optimizer.learning_rate)
        optimizer.apply(tf.unstack(gradients), variables)
        return rate, read()

    advance = tf.function(advance, autograph=False)
    seen, rates = [[part.numpy() for part in read()]], []
    with _divisions_kept(), np.errstate(over="ignore"):
        for _ in range(steps):
            points = seen[-1][0].astype(np.float64)
            gradients = [s.gradient_at(at) for s, at in zip(surfaces, points, strict=True)]
            rate, parts = advance(tf.constant(np.array(gradients, dtype)))
            rates.append(float(rate))
            seen.append([part.numpy() for part in parts])
    points, *states = (np.array(part, np.float64) for part in zip(*seen, strict=True))
    filled = iter(states)
    return Walk(
        recipe=recipe,
        surfaces=tuple(surfaces),
        points=points,
        states=tuple(next(filled) if group else None for group in kept),
        rates=np.array(rates),
    )


def _state_variables(optimizer: Any, variables: list[Any], name: str) -> list[Any]:
    """Keras's state variables of this name, one a variable; empty if it keeps none.

    Keras names them after the variable they belong to. One that belongs to no single variable
    (Nadam's product of momenta) is only found as an attribute.
    """
    if (shared := getattr(optimizer, f"_{name}", None)) is not None:
        return [shared] * len(variables)
    by_name = {variable.name: variable for variable in optimizer.variables}
    names = [f"{variable.name}_{name}" for variable in variables]
    return [by_name[name] for name in names if name in by_name]


@contextmanager
def _divisions_kept() -> Iterator[None]:
    """Keep TensorFlow from turning divisions by a constant into multiplications.

    In a graph it computes ``t / 121`` as ``t * (1 / 121)``, which at ``t = 121`` is just below 1,
    so that a staircase falls, or a restart comes, one step later than the schedule says when it
    is called directly.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"constant_folding": True})
