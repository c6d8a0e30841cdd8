"""Plans and recipes as JSON: they are read back unchanged, and invalid files are refused."""

from __future__ import annotations

import json

import pytest

from lrlab.export import plan_json, read_plan
from lrlab.export.plan_json import MAX_BYTES
from lrlab.params import InvalidInput
from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.recipes.recipe import Recipe
from tests.cases import CASES

CURRENT = RunPlan.of(
    Recipe.from_dict({"optimizer": {"name": "sgd"}}), network="cnn", epochs=7, seed=3
)


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("title", PRESETS)
def test_a_plan_is_read_back_unchanged(title: str) -> None:
    assert read_plan(plan_json(PRESETS[title]).encode(), CURRENT) == PRESETS[title]


@pytest.mark.parametrize("case", CASES)
def test_a_recipe_file_is_combined_with_the_current_plans_settings(case: str) -> None:
    recipe, _ = CASES[case]
    plan = read_plan(as_bytes(recipe.to_dict()), CURRENT)
    assert plan.recipe == recipe
    assert (plan.network, plan.epochs, plan.seed) == ("cnn", 7, 3)


def test_a_byte_order_mark_and_whole_numbers_are_accepted() -> None:
    text = '{"optimizer": {"name": "sgd"}, "schedule": {"name": "constant", "learning_rate": 1}}'
    plan = read_plan(b"\xef\xbb\xbf" + text.encode(), CURRENT)
    assert plan.recipe.schedule.params["learning_rate"] == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a JSON file"),
        (b"\x89PNG\r\n", "not UTF-8 text"),
        (b"{", "is not a JSON file: Expecting property name"),
        (b"[" * 50_000, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "has 100,001 bytes"),
        (b"[1, 2]", "neither a recipe nor a plan"),
        (b"null", "neither a recipe nor a plan"),
        (as_bytes({"epochs": 3}), "neither a recipe nor a plan"),
        (as_bytes({"optimizer": {"name": "adum"}}), "no optimizer 'adum'"),
        (as_bytes({"optimizer": {"name": "adam", "beta": 1}}), "no parameter 'beta'"),
        (as_bytes({"recipe": {"optimizer": {"name": "adam"}}, "epochs": 0}), "epochs = 0"),
        (as_bytes({"recipe": {"optimizer": {"name": "adam"}}, "colour": 0}), "'colour'"),
        (b'{"optimizer": {"name": "sgd", "momentum": NaN}}', "momentum = nan"),
    ],
)
def test_an_invalid_plan_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_plan(content, CURRENT)
