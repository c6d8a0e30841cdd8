"""A recipe accepts valid values, is immutable, and gives the same optimizer in Keras."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lrlab import OPTIMIZERS, SCHEDULES, Recipe
from tests.cases import CASES, PEAKS, recipes, schedules

ADAM = {"name": "adam"}


def recipe_of(optimizer: Any = None, schedule: Any = None) -> Recipe:
    values = {"optimizer": ADAM if optimizer is None else optimizer}
    return Recipe.from_dict(values if schedule is None else values | {"schedule": schedule})


def without_names(config: Any) -> Any:
    """A Keras config without the object names, which Keras numbers."""
    if isinstance(config, Mapping):
        return {key: without_names(value) for key, value in config.items() if key != "name"}
    return config


def same_config(actual: Any, expected: Any) -> bool:
    configs = [without_names(each.get_config()) for each in (actual, expected)]
    return type(actual) is type(expected) and configs[0] == configs[1]


def optimizer_of_code(recipe: Recipe, folder: Path) -> Any:
    """The optimizer that the recipe's Keras code creates."""
    file = folder / "recipe.py"
    file.write_text(recipe.keras_code(), encoding="utf-8")
    return runpy.run_path(str(file))["optimizer"]


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(recipes())
def test_a_recipe_is_read_back_from_json(recipe: Recipe) -> None:
    text = json.dumps(recipe.to_dict(), allow_nan=False)
    restored = Recipe.from_dict(json.loads(text))
    assert restored == recipe
    assert hash(restored) == hash(recipe)
    assert json.dumps(restored.to_dict()) == text


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_omitted_parameters_get_their_defaults(key: str) -> None:
    recipe = recipe_of({"name": key})
    spec = OPTIMIZERS[key]
    defaults = {param.name: param.default for param in spec.all_params}
    assert recipe.to_dict() == {
        "optimizer": {"name": key} | defaults,
        "schedule": {"name": "constant", "learning_rate": spec.learning_rate},
    }


@pytest.mark.parametrize("key", SCHEDULES)
def test_omitted_schedule_parameters_get_their_defaults(key: str) -> None:
    recipe = recipe_of(schedule={"name": key})
    chosen = recipe.schedule.params
    for param in SCHEDULES[key].params:
        if param.name != "learning_rate":
            assert chosen[param.name] == param.default


def test_the_default_of_a_constant_schedule_is_the_optimizers_learning_rate() -> None:
    assert recipe_of({"name": "sgd"}, {"name": "constant"}).schedule.params["learning_rate"] == 0.01
    schedule = {"name": "constant", "learning_rate": 0.3}
    assert recipe_of({"name": "sgd"}, schedule).schedule.params["learning_rate"] == 0.3


def test_whole_numbers_are_converted_to_floats_and_whole_floats_to_counts() -> None:
    recipe = recipe_of({"name": "adam", "beta_1": 0, "clipnorm": 1}, {"name": "cosine_decay"})
    assert recipe.optimizer.params["beta_1"] == 0.0
    assert type(recipe.optimizer.params["beta_1"]) is type(recipe.optimizer.params["clipnorm"])
    steps = recipe_of(schedule={"name": "cosine_decay", "decay_steps": 500.0}).schedule.params
    assert type(steps["decay_steps"]) is int


def test_a_recipe_cannot_be_changed() -> None:
    recipe = recipe_of()
    with pytest.raises(AttributeError):
        recipe.optimizer = recipe.schedule  # type: ignore[misc]
    with pytest.raises(TypeError):
        recipe.optimizer.params["beta_1"] = 0.5  # type: ignore[index]
    changed = recipe.to_dict()
    changed["optimizer"]["beta_1"] = 0.5
    assert recipe.optimizer.params["beta_1"] == 0.9


def test_reading_a_recipe_does_not_change_the_input() -> None:
    values = recipe_of(schedule={"name": "piecewise_constant_decay"}).to_dict()
    before = json.dumps(values)
    Recipe.from_dict(values)
    assert json.dumps(values) == before


@pytest.mark.parametrize("case", CASES)
def test_the_code_creates_the_recipes_optimizer(case: str, tmp_path: Path) -> None:
    recipe = CASES[case][0]
    assert same_config(optimizer_of_code(recipe, tmp_path), recipe.keras_optimizer())


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_code_of_defaults_creates_the_optimizer_with_keras_defaults(
    key: str, tmp_path: Path
) -> None:
    import keras

    recipe = recipe_of({"name": key})
    changed_defaults = {
        "momentum": {"momentum": 0.9},
        "nesterov": {"momentum": 0.9, "nesterov": True},
    }
    keras_class = getattr(keras.optimizers, OPTIMIZERS[key].keras_class)
    assert same_config(
        optimizer_of_code(recipe, tmp_path), keras_class(**changed_defaults.get(key, {}))
    )
    assert same_config(recipe.keras_optimizer(), keras_class(**changed_defaults.get(key, {})))


@pytest.mark.parametrize("key", ["sgd", "adam", "muon"])
def test_the_keras_optimizer_has_every_value_of_the_recipe(key: str) -> None:
    for schedule in schedules(PEAKS[key]):
        recipe = recipe_of({"name": key, "weight_decay": 0.25, "clipnorm": 3.0}, schedule)
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


def test_each_call_creates_a_new_keras_optimizer() -> None:
    recipe = recipe_of()
    assert recipe.keras_optimizer() is not recipe.keras_optimizer()


def test_the_label_names_optimizer_and_schedule() -> None:
    assert recipe_of({"name": "nadam"}).label == "Nadam, 0.001"
    assert recipe_of(schedule={"name": "exponential_decay"}).label == "Adam, exponential decay"
