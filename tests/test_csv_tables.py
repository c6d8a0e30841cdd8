"""Runs as CSV and as TensorBoard logs: complete and exact, and without spreadsheet formulas."""

from __future__ import annotations

import io
import math
import weakref
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from lrlab.export import ExportedRun, epochs_csv, points_csv, tensorboard_zip
from lrlab.export.csv_tables import EPOCH_COLUMNS, POINT_COLUMNS
from lrlab.export.tensorboard import event_file
from lrlab.training.measurements import EpochRecord
from tests.measured import point

POINTS = [
    point(0, 2.302585092994046, 0.001),
    point(300, 1 / 3, 1e-30),
    point(70_000, math.nan, 0.001),
]
EPOCHS = [
    EpochRecord(**dict(zip(EPOCH_COLUMNS, values, strict=True)))
    for values in (
        (35_000, 1, 0.5, 0.8, 0.6, 0.75, 0.001, 1.5),
        (70_000, 2, 0.4, 0.9, math.inf, 0.1, 0.001, 1.4),
    )
]
RUN = ExportedRun(7, "Adam, constant", POINTS, EPOCHS)
OTHER = ExportedRun(8, "=HYPERLINK(1)", POINTS[:1])


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), float_precision="round_trip", na_values=["nan"])


def test_points_of_all_runs_are_in_one_exact_table() -> None:
    table = read(points_csv([RUN, OTHER]))
    assert list(table.columns) == ["run", "name", *POINT_COLUMNS]
    assert table["run"].tolist() == [7, 7, 7, 8]
    run_rows = table[table["run"] == 7]
    for field in ("step", "loss", "learning_rate"):
        np.testing.assert_array_equal(run_rows[field], [getattr(each, field) for each in POINTS])


def test_epochs_are_exact_and_keep_values_that_are_not_finite() -> None:
    table = read(epochs_csv([RUN]))
    assert list(table.columns) == ["run", "name", *EPOCH_COLUMNS]
    for field in EPOCH_COLUMNS:
        assert table[field].tolist() == [getattr(epoch, field) for epoch in EPOCHS], field


def test_without_runs_there_is_only_the_header() -> None:
    assert points_csv([]) == f"run,name,{','.join(POINT_COLUMNS)}\n"


def test_columns_that_only_some_runs_measured_are_empty_for_the_others() -> None:
    richer = ExportedRun(9, "SGD", [replace(POINTS[0], gradient_norm=0.25)])
    table = read(points_csv([RUN, richer]))
    assert table["gradient_norm"].tolist()[-1] == 0.25
    assert table["gradient_norm"].isna().sum() == len(POINTS)


def test_runs_are_read_one_at_a_time() -> None:
    held: list[weakref.ref[ExportedRun]] = []

    def one_by_one() -> Iterator[ExportedRun]:
        for number in range(5):
            assert not any(run() for run in held[:-1])
            run = ExportedRun(number, "Adam", POINTS, EPOCHS)
            held.append(weakref.ref(run))
            yield run
            del run

    assert len(points_csv(one_by_one()).splitlines()) == 1 + 5 * len(POINTS)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_is_not_read_as_a_formula(sign: str) -> None:
    run = ExportedRun(1, f'{sign}cmd|"/c calc"!A1, x', POINTS[:1])
    assert read(points_csv([run]))["name"].item() == f"'{run.name}"
    assert read(points_csv([RUN]))["name"].iloc[0] == RUN.name


def events(content: bytes, folder: Path) -> list[Any]:
    """The events in a file as read by TensorFlow, which verifies every checksum."""
    path = folder / "events.out.tfevents.1.test"
    path.write_bytes(content)
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    return [tf.compat.v1.Event.FromString(record) for record in records]


def scalars(content: bytes, folder: Path) -> dict[tuple[str, int], float]:
    first, *others = events(content, folder)
    assert first.file_version == "brain.Event:2"
    return {
        (value.tag, event.step): value.simple_value
        for event in others
        for value in event.summary.value
    }


def test_tensorflow_reads_an_event_file(tmp_path: Path) -> None:
    events_in = [(0, "a", 1.5), (127, "a", -0.1), (128, "b", math.nan), (2**40, "é", 1e300)]
    content = event_file(events_in, time=1234.5)
    values = scalars(content, tmp_path)
    assert list(values) == [("a", 0), ("a", 127), ("b", 128), ("é", 2**40)]
    expected = [1.5, np.float32(-0.1), math.nan, math.inf]
    np.testing.assert_array_equal(list(values.values()), expected)
    assert {event.wall_time for event in events(content, tmp_path)} == {1234.5}


def test_a_log_directory_has_a_folder_for_training_and_validation_of_each_run(
    tmp_path: Path,
) -> None:
    archive = zipfile.ZipFile(io.BytesIO(tensorboard_zip([(RUN, 100.0), (OTHER, 200.0)])))
    names = archive.namelist()
    folders = [name.rpartition("/")[0] for name in names]
    assert folders == ["run-7/train", "run-7/validation", "run-8/train", "run-8/validation"]
    assert all("tfevents" in name for name in names)
    train, validation = (scalars(archive.read(name), tmp_path) for name in names[:2])
    assert train["batch_loss", 300] == pytest.approx(1 / 3)
    assert math.isnan(train["batch_loss", 70_000])
    assert train["epoch_loss", 1] == pytest.approx(0.4)
    assert validation["epoch_loss", 0] == pytest.approx(0.6)
    assert validation["epoch_loss", 1] == math.inf
    assert {tag for tag, _ in validation} == {"epoch_loss", "epoch_accuracy"}
