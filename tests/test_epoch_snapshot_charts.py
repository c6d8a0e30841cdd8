"""Epoch snapshots as tables, charts and a picture."""

from __future__ import annotations

import numpy as np
import pytest

from lrlab.charts import (
    class_chart,
    class_table,
    confusion_chart,
    confusion_table,
    weights_picture,
)
from lrlab.datasets.fashion_mnist import FASHION_MNIST
from tests.chart_checks import assert_does_not_depend_on_rows, assert_reads_only_its_columns

CONFUSION = np.diag(np.arange(FASHION_MNIST.classes)) * 10
CONFUSION[1, 2] = 30
ACCURACY = np.linspace(0, 1, FASHION_MNIST.classes)
ACCURACY[3] = np.nan
CHARTS = {
    "confusion": (confusion_chart, [confusion_table(CONFUSION)], {}),
    "classes": (class_chart, [class_table(ACCURACY)], {}),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_reads_only_columns_its_table_has_and_does_not_depend_on_its_rows(
    name: str,
) -> None:
    assert_reads_only_its_columns(*CHARTS[name])
    assert_does_not_depend_on_rows(*CHARTS[name])


def test_shares_of_a_confusion_matrix_are_of_the_actual_class() -> None:
    table = confusion_table(CONFUSION).set_index(["actual", "predicted"])
    first, second = FASHION_MNIST.class_names[1:3]
    assert table.loc[(first, second), "images"] == 30
    assert table.loc[(first, second), "share"] == pytest.approx(0.75)
    assert table.loc[(second, first), "images"] == 0
    assert (table.loc[FASHION_MNIST.class_names[0], "share"] == 0).all()


def test_a_class_without_images_has_no_accuracy() -> None:
    assert FASHION_MNIST.class_names[3] not in set(class_table(ACCURACY)["name"])
    assert len(class_table(ACCURACY)) == FASHION_MNIST.classes - 1


def test_weights_are_white_at_zero_blue_above_and_orange_below() -> None:
    filters = np.full((3, 2, 2), 128, np.uint8)
    filters[1], filters[2] = 255, 1
    picture = weights_picture(filters, across=2, scale=1)
    assert picture.shape == (2 * 2 + 2, 2 * 2 + 2, 3)
    zero, above, below = picture[0, 0], picture[0, 4], picture[4, 0]
    assert set(zero.tolist()) == {0xF7}
    assert above.tolist() == [0x00, 0x72, 0xB2]
    assert below.tolist() == [0xD5, 0x5E, 0x00]
