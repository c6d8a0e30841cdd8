"""Made-up input to every public entry: nothing but the documented error may come of it."""

from __future__ import annotations

import json
import math
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Figure, report
from lrlab import (
    SCHEDULES,
    SURFACES,
    Recipe,
    draw_curve,
    draw_map,
    draw_path,
    draw_race,
    trace,
)
from lrlab.__main__ import read_recipe
from lrlab.controls.draft import read_query, resolve_plan, resolve_trajectory, run_numbers
from lrlab.controls.fields import every_field
from lrlab.descent.formula import derivative, latex, program, read
from lrlab.experiments.range_test import range_test_plan
from lrlab.experiments.sweep import SweepAxis, param_of, sweep, sweepable
from lrlab.export import plan_json, read_plan
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput
from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.runs.limits import NAME_LENGTH
from lrlab.runs.settings import NUMBERS, Settings
from lrlab.runs.store import NotAllowed, Store, UnknownRun
from lrlab.text import escape_markdown
from soak.junk import JUNK, JUNK_STEPS, NUMBERS_OF_ANY_KIND, damaged, damaged_json, text_of

INPUTS = 100_000

OWNER = "soak"


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


def ask_rates(chance: random.Random) -> None:
    """`Recipe.learning_rates` and `Recipe.with_peak`."""
    recipe = Recipe.from_dict(sensible_recipe(chance))
    assert len(recipe.learning_rates(chance.choice((*JUNK_STEPS, 0, 3)))) <= 3
    recipe.with_peak(chance.choice((*NUMBERS_OF_ANY_KIND, 0.1)), chance.choice((*JUNK_STEPS, 9)))


def ask_typed_surface(chance: random.Random) -> None:
    """A surface that somebody types, and a path on it."""
    formula = chance.choice((text_of(chance), text_of(chance), chance.choice(JUNK)))
    surface = SURFACES["formula"].with_params(formula=formula)
    trace(Recipe.from_dict(sensible_recipe(chance)), surface, steps=5)


def ask_drawn(chance: random.Random) -> None:
    """What a notebook draws."""
    recipe = Recipe.from_dict(sensible_recipe(chance))
    surface = chance.choice((*(junk for junk in JUNK if isinstance(junk, str)), *SURFACES))
    odd = chance.choice(JUNK)
    # What is sensible all along would be drawn, which takes a while.
    calls = (
        lambda: draw_curve(recipe, steps=odd, steps_per_epoch=chance.choice((odd, 1407))),
        lambda: draw_path(recipe, surface, start=odd, steps=5),
        lambda: draw_path(recipe, surface, steps=odd),
        lambda: draw_race({"one": recipe}, surface, rate=odd, steps=5),
        lambda: draw_race({"one": recipe} if chance.random() < 0.5 else {}, surface, start=odd),
        lambda: draw_map(recipe, surface, odd, "learning_rate", steps=5),
        lambda: draw_map(recipe, surface, "learning_rate", text_of(chance), steps=odd),
    )
    chance.choice(calls)()


def ask_link(chance: random.Random) -> None:
    """A page's address, as `read_query`, `resolve_plan` and `resolve_trajectory` take it."""
    keys = chance.choices(list(every_field()), k=3)
    query = {key: text_of(chance) for key in [*keys, text_of(chance, 3)]}
    query["optimizer"] = chance.choice(list(OPTIMIZERS))
    draft, refused = read_query(query)
    assert all(escape_markdown(sentence) for sentence in refused)
    resolve_plan(draft)
    resolve_trajectory(draft)


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


def ask_upload(chance: random.Random) -> None:
    """A file that somebody uploads as a plan or a recipe."""
    current = next(iter(PRESETS.values()))
    given = chance.choice((current.to_dict(), sensible_recipe(chance)))
    text = json.dumps(given) if chance.random() < 0.3 else damaged_json(given, chance)
    content = text.encode()
    for _ in range(chance.choice((0, 0, 1, 2))):
        cut = chance.randint(0, len(content))
        content = content[:cut] + chance.randbytes(chance.randint(0, 3)) + content[cut + 1 :]
    plan = read_plan(content, current)
    assert read_plan(plan_json(plan).encode(), current) == plan


def ask_sweep(chance: random.Random) -> None:
    """What a sweep varies, and over what."""
    plan = RunPlan.of(Recipe.from_dict(sensible_recipe(chance)), epochs=2)
    known = list(sweepable(plan.recipe))
    axes = [_axis(chance, plan, known) for _ in range(chance.choice((1, 1, 1, 2, 2, 0, 3)))]
    optimizers = chance.sample(list(OPTIMIZERS), chance.randint(0, 2))
    if chance.random() < 0.1:
        optimizers.append(text_of(chance))
    seeds = [chance.choice((1, 2, -1, 2**31, 10**400)) for _ in range(chance.randint(0, 2))]
    for name, cell in sweep(plan, axes, optimizers, seeds).items():
        assert 0 < len(name) <= NAME_LENGTH and escape_markdown(name)
        assert RunPlan.from_dict(cell.to_dict()) == cell


def _axis(chance: random.Random, plan: RunPlan, known: Sequence[str]) -> SweepAxis:
    key = chance.choice(known) if chance.random() < 0.9 else text_of(chance)
    if chance.random() < 0.6:
        return SweepAxis.of(key, chance.choices(param_of(plan.recipe, key).grid() or [True], k=3))
    if chance.random() < 0.5:
        low, high = (chance.choice((*NUMBERS_OF_ANY_KIND, 0.1, 0.9, 3, 50)) for _ in range(2))
        return SweepAxis.between(plan.recipe, key, low, high, chance.choice((-1, 0, 1, 2, 3, 9)))
    if chance.random() < 0.5:
        parts = [text_of(chance, 3) for _ in range(chance.randint(0, 3))]
        param = param_of(plan.recipe, key)
        return SweepAxis.of(key, [param.parse(part, "sweep") for part in parts])
    return SweepAxis.of(key, [chance.choice((*JUNK, 0.1, 0.5, 2)) for _ in range(3)])


def ask_range_test(chance: random.Random) -> None:
    """From where to where a range test goes."""
    plan = RunPlan.of(Recipe.from_dict(sensible_recipe(chance)))
    ends = [chance.uniform(0, 1e-3), chance.uniform(0, 20)]
    if chance.random() < 0.7:
        ends[chance.randrange(2)] = chance.choice(NUMBERS_OF_ANY_KIND)
    low, high = ends
    test = range_test_plan(plan, low, high)
    assert math.isclose(test.recipe.learning_rates(test.total_steps)[0], low, rel_tol=1e-6)


def ask_group(chance: random.Random, store: Store) -> None:
    """What a group is called, and its runs are."""
    junk = [junk for junk in JUNK if isinstance(junk, str)]
    plan = next(iter(PRESETS.values()))
    names = [chance.choice((*junk, text_of(chance), "run")) for _ in range(3)]
    count = chance.choice((0, 1, 2, 3, 41))
    plans = {f"{name}{number}": plan for number, name in enumerate((names * 14)[:count])}
    owner, name = chance.choice(names), chance.choice(names)
    group = store.queue_group(plans, owner=owner, name=name, kind="seeds")
    assert escape_markdown(store.group(group).name)
    for run in store.runs(group=group):
        store.delete(run.id, by=run.owner)


def ask_describe(chance: random.Random, store: Store, run_id: int) -> None:
    """What somebody writes about a run."""
    junk = [junk for junk in JUNK if isinstance(junk, str)]
    texts = [chance.choice((*junk, text_of(chance), "tag")) for _ in range(12)]
    store.describe(
        run_id,
        by=OWNER,
        name=chance.choice((None, *texts)),
        tags=chance.choice((None, texts[: chance.randint(0, 12)])),
        notes=chance.choice((None, *texts)),
    )
    run = store.run(run_id)
    for text in (run.name, run.notes, *run.tags):
        assert escape_markdown(text) or not text


def ask_store(chance: random.Random, store: Store) -> None:
    """What a run is called, and what its owner is."""
    names = (chance.choice([junk for junk in JUNK if isinstance(junk, str)]), text_of(chance))
    plan = next(iter(PRESETS.values()))
    run_id = store.queue(plan, owner=chance.choice(names), name=chance.choice(names))
    run = store.run(run_id)
    assert escape_markdown(run.name)
    store.delete(run_id, by=run.owner)


def ask_numbers(chance: random.Random, store: Store, run_id: int) -> None:
    """The number of a run, of whoever asks for it, and what is asked."""
    texts = [junk for junk in JUNK if isinstance(junk, str)]
    asked = chance.choice((run_id, 0, -1, 2**31, 10**400, chance.getrandbits(40)))
    who = {"by": chance.choice(texts), "code": chance.choice((*texts, text_of(chance)))}
    calls = (
        lambda: store.run(asked),
        lambda: store.group(asked),
        lambda: store.points(asked),
        lambda: store.epochs(asked),
        lambda: store.request_stop(asked, **who),
        lambda: store.resume(asked, **who),
        lambda: store.delete(asked, **who),
        lambda: store.rename_group(asked, by=who["by"], name=text_of(chance)),
        lambda: store.clear_queue(who["code"]),
    )
    with suppress(UnknownRun, NotAllowed):
        chance.choice(calls)()
    assert store.run(run_id).state == "queued"


def find_surprises(inputs: int, seed: int = 1) -> dict[str, list[str]]:
    """Put made-up input to every entry in turn.

    Args:
        inputs: how many, shared out to the entries; those of the store, which writes a file for
            each, the command line's file and what is drawn get a tenth of a share.
        seed: of chance.

    Returns:
        For each entry the errors that its documentation does not name, with the seed that makes
        the same input again.
    """
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        store = Store(f"sqlite:///{Path(folder) / 'runs.db'}")
        quick = (
            *(ask_recipe, ask_plan, ask_path, ask_link, ask_runs, ask_formula, ask_settings),
            *(ask_upload, ask_sweep, ask_range_test, ask_rates, ask_typed_surface),
        )
        entries: dict[str, tuple[Callable[[random.Random], None], int]] = {
            ask.__name__: (ask, inputs // len(quick) + 1) for ask in quick
        }
        described = store.queue(next(iter(PRESETS.values())), owner=OWNER, name="a run")
        slow: dict[str, Callable[[random.Random], None]] = {
            "ask_file": lambda chance: ask_file(chance, Path(folder)),
            "ask_store": lambda chance: ask_store(chance, store),
            "ask_group": lambda chance: ask_group(chance, store),
            "ask_describe": lambda chance: ask_describe(chance, store, described),
            "ask_numbers": lambda chance: ask_numbers(chance, store, described),
            "ask_drawn": ask_drawn,
        }
        share = inputs // len(quick) // 10 + 1
        entries |= {name: (ask, share) for name, ask in slow.items()}
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
