"""Plans and recipes as JSON: what is written is read back, what is not one is refused clearly."""

from __future__ import annotations

import json

import pytest

from lrlab.export import MOST_BYTES, plan_json, read_plan
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
def test_a_plan_is_read_back_as_it_was_written(title: str) -> None:
    assert read_plan(plan_json(PRESETS[title]).encode(), CURRENT) == PRESETS[title]


@pytest.mark.parametrize("case", CASES)
def test_a_recipe_alone_takes_the_settings_of_the_current_plan(case: str) -> None:
    recipe, _ = CASES[case]
    plan = read_plan(as_bytes(recipe.to_dict()), CURRENT)
    assert plan.recipe == recipe
    assert (plan.network, plan.epochs, plan.seed) == ("cnn", 7, 3)


def test_a_byte_order_mark_and_whole_numbers_are_taken() -> None:
    text = '{"optimizer": {"name": "sgd"}, "schedule": {"name": "constant", "learning_rate": 1}}'
    plan = read_plan(b"\xef\xbb\xbf" + text.encode(), CURRENT)
    assert plan.recipe.schedule.params["learning_rate"] == 1.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a JSON file"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        (b"{", "is not a JSON file: Expecting property name"),
        (b"[" * 50_000, "nested too deeply"),
        (b" " * (MOST_BYTES + 1), "has 100,001 bytes"),
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
def test_what_is_no_plan_is_refused_in_plain_words(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_plan(content, CURRENT)
