"""Runs that differ by their seed alone are one line; what differs between lines is listed."""

from __future__ import annotations

import itertools

import pytest

from lrlab.charts.comparison import CURVES, GRID, comparison_table
from lrlab.experiments.run_series import (
    NONE,
    group_into_series,
    max_rate_difference,
    setting_differences,
)
from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan, seed_plans
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import Run
from lrlab.training.measurements import RunHistory
from tests.measured import epoch_record, point
from tests.run_histories import small_plan

NUMBERS = itertools.count(1)


def plan(optimizer: str = "adam", **settings: object) -> RunPlan:
    return RunPlan.of(Recipe.from_dict({"optimizer": {"name": optimizer}}), **settings)


def run(its: RunPlan, name: str = "a run", group: int | None = None) -> Run:
    unknown = dict.fromkeys(Run.__dataclass_fields__)
    known = {"id": next(NUMBERS), "name": name, "group": group, "plan": its}
    return Run(**unknown | known)


def epochs(values: list[float], seconds: float = 1.0) -> RunHistory:
    """A run of ten steps an epoch with these validation losses."""
    rows = [
        epoch_record(i, val_loss=value, seconds=seconds) for i, value in enumerate(values, start=1)
    ]
    return RunHistory(small_plan(), [point(s, 1.0 + s) for s in range(10 * len(values))], rows)


def test_runs_that_differ_by_their_seed_alone_are_one_line() -> None:
    plans = seed_plans(plan(seed=3), 3)
    assert [each.seed for each in plans.values()] == [3, 4, 5]
    runs = [run(each, name, group=7) for name, each in plans.items()]
    other = run(plan(epochs=5), "longer")
    found = group_into_series([*runs, other], {7: "the group"})
    assert [(line.label, line.seeds) for line in found] == [
        ("the group", (3, 4, 5)),
        ("longer", (1,)),
    ]
    assert group_into_series(runs)[0].label == f"{plan().recipe.label}, 3 runs"


def test_lines_of_the_same_name_are_told_apart() -> None:
    first, second = run(plan()), run(plan(epochs=7))
    labels = [line.label for line in group_into_series([first, second])]
    assert labels == [f"a run (run {first.id})", f"a run (run {second.id})"]


def test_a_seed_beyond_the_largest_is_refused() -> None:
    with pytest.raises(InvalidInput, match="seed"):
        seed_plans(plan(seed=2**31 - 2), 3)


def test_differences_are_listed_and_sameness_is_not() -> None:
    found = setting_differences({"a": plan(), "b": plan("sgd", epochs=7, seed=9)})
    names = [name for name, _ in found]
    assert "Optimizer" in names and "Epochs" in names and "learning_rate" in names
    assert not {"Seed", "Network", "Batch size", "clipnorm"} & set(names)
    assert dict(found)["beta_1"] == {"a": "0.9", "b": NONE}
    assert setting_differences({"a": plan(), "b": plan(seed=2)}) == []


def test_the_largest_difference_of_a_recorded_rate_is_found() -> None:
    recipe = plan().recipe
    points = [point(0, 1.0, 0.001), point(5, 1.0, 0.0012)]
    assert max_rate_difference(recipe, points) == pytest.approx(0.0002)
    assert max_rate_difference(recipe, []) is None


def test_a_line_of_several_seeds_has_their_mean_and_range() -> None:
    lines = {"a": [epochs([3.0, 1.0]), epochs([5.0, 2.0])], "b": [epochs([1.0])]}
    table = comparison_table(lines, CURVES["validation loss"], "epoch")
    ours = table[table["recipe"] == "a"]
    assert ours[["x", "value", "low", "high"]].to_numpy().tolist() == [
        [1, 4, 3, 5],
        [2, 1.5, 1, 2],
    ]
    assert table[table["line"] == "line1"]["value"].tolist() == [1.0]


def test_seconds_are_counted_over_epochs_and_end_with_the_last() -> None:
    lines = {"a": [epochs([1.0, 2.0], seconds=4.0)]}
    assert comparison_table(lines, CURVES["validation loss"], "seconds")["x"].tolist() == [4.0, 8.0]
    often = comparison_table(lines, CURVES["training loss"], "seconds")
    assert often["x"].max() == pytest.approx(8.0 * 19 / 20)


def test_lines_are_read_at_the_same_places_and_not_beyond_their_ends() -> None:
    lines = {"a": [epochs([1.0] * 40)], "b": [epochs([1.0] * 20)]}
    table = comparison_table(lines, CURVES["training loss"], "step")
    ours, theirs = (table[table["recipe"] == name]["x"] for name in "ab")
    assert len(ours) == GRID
    assert set(theirs) < set(ours)
    assert theirs.max() <= 199 < ours.max()


def test_what_a_logarithmic_axis_cannot_show_is_left_out() -> None:
    lines = {"a": [epochs([0.0, 1.0])]}
    table = comparison_table(lines, CURVES["validation loss"], "epoch", log_y=True)
    assert table["x"].tolist() == [2.0]


def test_nothing_measured_is_an_empty_table() -> None:
    table = comparison_table({"a": [RunHistory(small_plan())]}, CURVES["training loss"], "seconds")
    assert table.empty and "recipe" in table


def test_smoothing_is_of_what_is_measured_often_and_not_of_the_learning_rate() -> None:
    lines = {"a": [epochs([3.0, 1.0])]}
    for curve in CURVES.values():
        if curve.always and curve.field != "val_accuracy":
            plain, smooth = (comparison_table(lines, curve, "step", weight) for weight in (0, 0.9))
            changed = not plain["value"].equals(smooth["value"])
            assert changed == (curve.field == "loss")


def test_labels_differ_whatever_people_call_their_runs() -> None:
    first, second = run(plan(), "one"), run(plan("sgd"), "one")
    sly = run(plan("lion"), f"one (run {first.id})")
    heading = run(plan("nadam"), "Measured")
    labels = [line.label for line in group_into_series([first, second, sly, heading])]
    assert len(set(labels)) == 4
    assert not {"Measured", "Setting"} & set(labels)
    assert labels[1] == f"one (run {second.id})"
