"""Invalid recipes of any kind are refused with a clear message."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SCHEDULES, Recipe
from lrlab.params import InvalidInput
from tests.test_recipe import ADAM, recipe_of


@pytest.mark.parametrize(
    ("values", "mentioned"),
    [
        (None, ["A recipe must be a mapping", "None"]),
        ([], ["A recipe must be a mapping", "[]"]),
        ("adam", ["A recipe must be a mapping", "'adam'"]),
        (3.5, ["A recipe must be a mapping", "3.5"]),
        ({}, ['needs an "optimizer"']),
        ({"schedule": {"name": "constant"}}, ['needs an "optimizer"']),
        ({"optimizer": ADAM, "optimiser": ADAM}, ["no entry 'optimiser'", "optimizer, schedule"]),
        ({"optimizer": ADAM, 3: ADAM}, ["no entry 3"]),
        ({"optimizer": "adam"}, ["optimizer = 'adam'", "mapping", '{"name": "adam"}']),
        ({"optimizer": None}, ["optimizer = None", "mapping"]),
        ({"optimizer": [ADAM]}, ["optimizer = [", "mapping"]),
        ({"optimizer": {}}, ["no optimizer None", "sgd", "ftrl"]),
        ({"optimizer": {"name": "Adam"}}, ["no optimizer 'Adam'", "adam"]),
        ({"optimizer": {"name": 3}}, ["no optimizer 3"]),
        ({"optimizer": {"name": {"name": "adam"}}}, ["no optimizer {'name': 'adam'}"]),
        ({"optimizer": {"name": "x" * 9999}}, ["no optimizer 'xxx", "..."]),
        ({"optimizer": ADAM, "schedule": None}, ["schedule = None", "mapping"]),
        ({"optimizer": ADAM, "schedule": 0.1}, ["schedule = 0.1", "mapping"]),
        ({"optimizer": ADAM, "schedule": {}}, ["no schedule None", "constant", "cosine_decay"]),
        ({"optimizer": ADAM, "schedule": {"name": "step"}}, ["no schedule 'step'", "constant"]),
    ],
)
def test_an_invalid_recipe_is_refused_with_what_is_allowed(
    values: Any, mentioned: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Recipe.from_dict(values)
    assert all(part in str(refusal.value) for part in mentioned), refusal.value
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    ("key", "name", "value", "allowed"),
    [
        ("adam", "beta_1", 1.0, "a number from 0 to below 1"),
        ("adam", "beta_1", -0.1, "a number from 0 to below 1"),
        ("adam", "beta_1", "0.9", "a number from 0 to below 1"),
        ("adam", "beta_1", None, "a number from 0 to below 1"),
        ("adam", "beta_1", [0.9], "a number from 0 to below 1"),
        ("adam", "beta_2", True, "a number from 0 to below 1"),
        ("adam", "beta_2", math.nan, "a number from 0 to below 1"),
        ("adam", "epsilon", math.inf, "a number 0 or more"),
        ("adam", "epsilon", -math.inf, "a number 0 or more"),
        ("adam", "epsilon", 10**400, "a number 0 or more"),
        ("adam", "amsgrad", 1, "true or false"),
        ("adam", "amsgrad", "yes", "true or false"),
        ("adam", "weight_decay", -1e-3, "a number from 0 to 10, or none"),
        ("adam", "weight_decay", math.nan, "a number from 0 to 10, or none"),
        ("adam", "clipnorm", 0, "a number above 0, or none"),
        ("adam", "clipvalue", -1, "a number above 0, or none"),
        ("adam", "clipvalue", {"a": 1}, "a number above 0, or none"),
        ("sgd", "momentum", 1.1, "a number from 0 to 1"),
        ("sgd", "nesterov", None, "true or false"),
        ("rmsprop", "rho", -1, "a number from 0 to 1"),
        ("ftrl", "learning_rate_power", 0.5, "a number from -10 to 0"),
        ("ftrl", "l1_regularization_strength", -0.1, "a number 0 or more"),
        ("adagrad", "initial_accumulator_value", -0.1, "a number 0 or more"),
        ("muon", "ns_steps", 2.5, "a whole number from 1 to 20"),
        ("schedule_free_adamw", "warmup_steps", -1, "a whole number from 0"),
    ],
)
def test_an_invalid_hyperparameter_is_refused(
    key: str, name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of({"name": key, name: value})
    message = str(refusal.value)
    assert message.startswith(f"optimizer {key}: {name} = ")
    assert f"is not allowed. It must be {allowed}" in message


@pytest.mark.parametrize(
    ("key", "name", "value", "allowed"),
    [
        ("constant", "learning_rate", 0, "a number above 0 to 1e+06"),
        ("constant", "learning_rate", -0.1, "a number above 0 to 1e+06"),
        ("constant", "learning_rate", math.nan, "a number above 0 to 1e+06"),
        ("constant", "learning_rate", "fast", "a number above 0 to 1e+06"),
        ("constant", "learning_rate", 1e7, "a number above 0 to 1e+06"),
        ("polynomial_decay", "decay_steps", 0, "a whole number from 1 to 1e+07"),
        ("polynomial_decay", "decay_steps", 10.5, "a whole number from 1 to 1e+07"),
        ("polynomial_decay", "decay_steps", 10**30, "a whole number from 1 to 1e+07"),
        ("polynomial_decay", "decay_steps", math.inf, "a whole number from 1 to 1e+07"),
        ("polynomial_decay", "power", 0, "a number above 0 to 100"),
        ("polynomial_decay", "cycle", 0, "true or false"),
        ("exponential_decay", "decay_rate", 0, "a number above 0 to 1e+12"),
        ("inverse_time_decay", "staircase", "no", "true or false"),
        ("cosine_decay", "alpha", 1.5, "a number from 0 to 1"),
        ("cosine_decay", "warmup_target", 0, "a number above 0 to 1e+06, or none"),
        ("cosine_decay", "warmup_steps", -1, "a whole number from 0 to 1e+07"),
        ("cosine_decay_restarts", "t_mul", 0.5, "a number from 1 to 100"),
        ("cosine_decay_restarts", "m_mul", 0, "a number above 0 to 10"),
        ("piecewise_constant_decay", "boundaries", 5, "a list of whole numbers, each from 0"),
        ("piecewise_constant_decay", "boundaries", "12", "a list of whole numbers, each from 0"),
        ("piecewise_constant_decay", "boundaries", [1, 2.5], "a list of whole numbers"),
        ("piecewise_constant_decay", "boundaries", [-1], "a list of whole numbers, each from 0"),
        ("piecewise_constant_decay", "boundaries", [[1], 2], "a list of whole numbers"),
        ("piecewise_constant_decay", "boundaries", {"0": 1}, "a list of whole numbers"),
        ("piecewise_constant_decay", "values", [0.1, None, 0.1], "a list of numbers, each from 0"),
        ("piecewise_constant_decay", "values", [0.1, math.nan, 0.1], "a list of numbers"),
        ("piecewise_constant_decay", "values", None, "a list of numbers, each from 0"),
    ],
)
def test_an_invalid_schedule_parameter_is_refused(
    key: str, name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of(schedule={"name": key, name: value})
    message = str(refusal.value)
    assert message.startswith(f"schedule {key}: {name} = ")
    assert f"is not allowed. It must be {allowed}" in message


@pytest.mark.parametrize(
    ("pieces", "mentioned"),
    [
        ({"boundaries": [20, 10]}, ["boundaries = [20, 10]", "not in order", "10 follows 20"]),
        ({"boundaries": [10, 10]}, ["boundaries = [10, 10]", "not in order", "10 follows 10"]),
        ({"boundaries": [], "values": [0.1]}, ["boundaries is empty", "at least one"]),
        ({"boundaries": [1]}, ["values has 3 entries for 1 boundaries", "2"]),
        ({"values": [0.1]}, ["values has 1 entries for 2 boundaries", "3"]),
        ({"values": []}, ["values has 0 entries for 2 boundaries", "3"]),
    ],
)
def test_inconsistent_pieces_are_refused(pieces: dict[str, Any], mentioned: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of(schedule={"name": "piecewise_constant_decay"} | pieces)
    assert all(part in str(refusal.value) for part in mentioned), refusal.value


def test_two_kinds_of_clipping_at_once_are_refused_as_in_keras() -> None:
    with pytest.raises(InvalidInput, match=r"clipnorm = 1 and clipvalue = 0\.5 are both set"):
        recipe_of({"name": "sgd", "clipnorm": 1.0, "clipvalue": 0.5})
    recipe_of({"name": "sgd", "clipnorm": 1.0, "clipvalue": None})


@pytest.mark.parametrize(
    ("optimizer", "schedule", "mentioned"),
    [
        ({"name": "adam", "beta": 0.9}, None, ["optimizer adam has no parameter 'beta'", "beta_1"]),
        ({"name": "adam", "learning_rate": 0.1}, None, ["no parameter 'learning_rate'"]),
        ({"name": "adam", "": 1}, None, ["no parameter ''"]),
        ({"name": "adam", 5: 1}, None, ["no parameter 5"]),
        ({"name": "momentum", "nesterov": True}, None, ["momentum has no parameter 'nesterov'"]),
        (ADAM, {"name": "constant", "decay_steps": 5}, ["no parameter 'decay_steps'"]),
        (ADAM, {"name": "cosine_decay", "learning_rate": 1.0}, ["no parameter 'learning_rate'"]),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_available_ones(
    optimizer: dict[Any, Any], schedule: dict[str, Any] | None, mentioned: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        recipe_of(optimizer, schedule)
    assert all(part in str(refusal.value) for part in [*mentioned, "It has: "])


GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["name", *OPTIMIZERS, *SCHEDULES, "beta_1", "boundaries", "ramp"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(
                ["optimizer", "schedule", "ramp", "name", "beta_1", "values", "boundaries"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(GARBAGE)
def test_garbage_is_a_valid_recipe_or_refused(values: Any) -> None:
    try:
        recipe = Recipe.from_dict(values)
    except InvalidInput as refusal:
        assert str(refusal).endswith((".", "}"))
        return
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_a_garbage_value_is_refused_or_gives_finite_learning_rates(data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(OPTIMIZERS)))
    schedule = data.draw(st.sampled_from(sorted(SCHEDULES)))
    name = data.draw(st.sampled_from([param.name for param in OPTIMIZERS[key].all_params]))
    rate = data.draw(st.sampled_from([param.name for param in SCHEDULES[schedule].params]))
    values = {"optimizer": {"name": key}, "schedule": {"name": schedule}}
    if data.draw(st.booleans()):
        values["optimizer"][name] = data.draw(GARBAGE)
    else:
        values["schedule"][rate] = data.draw(GARBAGE)
    try:
        recipe = Recipe.from_dict(values)
    except InvalidInput:
        return
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    if not recipe.schedule_spec.reactive:
        rates = recipe.learning_rates(100)
        assert np.isfinite(rates).all()
        assert (rates >= 0).all()
