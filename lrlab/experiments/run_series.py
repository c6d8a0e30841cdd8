"""Run series: runs whose plans differ only by their seed, compared as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lrlab.params import Param, Value
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import PLAN_PARAMS, RunPlan, seed_suffix
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import Run
from lrlab.schedules import RAMP
from lrlab.training.measurements import Point

MAX_SERIES = 6
"""Series on one chart: the theme has this many colours that colour-blind people can tell apart."""

NONE = "–"
"""Shown for a setting that a recipe does not have."""


HEADINGS = MEASURED, SETTING = "Measured", "Setting"
"""The headings of the first column in tables with one more column per series."""


@dataclass(frozen=True)
class RunSeries:
    """Runs that trained the same plan with different seeds.

    Args:
        label: its name in legends, unique among the series compared.
        plan: the plan of its first run; the others differ only by their seed.
        runs: one or more, oldest first.
    """

    label: str
    plan: RunPlan
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs, in the order of the runs."""
        return tuple(run.plan.seed for run in self.runs)


def group_into_series(
    runs: Sequence[Run], names: Mapping[int, str] | None = None
) -> list[RunSeries]:
    """Group runs into series, in the order of each series' first run.

    Args:
        runs: the runs, in the wanted order.
        names: group id -> name, for groups of seeds. A series whose runs all belong to one of
            these groups takes the group's name.
    """
    by_plan: dict[RunPlan, list[Run]] = {}
    for run in runs:
        by_plan.setdefault(replace(run.plan, seed=0), []).append(run)
    named = [(_name(members, names or {}), members) for members in by_plan.values()]
    labels = _labels([(name, members[0].id) for name, members in named])
    return [
        RunSeries(label, members[0].plan, tuple(members))
        for label, (_, members) in zip(labels, named, strict=True)
    ]


def _labels(named: Sequence[tuple[str, int]]) -> list[str]:
    """Labels that differ from each other and from `HEADINGS`, since users choose run names freely.

    Args:
        named: the name and first run id of each series.
    """
    counts = Counter([*HEADINGS, *HEADINGS, *(name for name, _ in named)])
    labels: list[str] = []
    for name, run_id in named:
        label = name
        while counts[label] > (label == name) or label in labels:
            label += f" (run {run_id})"
        labels.append(label)
    return labels


def _name(members: Sequence[Run], names: Mapping[int, str]) -> str:
    first = members[0]
    groups = {run.group for run in members}
    if len(groups) == 1 and first.group is not None and first.group in names:
        return names[first.group]
    if len(members) == 1:
        return first.name
    return f"{first.name.removesuffix(seed_suffix(first.plan.seed))}, {len(members)} runs"


def setting_differences(plans: Mapping[str, RunPlan]) -> list[tuple[str, dict[str, str]]]:
    """The settings that differ between plans, except the seed.

    Args:
        plans: label -> plan.

    Returns:
        Each differing setting with its text for every label, `NONE` for a recipe that does not
        have the setting.
    """
    settings = {label: _settings(plan) for label, plan in plans.items()}
    names = dict.fromkeys(name for texts in settings.values() for name in texts)
    rows = [
        (name, {label: texts.get(name, NONE) for label, texts in settings.items()})
        for name in names
    ]
    return [(name, texts) for name, texts in rows if len(set(texts.values())) > 1]


def _settings(plan: RunPlan) -> dict[str, str]:
    recipe = plan.recipe
    optimizer, schedule = recipe.optimizer_spec, recipe.schedule_spec
    texts = {"Optimizer": optimizer.label}
    texts |= _texts(optimizer.all_params, recipe.optimizer.params)
    texts["Learning-rate schedule"] = schedule.label
    texts |= _texts(schedule.params, recipe.schedule.params)
    if recipe.ramp:
        texts |= _texts(RAMP.params, recipe.ramp.params)
    texts["Network"] = NETWORKS[plan.network].label
    for param in PLAN_PARAMS:
        if param.name != "seed":
            texts[param.label] = param.text(getattr(plan, param.name))
    return texts


def _texts(params: Sequence[Param], values: Mapping[str, Value]) -> dict[str, str]:
    return {param.name: param.text(values[param.name]) for param in params}


def max_rate_difference(recipe: Recipe, points: Sequence[Point]) -> float | None:
    """The largest difference between the learning rates a run used and the planned ones.

    Args:
        recipe: the planned recipe.
        points: the run's points.

    Returns:
        None without points, or for a reactive schedule, which has no planned curve.
    """
    if not points or recipe.schedule_spec.reactive:
        return None
    steps = np.array([point.step for point in points])
    used = np.array([point.learning_rate for point in points])
    return float(np.abs(recipe.learning_rates_at(steps) - used).max())
