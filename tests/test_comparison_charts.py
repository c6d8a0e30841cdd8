"""Charts that compare runs read only columns that their tables have, whatever the runs' names."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from lrlab.charts import CURVES, comparison_chart, comparison_table, legend_chart
from lrlab.training.measurements import RunHistory
from tests.chart_checks import assert_does_not_depend_on_rows, assert_reads_only_its_columns
from tests.measured import epoch_record, point
from tests.run_histories import small_plan

HISTORY = RunHistory(
    small_plan(),
    [point(s, loss=2.0 - s / 9) for s in range(10)],
    [epoch_record(seconds=1.0, val_loss=0.6, val_accuracy=0.7)],
)
LINES = {"it's [a].b": [HISTORY] * 2, "b": []}
RECIPES = tuple(LINES)
ACCURACY, LOSS = CURVES["validation accuracy"], CURVES["training loss"]
CHARTS = {
    "compared": (
        comparison_chart,
        [comparison_table(LINES, ACCURACY, "epoch")],
        {"recipes": RECIPES, "curve": ACCURACY},
    ),
    "compared, log": (
        comparison_chart,
        [comparison_table(LINES, LOSS, "step", log_x=True, log_y=True)],
        {"recipes": RECIPES, "curve": LOSS, "unit": "step", "log_x": True, "log_y": True},
    ),
    "legend": (legend_chart, [pd.DataFrame({"recipe": ["a"]})], {"recipes": RECIPES}),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_reads_only_columns_its_table_has(name: str) -> None:
    assert_reads_only_its_columns(*CHARTS[name])


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_does_not_depend_on_its_rows(name: str) -> None:
    assert_does_not_depend_on_rows(*CHARTS[name])


def test_the_tooltip_names_every_recipe() -> None:
    chart = comparison_chart(alt.NamedData("t"), RECIPES, ACCURACY).to_dict()
    titles = {tip["title"] for tip in chart["layer"][-1]["encoding"]["tooltip"]}
    assert set(RECIPES) < titles
