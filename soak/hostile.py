"""Made-up input to every public entry: nothing but the documented error may come of it."""

from __future__ import annotations

import json
import math
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Figure, report
from lrlab import SCHEDULES, SURFACES, Recipe, trace
from lrlab.__main__ import read_recipe
from lrlab.draft import read_query, resolve_path, resolve_plan, run_numbers
from lrlab.fields import every_field
from lrlab.formula import derivative, latex, program, read
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput
from lrlab.plan import PRESETS, RunPlan
from lrlab.settings import NUMBERS, Settings
from lrlab.store import Store
from lrlab.words import plain

INPUTS = 100_000

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 10**400, -0.0, 1e-320, 1e308, -1e308),
    *(math.nan, math.inf, -math.inf, 0.5, "", " ", "off", "nan", "1e999", "0x10", "1_0", "٣"),
    *("\0", "\ud800", "\u202e", "'; drop table runs; --", "<script>", "$x$", "../../etc/passwd"),
    *("x" * 5_000, "9" * 5_000, b"bytes", [], {}, (), [[]], [math.nan], [10**400], {"a": {}}),
    *({"name": "adam"}, {1: 2}, {None: None}, object, np.float32(1), np.int64(3), np.array([1])),
)
"""What is put in the place of something sensible."""

PIECES = (
    *"xyeπ0123456789.+-*/^(),= '\"\\#@!&|<>[]{}:;?%~`_\n\t",
    *("sin(", "exp(", "sqrt", "pi", "1e308", "**", "lambda x: x", "__import__('os')", "x.y"),
    *("é", "\0", "\ud800", "²", "((((", "))))", "log(0)", "if", "1e-320", "x" * 300),
)
"""What formulas and texts are put together from."""


def damaged(value: Any, chance: random.Random) -> Any:
    """A copy of a value of JSON's kind with something in it replaced, dropped or added."""
    if chance.random() < 0.15:
        return chance.choice(JUNK)
    if isinstance(value, Mapping) and value:
        copy = dict(value)
        key = chance.choice(list(copy))
        if chance.random() < 0.15:
            del copy[key]
        elif chance.random() < 0.15:
            copy[chance.choice(("extra", "name", 7, "", None))] = chance.choice(JUNK)
        else:
            copy[key] = damaged(copy[key], chance)
        return copy
    if isinstance(value, list | tuple) and value:
        copy = list(value)
        copy[chance.randrange(len(copy))] = damaged(copy[0], chance)
        return copy
    return chance.choice(JUNK)


def text_of(chance: random.Random, most: int = 12) -> str:
    """A text put together from `PIECES`."""
    return "".join(chance.choices(PIECES, k=chance.randint(0, most)))


def sensible_recipe(chance: random.Random) -> dict[str, Any]:
    """A recipe of defaults, as a mapping."""
    return {
        "optimizer": {"name": chance.choice(list(OPTIMIZERS))},
        "schedule": {"name": chance.choice(list(SCHEDULES))},
    }


def ask_recipe(chance: random.Random) -> None:
    """`Recipe.from_dict`, and what pages do with what it took."""
    full = Recipe.from_dict(sensible_recipe(chance)).to_dict()
    recipe = Recipe.from_dict(damaged(full, chance))
    text = json.dumps(recipe.to_dict(), allow_nan=False)
    assert Recipe.from_dict(json.loads(text)) == recipe
    assert recipe.label and recipe.keras_code()
    if not recipe.schedule_spec.reactive:
        recipe.learning_rates(20)


def ask_plan(chance: random.Random) -> None:
    """`RunPlan.from_dict`."""
    plan = RunPlan.from_dict(damaged(chance.choice(list(PRESETS.values())).to_dict(), chance))
    assert plan.total_steps >= 1
    json.dumps(plan.to_dict(), allow_nan=False)


def ask_path(chance: random.Random) -> None:
    """`trace`."""
    recipe = Recipe.from_dict(sensible_recipe(chance))
    given = {"start": (-1.5, 2.0), "steps": 5, "noise": 0.0, "noise_seed": 1}
    given[chance.choice(list(given))] = chance.choice(JUNK)
    surface = chance.choice([*SURFACES, *(junk for junk in JUNK if isinstance(junk, str))])
    trace(recipe, surface, **given)


def ask_link(chance: random.Random) -> None:
    """A page's address, as `read_query`, `resolve_plan` and `resolve_path` take it."""
    keys = chance.choices(list(every_field()), k=3)
    query = {key: text_of(chance) for key in [*keys, text_of(chance, 3)]}
    query["optimizer"] = chance.choice(list(OPTIMIZERS))
    draft, refused = read_query(query)
    assert all(plain(sentence) for sentence in refused)
    resolve_plan(draft)
    resolve_path(draft)


def ask_runs(chance: random.Random) -> None:
    """The numbers of runs in a page's address."""
    run_numbers(text_of(chance))


def ask_formula(chance: random.Random) -> None:
    """A formula that somebody types."""
    tree = read(text_of(chance))
    assert latex(tree)
    program(tree, derivative(tree, "x")).run(np, np.float64(0.5), np.float64(-1.5))


def ask_settings(chance: random.Random) -> None:
    """The environment."""
    Settings.from_environment({chance.choice(NUMBERS).name: text_of(chance)})


def ask_file(chance: random.Random, folder: Path) -> None:
    """A recipe's file on the command line."""
    path = folder / "recipe.json"
    content = json.dumps(sensible_recipe(chance)).encode()
    cut = chance.randrange(len(content))
    path.write_bytes(content[:cut] + chance.randbytes(chance.randint(0, 3)) + content[cut + 1 :])
    read_recipe(path)


def ask_store(chance: random.Random, store: Store) -> None:
    """What a run is called, and what its owner is."""
    names = (chance.choice([junk for junk in JUNK if isinstance(junk, str)]), text_of(chance))
    plan = next(iter(PRESETS.values()))
    run_id = store.queue(plan, owner=chance.choice(names), name=chance.choice(names))
    run = store.run(run_id)
    assert plain(run.name)
    store.delete(run_id, by=run.owner)


def find_surprises(inputs: int, seed: int = 1) -> dict[str, list[str]]:
    """Put made-up input to every entry in turn.

    Args:
        inputs: how many, shared out to the entries; the store, which writes a file for each, and
            the command line's file get a tenth of a share.
        seed: of chance.

    Returns:
        For each entry the errors that its documentation does not name, with the seed that makes
        the same input again.
    """
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        store = Store(f"sqlite:///{Path(folder) / 'runs.db'}")
        quick = (ask_recipe, ask_plan, ask_path, ask_link, ask_runs, ask_formula, ask_settings)
        entries: dict[str, tuple[Callable[[random.Random], None], int]] = {
            ask.__name__: (ask, inputs // len(quick) + 1) for ask in quick
        }
        share = inputs // len(quick) // 10 + 1
        entries["ask_file"] = (lambda chance: ask_file(chance, Path(folder)), share)
        entries["ask_store"] = (lambda chance: ask_store(chance, store), share)
        surprises = {
            name: _surprises_of(ask, seed, count) for name, (ask, count) in entries.items()
        }
        store.close()
    return surprises


def _surprises_of(ask: Callable[[random.Random], None], seed: int, count: int) -> list[str]:
    found = []
    for number in range(count):
        try:
            ask(random.Random(f"{seed}.{number}"))
        except InvalidInput:
            continue
        except Exception as error:  # noqa: BLE001
            found.append(f"input {seed}.{number}: {type(error).__name__}: {str(error)[:200]}")
    return found


def main() -> bool:
    """Put 100,000 inputs to the entries; whether nothing surprising came of any."""
    surprises = find_surprises(INPUTS)
    for name, found in surprises.items():
        for surprise in found[:5]:
            print(f"  {name}, {surprise}")
    return report(
        f"{INPUTS:,} made-up inputs: errors that are not the documented one",
        [Figure(name, len(found), 0, "") for name, found in surprises.items()],
    )
