"""Plans and recipes as JSON, written for people to keep and read back from what they upload."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe

MOST_BYTES = 100_000
"""The largest file that is read; a plan takes some 1,000."""


def plan_json(plan: RunPlan) -> str:
    """A plan as JSON that `read_plan` takes, each setting on its line."""
    return json.dumps(plan.to_dict(), indent=2, allow_nan=False) + "\n"


def read_json(content: bytes, what: str) -> Any:
    """What a JSON file holds.

    Args:
        content: of the file, UTF-8, with or without a byte-order mark (PowerShell writes one).
        what: how messages call the file.

    Raises:
        InvalidInput: it is too large, is no text, or is not JSON.
    """
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"{what} has {len(content):,} bytes. A recipe or plan has at most {MOST_BYTES:,}: is "
            "it another file?"
        )
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} is not a JSON file: it is not text in UTF-8.") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidInput(f"{what} is not a JSON file: {reason}.") from None


def read_plan(content: bytes, current: RunPlan, what: str = "The file") -> RunPlan:
    """The plan in an uploaded file.

    Args:
        content: of the file: a plan as `plan_json` writes it, or a recipe alone, which takes
            network and settings from the current plan. What it leaves out takes its default.
        current: see above.
        what: how messages call the file.

    Raises:
        InvalidInput: the file is too large, not JSON, or holds neither a plan nor a recipe, or
            one with an entry that is unknown or not allowed.
    """
    given = read_json(content, what)
    if isinstance(given, dict) and "recipe" in given:
        return RunPlan.from_dict(given)
    if isinstance(given, dict) and "optimizer" in given:
        return replace(current, recipe=Recipe.from_dict(given))
    raise InvalidInput(
        f'{what} holds neither a recipe nor a plan: a recipe has an "optimizer", such as '
        '{"optimizer": {"name": "adam"}}, a plan has a "recipe".'
    )
