"""Runs that differ only by seed form one series; differences between series are listed."""

from __future__ import annotations

import itertools
import json

import pytest

from lrlab.charts.comparison import CURVES, GRID_SIZE, comparison_table
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


def run(planned: RunPlan, name: str = "a run", group: int | None = None) -> Run:
    unknown = dict.fromkeys(Run.__dataclass_fields__)
    known = {
        "id": next(NUMBERS),
        "name": name,
        "group": group,
        "plan_json": json.dumps(planned.to_dict()),
    }
    return Run(**unknown | known)


def history(values: list[float], seconds: float = 1.0) -> RunHistory:
    """A run with ten steps per epoch and these validation losses."""
    rows = [
        epoch_record(i, val_loss=value, seconds=seconds) for i, value in enumerate(values, start=1)
    ]
    return RunHistory(small_plan(), [point(s, 1.0 + s) for s in range(10 * len(values))], rows)


def test_runs_that_differ_only_by_seed_are_one_series() -> None:
    plans = seed_plans(plan(seed=3), 3)
    assert [each.seed for each in plans.values()] == [3, 4, 5]
    runs = [run(each, name, group=7) for name, each in plans.items()]
    other = run(plan(epochs=5), "longer")
    series = group_into_series([*runs, other], {7: "the group"})
    assert [(each.label, each.seeds) for each in series] == [
        ("the group", (3, 4, 5)),
        ("longer", (1,)),
    ]
    assert group_into_series(runs)[0].label == f"{plan().recipe.label}, 3 runs"


def test_series_with_the_same_name_get_different_labels() -> None:
    first, second = run(plan()), run(plan(epochs=7))
    labels = [each.label for each in group_into_series([first, second])]
    assert labels == [f"a run (run {first.id})", f"a run (run {second.id})"]


def test_a_seed_beyond_the_largest_is_refused() -> None:
    with pytest.raises(InvalidInput, match="seed"):
        seed_plans(plan(seed=2**31 - 2), 3)


def test_different_settings_are_listed_and_equal_ones_are_not() -> None:
    differences = setting_differences({"a": plan(), "b": plan("sgd", epochs=7, seed=9)})
    names = [name for name, _ in differences]
    assert "Optimizer" in names and "Epochs" in names and "learning_rate" in names
    assert not {"Seed", "Network", "Batch size", "clipnorm"} & set(names)
    assert dict(differences)["beta_1"] == {"a": "0.9", "b": NONE}
    assert setting_differences({"a": plan(), "b": plan(seed=2)}) == []


def test_the_largest_difference_of_a_recorded_learning_rate_is_found() -> None:
    recipe = plan().recipe
    points = [point(0, 1.0, 0.001), point(5, 1.0, 0.0012)]
    assert max_rate_difference(recipe, points) == pytest.approx(0.0002)
    assert max_rate_difference(recipe, []) is None


def test_a_series_of_several_seeds_has_their_mean_and_range() -> None:
    series = {"a": [history([3.0, 1.0]), history([5.0, 2.0])], "b": [history([1.0])]}
    table = comparison_table(series, CURVES["validation loss"], "epoch")
    first_rows = table[table["recipe"] == "a"]
    assert first_rows[["x", "value", "low", "high"]].to_numpy().tolist() == [
        [1, 4, 3, 5],
        [2, 1.5, 1, 2],
    ]
    assert table[table["series"] == "series1"]["value"].tolist() == [1.0]


def test_seconds_add_up_over_epochs_and_end_with_the_last() -> None:
    series = {"a": [history([1.0, 2.0], seconds=4.0)]}
    assert comparison_table(series, CURVES["validation loss"], "seconds")["x"].tolist() == [
        4.0,
        8.0,
    ]
    per_step = comparison_table(series, CURVES["training loss"], "seconds")
    assert per_step["x"].max() == pytest.approx(8.0 * 19 / 20)


def test_series_are_sampled_at_the_same_steps_and_not_beyond_their_ends() -> None:
    series = {"a": [history([1.0] * 40)], "b": [history([1.0] * 20)]}
    table = comparison_table(series, CURVES["training loss"], "step")
    first_rows, second_rows = (table[table["recipe"] == name]["x"] for name in "ab")
    assert len(first_rows) == GRID_SIZE
    assert set(second_rows) < set(first_rows)
    assert second_rows.max() <= 199 < first_rows.max()


def test_values_that_a_logarithmic_axis_cannot_show_are_left_out() -> None:
    series = {"a": [history([0.0, 1.0])]}
    table = comparison_table(series, CURVES["validation loss"], "epoch", log_y=True)
    assert table["x"].tolist() == [2.0]


def test_a_run_without_measurements_gives_an_empty_table() -> None:
    table = comparison_table({"a": [RunHistory(small_plan())]}, CURVES["training loss"], "seconds")
    assert table.empty and "recipe" in table


def test_only_losses_measured_every_step_are_smoothed() -> None:
    series = {"a": [history([3.0, 1.0])]}
    for curve in CURVES.values():
        if curve.always and curve.field != "val_accuracy":
            plain, smooth = (comparison_table(series, curve, "step", weight) for weight in (0, 0.9))
            changed = not plain["value"].equals(smooth["value"])
            assert changed == (curve.field == "loss")


def test_labels_are_unique_whatever_the_runs_names() -> None:
    first, second = run(plan(), "one"), run(plan("sgd"), "one")
    same_as_label = run(plan("lion"), f"one (run {first.id})")
    table_heading = run(plan("nadam"), "Measured")
    labels = [
        each.label for each in group_into_series([first, second, same_as_label, table_heading])
    ]
    assert len(set(labels)) == 4
    assert not {"Measured", "Setting"} & set(labels)
    assert labels[1] == f"one (run {second.id})"
