"""The list of runs: contents of a row for a run or a group."""

from __future__ import annotations

import json

from lrlab.experiments.run_list import RunListEntry, accuracy_curve
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import Run
from tests.measured import epoch_record


def run(number: int, optimizer: str) -> Run:
    plan = RunPlan.of(Recipe.from_dict({"optimizer": {"name": optimizer}}))
    unknown = dict.fromkeys(Run.__dataclass_fields__)
    return Run(**unknown | {"id": number, "plan_json": json.dumps(plan.to_dict())})


EPOCHS = {
    1: [epoch_record(val_accuracy=value) for value in (0.75, 0.5)],
    2: [epoch_record(val_accuracy=value) for value in (0.25, 0.75)],
    3: [],
}


def test_seeds_show_their_mean_and_a_sweep_its_best_run() -> None:
    runs = (run(1, "adam"), run(2, "sgd"), run(3, "sgd"))
    assert accuracy_curve(RunListEntry("two", runs, "seeds"), EPOCHS) == [0.5, 0.625]
    assert accuracy_curve(RunListEntry("two", runs, "sweep"), EPOCHS) == [0.25, 0.75]
    assert accuracy_curve(RunListEntry("none", runs[2:], "sweep"), EPOCHS) == []


def test_a_row_names_its_recipe_or_the_number_of_recipes() -> None:
    adam, sgd = run(1, "adam"), run(2, "sgd")
    assert RunListEntry("one", (adam, adam)).recipe == "Adam, 0.001"
    assert RunListEntry("two", (adam, sgd), "sweep").recipe == "2 recipes"
