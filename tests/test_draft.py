"""Drafts: from links to plans and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lrlab.controls.draft import (
    CHOICES,
    choice_key,
    draft_of,
    every_field,
    is_stretched,
    optimizer_fields,
    query_of,
    read_query,
    resolve_plan,
    resolve_recipe,
    resolve_trajectory,
    schedule_fields,
    trajectory_fields,
)
from lrlab.descent.surfaces import SURFACES
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput
from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import SCHEDULES


def test_every_default_is_read_back_from_its_text() -> None:
    for field in every_field().values():
        assert field.param.parse(field.default, field.owner) == field.param.default, field.key


def test_every_default_in_a_link_is_accepted() -> None:
    link = {key: field.default for key, field in every_field().items()}
    assert read_query(link) == (link, [])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_draft_of_a_plan_gives_the_same_plan(optimizer: str, schedule: str) -> None:
    recipe = Recipe.from_dict({"optimizer": {"name": optimizer}, "schedule": {"name": schedule}})
    plan = RunPlan.of(recipe, "cnn", epochs=7, batch_size=100, seed=5, train_size=1234)
    assert resolve_plan(draft_of(plan)) == plan


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_draft_of_a_plan_is_a_valid_link(preset: RunPlan) -> None:
    draft = draft_of(preset)
    assert read_query(draft) == (draft, [])


def test_an_empty_draft_is_the_default_plan() -> None:
    plan = resolve_plan({})
    assert (plan.recipe.optimizer.name, plan.recipe.schedule.name) == ("nadam", "cosine_decay")
    assert (plan.network, plan.epochs, plan.batch_size, plan.seed) == ("mlp", 2, 32, 1)
    assert plan.recipe.schedule.params["decay_steps"] == plan.total_steps


def test_a_constant_rate_starts_at_the_optimizers_own_default() -> None:
    for key, spec in OPTIMIZERS.items():
        recipe = resolve_recipe({"optimizer": key, "schedule": "constant"}, 10)
        assert recipe.schedule.params["learning_rate"] == spec.learning_rate


@pytest.mark.parametrize("schedule", [key for key, spec in SCHEDULES.items() if spec.step_params])
def test_percentages_become_steps_of_the_run(schedule: str) -> None:
    draft = {"schedule": schedule, "stretch": "true"}
    short, long = (resolve_recipe(draft, steps).schedule.params for steps in (1_000, 50_000))
    for param in SCHEDULES[schedule].step_params:
        grown = np.multiply(short[param.name], 50)
        assert long[param.name] == pytest.approx(grown, abs=25), param.name


def test_percentages_and_steps_are_stored_separately() -> None:
    draft = {
        "schedule": "exponential_decay",
        "exponential_decay.decay_steps": "1000",
        "exponential_decay.decay_steps.percent": "50",
    }
    steps = {
        stretch: resolve_recipe(draft | {"stretch": stretch}, 300).schedule.params["decay_steps"]
        for stretch in ("true", "false")
    }
    assert steps == {"true": 150, "false": 1000}


def test_a_percentage_of_a_short_run_is_at_least_one_step() -> None:
    draft = {"schedule": "exponential_decay", "exponential_decay.decay_steps.percent": "0"}
    assert resolve_recipe(draft, 10).schedule.params["decay_steps"] == 1


def test_the_training_set_is_limited_to_the_available_images() -> None:
    plan = resolve_plan({"train_size": "45000", "batch_size": "32", "epochs": "1"}, 3_750)
    assert plan.train_size == 3_750
    assert plan.recipe.schedule.params["decay_steps"] == plan.total_steps == 118


@pytest.mark.parametrize(
    ("what", "text", "key"),
    [
        ("optimizer", "Adam", "adam"),
        ("optimizer", " NADAM ", "nadam"),
        ("schedule", "cosine_decay_restarts", "cosine_decay_restarts"),
        ("schedule", "Piecewise constant", "piecewise_constant_decay"),
        ("surface", "himmelblau", "himmelblau"),
        ("network", "cnn", "cnn"),
    ],
)
def test_a_choice_is_found_by_key_or_label_in_any_case(what: str, text: str, key: str) -> None:
    assert choice_key(what, text) == key


def test_each_choice_is_found_by_its_label() -> None:
    for what, registry in CHOICES.items():
        for key, entry in registry.items():
            assert choice_key(what, entry.label) == key


@pytest.mark.parametrize(
    ("key", "text", "mentioned"),
    [
        ("optimizer", "adamm", ["adamm", "adam", "nadam"]),
        ("adam.beta_1", "7", ["adam", "beta_1", "7", "to below 1"]),
        ("adam.beta_1", "nan", ["beta_1", "nan"]),
        ("adam.beta_1", "inf", ["beta_1", "inf"]),
        ("adam.beta_1", "", ["beta_1", "''"]),
        ("adam.amsgrad", "yes", ["amsgrad", "yes", "true or false"]),
        ("epochs", "1.5", ["epochs", "1.5", "whole number"]),
        ("train_size", "60000", ["train_size", "60000", "45000"]),
        ("piecewise_constant_decay.boundaries", "5; 7", ["boundaries", "5; 7"]),
        ("stretch", "perhaps", ["stretch", "perhaps"]),
        ("colour", "blue", ["colour"]),
    ],
)
def test_a_refused_setting_is_named_with_its_value_and_what_is_allowed(
    key: str, text: str, mentioned: list[str]
) -> None:
    accepted, problems = read_query({key: text, "seed": "3"})
    assert accepted == {"seed": "3"}
    assert len(problems) == 1
    for part in mentioned:
        assert part in problems[0]


def test_values_in_a_link_are_normalised() -> None:
    link = {"optimizer": "ADAM", "adam.learning_rate": "0.00001", "adam.amsgrad": "TRUE"}
    normalised = {"optimizer": "adam", "adam.learning_rate": "1e-5", "adam.amsgrad": "true"}
    assert read_query(link) == (normalised, [])


def test_inconsistent_values_are_refused_when_the_recipe_is_made() -> None:
    draft = {
        "schedule": "piecewise_constant_decay",
        "stretch": "false",
        "piecewise_constant_decay.boundaries": "20, 10",
        "piecewise_constant_decay.values": "0.1, 0.01, 0.001",
    }
    with pytest.raises(InvalidInput, match="boundaries"):
        resolve_recipe(draft, 100)


def test_a_trajectory_has_its_surface_start_and_steps() -> None:
    surface, start, steps, *_ = resolve_trajectory(
        {
            "surface": "quadratic_bowl",
            "quadratic_bowl.start": "1, -2",
            "path_steps": "77",
            "rosenbrock.start": "9, 9",
        }
    )
    assert (surface.key, start, steps) == ("quadratic_bowl", (1.0, -2.0), 77)


@pytest.mark.parametrize("text", ["1", "1, 2, 3", "a, b", "1, nan", ""])
def test_a_start_that_is_not_a_point_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="start"):
        resolve_trajectory({"surface": "booth", "booth.start": text})


def test_each_surface_has_fields_for_its_parameters() -> None:
    for key, surface in SURFACES.items():
        keys = {field.key for field in trajectory_fields(key)}
        assert keys == {"path_steps", f"{key}.start"} | {f"{key}.{p.name}" for p in surface.params}


def test_no_two_controls_share_a_key() -> None:
    for optimizer in OPTIMIZERS:
        for schedule in SCHEDULES:
            for stretch in (False, True):
                keys = [field.key for field in optimizer_fields(optimizer)]
                keys += [field.key for field in schedule_fields(schedule, optimizer, stretch)]
                assert len(keys) == len(set(keys))


def test_a_draft_is_stretched_by_default() -> None:
    assert is_stretched({})
    assert not is_stretched({"stretch": "false"})


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_link_holds_only_differences_from_the_defaults_and_gives_the_same_plan(
    preset: RunPlan,
) -> None:
    assert query_of({}) == {}
    plan = replace(preset, epochs=7)
    link = query_of(draft_of(plan))
    assert link["epochs"] == "7" and "seed" not in link
    accepted, problems = read_query(link)
    assert problems == []
    assert resolve_plan(accepted) == plan


def test_a_reactive_schedule_is_allowed_in_a_run_of_more_than_a_million_steps() -> None:
    draft = {"schedule": "reduce_lr_on_plateau", "stretch": "true", "batch_size": "4"}
    plan = resolve_plan(draft | {"epochs": "100"})
    assert plan.total_steps > 1_000_000
    assert plan.recipe.ramp is None
