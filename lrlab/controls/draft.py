"""The draft: the values of all controls as texts under flat keys, exactly as a link carries them.

Resolving a draft gives a `RunPlan`: percentages of a run become steps, texts become checked
values. A stored recipe therefore always holds concrete values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lrlab.controls.fields import (
    CHOICES,
    INITIAL_CHOICES,
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
from lrlab.params import (
    InvalidInput,
    Param,
    Value,
    as_number,
    check_all,
    lookup,
    number_of,
    numbers_of,
    shown,
)
from lrlab.recipes.plan import FULL_TRAIN_SIZE, PLAN_PARAMS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import RAMP, SCHEDULES, Schedule

RUN, RUNS = "run", "runs"
"""The query keys under which a link names the run, or the runs, that it opens."""


def run_numbers(text: str) -> tuple[int, ...]:
    """The run numbers in a link's text, such as ``3`` or ``3,5``, without duplicates.

    Raises:
        InvalidInput: the text is anything else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InvalidInput(
            f"{RUNS} = {shown(text)} is not allowed. It must be run numbers separated by commas, "
            "such as 3,5."
        )
    return tuple(dict.fromkeys(int(part) for part in parts))


def read_query(query: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Check the parameters of a link.

    Args:
        query: the parameters of a URL.

    Returns:
        The accepted texts by key, and one error message for each refused parameter.
    """
    fields = every_field()
    accepted: dict[str, str] = {}
    messages: list[str] = []
    for key, text in query.items():
        try:
            if key in CHOICES:
                accepted[key] = choice_key(key, text)
            elif key in (RUN, RUNS):
                accepted[key] = ",".join(map(str, run_numbers(text)))
            elif key in fields:
                field = fields[key]
                accepted[key] = field.param.text(field.param.parse(text, field.owner))
            else:
                messages.append(f"{shown(key)} is not a setting of LR Lab.")
        except InvalidInput as error:
            messages.append(str(error))
    return accepted, messages


def choice_key(what: str, text: str) -> str:
    """The key of a list entry that is named by its key or its label, in any case.

    Args:
        what: a key of `CHOICES`.
        text: the name.

    Raises:
        InvalidInput: there is no such entry.
    """
    registry = CHOICES[what]
    for key, entry in registry.items():
        if text.strip().lower() in (key, entry.label.lower()):
            return key
    return lookup(registry, text, what).key


def resolve_recipe(draft: Mapping[str, str], total_steps: int) -> Recipe:
    """The recipe of a draft, for a run or a trajectory of ``total_steps`` steps.

    Raises:
        InvalidInput: a text cannot be parsed, or a value is not allowed.
    """
    optimizer, schedule = _choice(draft, "optimizer"), _choice(draft, "schedule")
    spec, stretch = SCHEDULES[schedule], is_stretched(draft)
    rates = _values(draft, schedule_fields(schedule, optimizer, stretch))
    ramp = _values(draft, _ramp_fields(draft))
    if stretch:
        rates = spec.fit(_in_steps(spec, rates, total_steps))
        rates = _check_steps(spec, rates, f"schedule {schedule}")
        ramp = _in_steps(RAMP, ramp, total_steps)
    ramp = check_all(RAMP.params, ramp, RAMP.key)
    hyper = _values(draft, optimizer_fields(optimizer))
    return Recipe.of(OPTIMIZERS[optimizer], hyper, spec, rates, ramp)


def resolve_plan(draft: Mapping[str, str], max_images: int = FULL_TRAIN_SIZE) -> RunPlan:
    """The planned run of a draft.

    Args:
        draft: texts by key.
        max_images: the number of available training images; a larger training set is reduced to
            this size.

    Raises:
        InvalidInput: a text cannot be parsed, or a value is not allowed.
    """
    settings = {field.param.name: int(_number(draft, field)) for field in plan_fields()}
    settings["train_size"] = min(settings["train_size"], max_images)
    total_steps = -(-settings["train_size"] // settings["batch_size"]) * settings["epochs"]
    return RunPlan.of(resolve_recipe(draft, total_steps), _choice(draft, "network"), **settings)


class TrajectoryPlan(NamedTuple):
    """The arguments of `lrlab.descent.trajectory.trace` besides the recipe."""

    surface: Surface
    start: tuple[float, float]
    steps: int
    noise: float
    noise_seed: int


def resolve_trajectory(draft: Mapping[str, str]) -> TrajectoryPlan:
    """The settings of a draft's trajectory, without its recipe.

    Raises:
        InvalidInput: a text cannot be parsed, or a value is not allowed.
    """
    key = _choice(draft, "surface")
    values = _values(draft, trajectory_fields(key))
    steps, start = int(number_of(values, "path_steps")), numbers_of(values, "start")
    own = {name: value for name, value in values.items() if name not in ("path_steps", "start")}
    surface = SURFACES[key].with_params(**own)
    noise = {field.param.name: _number(draft, field) for field in noise_fields()}
    return TrajectoryPlan(
        surface, surface.check_start(start), steps, noise["noise"], int(noise["noise_seed"])
    )


def resolve_rate(draft: Mapping[str, str]) -> float:
    """The learning rate of a race in which all recipes use the same one.

    Raises:
        InvalidInput: the text cannot be parsed, or the value is not allowed.
    """
    return _number(draft, race_field())


def draft_of(plan: RunPlan) -> dict[str, str]:
    """The draft that resolves to this plan: every text, with lengths in steps."""
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
    optimizer, schedule = _choice(draft, "optimizer"), _choice(draft, "schedule")
    query = {
        what: registry[_choice(draft, what)].label
        for what, registry in CHOICES.items()
        if _choice(draft, what) != INITIAL_CHOICES[what]
    }
    fields = (
        Field("stretch", STRETCH, "schedule"),
        *optimizer_fields(optimizer),
        *schedule_fields(schedule, optimizer, is_stretched(draft)),
        *_ramp_fields(draft),
        *plan_fields(),
        *trajectory_fields(_choice(draft, "surface")),
        *noise_fields(),
    )
    texts = {field.key: draft.get(field.key, field.default) for field in fields}
    return query | {f.key: texts[f.key] for f in fields if texts[f.key] != f.default}


def is_stretched(draft: Mapping[str, str]) -> bool:
    """Whether the schedule's lengths are percentages of the run."""
    return draft.get("stretch", INITIAL_CHOICES["stretch"]) == "true"


def _choice(draft: Mapping[str, str], what: str) -> str:
    return choice_key(what, draft.get(what, INITIAL_CHOICES[what]))


def _ramp_fields(draft: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields of the ramp; none for a reactive schedule, which cannot have a ramp."""
    if SCHEDULES[_choice(draft, "schedule")].reactive:
        return ()
    return ramp_fields(is_stretched(draft))


def _values(draft: Mapping[str, str], fields: Iterable[Field]) -> dict[str, Value]:
    return {
        field.param.name: field.param.parse(draft.get(field.key, field.default), field.owner)
        for field in fields
    }


def _number(draft: Mapping[str, str], field: Field) -> float:
    return field.param.parse_number(draft.get(field.key, field.default), field.owner)


def _in_steps(spec: Schedule, values: Mapping[str, Value], total_steps: int) -> dict[str, Value]:
    """The values, with percentages of the run converted to steps."""
    step_params = {param.name: param for param in spec.step_params}
    return {
        name: _to_steps(step_params[name], value, total_steps) if name in step_params else value
        for name, value in values.items()
    }


def _check_steps(spec: Schedule, values: dict[str, Value], owner: str) -> dict[str, Value]:
    """The values with checked step counts; no control has checked the converted ones."""
    steps = {param.name: param.check(values[param.name], owner) for param in spec.step_params}
    return values | steps


def _to_steps(param: Param, percent: Value, total_steps: int) -> Value:
    if isinstance(percent, tuple):
        return tuple(_step_count(param, item, total_steps) for item in percent)
    return _step_count(param, as_number(percent, param.name), total_steps)


def _step_count(param: Param, percent: float, total_steps: int) -> int:
    return max(int(param.low), round(percent / 100 * total_steps))
