"""Descriptions of all controls: the lists to choose from, and a field for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Protocol

from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import MAX_TRAJECTORY_STEPS, NOISE, NOISE_SEED
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import Param
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import PLAN_PARAMS
from lrlab.schedules import RAMP, SCHEDULES
from lrlab.schedules.base import LEARNING_RATE, rate_param


class ListEntry(Protocol):
    """What every entry of a list has."""

    @property
    def key(self) -> str: ...

    @property
    def label(self) -> str: ...


CHOICES: Mapping[str, Mapping[str, ListEntry]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "network": NETWORKS,
    "surface": SURFACES,
}
"""Control key -> the list of entries to choose from, by their keys."""

INITIAL_CHOICES: Mapping[str, str] = {
    "optimizer": "nadam",
    "schedule": "cosine_decay",
    "network": "mlp",
    "surface": "himmelblau",
    "stretch": "true",
}
"""The choices of a new session. Everything else starts at its default."""

STRETCH = Param(
    "stretch",
    True,
    "Give the schedule's lengths as percentages of the run, so that the schedule always fits.",
    kind="bool",
)

PATH_STEPS = Param(
    "path_steps",
    1000,
    "How many optimizer steps the path takes.",
    kind="int",
    low=1,
    high=MAX_TRAJECTORY_STEPS,
    slider=(10, 5000),
    scale="log",
)


@dataclass(frozen=True)
class Field:
    """One control.

    Args:
        key: its key in the draft.
        param: the parameter that it sets.
        owner: the owner of the parameter, for error messages, such as ``"optimizer adam"``.
        label: the title, where Keras has no name for the parameter.
    """

    key: str
    param: Param
    owner: str
    label: str = ""

    @property
    def title(self) -> str:
        """The title of the control: plain text, because screen readers read it out."""
        return self.label or self.param.name

    @property
    def help(self) -> str:
        """The help text of the control in Markdown, with the symbol of the formula."""
        symbol = f"${self.param.symbol}$: " if self.param.symbol else ""
        return symbol + self.param.help

    @property
    def default(self) -> str:
        """The default value as a text."""
        return self.param.text(self.param.default)


def optimizer_fields(key: str) -> tuple[Field, ...]:
    """The fields of an optimizer's hyperparameters, without the learning rate.

    The learning rate belongs to the schedule.
    """
    return tuple(
        Field(f"{key}.{param.name}", param, f"optimizer {key}")
        for param in OPTIMIZERS[key].all_params
    )


def schedule_fields(key: str, optimizer: str, stretch: bool) -> tuple[Field, ...]:
    """The fields of a schedule.

    A plain learning rate has the optimizer's key, because its default depends on the optimizer.

    Args:
        key: the key of the schedule.
        optimizer: the key of the optimizer.
        stretch: step counts are given in percent of the run.
    """
    owner = f"schedule {key}"
    fields = []
    for param in SCHEDULES[key].params:
        if param.name == LEARNING_RATE:
            param = replace(param, default=OPTIMIZERS[optimizer].learning_rate)
            fields.append(Field(f"{optimizer}.{param.name}", param, owner))
        else:
            fields.append(_schedule_field(key, param, owner, stretch))
    return tuple(fields)


def ramp_fields(stretch: bool) -> tuple[Field, ...]:
    """The fields of the warm-up and cool-down around a schedule."""
    return tuple(_schedule_field(RAMP.key, param, RAMP.key, stretch) for param in RAMP.params)


def _schedule_field(key: str, param: Param, owner: str, stretch: bool) -> Field:
    if not (param.steps and stretch):
        return Field(f"{key}.{param.name}", param, owner)
    title = f"{param.name}, % of run"
    return Field(f"{key}.{param.name}.percent", percent_param(param), owner, title)


def plan_fields() -> tuple[Field, ...]:
    """The fields of the planned run, without its network."""
    return tuple(Field(param.name, param, "run", param.label) for param in PLAN_PARAMS)


def trajectory_fields(surface: str) -> tuple[Field, ...]:
    """The fields of a trajectory: its steps, its start, and the surface's own parameters."""
    start = Param(
        "start",
        SURFACES[surface].start,
        "Where the path starts: x and y. A click on the map also sets it.",
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
    """The fields of the noise on a trajectory's gradients."""
    return tuple(
        Field(f"path.{param.name}", param, "path", param.label) for param in (NOISE, NOISE_SEED)
    )


def race_field() -> Field:
    """The field of the learning rate of a race in which all recipes use the same one."""
    help_text = "The largest learning rate over the path, the same for every recipe."
    return Field("race.rate", rate_param("rate", 0.01, help_text), "race", "Learning rate")


def percent_param(param: Param) -> Param:
    """The parameter that gives a step count as a percentage of the run."""
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
    """Key -> field for the controls of every recipe, whatever is chosen now."""
    fields: list[Field] = [Field("stretch", STRETCH, "schedule")]
    for optimizer in OPTIMIZERS:
        fields += optimizer_fields(optimizer)
        fields += schedule_fields("constant", optimizer, stretch=False)
    for stretch in (False, True):
        fields += ramp_fields(stretch)
        for schedule in SCHEDULES:
            # The plain learning rate of every optimizer is among the fields already.
            fields += schedule_fields(schedule, INITIAL_CHOICES["optimizer"], stretch)
    return {field.key: field for field in fields}


@cache
def every_field() -> Mapping[str, Field]:
    """Key -> field for everything that a link may carry, besides `CHOICES`."""
    fields: list[Field] = [*plan_fields(), *noise_fields(), race_field()]
    for surface in SURFACES:
        fields += trajectory_fields(surface)
    return MappingProxyType({field.key: field for field in fields} | recipe_fields())
