"""Export of runs as Keras code, CSV tables, TensorBoard logs and JSON that LR Lab reads back."""

from __future__ import annotations

from lrlab.export.csv_tables import ExportedRun, epochs_csv, points_csv
from lrlab.export.plan_json import plan_json, read_json, read_plan
from lrlab.export.script import keras_notebook, keras_script
from lrlab.export.tensorboard import tensorboard_zip

__all__ = [
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
