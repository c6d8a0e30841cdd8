"""The controls there are: the choices from lists, and a field for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import MAX_PATH_STEPS, NOISE, NOISE_SEED
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import Param
from lrlab.recipes.plan import NETWORKS, PLAN_PARAMS
from lrlab.schedules import RAMP, SCHEDULES
from lrlab.schedules.base import LEARNING_RATE, rate_param

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
        """What stands over the control: plain text, because a screen reader reads it out."""
        return self.label or self.param.name

    @property
    def help(self) -> str:
        """What the control is for, in Markdown, with the formula's symbol."""
        symbol = f"${self.param.symbol}$: " if self.param.symbol else ""
        return symbol + self.param.help

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

    A plain rate belongs to the optimizer, because its default does. When stretched, each step
    count is given in percent of the run.
    """
    owner = f"schedule {key}"
    fields = []
    for param in SCHEDULES[key].params:
        if param.name == LEARNING_RATE:
            param = replace(param, default=OPTIMIZERS[optimizer].learning_rate)
            fields.append(Field(f"{optimizer}.{param.name}", param, owner))
        else:
            fields.append(_rate_field(key, param, owner, stretch))
    return tuple(fields)


def ramp_fields(stretch: bool) -> tuple[Field, ...]:
    """The controls of the warm-up and cool-down around a schedule."""
    return tuple(_rate_field(RAMP.key, param, RAMP.key, stretch) for param in RAMP.params)


def _rate_field(key: str, param: Param, owner: str, stretch: bool) -> Field:
    if not (param.steps and stretch):
        return Field(f"{key}.{param.name}", param, owner)
    title = f"{param.name}, % of run"
    return Field(f"{key}.{param.name}.percent", percent_param(param), owner, title)


def plan_fields() -> tuple[Field, ...]:
    """The controls of the planned run, besides its network."""
    return tuple(Field(param.name, param, "run", param.label) for param in PLAN_PARAMS)


def trajectory_fields(surface: str) -> tuple[Field, ...]:
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
        Field(f"{surface}.start", start, owner, "Start (x, y)"),
        *(
            Field(f"{surface}.{param.name}", param, owner, param.label)
            for param in SURFACES[surface].params
        ),
    )


def noise_fields() -> tuple[Field, ...]:
    """The controls of the noise on a path's gradients."""
    return tuple(
        Field(f"path.{param.name}", param, "path", param.label) for param in (NOISE, NOISE_SEED)
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


def recipe_fields() -> dict[str, Field]:
    """Each key of a recipe's controls with its field, whichever is picked."""
    fields: list[Field] = [Field("stretch", STRETCH, "schedule")]
    for optimizer in OPTIMIZERS:
        fields += optimizer_fields(optimizer)
        fields += schedule_fields("constant", optimizer, stretch=False)
    for stretch in (False, True):
        fields += ramp_fields(stretch)
        for schedule in SCHEDULES:
            # The rate that a schedule shares with the optimizer is among the fields already.
            fields += schedule_fields(schedule, OPENING["optimizer"], stretch)
    return {field.key: field for field in fields}


@cache
def every_field() -> Mapping[str, Field]:
    """Each key that a link may carry, besides `CHOICES`, with its field."""
    fields: list[Field] = [*plan_fields(), *noise_fields(), race_field()]
    for surface in SURFACES:
        fields += trajectory_fields(surface)
    return MappingProxyType({field.key: field for field in fields} | recipe_fields())
