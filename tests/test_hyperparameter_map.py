"""The hyperparameter map agrees with single trajectories, for every optimizer."""

from __future__ import annotations

import numpy as np
import pytest

from lrlab import OPTIMIZERS, SURFACES, Recipe, trace
from lrlab.descent.hyperparameter_map import (
    TOLERANCE,
    hyperparameter_map,
    map_axes,
    map_axis,
    map_picture,
    with_values,
)
from lrlab.params import InvalidInput

STEPS = 60


def recipe_of(optimizer: str, **schedule: object) -> Recipe:
    choices = {"optimizer": {"name": optimizer}}
    return Recipe.from_dict(choices | ({"schedule": schedule} if schedule else {}))


def second_axis(recipe: Recipe) -> str:
    return next(name for name, (part, _) in map_axes(recipe).items() if part == "optimizer")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_cell_ends_where_its_trajectory_ends(optimizer: str) -> None:
    recipe = recipe_of(optimizer)
    surface = SURFACES["quadratic_bowl"]
    y = second_axis(recipe)
    result = hyperparameter_map(recipe, surface, "learning_rate", y, steps=STEPS, cells=9)
    for row in range(0, 9, 2):
        for column in range(0, 9, 2):
            values = {
                "learning_rate": float(result.x.values[column]),
                y: float(result.y.values[row]),
            }
            trajectory = trace(with_values(recipe, values), surface, steps=STEPS)
            diverged = -1 if trajectory.diverged_at is None else trajectory.diverged_at
            assert result.diverged_at[row, column] == diverged, values
            if trajectory.diverged_at is None:
                assert result.values[row, column] == pytest.approx(trajectory.values[-1], rel=1e-6)


def test_arrival_is_the_first_step_near_a_global_minimum() -> None:
    recipe = recipe_of("momentum")
    surface = SURFACES["himmelblau"]
    result = hyperparameter_map(
        recipe, surface, "learning_rate", "momentum", steps=200, cells=7, arrivals=True
    )
    arrivals = set()
    for row in range(7):
        for column in range(7):
            values = {
                "learning_rate": float(result.x.values[column]),
                "momentum": float(result.y.values[row]),
            }
            points = trace(with_values(recipe, values), surface, steps=200).points
            distance = np.min(
                [np.hypot(*(points - np.array(at)).T) for at in surface.minima], axis=0
            )
            near = np.flatnonzero(distance[1:] <= TOLERANCE * surface.width)
            expected = int(near[0]) + 1 if near.size else -1
            assert result.arrived_at[row, column] == expected
            arrivals.add(expected > 0)
    assert arrivals == {True, False}


def test_schedule_parameters_can_be_an_axis() -> None:
    recipe = recipe_of("sgd", name="exponential_decay", initial_learning_rate=0.01, decay_steps=9)
    result = hyperparameter_map(
        recipe, "booth", "initial_learning_rate", "decay_rate", steps=STEPS, cells=5
    )
    values = {
        "initial_learning_rate": float(result.x.values[2]),
        "decay_rate": float(result.y.values[3]),
    }
    trajectory = trace(with_values(recipe, values), "booth", steps=STEPS)
    assert result.values[3, 2] == pytest.approx(trajectory.values[-1], rel=1e-9)


def test_clipping_can_be_an_axis() -> None:
    recipe = recipe_of("sgd")
    result = hyperparameter_map(recipe, "matyas", "learning_rate", "clipnorm", steps=STEPS, cells=5)
    for row, column in ((0, 3), (2, 4), (4, 2)):
        values = {
            "learning_rate": float(result.x.values[column]),
            "clipnorm": float(result.y.values[row]),
        }
        trajectory = trace(with_values(recipe, values), "matyas", steps=STEPS)
        assert result.values[row, column] == pytest.approx(trajectory.values[-1], rel=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "mentioned"),
    [
        ("learning_rate", "learning_rate", "Both axes"),
        ("learning_rate", "amsgrad", "amsgrad"),
        ("decay_steps", "beta_1", "decay_steps"),
        ("no such", "beta_1", "no such"),
    ],
)
def test_an_invalid_axis_is_refused_by_name(x: str, y: str, mentioned: str) -> None:
    with pytest.raises(InvalidInput, match=mentioned):
        hyperparameter_map(recipe_of("adam"), "booth", x, y, cells=3, steps=3)


def test_an_axis_has_the_range_and_scale_of_its_slider() -> None:
    recipe = recipe_of("adam")
    rates = map_axis(recipe, "learning_rate")
    assert np.allclose(np.diff(np.log(rates.values)), np.log(1e7) / 99)
    betas = map_axis(recipe, "beta_1")
    assert np.allclose(np.diff(np.log(1 - betas.values)), np.log(1e-3) / 99)
    assert [text for _, text in betas.axis_ticks().ticks] == ["0", "0.9", "0.99", "0.999"]


def test_the_picture_is_small_and_marks_divergence() -> None:
    recipe = recipe_of("momentum")
    surface = SURFACES["rosenbrock"]
    result = hyperparameter_map(
        recipe, surface, "learning_rate", "momentum", steps=100, arrivals=True
    )
    assert 0 < (result.diverged_at >= 0).mean() < 1
    for outcome in ("final value", "steps to arrive"):
        picture = map_picture(outcome, result, surface, 100)
        assert picture.uri.startswith("data:image/png;base64,")
        assert len(picture.uri) < 20_000
        assert picture.low < picture.high
