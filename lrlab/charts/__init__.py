"""Tables -> Altair charts. Pure functions; how charts look is decided here and in the theme.

Each takes its data as ``alt.Data``-like values (a table, or `altair.NamedData` for a chart whose
data are sent apart), so that a chart can be made once and fed new rows: Streamlit repaints a chart
in place only while everything but its rows stays the same. Titles, domains and colours therefore
never depend on rows. Series take the theme's categorical colours in the order of ``recipes``.
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
from lrlab.charts.style import CURVE_POINTS, enlarged, legend_chart, thinned
from lrlab.charts.sweep import (
    heat_chart,
    heat_table,
    sweep_table,
    sweep_u_chart,
    sweep_u_table,
)
from lrlab.charts.trajectory import (
    divergence_table,
    trajectory_csv,
    trajectory_rate_chart,
    trajectory_table,
    u_chart,
    u_table,
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
    "enlarged",
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
    "sweep_u_chart",
    "sweep_u_table",
    "thinned",
    "trajectory_csv",
    "trajectory_map_chart",
    "trajectory_rate_chart",
    "trajectory_table",
    "u_chart",
    "u_table",
    "value_chart",
    "weights_picture",
]
