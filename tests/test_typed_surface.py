"""Typed surfaces: their trajectories, maps, pictures and sentences."""

from __future__ import annotations

import numpy as np
import pytest

from lrlab import SURFACES, Recipe, trace
from lrlab.charts import trajectory_table
from lrlab.descent.hyperparameter_map import hyperparameter_map
from lrlab.descent.raster import BANDS, surface_raster
from lrlab.descent.sentences import trajectory_sentence
from lrlab.descent.surfaces import FORMULA, formula_surface
from lrlab.params import InvalidInput
from tests.test_formula import TEXTBOOK
from tests.test_raster import pixels


def recipe_of(learning_rate: float = 0.1, name: str = "sgd") -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": name},
            "schedule": {"name": "constant", "learning_rate": learning_rate},
        }
    )


def test_a_trajectory_on_a_formula_equals_the_one_on_its_surface() -> None:
    recipe = recipe_of(0.001, "adam")
    surface = SURFACES["rosenbrock"]
    typed = trace(recipe, formula_surface(TEXTBOOK["rosenbrock"]), surface.start, steps=300)
    built_in = trace(recipe, surface, steps=300)
    assert typed.points == pytest.approx(built_in.points, abs=1e-9)


def test_a_formula_surface_can_be_mapped() -> None:
    result = hyperparameter_map(
        recipe_of(name="momentum"),
        formula_surface("x^2 + y^2"),
        "learning_rate",
        "momentum",
        steps=5,
        cells=4,
        arrivals=True,
    )
    assert result.values.shape == (4, 4)
    assert (result.arrived_at == -1).all()


def test_the_formula_is_a_parameter_of_the_surface() -> None:
    surface = FORMULA.with_params(formula="x*y")
    assert dict(surface.chosen) == {"formula": "x*y"}
    assert surface.with_params(formula="x").latex == "f(x, y) = x"
    assert (surface.key, surface.minima, surface.minimum) == ("formula", (), None)
    (param,) = FORMULA.params
    assert param.parse(" x + y ", "surface formula") == "x + y"
    with pytest.raises(InvalidInput, match="character 3"):
        param.parse("x + ", "surface formula")
    with pytest.raises(InvalidInput, match="no parameter"):
        FORMULA.with_params(kappa=1.0)


def test_sentences_make_no_claim_about_unknown_minima() -> None:
    settles = trajectory_sentence(trace(recipe_of(), formula_surface("x^2 + y^2"), steps=50))
    assert "f went from 13 to" in settles and "minim" not in settles
    falls = trajectory_sentence(trace(recipe_of(), formula_surface("-x^2 - y^2"), steps=200))
    assert "Runs down and away" in falls and "no minimum" not in falls
    rises = trajectory_sentence(trace(recipe_of(3.0), formula_surface("x^2 + y^2"), steps=200))
    assert "Diverges" in rises and "too high" in rises


def test_a_trajectory_that_reaches_an_undefined_gradient_is_reported() -> None:
    trajectory = trace(recipe_of(1.5), formula_surface("log(x) + y^2"), (1.0, 1.0), steps=20)
    sentence = trajectory_sentence(trajectory)
    assert "Cannot go on after step 1: at (-0.5, -2)" in sentence and "too high" not in sentence


def test_a_trajectory_below_the_maps_minimum_has_not_arrived() -> None:
    trajectory = trace(recipe_of(0.1), "mccormick", (-3.0, -4.5), steps=300)
    assert trajectory.values[-1] < SURFACES["mccormick"].minimum
    assert "lower than anywhere on the map" in trajectory_sentence(trajectory)
    assert np.isnan(trajectory_table(trajectory, "a")["gap"].iloc[-1])


@pytest.mark.parametrize(
    "text", ["3", "0*x", "log(-1 - x^2)", "exp(exp(x*y))", "1e308*x", "max(0, x - 4.97)", "1/x"]
)
def test_any_formula_can_be_drawn(text: str) -> None:
    uri, levels = surface_raster(formula_surface(text), size=60)
    assert uri.startswith("data:image/png")
    assert len(levels) == BANDS - 1


def test_the_map_is_grey_where_a_formula_has_no_value() -> None:
    colours = pixels(surface_raster(formula_surface("log(x)"), size=60)[0])
    grey = (colours == 128).all(axis=-1)
    assert grey[:, :30].all() and not grey[:, 30:].any()
