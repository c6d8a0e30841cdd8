"""In a notebook each view takes one line, and the README's examples run unchanged."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import altair as alt
import numpy as np
import pytest

import lrlab
from lrlab import Recipe, trace

README = Path(__file__).parents[1] / "README.md"
ADAM = Recipe.from_dict({"optimizer": {"name": "adam"}})


def test_the_readmes_python_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    code = "\n".join([*blocks, "print(path.points.shape)"])
    folder = README.parent
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == "(501, 2)"


def test_a_curves_table_has_the_learning_rates_and_its_chart_is_valid() -> None:
    drawing = lrlab.draw_curve(ADAM, steps=100, steps_per_epoch=50)
    assert np.array_equal(drawing.table["learning_rate"], ADAM.learning_rates(100))
    alt.Chart.from_dict(drawing.chart.to_dict())


def test_a_trajectorys_table_has_every_step() -> None:
    drawing = lrlab.draw_path(ADAM, "beale", steps=120)
    points = trace(ADAM, "beale", steps=120).points
    assert np.array_equal(drawing.table[["x", "y"]].to_numpy(), points)
    assert drawing.chart.to_dict()["layer"]


def test_a_races_table_has_every_recipe_and_step() -> None:
    drawing = lrlab.draw_race({"one": ADAM, "two": ADAM}, "booth", rate=0.1, steps=30)
    assert drawing.table.groupby("recipe").size().to_dict() == {"one": 31, "two": 31}
    assert drawing.chart.to_dict()["layer"]


def test_a_maps_table_has_a_row_for_every_cell() -> None:
    drawing = lrlab.draw_map(ADAM, "booth", "learning_rate", "beta_1", steps=5)
    assert len(drawing.table) == 10_000
    assert drawing.table["learning_rate"].nunique() == 100
    assert drawing.chart.to_dict()["layer"]


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="draw_nothing"):
        _ = lrlab.draw_nothing
