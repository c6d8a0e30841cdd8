"""Tables hold the computed values; charts read only columns that their tables have."""

from __future__ import annotations

import io

import altair as alt
import numpy as np
import pandas as pd
import pytest

from lrlab.charts import (
    CURVE_POINTS,
    PLANNED,
    RECORDED,
    accuracy_chart,
    curve_chart,
    curve_table,
    divergence_table,
    epoch_table,
    hyperparameter_map_chart,
    loss_chart,
    point_table,
    recorded_rate_chart,
    thin_rows,
    trajectory_csv,
    trajectory_map_chart,
    trajectory_rate_chart,
    trajectory_table,
    u_curve_chart,
    u_curve_table,
    value_chart,
)
from lrlab.descent.hyperparameter_map import AxisTicks
from lrlab.descent.race import RATES, race
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.recipes.recipe import Recipe
from tests.chart_checks import assert_does_not_depend_on_rows, assert_reads_only_its_columns
from tests.measured import epoch_record, point

STEPS_PER_EPOCH = 100
RECIPE = Recipe.from_dict(
    {
        "optimizer": {"name": "adam"},
        "schedule": {"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 1500},
    }
)
CURVE = curve_table(RECIPE, 2000, STEPS_PER_EPOCH, "a")
POINTS = point_table(
    [
        point(49, loss=2.0, learning_rate=0.1),
        point(99, loss=float("nan"), learning_rate=0.05),
    ],
    STEPS_PER_EPOCH,
)
EPOCHS = epoch_table(
    [
        epoch_record(1, loss=0.5, accuracy=0.8, val_loss=0.6, val_accuracy=0.7),
        epoch_record(2, loss=0.4, accuracy=0.9, val_loss=0.5, val_accuracy=0.8),
    ]
)
AXIS_TICKS = AxisTicks("beta_1", ((0.0, "0"), (0.5, "0.9"), (1.0, "0.99")))


def sgd_trajectory(rate: float, surface: str = "rosenbrock") -> Trajectory:
    schedule = {"name": "constant", "learning_rate": rate}
    return trace(
        Recipe.from_dict({"optimizer": {"name": "sgd"}, "schedule": schedule}), surface, steps=40
    )


TRAJECTORY = sgd_trajectory(1e-3)
RACE = race(
    {key: Recipe.from_dict({"optimizer": {"name": key}}) for key in ("sgd", "adam")}, "booth"
)
U_CURVES, U_DOTS = u_curve_table(RACE, 0.0)
PICTURE = pd.DataFrame({"url": ["data:image/png;base64,"]})
MARKER = pd.DataFrame({"x": [0.5], "y": [0.5]})
CHARTS = {
    "curve": (curve_chart, [CURVE], {"recipes": ("a",)}),
    "curve in epochs": (curve_chart, [CURVE], {"recipes": ("a", "b"), "unit": "epoch"}),
    "curve, log": (curve_chart, [CURVE], {"recipes": ("a",), "log": True}),
    "values": (
        value_chart,
        [trajectory_table(TRAJECTORY, "a"), divergence_table([sgd_trajectory(1.0)])],
        {"recipes": ("a",), "has_minimum": True},
    ),
    "values without minimum": (
        value_chart,
        [trajectory_table(sgd_trajectory(1e-3, "saddle"), "a"), divergence_table([])],
        {"recipes": ("a",), "has_minimum": False},
    ),
    "trajectory on its map": (
        trajectory_map_chart,
        [PICTURE, trajectory_table(TRAJECTORY, "a")],
        {"surface": TRAJECTORY.surface, "recipes": ("a",)},
    ),
    "U-curves": (u_curve_chart, [U_CURVES, U_DOTS], {"recipes": tuple(RACE), "has_minimum": True}),
    "learning rates of a trajectory": (
        trajectory_rate_chart,
        [trajectory_table(TRAJECTORY, "a")],
        {"recipes": ("a",)},
    ),
    "hyperparameter map": (
        hyperparameter_map_chart,
        [PICTURE, MARKER],
        {"x": AXIS_TICKS, "y": AXIS_TICKS, "cells": 100},
    ),
    "loss": (loss_chart, [POINTS, EPOCHS], {"length": 2}),
    "accuracy": (accuracy_chart, [EPOCHS], {"length": 2}),
    "recorded rates": (
        recorded_rate_chart,
        [curve_table(RECIPE, 200, STEPS_PER_EPOCH, PLANNED), POINTS],
        {"length": 2},
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_reads_only_columns_its_table_has(name: str) -> None:
    chart, tables, options = CHARTS[name]
    assert_reads_only_its_columns(chart, tables, options)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_does_not_depend_on_its_rows(name: str) -> None:
    chart, tables, options = CHARTS[name]
    assert_does_not_depend_on_rows(chart, tables, options)


def test_colours_follow_the_order_of_the_recipes() -> None:
    chart = curve_chart(alt.NamedData("t"), recipes=("z", "a")).to_dict()
    scale = chart["encoding"]["color"]["scale"]
    assert scale["domain"] == ["z", "a"]
    # The colours come from the theme, which has a light and a dark version.
    assert "range" not in scale


def test_a_curve_has_the_recipes_learning_rates_from_first_to_last_step() -> None:
    assert len(CURVE) == CURVE_POINTS
    assert (CURVE["step"].iloc[0], CURVE["step"].iloc[-1]) == (0, 1999)
    assert CURVE["step"].is_monotonic_increasing and CURVE["step"].is_unique
    rates = RECIPE.learning_rates(2000)
    assert (CURVE["learning_rate"] == rates[CURVE["step"]]).all()
    assert (CURVE["epoch"] == CURVE["step"] / STEPS_PER_EPOCH).all()


@pytest.mark.parametrize("steps", [1, 2, 799, 800])
def test_a_short_curve_has_every_step(steps: int) -> None:
    assert curve_table(RECIPE, steps, 10, "a")["step"].tolist() == list(range(steps))


def test_a_trajectory_table_has_a_row_for_every_step_and_no_learning_rate_after_the_last() -> None:
    table = trajectory_table(TRAJECTORY, "a")
    assert table["step"].tolist() == list(range(41))
    assert (table[["x", "y"]].to_numpy() == TRAJECTORY.points).all()
    assert (table["learning_rate"].iloc[:-1] == TRAJECTORY.learning_rates).all()
    assert np.isnan(table["learning_rate"].iloc[-1])
    assert (table["gap"] == TRAJECTORY.values - TRAJECTORY.surface.minimum).all()


def test_a_gap_of_zero_can_be_shown_on_a_logarithmic_axis() -> None:
    recipe = Recipe.from_dict({"optimizer": {"name": "sgd"}})
    at_minimum = trace(recipe, "booth", start=(1.0, 3.0), steps=3)
    assert (trajectory_table(at_minimum, "a")["gap"] > 0).all()


def test_a_surface_without_minimum_shows_its_value() -> None:
    table = trajectory_table(sgd_trajectory(0.1, "saddle"), "a")
    assert (table["gap"] == table["f"]).all()
    assert (table["f"] < 0).any()


def test_each_divergence_has_a_row_that_names_its_step() -> None:
    diverged, converged = sgd_trajectory(1.0), sgd_trajectory(1e-3)
    table = divergence_table([diverged, converged])
    assert table["step"].tolist() == [diverged.diverged_at]
    assert f"{diverged.diverged_at:,}" in table["text"].item()
    assert divergence_table([converged]).empty


def test_a_thinned_table_keeps_its_first_and_last_row() -> None:
    table = pd.DataFrame({"step": np.arange(5001)})
    thinned = thin_rows(table)
    assert len(thinned) == CURVE_POINTS
    assert (thinned["step"].iloc[0], thinned["step"].iloc[-1]) == (0, 5000)
    assert thin_rows(table.head(10)).equals(table.head(10))


def test_points_have_fractional_epochs_and_keep_values_that_are_not_finite() -> None:
    assert POINTS["epoch"].tolist() == [0.49, 0.99]
    assert np.isnan(POINTS["loss"].iloc[1])
    assert set(POINTS["recipe"]) == {RECORDED}


def test_epochs_have_a_row_for_each_set_of_images() -> None:
    assert EPOCHS.to_dict("list") == {
        "epoch": [1, 1, 2, 2],
        "images": ["training", "validation"] * 2,
        "loss": [0.5, 0.6, 0.4, 0.5],
        "accuracy": [0.8, 0.7, 0.9, 0.8],
    }


def test_a_run_without_measurements_has_empty_tables() -> None:
    assert point_table([], 10).empty
    assert epoch_table([]).empty


def test_a_u_curve_has_a_row_for_each_learning_rate_without_divergence() -> None:
    for label, runner in RACE.items():
        curve = U_CURVES[U_CURVES["recipe"] == label]
        converged = np.isfinite(runner.final_values)
        assert curve["rate"].tolist() == RATES[converged].tolist()
        assert (curve["gap"] >= runner.final_values[converged]).all()
    assert U_DOTS["rate"].tolist() == [runner.rate for runner in RACE.values()]


def test_a_trajectory_as_csv_is_exact() -> None:
    table = pd.read_csv(io.StringIO(trajectory_csv(TRAJECTORY)), float_precision="round_trip")
    assert (table[["x", "y"]].to_numpy() == TRAJECTORY.points).all()
    assert (table["f"] == TRAJECTORY.values).all()
    assert table["step"].tolist() == list(range(TRAJECTORY.steps + 1))
