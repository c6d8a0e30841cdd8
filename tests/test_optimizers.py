"""Every update rule equals Keras's, step by step."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SURFACES, Recipe
from lrlab.descent.trajectory import DIVERGENCE_WIDTHS
from lrlab.optimizers.base import step
from tests.cases import CASES, HYPER, STEPS, recipes, walk_of
from tests.oracle import Walk, keras_walk

TOLERANCE = 1e-6
"""Maximum distance of a step's end from Keras's, in widths of the surface's bounds."""

RATE_TOLERANCE = 2e-6
"""Maximum difference of a learning rate from Keras's, relative to the curve's peak."""

WRAPPERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
"""Keras's exported classes that are not optimizers: the base class and wrappers around others."""

LEFT_OUT = {
    "learning_rate": "set by the schedule",
    "name": "only used in variable names",
    "global_clipnorm": "same as clipnorm for a single weight array",
    "use_ema": "does not change steps: it swaps weights when fit ends",
    "ema_momentum": "see use_ema",
    "ema_overwrite_frequency": "see use_ema",
    "loss_scale_factor": "for half precision: undoes the scaling of the loss",
    "gradient_accumulation_steps": "merges several batches; a trajectory has no batches",
    "exclude_layers": "Muon: names of weight matrices to update with AdamW",
    "exclude_embeddings": "Muon: see exclude_layers",
}
"""Keras arguments for which LR Lab has no parameter, with the reason."""

OWN_DEFAULTS = {("momentum", "momentum"), ("nesterov", "momentum")}
"""Defaults that differ from Keras's: momentum and Nesterov are SGD with momentum turned on."""


def keras_signature(key: str) -> dict[str, inspect.Parameter]:
    """Argument name -> parameter of the Keras class."""
    import keras

    keras_class = getattr(keras.optimizers, OPTIMIZERS[key].keras_class)
    parameters = dict(inspect.signature(keras_class.__init__).parameters)
    return {name: p for name, p in parameters.items() if name not in ("self", "kwargs")}


def our_step(
    walk: Walk, k: int, i: int, nudge: float = 0.0, dtype: Any = np.float64
) -> tuple[np.ndarray, tuple]:
    """LR Lab's step ``k`` from Keras's point and state and with Keras's learning rate.

    Args:
        walk: Keras's steps.
        k: number of the step, from 0.
        i: index of the variable.
        nudge: relative change of gradient, state and learning rate before the step.
        dtype: precision in which the rule is computed.

    Returns:
        The point and the state after the step.
    """
    recipe, surface = walk.recipe, walk.surfaces[i]
    spec, x = recipe.optimizer_spec, walk.points[k, i].astype(dtype)
    initial_state = spec.init(np, x, **recipe.hyper)
    state = tuple(
        initial
        if keras_state is None
        else (keras_state[k, i] * (1 + nudge * (-1) ** j)).astype(dtype)
        for j, (keras_state, initial) in enumerate(zip(walk.states, initial_state, strict=True))
    )
    with np.errstate(all="ignore"):
        g = (surface.gradient_at(walk.points[k, i]) * (1 - nudge)).astype(dtype)
        rate = dtype(walk.rates[k] * (1 + nudge))
        norm = np.sqrt((g * g).sum())
        return step(spec, np, x, g, state, rate, k + 1, recipe.hyper, recipe.shared, norm)


def assert_rates_agree(walk: Walk) -> None:
    rates = walk.recipe.learning_rates(len(walk.rates))
    np.testing.assert_allclose(walk.rates, rates, rtol=0, atol=RATE_TOLERANCE * rates.max())


def steps_before_divergence(walk: Walk, i: int) -> list[int]:
    """The steps of a variable before it diverged."""
    bounds = np.array(walk.surfaces[i].bounds)
    distance = np.abs(walk.points[:-1, i] - bounds.mean(axis=1)).max(axis=1)
    diverged = np.flatnonzero(~(distance <= DIVERGENCE_WIDTHS * walk.surfaces[i].width))
    return list(range(diverged[0] if diverged.size else len(distance)))


def step_error(walk: Walk, k: int, i: int) -> float:
    """Distance between the ends of our and Keras's step, divided by `scale_of`."""
    ours, keras = our_step(walk, k, i)[0], walk.points[k + 1, i]
    if not np.isfinite(keras).all():
        return 0.0 if not np.isfinite(ours).all() else np.inf
    return float(np.abs(ours - keras).max() / scale_of(walk, k, i))


def scale_of(walk: Walk, k: int, i: int) -> float:
    return max(walk.surfaces[i].width, float(np.abs(walk.points[k + 1, i]).max()))


def is_sensitive_to_rounding(walk: Walk, k: int, i: int) -> bool:
    """Whether float32 rounding, as in Keras, changes the step's end by more than the tolerance."""
    ours, scale = our_step(walk, k, i)[0], scale_of(walk, k, i)
    variants = [our_step(walk, k, i, nudge)[0] for nudge in (2.0**-22, -(2.0**-22))]
    variants += [our_step(walk, k, i, nudge, np.float32)[0] for nudge in (0.0, 2.0**-22)]
    return any(not np.abs(variant - ours).max() / scale < TOLERANCE / 4 for variant in variants)


def test_every_optimizer_exported_by_keras_is_available() -> None:
    import keras

    exported = {
        name
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer)
    }
    assert exported - WRAPPERS == {spec.keras_class for spec in OPTIMIZERS.values()}


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_defaults_equal_keras_defaults(key: str) -> None:
    spec, signature = OPTIMIZERS[key], keras_signature(key)
    assert spec.learning_rate == signature["learning_rate"].default
    for param in spec.all_params:
        if (key, param.name) not in OWN_DEFAULTS:
            assert param.default == signature[param.name].default, param.name


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_keras_argument_that_affects_a_step_has_a_parameter(key: str) -> None:
    spec, signature = OPTIMIZERS[key], keras_signature(key)
    described = {param.name for param in spec.all_params} | set(spec.fixed)
    assert described <= set(signature)
    assert set(signature) - described <= set(LEFT_OUT)


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_cases_change_every_parameter_from_its_default(key: str) -> None:
    changed = {name for hyper in HYPER[key] for name in hyper}
    assert changed == {param.name for param in OPTIMIZERS[key].all_params}
    for param in OPTIMIZERS[key].all_params:
        assert any(param.default != hyper.get(param.name, param.default) for hyper in HYPER[key])


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_optimizer_has_its_texts(key: str) -> None:
    spec = OPTIMIZERS[key]
    assert spec.latex and spec.reference and spec.when
    assert bool(spec.textbook) >= bool(spec.difference)
    assert spec.elementwise or spec.on_vectors


@pytest.mark.parametrize("case", CASES)
def test_each_step_gives_keras_point_and_state(case: str) -> None:
    walk = walk_of(case, "float32")
    assert_rates_agree(walk)
    for i, surface in enumerate(walk.surfaces):
        steps = steps_before_divergence(walk, i)
        assert len(steps) == STEPS, f"{surface.key}: choose a rate that does not diverge"
        ours = [our_step(walk, k, i) for k in steps]
        distance = np.abs([x for x, _ in ours] - walk.points[1:, i]).max(axis=1)
        scale = np.maximum(surface.width, np.abs(walk.points[1:, i]).max(axis=1))
        assert (distance / scale).max() < TOLERANCE, (
            f"{surface.key}, step {(distance / scale).argmax()}"
        )
        for j, keras_state in enumerate(walk.states):
            if keras_state is not None:
                part = np.array([state[j] for _, state in ours])
                top = np.abs(keras_state[:, i]).max()
                np.testing.assert_allclose(part, keras_state[1:, i], rtol=1e-5, atol=1e-6 * top)


@pytest.mark.parametrize("case", CASES)
def test_the_initial_state_equals_keras(case: str) -> None:
    walk = walk_of(case, "float32")
    spec, hyper = walk.recipe.optimizer_spec, walk.recipe.hyper
    for ours, keras_state in zip(spec.init(np, walk.points[0], **hyper), walk.states, strict=True):
        if keras_state is not None:
            np.testing.assert_allclose(ours, keras_state[0], rtol=1e-7)


@pytest.mark.parametrize(
    ("key", "slow"),
    [
        ("adam", {"beta_1": 0.999, "beta_2": 0.9999}),
        ("adamw", {"beta_1": 0.999, "beta_2": 0.9999}),
        ("adamax", {"beta_1": 0.999}),
        ("nadam", {"beta_1": 0.999, "beta_2": 0.9999}),
        ("lamb", {"beta_1": 0.999, "beta_2": 0.9999}),
        ("muon", {"adam_beta_1": 0.999, "adam_beta_2": 0.9999}),
        ("schedule_free_adamw", {"beta_1": 0.999, "beta_2": 0.9999}),
    ],
)
def test_the_first_steps_equal_keras_with_large_learning_rates_and_slow_betas(
    key: str, slow: dict[str, float]
) -> None:
    recipe = Recipe.from_dict(
        {
            "optimizer": {"name": key} | slow,
            "schedule": {"name": "constant", "learning_rate": 1.0},
        }
    )
    surfaces = [SURFACES["rosenbrock"], SURFACES["booth"]]
    walk = keras_walk(recipe, surfaces, steps=20, dtype="float32")
    for i in range(2):
        assert max(step_error(walk, k, i) for k in steps_before_divergence(walk, i)) < TOLERANCE


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(recipe=recipes(), data=st.data())
def test_steps_of_random_recipes_equal_keras_steps(recipe: Recipe, data: Any) -> None:
    surface = data.draw(st.sampled_from(list(SURFACES.values())))
    shares = [data.draw(st.integers(0, 1000)) / 1000 for _ in range(2)]
    start = tuple(
        low + (high - low) * s for (low, high), s in zip(surface.bounds, shares, strict=True)
    )
    walk = keras_walk(recipe, [surface], [start], dtype="float32")
    assert_rates_agree(walk)
    steps = steps_before_divergence(walk, 0)
    different = [k for k in steps if not step_error(walk, k, 0) < TOLERANCE]
    assert all(is_sensitive_to_rounding(walk, k, 0) for k in different)
    assert len(different) <= 0.5 * len(walk.rates)


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_a_step_of_many_points_equals_the_steps_of_each(key: str) -> None:
    recipe = CASES[next(case for case in CASES if case.startswith(f"{key}-1-"))][0]
    spec, shape = recipe.optimizer_spec, (3, 4, 2)
    points, gradients = np.random.default_rng(1).normal(size=(2, *shape))
    state = tuple(np.broadcast_to(part, shape) for part in spec.init(np, points, **recipe.hyper))
    norm = np.sqrt((gradients * gradients).sum(axis=-1, keepdims=True))
    arguments = (0.1, 3, recipe.hyper, recipe.shared)
    x, after = step(spec, np, points, gradients, state, *arguments, norm)
    for at in np.ndindex(shape[:-1]):
        single_state = tuple(part[at] for part in state)
        single_point, single_after = step(
            spec, np, points[at], gradients[at], single_state, *arguments, norm[at]
        )
        np.testing.assert_allclose(x[at], single_point, rtol=1e-13)
        for part, single_part in zip(after, single_after, strict=True):
            np.testing.assert_allclose(part[at], single_part, rtol=1e-13)
