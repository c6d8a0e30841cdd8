"""Random invalid input to every entry point: only documented errors may be raised."""

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
from lrlab.experiments.sweep import SweepAxis, axis_param, sweep, sweepable_params
from lrlab.export import plan_json, read_plan
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput
from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.runs.limits import MAX_NAME_LENGTH
from lrlab.runs.settings import NUMBERS, Settings
from lrlab.runs.store import NotAllowed, Store, UnknownRun
from lrlab.text import escape_markdown
from soak.junk import JUNK, JUNK_STEPS, NUMBERS_OF_ANY_KIND, damaged, damaged_json, text_of

INPUTS = 100_000
OWNER = "soak"


def sensible_recipe(rng: random.Random) -> dict[str, Any]:
    """A random optimizer and schedule with default parameters, as a mapping."""
    return {
        "optimizer": {"name": rng.choice(list(OPTIMIZERS))},
        "schedule": {"name": rng.choice(list(SCHEDULES))},
    }


def try_recipe(rng: random.Random) -> None:
    """`Recipe.from_dict`, and what pages do with an accepted recipe."""
    full = Recipe.from_dict(sensible_recipe(rng)).to_dict()
    recipe = Recipe.from_dict(damaged(full, rng))
    text = json.dumps(recipe.to_dict(), allow_nan=False)
    assert Recipe.from_dict(json.loads(text)) == recipe
    assert recipe.label and recipe.keras_code()
    if not recipe.schedule_spec.reactive:
        recipe.learning_rates(20)


def try_plan(rng: random.Random) -> None:
    """`RunPlan.from_dict`."""
    plan = RunPlan.from_dict(damaged(rng.choice(list(PRESETS.values())).to_dict(), rng))
    assert plan.total_steps >= 1
    json.dumps(plan.to_dict(), allow_nan=False)


def try_trajectory(rng: random.Random) -> None:
    """`trace`."""
    recipe = Recipe.from_dict(sensible_recipe(rng))
    arguments = {"start": (-1.5, 2.0), "steps": 5, "noise": 0.0, "noise_seed": 1}
    arguments[rng.choice(list(arguments))] = rng.choice(JUNK)
    surface = rng.choice([*SURFACES, *(junk for junk in JUNK if isinstance(junk, str))])
    trace(recipe, surface, **arguments)


def try_learning_rates(rng: random.Random) -> None:
    """`Recipe.learning_rates` and `Recipe.with_peak`."""
    recipe = Recipe.from_dict(sensible_recipe(rng))
    assert len(recipe.learning_rates(rng.choice((*JUNK_STEPS, 0, 3)))) <= 3
    recipe.with_peak(rng.choice((*NUMBERS_OF_ANY_KIND, 0.1)), rng.choice((*JUNK_STEPS, 9)))


def try_typed_surface(rng: random.Random) -> None:
    """A typed formula as a surface, and a trajectory on it."""
    formula = rng.choice((text_of(rng), text_of(rng), rng.choice(JUNK)))
    surface = SURFACES["formula"].with_params(formula=formula)
    trace(Recipe.from_dict(sensible_recipe(rng)), surface, steps=5)


def try_drawing(rng: random.Random) -> None:
    """The drawing functions for notebooks."""
    recipe = Recipe.from_dict(sensible_recipe(rng))
    surface = rng.choice((*(junk for junk in JUNK if isinstance(junk, str)), *SURFACES))
    invalid = rng.choice(JUNK)
    # Every call has an invalid argument: drawing valid ones would take long.
    calls = (
        lambda: draw_curve(recipe, steps=invalid, steps_per_epoch=rng.choice((invalid, 1407))),
        lambda: draw_path(recipe, surface, start=invalid, steps=5),
        lambda: draw_path(recipe, surface, steps=invalid),
        lambda: draw_race({"one": recipe}, surface, rate=invalid, steps=5),
        lambda: draw_race({"one": recipe} if rng.random() < 0.5 else {}, surface, start=invalid),
        lambda: draw_map(recipe, surface, invalid, "learning_rate", steps=5),
        lambda: draw_map(recipe, surface, "learning_rate", text_of(rng), steps=invalid),
    )
    rng.choice(calls)()


def try_query(rng: random.Random) -> None:
    """A page's URL query: `read_query`, `resolve_plan` and `resolve_trajectory`."""
    keys = rng.choices(list(every_field()), k=3)
    query = {key: text_of(rng) for key in [*keys, text_of(rng, 3)]}
    query["optimizer"] = rng.choice(list(OPTIMIZERS))
    draft, problems = read_query(query)
    assert all(escape_markdown(sentence) for sentence in problems)
    resolve_plan(draft)
    resolve_trajectory(draft)


def try_run_numbers(rng: random.Random) -> None:
    """Run numbers in a page's URL query."""
    run_numbers(text_of(rng))


def try_formula(rng: random.Random) -> None:
    """A typed formula."""
    tree = read(text_of(rng))
    assert latex(tree)
    program(tree, derivative(tree, "x")).run(np, np.float64(0.5), np.float64(-1.5))


def try_settings(rng: random.Random) -> None:
    """Settings from environment variables."""
    Settings.from_environment({rng.choice(NUMBERS).name: text_of(rng)})


def try_file(rng: random.Random, folder: Path) -> None:
    """A recipe file given on the command line."""
    path = folder / "recipe.json"
    content = json.dumps(sensible_recipe(rng)).encode()
    cut = rng.randrange(len(content))
    path.write_bytes(content[:cut] + rng.randbytes(rng.randint(0, 3)) + content[cut + 1 :])
    read_recipe(path)


def try_upload(rng: random.Random) -> None:
    """An uploaded plan or recipe file."""
    current = next(iter(PRESETS.values()))
    arguments = rng.choice((current.to_dict(), sensible_recipe(rng)))
    text = json.dumps(arguments) if rng.random() < 0.3 else damaged_json(arguments, rng)
    content = text.encode()
    for _ in range(rng.choice((0, 0, 1, 2))):
        cut = rng.randint(0, len(content))
        content = content[:cut] + rng.randbytes(rng.randint(0, 3)) + content[cut + 1 :]
    plan = read_plan(content, current)
    assert read_plan(plan_json(plan).encode(), current) == plan


def try_sweep(rng: random.Random) -> None:
    """Axes, optimizers and seeds of a sweep."""
    plan = RunPlan.of(Recipe.from_dict(sensible_recipe(rng)), epochs=2)
    known = list(sweepable_params(plan.recipe))
    axes = [_axis(rng, plan, known) for _ in range(rng.choice((1, 1, 1, 2, 2, 0, 3)))]
    optimizers = rng.sample(list(OPTIMIZERS), rng.randint(0, 2))
    if rng.random() < 0.1:
        optimizers.append(text_of(rng))
    seeds = [rng.choice((1, 2, -1, 2**31, 10**400)) for _ in range(rng.randint(0, 2))]
    for name, cell in sweep(plan, axes, optimizers, seeds).items():
        assert 0 < len(name) <= MAX_NAME_LENGTH and escape_markdown(name)
        assert RunPlan.from_dict(cell.to_dict()) == cell


def _axis(rng: random.Random, plan: RunPlan, known: Sequence[str]) -> SweepAxis:
    key = rng.choice(known) if rng.random() < 0.9 else text_of(rng)
    if rng.random() < 0.6:
        return SweepAxis.of(key, rng.choices(axis_param(plan.recipe, key).grid() or [True], k=3))
    if rng.random() < 0.5:
        low, high = (rng.choice((*NUMBERS_OF_ANY_KIND, 0.1, 0.9, 3, 50)) for _ in range(2))
        return SweepAxis.between(plan.recipe, key, low, high, rng.choice((-1, 0, 1, 2, 3, 9)))
    if rng.random() < 0.5:
        parts = [text_of(rng, 3) for _ in range(rng.randint(0, 3))]
        param = axis_param(plan.recipe, key)
        return SweepAxis.of(key, [param.parse(part, "sweep") for part in parts])
    return SweepAxis.of(key, [rng.choice((*JUNK, 0.1, 0.5, 2)) for _ in range(3)])


def try_range_test(rng: random.Random) -> None:
    """First and last learning rate of a range test."""
    plan = RunPlan.of(Recipe.from_dict(sensible_recipe(rng)))
    ends = [rng.uniform(0, 1e-3), rng.uniform(0, 20)]
    if rng.random() < 0.7:
        ends[rng.randrange(2)] = rng.choice(NUMBERS_OF_ANY_KIND)
    low, high = ends
    test = range_test_plan(plan, low, high)
    assert math.isclose(test.recipe.learning_rates(test.total_steps)[0], low, rel_tol=1e-6)


def try_group(rng: random.Random, store: Store) -> None:
    """Names of a group and of its runs."""
    junk = [junk for junk in JUNK if isinstance(junk, str)]
    plan = next(iter(PRESETS.values()))
    names = [rng.choice((*junk, text_of(rng), "run")) for _ in range(3)]
    count = rng.choice((0, 1, 2, 3, 41))
    plans = {f"{name}{number}": plan for number, name in enumerate((names * 14)[:count])}
    owner, name = rng.choice(names), rng.choice(names)
    group = store.queue_group(plans, owner=owner, name=name, kind="seeds")
    assert escape_markdown(store.group(group).name)
    for run in store.runs(group=group):
        store.delete(run.id, by=run.owner)


def try_annotate(rng: random.Random, store: Store, run_id: int) -> None:
    """Name, tags and notes of a run."""
    junk = [junk for junk in JUNK if isinstance(junk, str)]
    texts = [rng.choice((*junk, text_of(rng), "tag")) for _ in range(12)]
    store.annotate(
        run_id,
        by=OWNER,
        name=rng.choice((None, *texts)),
        tags=rng.choice((None, texts[: rng.randint(0, 12)])),
        notes=rng.choice((None, *texts)),
    )
    run = store.run(run_id)
    for text in (run.name, run.notes, *run.tags):
        assert escape_markdown(text) or not text


def try_queue(rng: random.Random, store: Store) -> None:
    """Name and owner of a run."""
    names = (rng.choice([junk for junk in JUNK if isinstance(junk, str)]), text_of(rng))
    plan = next(iter(PRESETS.values()))
    run_id = store.queue(plan, owner=rng.choice(names), name=rng.choice(names))
    run = store.run(run_id)
    assert escape_markdown(run.name)
    store.delete(run_id, by=run.owner)


def try_run_calls(rng: random.Random, store: Store, run_id: int) -> None:
    """Store calls with invalid run numbers, owners and codes."""
    texts = [junk for junk in JUNK if isinstance(junk, str)]
    number = rng.choice((run_id, 0, -1, 2**31, 10**400, rng.getrandbits(40)))
    credentials = {"by": rng.choice(texts), "code": rng.choice((*texts, text_of(rng)))}
    calls = (
        lambda: store.run(number),
        lambda: store.group(number),
        lambda: store.points(number),
        lambda: store.epochs(number),
        lambda: store.request_stop(number, **credentials),
        lambda: store.resume(number, **credentials),
        lambda: store.delete(number, **credentials),
        lambda: store.rename_group(number, by=credentials["by"], name=text_of(rng)),
        lambda: store.clear_queue(credentials["code"]),
    )
    with suppress(UnknownRun, NotAllowed):
        rng.choice(calls)()
    assert store.run(run_id).state == "queued"


def find_undocumented_errors(inputs: int, seed: int = 1) -> dict[str, list[str]]:
    """Calls every entry point with random invalid input.

    Args:
        inputs: number of inputs, divided among the fast entries; the slow ones (store, command
            line, drawing) each get a tenth of a share in addition.
        seed: seed of the random input.

    Returns:
        Name of the entry -> its undocumented errors, each with the seed that reproduces it.
    """
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        store = Store(f"sqlite:///{Path(folder) / 'runs.db'}")
        quick = (
            *(try_recipe, try_plan, try_trajectory, try_query, try_run_numbers, try_formula),
            *(try_settings, try_upload, try_sweep, try_range_test, try_learning_rates),
            try_typed_surface,
        )
        entries: dict[str, tuple[Callable[[random.Random], None], int]] = {
            attempt.__name__: (attempt, inputs // len(quick) + 1) for attempt in quick
        }
        described = store.queue(next(iter(PRESETS.values())), owner=OWNER, name="a run")
        slow: dict[str, Callable[[random.Random], None]] = {
            "try_file": lambda rng: try_file(rng, Path(folder)),
            "try_queue": lambda rng: try_queue(rng, store),
            "try_group": lambda rng: try_group(rng, store),
            "try_annotate": lambda rng: try_annotate(rng, store, described),
            "try_run_calls": lambda rng: try_run_calls(rng, store, described),
            "try_drawing": try_drawing,
        }
        share = inputs // len(quick) // 10 + 1
        entries |= {name: (attempt, share) for name, attempt in slow.items()}
        errors = {
            name: _undocumented_errors(attempt, seed, count)
            for name, (attempt, count) in entries.items()
        }
        store.close()
    return errors


def _undocumented_errors(
    attempt: Callable[[random.Random], None], seed: int, count: int
) -> list[str]:
    errors = []
    for number in range(count):
        try:
            attempt(random.Random(f"{seed}.{number}"))
        except InvalidInput:
            continue
        except Exception as error:  # noqa: BLE001
            errors.append(f"input {seed}.{number}: {type(error).__name__}: {str(error)[:200]}")
    return errors


def main() -> bool:
    """Tries 100,000 made-up inputs; returns whether all errors were documented ones."""
    errors = find_undocumented_errors(INPUTS)
    for name, messages in errors.items():
        for message in messages[:5]:
            print(f"  {name}, {message}")
    return report(
        f"{INPUTS:,} made-up inputs: undocumented errors",
        [Figure(name, len(messages), 0, "") for name, messages in errors.items()],
    )
