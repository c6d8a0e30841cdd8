"""The list of runs: what a row says of a run or of a group."""

from __future__ import annotations

from lrlab.entries import Entry, curve_of
from lrlab.plan import RunPlan
from lrlab.recipe import Recipe
from lrlab.store import Run


def run(number: int, optimizer: str) -> Run:
    plan = RunPlan.of(Recipe.from_dict({"optimizer": {"name": optimizer}}))
    unknown = dict.fromkeys(Run.__dataclass_fields__)
    return Run(**unknown | {"id": number, "plan": plan.to_dict()})


EPOCHS = {
    1: [{"val_accuracy": value} for value in (0.75, 0.5)],
    2: [{"val_accuracy": value} for value in (0.25, 0.75)],
    3: [],
}


def test_seeds_show_their_mean_and_a_sweep_its_best_run() -> None:
    runs = (run(1, "adam"), run(2, "sgd"), run(3, "sgd"))
    assert curve_of(Entry("two", runs, "seeds"), EPOCHS) == [0.5, 0.625]
    assert curve_of(Entry("two", runs, "sweep"), EPOCHS) == [0.25, 0.75]
    assert curve_of(Entry("none", runs[2:], "sweep"), EPOCHS) == []


def test_a_row_names_its_recipe_or_says_how_many_there_are() -> None:
    adam, sgd = run(1, "adam"), run(2, "sgd")
    assert Entry("one", (adam, adam)).recipe == "Adam, 0.001"
    assert Entry("two", (adam, sgd), "sweep").recipe == "2 recipes"
