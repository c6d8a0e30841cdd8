"""Sweeps and range tests as tables and charts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from lrlab.charts import (
    heat_chart,
    heat_table,
    range_test_chart,
    range_test_tables,
    sweep_table,
    sweep_u_curve_chart,
    sweep_u_curve_table,
)
from lrlab.experiments.measures import MEASURES
from lrlab.experiments.range_test import RULES, read_range_test
from lrlab.experiments.sweep import SweepAxis, sweep
from lrlab.experiments.sweep_results import SweepResult, rank_cells, sweep_result
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from tests.chart_checks import assert_does_not_depend_on_rows, assert_reads_only_its_columns
from tests.measured import point

PLAN = RunPlan.of(Recipe.from_dict({"optimizer": {"name": "adam"}}), train_size=1_000)
RATES = SweepAxis.of("learning_rate", (1e-3, 1e-2))
CLIPS = SweepAxis.of("optimizer.clipnorm", (None, 1.0))


def sweep_of(
    axes: Sequence[SweepAxis],
    values: Sequence[float],
    optimizers: Sequence[str] = (),
    seeds: Sequence[int] = (),
    measure: str = "last_val_loss",
) -> SweepResult:
    runs = sweep(PLAN, axes, optimizers, seeds)
    return sweep_result(zip(runs.values(), values, strict=True), MEASURES[measure])


SEEDED = sweep_of(
    [RATES], [0.4, 0.6, 0.3, math.nan, math.nan, math.nan, 0.5, 0.5], ("adam", "sgd"), (1, 2)
)
SQUARE = sweep_of([RATES, CLIPS], [0.4, 0.2, 0.8, math.nan])
POWERS = np.linspace(-5, 1, 400)
LOSSES = 2.3 - 1.8 / (1 + np.exp(-3 * (POWERS + 3))) + np.exp(6 * (POWERS - 0.05))
RANGE_TEST = read_range_test(
    [point(i, *pair) for i, pair in enumerate(zip(LOSSES, 10**POWERS, strict=True))]
)
CHARTS = {
    "U-curves": (
        sweep_u_curve_chart,
        sweep_u_curve_table(SEEDED),
        {
            "recipes": ("Adam", "SGD"),
            "x": "learning_rate",
            "y": "last validation loss",
            "ticks": ((1e-3, "0.001"), (1e-2, "0.01")),
        },
    ),
    "U-curves, linear": (
        sweep_u_curve_chart,
        sweep_u_curve_table(SQUARE, axis=1),
        {
            "recipes": ("Adam",),
            "x": "clipnorm",
            "y": "accuracy",
            "ticks": ((1.0, "1"),),
            "log_x": False,
            "log_y": False,
        },
    ),
    "heat map": (
        heat_chart,
        [heat_table(SQUARE, "adam")],
        {"xs": ("0.001", "0.01"), "ys": ("off", "1"), "x": "learning_rate", "y": "clipnorm"},
    ),
    "range test": (range_test_chart, range_test_tables(RANGE_TEST), {"low": 1e-5, "high": 10.0}),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_reads_only_columns_its_table_has(name: str) -> None:
    assert_reads_only_its_columns(*CHARTS[name])


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_does_not_depend_on_its_rows(name: str) -> None:
    assert_does_not_depend_on_rows(*CHARTS[name])


def test_a_u_curve_has_mean_band_and_diverged_runs() -> None:
    points, diverged = sweep_u_curve_table(SEEDED)
    # Optimizers are in the order of the registry.
    assert points.to_dict("list") == {
        "x": [1e-2, 1e-3, 1e-2],
        "recipe": ["SGD", "Adam", "Adam"],
        "mean": [0.5, 0.5, 0.3],
        "low": [0.5, 0.4, 0.3],
        "high": [0.5, 0.6, 0.3],
        "runs": [2, 2, 1],
    }
    assert diverged.to_dict("list") == {
        "x": [1e-3, 1e-2],
        "recipe": ["SGD", "Adam"],
        "text": ["2 of 2 runs diverged", "1 of 2 runs diverged"],
    }


def test_a_u_curve_has_the_best_over_the_other_axis_and_leaves_out_off() -> None:
    rates, _ = sweep_u_curve_table(SQUARE)
    assert rates["mean"].tolist() == [0.2, 0.8]
    clips, diverged = sweep_u_curve_table(SQUARE, axis=1)
    assert clips[["x", "mean"]].to_numpy().tolist() == [[1.0, 0.2]]
    assert diverged["text"].tolist() == ["1 of 2 runs diverged"]


def test_a_heat_map_is_shaded_by_the_logarithm_and_marks_the_best_cell() -> None:
    table = heat_table(SQUARE, "adam").set_index(["x", "y"])
    assert table.loc[("0.001", "1"), ["text", "best", "shade"]].tolist() == ["0.2", True, 0.0]
    assert table.loc[("0.001", "off"), "shade"] == pytest.approx(0.5)
    assert table.loc[("0.01", "off"), "shade"] == pytest.approx(1.0)
    diverged = table.loc[("0.01", "1")]
    assert (diverged["text"], diverged["diverged"], diverged["lost"]) == ("diverged", 1, True)
    assert table["best"].sum() == 1


def test_an_extreme_value_does_not_flatten_the_other_shades() -> None:
    table = heat_table(sweep_of([RATES, CLIPS], [0.4, 1.2, 3.0, 1e13]), "adam")
    assert table["shade"].tolist() == pytest.approx([0.0, 0.628, 1.0, 1.0], abs=1e-3)


def test_the_highest_accuracy_is_the_darkest_cell() -> None:
    result = sweep_of([RATES, CLIPS], [0.8, 0.9, 0.85, 0.8], measure="last_val_accuracy")
    table = heat_table(result, "adam")
    assert table["shade"].tolist() == pytest.approx([1.0, 0.0, 0.5, 1.0])
    assert table["text"].tolist() == ["80.0%", "90.0%", "85.0%", "80.0%"]


def test_a_sweep_without_results_has_empty_tables() -> None:
    runs = sweep(PLAN, [RATES, CLIPS]).values()
    no_results = sweep_result([(plan, None) for plan in runs], MEASURES["last_val_loss"])
    assert heat_table(no_results, "adam").empty
    assert all(table.empty for table in sweep_u_curve_table(no_results))


def test_the_table_has_the_best_first_and_diverged_last() -> None:
    table = sweep_table(SEEDED, rank_cells(SEEDED)).astype(object)
    label = "last validation loss"
    assert table["optimizer"].tolist() == ["SGD", "Adam", "Adam", "SGD"]
    assert table["learning_rate"].tolist() == [1e-2, 1e-3, 1e-2, 1e-3]
    assert table[[label, "lowest value", "highest value"]].iloc[1].tolist() == [0.5, 0.4, 0.6]
    assert table["diverged"].tolist() == [0, 0, 1, 2]
    assert table[label].isna().tolist() == [False, False, False, True]
    assert sweep_table(SQUARE, rank_cells(SQUARE))["clipnorm"].tolist() == ["1", "off", "off", "1"]


def test_a_range_test_is_drawn_up_to_its_divergence() -> None:
    curve, marks = range_test_tables(RANGE_TEST)
    assert len(curve) == RANGE_TEST.diverged_at + 1 < len(RANGE_TEST.rates)
    assert marks["text"].tolist() == [*RULES, "diverged"]
    assert marks["learning_rate"].tolist()[:-1] == list(RANGE_TEST.suggestions.values())
