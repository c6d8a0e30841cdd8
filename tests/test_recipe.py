"""A recipe takes what is allowed, refuses the rest in plain words, and is the same in Keras."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SCHEDULES, Recipe
from lrlab.params import InvalidInput
from tests.cases import CASES, PEAKS, recipes, schedules

ADAM = {"name": "adam"}


def of(optimizer: Any = None, schedule: Any = None) -> Recipe:
    given = {"optimizer": ADAM if optimizer is None else optimizer}
    return Recipe.from_dict(given if schedule is None else given | {"schedule": schedule})


def without_names(config: Any) -> Any:
    """A Keras config without the names that Keras numbers objects by."""
    if isinstance(config, Mapping):
        return {key: without_names(value) for key, value in config.items() if key != "name"}
    return config


def same_config(made: Any, expected: Any) -> bool:
    found, wanted = without_names(made.get_config()), without_names(expected.get_config())
    return type(made) is type(expected) and found == wanted


def optimizer_of_code(recipe: Recipe, folder: Path) -> Any:
    """The optimizer that the recipe's Keras code makes when it is run."""
    file = folder / "recipe.py"
    file.write_text(recipe.keras_code(), encoding="utf-8")
    return runpy.run_path(str(file))["optimizer"]


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(recipes())
def test_a_recipe_comes_back_from_json(recipe: Recipe) -> None:
    text = json.dumps(recipe.to_dict(), allow_nan=False)
    again = Recipe.from_dict(json.loads(text))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert json.dumps(again.to_dict()) == text


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_what_is_left_out_takes_its_default(key: str) -> None:
    recipe = of({"name": key})
    spec = OPTIMIZERS[key]
    defaults = {param.name: param.default for param in spec.all_params}
    assert recipe.to_dict() == {
        "optimizer": {"name": key} | defaults,
        "schedule": {"name": "constant", "learning_rate": spec.learning_rate},
    }


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_schedule_can_be_left_to_its_defaults(key: str) -> None:
    recipe = of(schedule={"name": key})
    chosen = recipe.schedule.params
    for param in SCHEDULES[key].params:
        if param.name != "learning_rate":
            assert chosen[param.name] == param.default


def test_the_rate_of_a_constant_schedule_is_the_optimizers_default_unless_given() -> None:
    assert of({"name": "sgd"}, {"name": "constant"}).schedule.params["learning_rate"] == 0.01
    given = {"name": "constant", "learning_rate": 0.3}
    assert of({"name": "sgd"}, given).schedule.params["learning_rate"] == 0.3


def test_whole_numbers_are_taken_as_floats_and_whole_floats_as_counts() -> None:
    recipe = of({"name": "adam", "beta_1": 0, "clipnorm": 1}, {"name": "cosine_decay"})
    assert recipe.optimizer.params["beta_1"] == 0.0
    assert type(recipe.optimizer.params["beta_1"]) is type(recipe.optimizer.params["clipnorm"])
    steps = of(schedule={"name": "cosine_decay", "decay_steps": 500.0}).schedule.params
    assert type(steps["decay_steps"]) is int


def test_a_recipe_cannot_be_changed() -> None:
    recipe = of()
    with pytest.raises(AttributeError):
        recipe.optimizer = recipe.schedule  # type: ignore[misc]
    with pytest.raises(TypeError):
        recipe.optimizer.params["beta_1"] = 0.5  # type: ignore[index]
    changed = recipe.to_dict()
    changed["optimizer"]["beta_1"] = 0.5
    assert recipe.optimizer.params["beta_1"] == 0.9


def test_reading_a_recipe_does_not_change_what_was_read() -> None:
    given = of(schedule={"name": "piecewise_constant_decay"}).to_dict()
    before = json.dumps(given)
    Recipe.from_dict(given)
    assert json.dumps(given) == before


@pytest.mark.parametrize(
    ("given", "named"),
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
def test_what_is_no_recipe_is_refused_with_what_it_must_be(given: Any, named: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Recipe.from_dict(given)
    assert all(part in str(refusal.value) for part in named), refusal.value
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
def test_a_hyperparameter_that_is_not_allowed_is_refused(
    key: str, name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        of({"name": key, name: value})
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
def test_a_schedules_parameter_that_is_not_allowed_is_refused(
    key: str, name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        of(schedule={"name": key, name: value})
    message = str(refusal.value)
    assert message.startswith(f"schedule {key}: {name} = ")
    assert f"is not allowed. It must be {allowed}" in message


@pytest.mark.parametrize(
    ("pieces", "named"),
    [
        ({"boundaries": [20, 10]}, ["boundaries = [20, 10]", "not in order", "10 follows 20"]),
        ({"boundaries": [10, 10]}, ["boundaries = [10, 10]", "not in order", "10 follows 10"]),
        ({"boundaries": [], "values": [0.1]}, ["boundaries is empty", "at least one"]),
        ({"boundaries": [1]}, ["values has 3 entries for 1 boundaries", "2"]),
        ({"values": [0.1]}, ["values has 1 entries for 2 boundaries", "3"]),
        ({"values": []}, ["values has 0 entries for 2 boundaries", "3"]),
    ],
)
def test_pieces_that_do_not_fit_together_are_refused(
    pieces: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        of(schedule={"name": "piecewise_constant_decay"} | pieces)
    assert all(part in str(refusal.value) for part in named), refusal.value


def test_two_ways_of_clipping_at_once_are_refused_as_in_keras() -> None:
    with pytest.raises(InvalidInput, match=r"clipnorm = 1 and clipvalue = 0\.5 are both set"):
        of({"name": "sgd", "clipnorm": 1.0, "clipvalue": 0.5})
    of({"name": "sgd", "clipnorm": 1.0, "clipvalue": None})


@pytest.mark.parametrize(
    ("optimizer", "schedule", "named"),
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
def test_an_unknown_parameter_is_refused_with_those_there_are(
    optimizer: dict[Any, Any], schedule: dict[str, Any] | None, named: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        of(optimizer, schedule)
    assert all(part in str(refusal.value) for part in [*named, "It has: "])


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
def test_garbage_is_a_recipe_or_refused(given: Any) -> None:
    try:
        recipe = Recipe.from_dict(given)
    except InvalidInput as refusal:
        assert str(refusal).endswith((".", "}"))
        return
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_garbage_as_a_value_is_refused_or_its_recipe_has_finite_rates(data: Any) -> None:
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


@pytest.mark.parametrize("case", CASES)
def test_the_code_makes_the_optimizer_that_the_recipe_makes(case: str, tmp_path: Path) -> None:
    recipe = CASES[case][0]
    assert same_config(optimizer_of_code(recipe, tmp_path), recipe.keras_optimizer())


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_code_of_defaults_makes_the_optimizer_with_keras_defaults(
    key: str, tmp_path: Path
) -> None:
    import keras

    recipe = of({"name": key})
    ours = {"momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9, "nesterov": True}}
    keras_class = getattr(keras.optimizers, OPTIMIZERS[key].keras_class)
    assert same_config(optimizer_of_code(recipe, tmp_path), keras_class(**ours.get(key, {})))
    assert same_config(recipe.keras_optimizer(), keras_class(**ours.get(key, {})))


@pytest.mark.parametrize("key", ["sgd", "adam", "muon"])
def test_the_keras_optimizer_has_every_value_of_the_recipe(key: str) -> None:
    for schedule in schedules(PEAKS[key]):
        recipe = of({"name": key, "weight_decay": 0.25, "clipnorm": 3.0}, schedule)
        config = recipe.keras_optimizer().get_config()
        for name, value in recipe.optimizer.values:
            assert config[name] == value
        rate = config["learning_rate"]
        if schedule["name"] == "constant":
            assert rate == pytest.approx(schedule["learning_rate"])
        else:
            assert (
                rate["config"].items() >= {k: v for k, v in schedule.items() if k != "name"}.items()
            )


def test_each_call_makes_a_fresh_keras_optimizer() -> None:
    recipe = of()
    assert recipe.keras_optimizer() is not recipe.keras_optimizer()


def test_the_label_names_optimizer_and_schedule() -> None:
    assert of({"name": "nadam"}).label == "Nadam, 0.001"
    assert of(schedule={"name": "exponential_decay"}).label == "Adam, exponential decay"
