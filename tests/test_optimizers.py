"""Every update rule is Keras's own, step by step."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SURFACES, Recipe
from lrlab.descent.trajectory import FAR
from lrlab.optimizers.base import step
from tests.cases import CASES, HYPER, STEPS, recipes, walk_of
from tests.oracle import Walk, keras_walk

TOLERANCE = 1e-6
"""How far a step may end from Keras's, in widths of the drawn part."""

RATE_TOLERANCE = 2e-6
"""How far a rate may be from Keras's, in peaks of the curve."""

WRAPPERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
"""What Keras exports besides optimizers of its own: the base class, wrappers around others."""

LEFT_OUT = {
    "learning_rate": "the schedule's",
    "name": "names nothing but variables",
    "global_clipnorm": "for one weight array the same as clipnorm",
    "use_ema": "changes no step: it swaps weights when fit ends",
    "ema_momentum": "see use_ema",
    "ema_overwrite_frequency": "see use_ema",
    "loss_scale_factor": "for half precision: it undoes a factor that the loss was given",
    "gradient_accumulation_steps": "makes one batch of several; a path has no batches",
    "exclude_layers": "Muon: which weight matrices are left to AdamW, by name",
    "exclude_embeddings": "Muon: see exclude_layers",
}
"""Keras arguments that LR Lab has no parameter for, and why."""

OURS = {("momentum", "momentum"), ("nesterov", "momentum")}
"""Defaults that LR Lab chooses itself: momentum and Nesterov are SGD with it switched on."""


def keras_signature(key: str) -> dict[str, inspect.Parameter]:
    """The arguments of the Keras class by name."""
    import keras

    keras_class = getattr(keras.optimizers, OPTIMIZERS[key].keras_class)
    parameters = dict(inspect.signature(keras_class.__init__).parameters)
    return {name: p for name, p in parameters.items() if name not in ("self", "kwargs")}


def our_step(
    walk: Walk, k: int, i: int, nudge: float = 0.0, dtype: Any = np.float64
) -> tuple[np.ndarray, tuple]:
    """Our step ``k`` from the point and state that Keras had, and with the rate it used.

    Args:
        walk: what Keras did.
        k: the step.
        i: the variable.
        nudge: relative change of the gradient, the state and the rate before the step.
        dtype: the precision in which the rule is computed.
    """
    recipe, surface = walk.recipe, walk.surfaces[i]
    spec, x = recipe.optimizer_spec, walk.points[k, i].astype(dtype)
    unused = spec.init(np, x, **recipe.hyper)
    state = tuple(
        other if kept is None else (kept[k, i] * (1 + nudge * (-1) ** j)).astype(dtype)
        for j, (kept, other) in enumerate(zip(walk.states, unused, strict=True))
    )
    with np.errstate(all="ignore"):
        g = (surface.gradient_at(walk.points[k, i]) * (1 - nudge)).astype(dtype)
        rate = dtype(walk.rates[k] * (1 + nudge))
        norm = np.sqrt((g * g).sum())
        return step(spec, np, x, g, state, rate, k + 1, recipe.hyper, recipe.shared, norm)


def assert_rates_agree(walk: Walk) -> None:
    rates = walk.recipe.learning_rates(len(walk.rates))
    np.testing.assert_allclose(walk.rates, rates, rtol=0, atol=RATE_TOLERANCE * rates.max())


def steps_on_the_way(walk: Walk, i: int) -> list[int]:
    """The steps of a variable up to where it has diverged."""
    bounds = np.array(walk.surfaces[i].bounds)
    away = np.abs(walk.points[:-1, i] - bounds.mean(axis=1)).max(axis=1)
    gone = np.flatnonzero(~(away <= FAR * walk.surfaces[i].width))
    return list(range(gone[0] if gone.size else len(away)))


def off_by(walk: Walk, k: int, i: int) -> float:
    """How far our step ends from Keras's, in widths; past the first width out, relative."""
    ours, keras = our_step(walk, k, i)[0], walk.points[k + 1, i]
    if not np.isfinite(keras).all():
        return 0.0 if not np.isfinite(ours).all() else np.inf
    return float(np.abs(ours - keras).max() / scale_of(walk, k, i))


def scale_of(walk: Walk, k: int, i: int) -> float:
    return max(walk.surfaces[i].width, float(np.abs(walk.points[k + 1, i]).max()))


def is_delicate(walk: Walk, k: int, i: int) -> bool:
    """Whether the rounding of float32, in which Keras computes, decides where the step ends."""
    ours, scale = our_step(walk, k, i)[0], scale_of(walk, k, i)
    others = [our_step(walk, k, i, nudge)[0] for nudge in (2.0**-22, -(2.0**-22))]
    others += [our_step(walk, k, i, nudge, np.float32)[0] for nudge in (0.0, 2.0**-22)]
    return any(not np.abs(other - ours).max() / scale < TOLERANCE / 4 for other in others)


def test_every_optimizer_that_keras_exports_is_here() -> None:
    import keras

    exported = {
        name
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer)
    }
    assert exported - WRAPPERS == {spec.keras_class for spec in OPTIMIZERS.values()}


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_defaults_are_those_of_keras(key: str) -> None:
    spec, signature = OPTIMIZERS[key], keras_signature(key)
    assert spec.learning_rate == signature["learning_rate"].default
    for param in spec.all_params:
        if (key, param.name) not in OURS:
            assert param.default == signature[param.name].default, param.name


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_keras_argument_that_shapes_a_step_has_a_parameter(key: str) -> None:
    spec, signature = OPTIMIZERS[key], keras_signature(key)
    described = {param.name for param in spec.all_params} | set(spec.fixed)
    assert described <= set(signature)
    assert set(signature) - described <= set(LEFT_OUT)


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_cases_move_every_parameter_off_its_default(key: str) -> None:
    moved = {name for hyper in HYPER[key] for name in hyper}
    assert moved == {param.name for param in OPTIMIZERS[key].all_params}
    for param in OPTIMIZERS[key].all_params:
        assert any(param.default != hyper.get(param.name, param.default) for hyper in HYPER[key])


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_texts_are_there(key: str) -> None:
    spec = OPTIMIZERS[key]
    assert spec.latex and spec.reference and spec.when
    assert bool(spec.textbook) >= bool(spec.difference)
    assert spec.elementwise or spec.on_vectors


@pytest.mark.parametrize("case", CASES)
def test_each_step_ends_where_that_of_keras_ends_and_leaves_the_same_state(case: str) -> None:
    walk = walk_of(case, "float32")
    assert_rates_agree(walk)
    for i, surface in enumerate(walk.surfaces):
        steps = steps_on_the_way(walk, i)
        assert len(steps) == STEPS, f"{surface.key}: choose a rate that does not diverge"
        ours = [our_step(walk, k, i) for k in steps]
        away = np.abs([x for x, _ in ours] - walk.points[1:, i]).max(axis=1)
        scale = np.maximum(surface.width, np.abs(walk.points[1:, i]).max(axis=1))
        assert (away / scale).max() < TOLERANCE, f"{surface.key}, step {(away / scale).argmax()}"
        for j, kept in enumerate(walk.states):
            if kept is not None:
                part = np.array([state[j] for _, state in ours])
                top = np.abs(kept[:, i]).max()
                np.testing.assert_allclose(part, kept[1:, i], rtol=1e-5, atol=1e-6 * top)


@pytest.mark.parametrize("case", CASES)
def test_the_first_state_is_that_of_keras(case: str) -> None:
    walk = walk_of(case, "float32")
    spec, hyper = walk.recipe.optimizer_spec, walk.recipe.hyper
    for ours, kept in zip(spec.init(np, walk.points[0], **hyper), walk.states, strict=True):
        if kept is not None:
            np.testing.assert_allclose(ours, kept[0], rtol=1e-7)


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
def test_the_first_steps_are_those_of_keras_also_with_large_rates_and_slow_betas(
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
        assert max(off_by(walk, k, i) for k in steps_on_the_way(walk, i)) < TOLERANCE


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(recipe=recipes(), data=st.data())
def test_steps_of_random_recipes_end_where_those_of_keras_end(recipe: Recipe, data: Any) -> None:
    surface = data.draw(st.sampled_from(list(SURFACES.values())))
    shares = [data.draw(st.integers(0, 1000)) / 1000 for _ in range(2)]
    start = tuple(
        low + (high - low) * s for (low, high), s in zip(surface.bounds, shares, strict=True)
    )
    walk = keras_walk(recipe, [surface], [start], dtype="float32")
    assert_rates_agree(walk)
    steps = steps_on_the_way(walk, 0)
    apart = [k for k in steps if not off_by(walk, k, 0) < TOLERANCE]
    assert all(is_delicate(walk, k, 0) for k in apart)
    assert len(apart) <= 0.5 * len(walk.rates)


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_many_points_step_at_once_as_each_does_alone(key: str) -> None:
    recipe = CASES[next(case for case in CASES if case.startswith(f"{key}-1-"))][0]
    spec, shape = recipe.optimizer_spec, (3, 4, 2)
    points, gradients = np.random.default_rng(1).normal(size=(2, *shape))
    state = tuple(np.broadcast_to(part, shape) for part in spec.init(np, points, **recipe.hyper))
    norm = np.sqrt((gradients * gradients).sum(axis=-1, keepdims=True))
    arguments = (0.1, 3, recipe.hyper, recipe.shared)
    x, after = step(spec, np, points, gradients, state, *arguments, norm)
    for at in np.ndindex(shape[:-1]):
        own = tuple(part[at] for part in state)
        alone, alone_after = step(spec, np, points[at], gradients[at], own, *arguments, norm[at])
        np.testing.assert_allclose(x[at], alone, rtol=1e-13)
        for part, alone_part in zip(after, alone_after, strict=True):
            np.testing.assert_allclose(part[at], alone_part, rtol=1e-13)
