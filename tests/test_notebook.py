"""In a notebook each view is one line, and README's lines run as they stand."""

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


def test_readmes_python_runs_as_it_stands() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    code = "\n".join([*blocks, "print(path.points.shape)"])
    folder = README.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(501, 2)"


def test_a_curves_table_holds_the_rates_and_its_chart_is_valid() -> None:
    drawn = lrlab.draw_curve(ADAM, steps=100, steps_per_epoch=50)
    assert np.array_equal(drawn.table["learning_rate"], ADAM.learning_rates(100))
    alt.Chart.from_dict(drawn.chart.to_dict())


def test_a_paths_table_has_every_step() -> None:
    drawn = lrlab.draw_path(ADAM, "beale", steps=120)
    points = trace(ADAM, "beale", steps=120).points
    assert np.array_equal(drawn.table[["x", "y"]].to_numpy(), points)
    assert drawn.chart.to_dict()["layer"]


def test_a_races_table_has_every_runner_and_step() -> None:
    drawn = lrlab.draw_race({"one": ADAM, "two": ADAM}, "booth", rate=0.1, steps=30)
    assert drawn.table.groupby("recipe").size().to_dict() == {"one": 31, "two": 31}
    assert drawn.chart.to_dict()["layer"]


def test_a_maps_table_has_a_row_for_every_cell() -> None:
    drawn = lrlab.draw_map(ADAM, "booth", "learning_rate", "beta_1", steps=5)
    assert len(drawn.table) == 10_000
    assert drawn.table["learning_rate"].nunique() == 100
    assert drawn.chart.to_dict()["layer"]


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="draw_nothing"):
        _ = lrlab.draw_nothing
