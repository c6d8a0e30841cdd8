"""Recipes for comparisons with Keras: fixed ones that cover every parameter, and random ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SCHEDULES, SURFACES, Recipe
from lrlab.descent.surfaces import Surface
from lrlab.params import Param
from tests.oracle import Walk, keras_walk

STEPS = 200

PEAKS = {
    "sgd": 0.001,
    "momentum": 0.001,
    "nesterov": 0.001,
    "adagrad": 0.5,
    "adadelta": 10.0,
    "rmsprop": 0.02,
    "adam": 0.05,
    "adamax": 0.05,
    "nadam": 0.05,
    "ftrl": 0.5,
    "adamw": 0.05,
    "muon": 0.05,
    "schedule_free_adamw": 0.05,
    "lion": 0.02,
    "lamb": 0.02,
    "adafactor": 0.05,
}
"""Optimizer -> a learning rate with which it makes progress in 200 steps."""

_ADAM = (
    {"beta_1": 0.8, "weight_decay": 0.05},
    {"beta_2": 0.99, "epsilon": 1e-3, "clipnorm": 2.0},
    {"beta_1": 0.6, "beta_2": 0.9, "clipvalue": 1.5},
)

HYPER: dict[str, tuple[dict[str, Any], ...]] = {
    "sgd": (
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
        {"clipnorm": 2.0},
        {"momentum": 0.5, "clipvalue": 1.5},
    ),
    "momentum": (
        {"momentum": 0.7, "weight_decay": 0.05},
        {"clipnorm": 2.0},
        {"momentum": 0.97, "clipvalue": 1.5},
    ),
    "nesterov": (
        {"momentum": 0.7, "weight_decay": 0.05},
        {"clipnorm": 2.0},
        {"momentum": 0.97, "clipvalue": 1.5},
    ),
    "adagrad": (
        {"initial_accumulator_value": 0.5, "weight_decay": 0.05},
        {"epsilon": 1e-2, "clipnorm": 2.0},
        {"initial_accumulator_value": 0.0, "clipvalue": 1.5},
    ),
    "adadelta": (
        {"rho": 0.8, "weight_decay": 0.001},
        {"epsilon": 1e-3, "clipnorm": 2.0},
        {"rho": 0.5, "clipvalue": 1.5},
    ),
    "rmsprop": (
        {"rho": 0.8, "momentum": 0.5, "weight_decay": 0.05},
        {"epsilon": 0.1, "centered": True, "clipnorm": 2.0},
        {"rho": 0.99, "momentum": 0.8, "epsilon": 0.1, "centered": True, "clipvalue": 1.5},
    ),
    "adam": (_ADAM[0] | {"amsgrad": True}, *_ADAM[1:]),
    "adamax": _ADAM,
    "nadam": _ADAM,
    "ftrl": (
        {"learning_rate_power": -0.7, "l1_regularization_strength": 0.3, "weight_decay": 0.05},
        {"initial_accumulator_value": 0.5, "l2_regularization_strength": 0.2, "clipnorm": 2.0},
        {"l2_shrinkage_regularization_strength": 0.1, "beta": 0.4, "clipvalue": 1.5},
    ),
    "adamw": (_ADAM[0] | {"amsgrad": True}, *_ADAM[1:]),
    "muon": (
        {"adam_beta_1": 0.8, "adam_weight_decay": 0.05, "adam_lr_ratio": 0.5},
        {
            "adam_beta_2": 0.99,
            "epsilon": 1e-3,
            "adam_weight_decay": None,
            "weight_decay": 0.3,
            "clipnorm": 2.0,
            "momentum": 0.5,
            "ns_steps": 3,
            "nesterov": False,
        },
        {
            "clipvalue": 1.5,
            "weight_decay": None,
            "rms_rate": None,
            "muon_a": 3.0,
            "muon_b": -4.0,
            "muon_c": 2.0,
        },
    ),
    "schedule_free_adamw": (_ADAM[0] | {"warmup_steps": 20}, *_ADAM[1:]),
    "lion": (
        {"beta_1": 0.8, "weight_decay": 0.05},
        {"beta_2": 0.9, "clipnorm": 2.0},
        {"beta_1": 0.5, "beta_2": 0.7, "clipvalue": 1.5},
    ),
    "lamb": _ADAM,
    "adafactor": (
        {"beta_2_decay": -0.5, "epsilon_1": 1e-6, "weight_decay": 0.05},
        {"epsilon_2": 0.1, "relative_step": False, "clipnorm": 2.0},
        {"clip_threshold": 0.3, "clipvalue": 1.5},
    ),
}
"""Optimizer -> sets of hyperparameters; together they change each one from its default."""


def schedules(peak: float) -> tuple[dict[str, Any], ...]:
    """Every schedule with no parameter at its default, short enough to finish within 200 steps."""
    initial = {"initial_learning_rate": peak}
    return (
        {"name": "constant", "learning_rate": peak},
        {
            "name": "polynomial_decay",
            "decay_steps": 70,
            "end_learning_rate": peak / 20,
            "power": 2.0,
            "cycle": True,
        }
        | initial,
        {"name": "exponential_decay", "decay_steps": 40, "decay_rate": 0.7, "staircase": True}
        | initial,
        {
            "name": "piecewise_constant_decay",
            "boundaries": [30, 90],
            "values": [peak, peak / 3, peak / 10],
        },
        {
            "name": "cosine_decay",
            "initial_learning_rate": peak / 10,
            "decay_steps": 120,
            "alpha": 0.1,
            "warmup_target": peak,
            "warmup_steps": 25,
        },
        {
            "name": "cosine_decay_restarts",
            "first_decay_steps": 30,
            "t_mul": 1.5,
            "m_mul": 0.8,
            "alpha": 0.05,
        }
        | initial,
        {"name": "inverse_time_decay", "decay_steps": 50, "decay_rate": 1.5, "staircase": True}
        | initial,
    )


def _cases() -> dict[str, tuple[Recipe, tuple[Surface, ...]]]:
    """Name -> case; the cases of one optimizer also differ in schedule and surfaces."""
    surfaces = tuple(SURFACES.values())
    cases = {}
    for key, choices in HYPER.items():
        for i, hyper in enumerate(choices):
            options = schedules(PEAKS[key])
            schedule = options[len(cases) % len(options)]
            recipe = Recipe.from_dict({"optimizer": {"name": key} | hyper, "schedule": schedule})
            cases[f"{key}-{i}-{schedule['name']}"] = recipe, surfaces[i % 3 :: 3]
    return cases


CASES = _cases()
"""Name -> recipe and the surfaces to run it on."""


@cache
def walk_of(case: str, dtype: str) -> Walk:
    """Keras's 200 steps for a case; computed once for all tests."""
    recipe, surfaces = CASES[case]
    return keras_walk(recipe, surfaces, steps=STEPS, dtype=dtype)


def _values(param: Param) -> st.SearchStrategy[Any]:
    """Values of a parameter: those of its slider, with rates and lengths suited to a trajectory."""
    if param.kind == "bool":
        return st.booleans()
    if param.steps:
        values: st.SearchStrategy[Any] = st.integers(int(param.low), 150)
    elif param.rate:
        values = st.floats(-4.0, 0.5).map(lambda exponent: 10.0**exponent)
    else:
        values = st.sampled_from(param.grid())
    return st.none() | values if param.optional else values


@st.composite
def _choices(draw: st.DrawFn, key: str, params: Iterable[Param]) -> dict[str, Any]:
    chosen = {"name": key}
    for param in params:
        if param.kind not in ("ints", "floats"):
            chosen[param.name] = draw(_values(param))
    if key == "piecewise_constant_decay":
        boundaries = draw(st.lists(st.integers(0, 150), min_size=1, max_size=4, unique=True))
        rates = st.floats(0.0, 2.0, allow_subnormal=False)
        values = draw(st.lists(rates, min_size=len(boundaries) + 1, max_size=len(boundaries) + 1))
        chosen |= {"boundaries": sorted(boundaries), "values": values}
    return chosen


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any optimizer with any schedule that is not reactive, with values from their sliders."""
    optimizer = draw(st.sampled_from(list(OPTIMIZERS.values())))
    schedule = draw(st.sampled_from([spec for spec in SCHEDULES.values() if not spec.reactive]))
    hyper = draw(_choices(optimizer.key, optimizer.all_params))
    if hyper["clipnorm"] is not None:
        hyper["clipvalue"] = None
    rates = draw(_choices(schedule.key, schedule.params))
    return Recipe.from_dict({"optimizer": hyper, "schedule": rates})
