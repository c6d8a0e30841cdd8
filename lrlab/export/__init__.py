"""Taking runs away: as Keras code, as tables, for TensorBoard, as JSON that the page reads back."""

from __future__ import annotations

from lrlab.export.csv_tables import ExportedRun, epochs_csv, points_csv
from lrlab.export.plan_json import MOST_BYTES, plan_json, read_json, read_plan
from lrlab.export.script import keras_notebook, keras_script
from lrlab.export.tensorboard import tensorboard_zip

__all__ = [
    "MOST_BYTES",
    "ExportedRun",
    "epochs_csv",
    "keras_notebook",
    "keras_script",
    "plan_json",
    "points_csv",
    "read_json",
    "read_plan",
    "tensorboard_zip",
]
