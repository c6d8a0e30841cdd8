"""The draft: what the controls hold, as texts under flat keys, exactly what a link carries.

A draft becomes a `RunPlan` once it is resolved: percentages of a run become steps, texts become
checked values. A stored recipe is therefore always concrete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrlab.optimizers import OPTIMIZERS
from lrlab.params import InvalidInput, Param, lookup, shown
from lrlab.plan import FULL_TRAIN_SIZE, NETWORKS, PLAN_PARAMS, RunPlan
from lrlab.recipe import Recipe
from lrlab.schedules import SCHEDULES, rate_param
from lrlab.simulate import MAX_PATH_STEPS
from lrlab.surfaces import SURFACES, Surface

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "network": NETWORKS,
    "surface": SURFACES,
}
"""What is picked from a list, and the list."""

OPENING: Mapping[str, str] = {
    "optimizer": "nadam",
    "schedule": "cosine_decay",
    "network": "mlp",
    "surface": "himmelblau",
    "stretch": "true",
}
"""What a visitor sees first. Everything else starts at its default."""

STRETCH = Param(
    "stretch",
    True,
    "Give the schedule's lengths as percentages of the run, so that it always fits.",
    kind="bool",
)

PATH_STEPS = Param(
    "path_steps",
    1000,
    "How many optimizer steps the path takes.",
    kind="int",
    low=1,
    high=MAX_PATH_STEPS,
    slider=(10, 5000),
    scale="log",
)


@dataclass(frozen=True)
class Field:
    """One control: its key in the draft, what it may hold, and whose parameter it is.

    Its title is Keras's name of the parameter, unless Keras has none and ``label`` is given.
    """

    key: str
    param: Param
    owner: str
    label: str = ""

    @property
    def title(self) -> str:
        """What stands over the control, in Markdown: Keras's name and the formula's symbol."""
        if self.label:
            return self.label
        symbol = f" $\\;{self.param.symbol}$" if self.param.symbol else ""
        return f"`{self.param.name}`{symbol}"

    @property
    def default(self) -> str:
        """The text of the default."""
        return self.param.text(self.param.default)


def optimizer_fields(key: str) -> tuple[Field, ...]:
    """The controls of an optimizer's hyperparameters (its learning rate is the schedule's)."""
    return tuple(
        Field(f"{key}.{param.name}", param, f"optimizer {key}")
        for param in OPTIMIZERS[key].all_params
    )


def schedule_fields(key: str, optimizer: str, stretch: bool) -> tuple[Field, ...]:
    """The controls of a schedule.

    A constant rate belongs to the optimizer, because its default does. When stretched, each
    step count is given in percent of the run.
    """
    fields = []
    for param in SCHEDULES[key].params:
        owner = f"schedule {key}"
        if key == "constant":
            param = _with_default(param, OPTIMIZERS[optimizer].learning_rate)
            fields.append(Field(f"{optimizer}.{param.name}", param, owner))
        elif param.steps and stretch:
            share = percent_param(param)
            title = f"`{param.name}` in % of run"
            fields.append(Field(f"{key}.{param.name}.percent", share, owner, title))
        else:
            fields.append(Field(f"{key}.{param.name}", param, owner))
    return tuple(fields)


def plan_fields() -> tuple[Field, ...]:
    """The controls of the planned run, besides its network."""
    return tuple(Field(param.name, param, "run", param.label) for param in PLAN_PARAMS)


def path_fields(surface: str) -> tuple[Field, ...]:
    """The controls of a path: its steps, its start, and the surface's own parameters."""
    start = Param(
        "start",
        SURFACES[surface].start,
        "Where the path starts: x and y. A click on the map sets it too.",
        kind="floats",
        symbol=r"\theta_0",
    )
    owner = f"surface {surface}"
    return (
        Field("path_steps", PATH_STEPS, "path", "Steps"),
        Field(f"{surface}.start", start, owner, "Start $\\;(x, y)$"),
        *(
            Field(f"{surface}.{param.name}", param, owner, f"{param.label} $\\;{param.symbol}$")
            for param in SURFACES[surface].params
        ),
    )


def race_field() -> Field:
    """The learning rate of a race that is the same for everybody."""
    help_text = "The largest learning rate over the path, the same for everybody."
    return Field("race.rate", rate_param("rate", 0.01, help_text), "race", "Learning rate")


def percent_param(param: Param) -> Param:
    """The percentage of a run that stands in for a number of steps."""
    return Param(
        param.name,
        param.share,
        f"{param.help} In percent of the run.",
        kind="floats" if param.kind == "ints" else "float",
        symbol=param.symbol,
        low=0.0,
        high=1000.0,
        slider=(0.0, 100.0),
        needs=param.needs,
    )


def _with_default(param: Param, default: Any) -> Param:
    return Param(**{**vars(param), "default": default})


def every_field() -> dict[str, Field]:
    """Each key that a link may carry, besides `CHOICES`, with its field."""
    fields: list[Field] = [*plan_fields(), Field("stretch", STRETCH, "schedule")]
    fields.append(race_field())
    for optimizer in OPTIMIZERS:
        fields += optimizer_fields(optimizer)
        fields += schedule_fields("constant", optimizer, stretch=False)
    for surface in SURFACES:
        fields += path_fields(surface)
    for schedule in SCHEDULES:
        if schedule != "constant":
            for stretch in (False, True):
                fields += schedule_fields(schedule, "", stretch)
    return {field.key: field for field in fields}


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
    stretch = is_stretched(draft)
    rates = {
        field.param.name: _value(draft, field)
        for field in schedule_fields(schedule, optimizer, stretch)
    }
    if stretch:
        for param in SCHEDULES[schedule].step_params:
            rates[param.name] = _steps(param, rates[param.name], total_steps)
        rates = SCHEDULES[schedule].fit(rates)
    return Recipe.from_dict(
        {
            "optimizer": {"name": optimizer}
            | {field.param.name: _value(draft, field) for field in optimizer_fields(optimizer)},
            "schedule": {"name": schedule} | rates,
        }
    )


def resolve_plan(draft: Mapping[str, str], most_images: int = FULL_TRAIN_SIZE) -> RunPlan:
    """The planned run a draft describes.

    Args:
        draft: see above.
        most_images: how many training images there are to be had; a larger training set is cut
            down to them.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    settings = {field.param.name: _value(draft, field) for field in plan_fields()}
    settings["train_size"] = min(settings["train_size"], most_images)
    total = -(-settings["train_size"] // settings["batch_size"]) * settings["epochs"]
    return RunPlan.of(resolve_recipe(draft, total), _chosen(draft, "network"), **settings)


def resolve_path(draft: Mapping[str, str]) -> tuple[Surface, tuple[float, float], int]:
    """The surface, the start and the number of steps a draft describes.

    Raises:
        InvalidInput: a text that is no value, or a value that is not allowed.
    """
    key = _chosen(draft, "surface")
    values = {field.param.name: _value(draft, field) for field in path_fields(key)}
    steps, start = values.pop("path_steps"), values.pop("start")
    surface = SURFACES[key].with_params(**values)
    return surface, surface.check_start(start), steps


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
    values = dict(recipe.optimizer.values)
    for field in optimizer_fields(optimizer):
        draft[field.key] = field.param.text(values[field.param.name])
    values = dict(recipe.schedule.values)
    for field in schedule_fields(schedule, optimizer, stretch=False):
        draft[field.key] = field.param.text(values[field.param.name])
    for field in plan_fields():
        draft[field.key] = field.param.text(getattr(plan, field.param.name))
    return draft


def is_stretched(draft: Mapping[str, str]) -> bool:
    """Whether the schedule's lengths are percentages of the run."""
    return draft.get("stretch", OPENING["stretch"]) == "true"


def _chosen(draft: Mapping[str, str], what: str) -> str:
    return choice_key(what, draft.get(what, OPENING[what]))


def _value(draft: Mapping[str, str], field: Field) -> Any:
    return field.param.parse(draft.get(field.key, field.default), field.owner)


def _steps(param: Param, percent: Any, total_steps: int) -> Any:
    if isinstance(percent, tuple):
        return tuple(_steps(param, part, total_steps) for part in percent)
    return max(int(param.low), round(percent / 100 * total_steps))
