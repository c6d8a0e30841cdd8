"""The map of outcomes agrees with single paths, for every optimizer."""

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
    given = {"optimizer": {"name": optimizer}}
    return Recipe.from_dict(given | ({"schedule": schedule} if schedule else {}))


def second_axis(recipe: Recipe) -> str:
    return next(name for name, (part, _) in map_axes(recipe).items() if part == "optimizer")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_cell_ends_where_the_single_path_ends(optimizer: str) -> None:
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
            path = trace(with_values(recipe, values), surface, steps=STEPS)
            diverged = -1 if path.diverged_at is None else path.diverged_at
            assert result.diverged_at[row, column] == diverged, values
            if path.diverged_at is None:
                assert result.values[row, column] == pytest.approx(path.values[-1], rel=1e-6)


def test_arrival_is_the_first_step_near_a_global_minimum() -> None:
    recipe = recipe_of("momentum")
    surface = SURFACES["himmelblau"]
    result = hyperparameter_map(
        recipe, surface, "learning_rate", "momentum", steps=200, cells=7, arrivals=True
    )
    seen = set()
    for row in range(7):
        for column in range(7):
            values = {
                "learning_rate": float(result.x.values[column]),
                "momentum": float(result.y.values[row]),
            }
            points = trace(with_values(recipe, values), surface, steps=200).points
            away = np.min([np.hypot(*(points - np.array(at)).T) for at in surface.minima], axis=0)
            near = np.flatnonzero(away[1:] <= TOLERANCE * surface.width)
            expected = int(near[0]) + 1 if near.size else -1
            assert result.arrived_at[row, column] == expected
            seen.add(expected > 0)
    assert seen == {True, False}


def test_schedule_parameters_vary_too() -> None:
    recipe = recipe_of("sgd", name="exponential_decay", initial_learning_rate=0.01, decay_steps=9)
    result = hyperparameter_map(
        recipe, "booth", "initial_learning_rate", "decay_rate", steps=STEPS, cells=5
    )
    values = {
        "initial_learning_rate": float(result.x.values[2]),
        "decay_rate": float(result.y.values[3]),
    }
    path = trace(with_values(recipe, values), "booth", steps=STEPS)
    assert result.values[3, 2] == pytest.approx(path.values[-1], rel=1e-9)


def test_clipping_varies_as_in_a_single_path() -> None:
    recipe = recipe_of("sgd")
    result = hyperparameter_map(recipe, "matyas", "learning_rate", "clipnorm", steps=STEPS, cells=5)
    for row, column in ((0, 3), (2, 4), (4, 2)):
        values = {
            "learning_rate": float(result.x.values[column]),
            "clipnorm": float(result.y.values[row]),
        }
        path = trace(with_values(recipe, values), "matyas", steps=STEPS)
        assert result.values[row, column] == pytest.approx(path.values[-1], rel=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "named"),
    [
        ("learning_rate", "learning_rate", "Both axes"),
        ("learning_rate", "amsgrad", "amsgrad"),
        ("decay_steps", "beta_1", "decay_steps"),
        ("no such", "beta_1", "no such"),
    ],
)
def test_what_is_no_axis_is_refused_by_name(x: str, y: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        hyperparameter_map(recipe_of("adam"), "booth", x, y, cells=3, steps=3)


def test_an_axis_runs_over_its_slider_as_the_slider_does() -> None:
    recipe = recipe_of("adam")
    rates = map_axis(recipe, "learning_rate")
    assert np.allclose(np.diff(np.log(rates.values)), np.log(1e7) / 99)
    betas = map_axis(recipe, "beta_1")
    assert np.allclose(np.diff(np.log(1 - betas.values)), np.log(1e-3) / 99)
    assert [text for _, text in betas.ticked().ticks] == ["0", "0.9", "0.99", "0.999"]


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
