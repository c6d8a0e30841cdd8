"""A plan is validated, counts its steps, and is read back from JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lrlab import Recipe
from lrlab.params import InvalidInput
from lrlab.recipes.plan import FULL_TRAIN_SIZE, NETWORKS, PRESETS, RunPlan

RECIPE = Recipe.from_dict({"optimizer": {"name": "nadam"}})


def test_a_plans_defaults_are_the_notebooks_settings() -> None:
    plan = RunPlan.of(RECIPE)
    assert (plan.network, plan.epochs, plan.batch_size) == ("mlp", 2, 32)
    assert (plan.seed, plan.train_size) == (1, 45_000)
    assert plan.recipe is RECIPE


@pytest.mark.parametrize(
    ("train_size", "batch_size", "epochs", "per_epoch"),
    [(45_000, 32, 2, 1407), (10, 4096, 3, 1), (64, 32, 5, 2), (65, 32, 1, 3), (100, 1, 1, 100)],
)
def test_the_last_smaller_batch_counts_as_a_step(
    train_size: int, batch_size: int, epochs: int, per_epoch: int
) -> None:
    plan = RunPlan.of(RECIPE, train_size=train_size, batch_size=batch_size, epochs=epochs)
    assert plan.steps_per_epoch == per_epoch
    assert plan.total_steps == per_epoch * epochs


def test_the_notebooks_two_epochs_take_2814_steps() -> None:
    assert RunPlan.of(RECIPE).total_steps == 2814


def test_a_plan_is_read_back_from_json() -> None:
    plan = RunPlan.of(RECIPE, "cnn", epochs=7, batch_size=128, seed=5, train_size=1000)
    text = json.dumps(plan.to_dict(), allow_nan=False)
    assert RunPlan.from_dict(json.loads(text)) == plan


def test_plans_are_hashable() -> None:
    assert len({RunPlan.of(RECIPE), RunPlan.of(RECIPE), RunPlan.of(RECIPE, seed=2)}) == 2


def test_omitted_settings_get_their_defaults() -> None:
    values = {"recipe": {"optimizer": {"name": "nadam"}}}
    assert RunPlan.from_dict(values) == RunPlan.of(RECIPE)


def test_reading_a_plan_does_not_change_the_input() -> None:
    values = RunPlan.of(RECIPE).to_dict()
    before = json.dumps(values)
    RunPlan.from_dict(values)
    assert json.dumps(values) == before


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("epochs", 0, "a whole number from 1 to 100"),
        ("epochs", 101, "a whole number from 1 to 100"),
        ("epochs", 1.5, "a whole number from 1 to 100"),
        ("epochs", "2", "a whole number from 1 to 100"),
        ("epochs", None, "a whole number from 1 to 100"),
        ("epochs", True, "a whole number from 1 to 100"),
        ("batch_size", 0, "a whole number from 1 to 4096"),
        ("batch_size", 10**30, "a whole number from 1 to 4096"),
        ("batch_size", math.nan, "a whole number from 1 to 4096"),
        ("seed", -1, "a whole number from 0"),
        ("seed", 2**31, "a whole number from 0"),
        ("train_size", 9, "a whole number from 10 to 45000"),
        ("train_size", FULL_TRAIN_SIZE + 1, "a whole number from 10 to 45000"),
        ("train_size", math.inf, "a whole number from 10 to 45000"),
    ],
)
def test_an_invalid_setting_is_refused_by_name(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RunPlan.from_dict({"recipe": RECIPE.to_dict(), name: value})
    assert f"run: {name} = {value!r} is not allowed. It must be {allowed}" in str(refusal.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "A plan must be a mapping"),
        ([], "A plan must be a mapping"),
        ("mlp", "A plan must be a mapping"),
        ({}, 'with a "recipe"'),
        ({"epochs": 2}, 'with a "recipe"'),
        ({"recipe": None}, "A recipe must be a mapping"),
        ({"recipe": {"optimizer": {"name": "adamm"}}}, "no optimizer 'adamm'"),
        ({"recipe": RECIPE.to_dict(), "network": "rnn"}, "no network 'rnn'. Choose one of: mlp"),
        ({"recipe": RECIPE.to_dict(), "network": ["mlp"]}, "no network ['mlp']"),
        ({"recipe": RECIPE.to_dict(), "epoch": 2}, "run has no parameter 'epoch'"),
        ({"recipe": RECIPE.to_dict(), "cls": 2}, "run has no parameter 'cls'"),
        ({"recipe": RECIPE.to_dict(), 7: 2}, "run has no parameter 7"),
    ],
)
def test_an_invalid_plan_is_refused(values: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RunPlan.from_dict(values)
    assert message in str(refusal.value)


def test_the_presets_are_the_notebooks_two_exercises() -> None:
    first, second = PRESETS.values()
    assert first.recipe.optimizer.name == "nadam"
    assert set(first.recipe.learning_rates(10)) == {1e-3}
    rates = second.recipe.learning_rates(second.total_steps)
    assert second.recipe.optimizer.name == "sgd"
    assert rates[0] == 0.1
    assert rates[-1] == pytest.approx(0.0999, abs=1e-4)
    for preset in (first, second):
        assert preset == RunPlan.of(preset.recipe)


def test_every_network_has_a_label_and_a_help_text() -> None:
    assert list(NETWORKS) == ["mlp", "cnn"]
    assert all(spec.key == key and spec.label and spec.help for key, spec in NETWORKS.items())


def test_epochs_are_counted_from_one_and_end_with_the_last() -> None:
    plan = RunPlan.of(RECIPE, epochs=2, batch_size=10, train_size=25)
    assert [plan.epoch_at(step) for step in range(7)] == [1, 1, 1, 2, 2, 2, 2]
