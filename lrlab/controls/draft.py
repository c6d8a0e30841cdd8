"""The draft: what the controls hold, as texts under flat keys, exactly what a link carries.

A draft becomes a `RunPlan` once it is resolved: percentages of a run become steps, texts become
checked values. A stored recipe is therefore always concrete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lrlab.controls.fields import (
    CHOICES,
    OPENING,
    STRETCH,
    Field,
    every_field,
    noise_fields,
    optimizer_fields,
    plan_fields,
    race_field,
    ramp_fields,
    schedule_fields,
    trajectory_fields,
)
from lrlab.descent.surfaces import SURFACES, Surface
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput, Param, lookup, shown
from lrlab.recipes.plan import FULL_TRAIN_SIZE, PLAN_PARAMS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import RAMP, SCHEDULES, Schedule

RUN, RUNS = "run", "runs"
"""What a link calls the run, or the runs, that it opens."""


def run_numbers(text: str) -> tuple[int, ...]:
    """The numbers of runs, each once, as a link carries them: ``3`` or ``3,5``.

    Raises:
        InvalidInput: anything else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InvalidInput(
            f"{RUNS} = {shown(text)} is not allowed. It must be the numbers of runs with commas "
            "between them, such as 3,5."
        )
    return tuple(dict.fromkeys(int(part) for part in parts))


def read_query(query: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What a link says, and what of it was not taken.

    Args:
        query: the parameters of a URL.

    Returns:
        The accepted texts by key, and a sentence for each refused one.
    """
    fields = every_field()
    taken: dict[str, str] = {}
    refused: list[str] = []
    for key, text in query.items():
        try:
            if key in CHOICES:
                taken[key] = choice_key(key, text)
            elif key in (RUN, RUNS):
                taken[key] = ",".join(map(str, run_numbers(text)))
            elif key in fields:
                field = fields[key]
                taken[key] = field.param.text(field.param.parse(text, field.owner))
            else:
                refused.append(f"{shown(key)} is not a setting of LR Lab.")
        except InvalidInput as error:
            refused.append(str(error))
    return taken, refused


def choice_key(what: str, text: str) -> str:
    """The key of a choice given by key or by label, in any case.

    Raises:
        InvalidInput: there is no such choice.
    """
    registry = CHOICES[what]
    for key, entry in registry.items():
        if text.strip().lower() in (key, entry.label.lower()):
            return key
    return lookup(registry, text, what).key


def resolve_recipe(draft: Mapping[str, str], total_steps: int) -> Recipe:
    """The recipe a draft describes for a run, or a path, of ``total_steps`` steps.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    optimizer, schedule = _chosen(draft, "optimizer"), _chosen(draft, "schedule")
    spec, stretch = SCHEDULES[schedule], is_stretched(draft)
    rates = _values(draft, schedule_fields(schedule, optimizer, stretch))
    ramp = {param.name: param.default for param in RAMP.params}
    ramp |= _values(draft, _ramp_fields(draft))
    if stretch:
        rates = spec.fit(_in_steps(spec, rates, total_steps))
        rates = _checked_steps(spec, rates, f"schedule {schedule}")
        ramp = _checked_steps(RAMP, _in_steps(RAMP, ramp, total_steps), RAMP.key)
    hyper = _values(draft, optimizer_fields(optimizer))
    return Recipe.of(OPTIMIZERS[optimizer], hyper, spec, rates, ramp)


def resolve_plan(draft: Mapping[str, str], most_images: int = FULL_TRAIN_SIZE) -> RunPlan:
    """The planned run a draft describes.

    Args:
        draft: see above.
        most_images: how many training images there are to be had; a larger training set is cut
            down to them.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    settings = _values(draft, plan_fields())
    settings["train_size"] = min(settings["train_size"], most_images)
    total = -(-settings["train_size"] // settings["batch_size"]) * settings["epochs"]
    return RunPlan.of(resolve_recipe(draft, total), _chosen(draft, "network"), **settings)


class TrajectoryPlan(NamedTuple):
    """What of a path is not the recipe's: the arguments of `lrlab.descent.trajectory.trace`."""

    surface: Surface
    start: tuple[float, float]
    steps: int
    noise: float
    noise_seed: int


def resolve_trajectory(draft: Mapping[str, str]) -> TrajectoryPlan:
    """The path a draft describes, besides its recipe.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    key = _chosen(draft, "surface")
    values = _values(draft, trajectory_fields(key))
    steps, start = values.pop("path_steps"), values.pop("start")
    surface = SURFACES[key].with_params(**values)
    noise = {field.param.name: _value(draft, field) for field in noise_fields()}
    return TrajectoryPlan(surface, surface.check_start(start), steps, **noise)


def resolve_rate(draft: Mapping[str, str]) -> float:
    """The learning rate of a race that is the same for everybody.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    return _value(draft, race_field())


def draft_of(plan: RunPlan) -> dict[str, str]:
    """The draft that gives this plan back: every text, nothing stretched."""
    recipe = plan.recipe
    optimizer, schedule = recipe.optimizer.name, recipe.schedule.name
    draft = {
        "optimizer": optimizer,
        "schedule": schedule,
        "network": plan.network,
        "stretch": "false",
    }
    ramp = recipe.ramp.params if recipe.ramp else {}
    for values, fields in (
        (recipe.optimizer.params, optimizer_fields(optimizer)),
        (recipe.schedule.params, schedule_fields(schedule, optimizer, stretch=False)),
        (ramp, ramp_fields(stretch=False)),
        ({param.name: getattr(plan, param.name) for param in PLAN_PARAMS}, plan_fields()),
    ):
        for field in fields:
            value = values.get(field.param.name, field.param.default)
            draft[field.key] = field.param.text(value)
    return draft


def query_of(draft: Mapping[str, str]) -> dict[str, str]:
    """The URL parameters of a draft: what differs from the defaults and has a control now."""
    optimizer, schedule = _chosen(draft, "optimizer"), _chosen(draft, "schedule")
    query = {
        what: registry[_chosen(draft, what)].label
        for what, registry in CHOICES.items()
        if _chosen(draft, what) != OPENING[what]
    }
    fields = (
        Field("stretch", STRETCH, "schedule"),
        *optimizer_fields(optimizer),
        *schedule_fields(schedule, optimizer, is_stretched(draft)),
        *_ramp_fields(draft),
        *plan_fields(),
        *trajectory_fields(_chosen(draft, "surface")),
        *noise_fields(),
    )
    held = {field.key: draft.get(field.key, field.default) for field in fields}
    return query | {f.key: held[f.key] for f in fields if held[f.key] != f.default}


def is_stretched(draft: Mapping[str, str]) -> bool:
    """Whether the schedule's lengths are percentages of the run."""
    return draft.get("stretch", OPENING["stretch"]) == "true"


def _chosen(draft: Mapping[str, str], what: str) -> str:
    return choice_key(what, draft.get(what, OPENING[what]))


def _ramp_fields(draft: Mapping[str, str]) -> tuple[Field, ...]:
    """The controls of the ramp; a reactive schedule takes none."""
    if SCHEDULES[_chosen(draft, "schedule")].reactive:
        return ()
    return ramp_fields(is_stretched(draft))


def _values(draft: Mapping[str, str], fields: Iterable[Field]) -> dict[str, Any]:
    return {field.param.name: _value(draft, field) for field in fields}


def _value(draft: Mapping[str, str], field: Field) -> Any:
    return field.param.parse(draft.get(field.key, field.default), field.owner)


def _in_steps(spec: Schedule, values: dict[str, Any], total_steps: int) -> dict[str, Any]:
    """The values, their percentages of the run turned into steps."""
    counts = {param.name: param for param in spec.step_params}
    return {
        name: _steps(counts[name], value, total_steps) if name in counts else value
        for name, value in values.items()
    }


def _checked_steps(spec: Schedule, values: dict[str, Any], owner: str) -> dict[str, Any]:
    """The values, their numbers of steps checked: no control held these."""
    steps = {param.name: param.check(values[param.name], owner) for param in spec.step_params}
    return values | steps


def _steps(param: Param, percent: Any, total_steps: int) -> Any:
    if isinstance(percent, tuple):
        return tuple(_steps(param, part, total_steps) for part in percent)
    return max(int(param.low), round(percent / 100 * total_steps))
