"""Tables and the Altair charts drawn from them, as pure functions.

A chart takes its rows as a table, or as `altair.NamedData` if the rows are sent separately. A chart
can then be made once and fed new rows: Streamlit repaints a chart in place only if nothing but its
rows changes. Titles, domains and colours therefore never depend on rows. Series take the theme's
categorical colours in the order of ``recipes``; the rest of the look is set here or by the theme.
"""

from __future__ import annotations

from lrlab.charts.comparison import (
    CURVES,
    RUN_AXIS,
    Curve,
    comparison_chart,
    comparison_table,
)
from lrlab.charts.epoch_snapshots import (
    class_chart,
    class_table,
    confusion_chart,
    confusion_table,
    weights_picture,
)
from lrlab.charts.maps import hyperparameter_map_chart, trajectory_map_chart
from lrlab.charts.range_test import range_test_chart, range_test_tables
from lrlab.charts.rate_curve import AXIS, Unit, curve_chart, curve_table
from lrlab.charts.run import (
    PLANNED,
    RECORDED,
    accuracy_chart,
    epoch_table,
    loss_chart,
    point_table,
    recorded_rate_chart,
)
from lrlab.charts.style import CURVE_POINTS, enlarge_text, legend_chart, thin_rows
from lrlab.charts.sweep import (
    heat_chart,
    heat_table,
    sweep_table,
    sweep_u_curve_chart,
    sweep_u_curve_table,
)
from lrlab.charts.trajectory import (
    divergence_table,
    trajectory_csv,
    trajectory_rate_chart,
    trajectory_table,
    u_curve_chart,
    u_curve_table,
    value_chart,
)

__all__ = [
    "AXIS",
    "CURVES",
    "CURVE_POINTS",
    "PLANNED",
    "RECORDED",
    "RUN_AXIS",
    "Curve",
    "Unit",
    "accuracy_chart",
    "class_chart",
    "class_table",
    "comparison_chart",
    "comparison_table",
    "confusion_chart",
    "confusion_table",
    "curve_chart",
    "curve_table",
    "divergence_table",
    "enlarge_text",
    "epoch_table",
    "heat_chart",
    "heat_table",
    "hyperparameter_map_chart",
    "legend_chart",
    "loss_chart",
    "point_table",
    "range_test_chart",
    "range_test_tables",
    "recorded_rate_chart",
    "sweep_table",
    "sweep_u_curve_chart",
    "sweep_u_curve_table",
    "thin_rows",
    "trajectory_csv",
    "trajectory_map_chart",
    "trajectory_rate_chart",
    "trajectory_table",
    "u_curve_chart",
    "u_curve_table",
    "value_chart",
    "weights_picture",
]
