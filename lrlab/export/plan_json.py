"""Plans and recipes as JSON files that people download and upload again."""

from __future__ import annotations

import json
from dataclasses import replace

from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe

MAX_BYTES = 100_000
"""The largest file that is read; a plan takes about 1,000 bytes."""


def plan_json(plan: RunPlan) -> str:
    """A plan as JSON that `read_plan` reads back, one setting per line."""
    return json.dumps(plan.to_dict(), indent=2, allow_nan=False) + "\n"


def read_json(content: bytes, what: str) -> object:
    """The value in a JSON file.

    Args:
        content: UTF-8, with or without a byte-order mark (PowerShell writes one).
        what: the file's name in messages.

    Raises:
        InvalidInput: the file is too large, is not text, or is not JSON.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            f"{what} has {len(content):,} bytes. A recipe or plan has at most {MAX_BYTES:,}. Check "
            "that it is the right file."
        )
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} is not a JSON file: it is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidInput(f"{what} is not a JSON file: {reason}.") from None


def read_plan(content: bytes, current: RunPlan, what: str = "The file") -> RunPlan:
    """The plan in an uploaded file.

    Args:
        content: a plan as written by `plan_json`, in which omitted settings take their defaults, or
            a recipe alone.
        current: the plan that provides the network and settings for a recipe alone.
        what: the file's name in messages.

    Raises:
        InvalidInput: the file is too large, not JSON, or neither a plan nor a recipe, or one of
            its entries is unknown or not allowed.
    """
    value = read_json(content, what)
    if isinstance(value, dict) and "recipe" in value:
        return RunPlan.from_dict(value)
    if isinstance(value, dict) and "optimizer" in value:
        return replace(current, recipe=Recipe.from_dict(value))
    raise InvalidInput(
        f'{what} contains neither a recipe nor a plan: a recipe has an "optimizer", such as '
        '{"optimizer": {"name": "adam"}}, a plan has a "recipe".'
    )
