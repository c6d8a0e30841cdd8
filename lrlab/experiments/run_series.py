"""Runs as the lines of a comparison: runs of one plan that differ by their seed alone are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrlab.recipes.plan import NETWORKS, PLAN_PARAMS, RunPlan, seed_suffix
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import Run
from lrlab.schedules import RAMP
from lrlab.training.measurements import Point

MAX_SERIES = 6
"""Lines on one chart: the theme has so many colours that colour-blind eyes tell apart."""

NONE = "–"
"""How a setting is written that a recipe does not have."""


HEADINGS = MEASURED, SETTING = "Measured", "Setting"
"""What stands over the first column of a table that has one for each line."""


@dataclass(frozen=True)
class RunSeries:
    """One recipe with its settings, and the runs that trained it.

    Args:
        label: its name in legends, unique among the lines it is compared with.
        plan: of its first run; the others differ from it by their seed alone.
        runs: one or more, the oldest first.
    """

    label: str
    plan: RunPlan
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs, in their order."""
        return tuple(run.plan.seed for run in self.runs)


def group_into_series(
    runs: Sequence[Run], names: Mapping[int, str] | None = None
) -> list[RunSeries]:
    """Runs as lines, in the order of each line's first run.

    Args:
        runs: in the order wanted.
        names: of groups of seeds, by number; a line whose runs are all of one is called after it.
    """
    together: dict[RunPlan, list[Run]] = {}
    for run in runs:
        together.setdefault(replace(run.plan, seed=0), []).append(run)
    named = [(_name(members, names or {}), members) for members in together.values()]
    labels = _labels([(name, members[0].id) for name, members in named])
    return [
        RunSeries(label, members[0].plan, tuple(members))
        for label, (_, members) in zip(labels, named, strict=True)
    ]


def _labels(named: Sequence[tuple[str, int]]) -> list[str]:
    """Names that differ from each other and from `HEADINGS`: people may call their runs anything.

    Args:
        named: a name and a run's number for each.
    """
    often = Counter([*HEADINGS, *HEADINGS, *(name for name, _ in named)])
    labels: list[str] = []
    for name, run_id in named:
        label = name
        while often[label] > (label == name) or label in labels:
            label += f" (run {run_id})"
        labels.append(label)
    return labels


def _name(members: Sequence[Run], names: Mapping[int, str]) -> str:
    first = members[0]
    if len({run.group for run in members}) == 1 and first.group in names:
        return names[first.group]
    if len(members) == 1:
        return first.name
    return f"{first.name.removesuffix(seed_suffix(first.plan.seed))}, {len(members)} runs"


def setting_differences(plans: Mapping[str, RunPlan]) -> list[tuple[str, dict[str, str]]]:
    """What differs between plans, the seed aside; what all have alike is left out.

    Args:
        plans: by label.

    Returns:
        Settings with what each label has, `NONE` where a recipe lacks such a setting.
    """
    settings = {label: _settings(plan) for label, plan in plans.items()}
    every = dict.fromkeys(name for values in settings.values() for name in values)
    rows = [
        (name, {label: values.get(name, NONE) for label, values in settings.items()})
        for name in every
    ]
    return [(name, values) for name, values in rows if len(set(values.values())) > 1]


def _settings(plan: RunPlan) -> dict[str, str]:
    recipe = plan.recipe
    optimizer, schedule = recipe.optimizer_spec, recipe.schedule_spec
    found = {"Optimizer": optimizer.label}
    found |= _texts(optimizer.all_params, recipe.optimizer.params)
    found["Learning-rate schedule"] = schedule.label
    found |= _texts(schedule.params, recipe.schedule.params)
    if recipe.ramp:
        found |= _texts(RAMP.params, recipe.ramp.params)
    found["Network"] = NETWORKS[plan.network].label
    for param in PLAN_PARAMS:
        if param.name != "seed":
            found[param.label] = param.text(getattr(plan, param.name))
    return found


def _texts(params: Sequence[Any], values: Mapping[str, Any]) -> dict[str, str]:
    return {param.name: param.text(values[param.name]) for param in params}


def max_rate_difference(recipe: Recipe, points: Sequence[Point]) -> float | None:
    """The largest difference between the learning rates that updates used and the planned ones.

    Args:
        recipe: what was planned.
        points: what was measured.

    Returns:
        None where there is no point, or no planned curve (a reactive schedule).
    """
    if not points or recipe.schedule_spec.reactive:
        return None
    steps = np.array([point.step for point in points])
    used = np.array([point.learning_rate for point in points])
    return float(np.abs(recipe.learning_rates_at(steps) - used).max())
