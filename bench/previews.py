"""Compute times of trajectories and hyperparameter maps, beside Keras and, if installed, JAX."""

from __future__ import annotations

import importlib.util
import os
import time

import numpy as np

from bench.report import Figure, milliseconds, report
from lrlab import OPTIMIZERS, SURFACES, Recipe, trace
from lrlab.descent.hyperparameter_map import hyperparameter_map
from lrlab.descent.surfaces import formula_surface

QUICK = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
STEPS = 1000
KERAS_STEPS = 100


def main() -> bool:
    """Prints the figures and returns whether every target was met."""
    figures = []
    for key in OPTIMIZERS:
        recipe = Recipe.from_dict(
            {
                "optimizer": {"name": key},
                "schedule": {"name": "constant", "learning_rate": 1e-4},
            }
        )
        elapsed = milliseconds(lambda recipe=recipe: trace(recipe, "rosenbrock", steps=STEPS))
        target = 10 if key in QUICK else 25
        figures.append(Figure(f"path of {STEPS:,} steps, {key}", elapsed, target, "ms"))
        if key in ("sgd", "adam"):
            ratio = _keras_milliseconds(recipe) / (elapsed / STEPS)
            name = f"  times faster than stepping keras.optimizers, {key}"
            figures.append(Figure(name, ratio, 100, "x", at_least=True))
    formula = formula_surface("(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + sin(3*x)*exp(-y^2)")
    grid = np.stack(np.meshgrid(np.linspace(-5, 5, 480), np.linspace(-5, 5, 480)), axis=-1)
    elapsed = milliseconds(lambda: formula.at(grid))
    figures.append(Figure("own formula on the map, 480 x 480", elapsed, 50, "ms"))
    adam = Recipe.from_dict({"optimizer": {"name": "adam"}})
    elapsed = milliseconds(
        lambda: hyperparameter_map(adam, "rosenbrock", "learning_rate", "beta_1")
    )
    figures.append(Figure("map of 100 x 100 paths, 300 steps, Adam, Rosenbrock", elapsed, 60, "ms"))
    targets_met = report("Previews", figures)
    if importlib.util.find_spec("jax"):
        compiled, first = _jax_milliseconds()
        print(f"  the same map in JAX: {compiled:.4g} ms compiled, {first:.4g} ms the first time")
    else:
        print("  (JAX is not installed: no side-by-side figure for the map)")
    return targets_met


def _keras_milliseconds(recipe: Recipe) -> float:
    """Milliseconds of one step of the real Keras optimizer."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    optimizer = recipe.keras_optimizer()
    point = keras.Variable(np.array([-1.5, 2.0]), dtype="float32")
    surface = SURFACES["rosenbrock"]
    optimizer.build([point])

    def walk(steps: int) -> None:
        for _ in range(steps):
            optimizer.apply([keras.ops.convert_to_tensor(surface.gradient_at(point.numpy()))])

    walk(5)
    began = time.perf_counter()
    walk(KERAS_STEPS)
    return (time.perf_counter() - began) * 1e3 / KERAS_STEPS


def _jax_milliseconds() -> tuple[float, float]:
    """Milliseconds of Adam's map on Rosenbrock in JAX (jit, vmap): compiled, and the first call."""
    import jax
    import jax.numpy as jnp

    def final(rate: jax.Array, beta: jax.Array) -> jax.Array:
        def gradient(p: jax.Array) -> jax.Array:
            b = 200.0 * (p[1] - p[0] ** 2)
            return jnp.array([2.0 * (p[0] - 1.0) - 2.0 * b * p[0], b])

        def update(carry: tuple, t: jax.Array) -> tuple:
            p, m, v = carry
            g = gradient(p)
            m = m + (g - m) * (1 - beta)
            v = v + (g * g - v) * (1 - 0.999)
            alpha = rate * jnp.sqrt(1 - 0.999**t) / (1 - beta**t)
            return (p - alpha * m / (jnp.sqrt(v) + 1e-7), m, v), None

        start = (jnp.array([-1.5, 2.0]), jnp.zeros(2), jnp.zeros(2))
        (p, _, _), _ = jax.lax.scan(update, start, jnp.arange(1.0, 301.0))
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    rates, betas = jnp.geomspace(1e-6, 10.0, 100), 1 - jnp.geomspace(1.0, 1e-3, 100)
    grid = jax.jit(jax.vmap(jax.vmap(final, (None, 0)), (0, None)))
    began = time.perf_counter()
    grid(rates, betas).block_until_ready()
    first = (time.perf_counter() - began) * 1e3
    return milliseconds(lambda: grid(rates, betas).block_until_ready()), first
