"""How fast the hardware trains the notebook's MLP: an epoch as one program in JAX with Optax.

It has no callbacks, no store and no measurements except the losses: a lower bound for LR Lab's
epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lrlab.datasets.sources import find_source
from lrlab.datasets.split import load_images
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import RunPlan

RULES: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "adam": optax.adam,
    "nadam": optax.nadam,
}
"""LR Lab's optimizer key -> the Optax optimizer; `Limit` trains only these."""

Weights = list[tuple[jax.Array, jax.Array]]


class Limit:
    """Trains the MLP with a scan over all steps of an epoch; each step gathers its batch."""

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """Trains a plan with validation; the answer's ``epochs`` are seconds per epoch."""
        plan = RunPlan.from_dict(request["plan"])
        rate = plan.recipe.learning_rates(1)[0]
        optimizer = RULES[plan.recipe.optimizer.name](rate)
        images = load_images(find_source(), plan.train_size)
        pixels = ((images.images - images.mean) / images.deviation).astype(np.float32)
        x, y = jnp.asarray(pixels.reshape(len(pixels), -1)), jnp.asarray(images.labels)
        validation = jnp.asarray(images.validation_rows)

        def loss(weights: Weights, rows: jax.Array) -> jax.Array:
            cross_entropy = optax.softmax_cross_entropy_with_integer_labels
            return cross_entropy(_outputs(weights, x[rows]), y[rows]).mean()

        def step(state: tuple, rows: jax.Array) -> tuple[tuple, jax.Array]:
            weights, moments = state
            value, gradients = jax.value_and_grad(loss)(weights, rows)
            updates, moments = optimizer.update(gradients, moments, weights)
            return (optax.apply_updates(weights, updates), moments), value

        @jax.jit
        def epoch(state: tuple, order: jax.Array) -> tuple[tuple, jax.Array, jax.Array]:
            full_batch_images = len(order) // plan.batch_size * plan.batch_size
            state, losses = jax.lax.scan(
                step, state, order[:full_batch_images].reshape(-1, plan.batch_size)
            )
            if full_batch_images < len(order):
                state, _ = step(state, order[full_batch_images:])
            return state, losses.mean(), loss(state[0], validation)

        weights = _initial_weights(plan)
        state = (weights, optimizer.init(weights))
        order = jnp.asarray(images.train_rows)
        seconds = []
        for key in jax.random.split(jax.random.key(plan.seed), plan.epochs):
            began = time.perf_counter()
            state, *losses = epoch(state, jax.random.permutation(key, order))
            jax.block_until_ready(losses)
            seconds.append(time.perf_counter() - began)
        return {"epochs": seconds}


def _initial_weights(plan: RunPlan) -> Weights:
    units = [
        layer.arguments["units"]
        for layer in NETWORKS[plan.network].layers
        if layer.keras_class == "Dense"
    ]
    sizes = list(zip([28 * 28, *units[:-1]], units, strict=True))
    keys = jax.random.split(jax.random.key(plan.seed), len(sizes))
    draw = jax.nn.initializers.lecun_normal()
    return [(draw(key, size), jnp.zeros(size[1])) for key, size in zip(keys, sizes, strict=True)]


def _outputs(weights: Weights, x: jax.Array) -> jax.Array:
    *hidden, (last, bias) = weights
    for weight, offset in hidden:
        x = jax.nn.selu(x @ weight + offset)
    return x @ last + bias
