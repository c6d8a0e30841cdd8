"""Tables -> Altair charts. Pure functions; how charts look is decided here and in the theme.

Each takes its data as ``alt.Data``-like values (a table, or `altair.NamedData` for a chart whose
data are sent apart), so that a chart can be made once and fed new rows: Streamlit repaints a chart
in place only while everything but its rows stays the same. Titles, domains and colours therefore
never depend on rows. Series take the theme's categorical colours in the order of ``recipes``.
"""

from __future__ import annotations

from lrlab.charts.compared import (
    CURVES,
    RUN_AXIS,
    Curve,
    Track,
    compared_chart,
    compared_table,
)
from lrlab.charts.curves import AXIS, Unit, curve_chart, curve_table
from lrlab.charts.learned import (
    class_chart,
    class_table,
    confusion_chart,
    confusion_table,
    weights_picture,
)
from lrlab.charts.look import CURVE_POINTS, enlarged, legend_chart, thinned
from lrlab.charts.maps import outcome_chart, path_map_chart
from lrlab.charts.paths import (
    divergence_table,
    path_csv,
    path_rate_chart,
    path_table,
    u_chart,
    u_table,
    value_chart,
)
from lrlab.charts.range_tests import range_test_chart, range_test_tables
from lrlab.charts.runs import (
    PLANNED,
    RECORDED,
    accuracy_chart,
    epoch_table,
    loss_chart,
    point_table,
    recorded_rate_chart,
)
from lrlab.charts.sweeps import (
    heat_chart,
    heat_table,
    sweep_table,
    sweep_u_chart,
    sweep_u_table,
)

__all__ = [
    "AXIS",
    "CURVES",
    "CURVE_POINTS",
    "PLANNED",
    "RECORDED",
    "RUN_AXIS",
    "Curve",
    "Track",
    "Unit",
    "accuracy_chart",
    "class_chart",
    "class_table",
    "compared_chart",
    "compared_table",
    "confusion_chart",
    "confusion_table",
    "curve_chart",
    "curve_table",
    "divergence_table",
    "enlarged",
    "epoch_table",
    "heat_chart",
    "heat_table",
    "legend_chart",
    "loss_chart",
    "outcome_chart",
    "path_csv",
    "path_map_chart",
    "path_rate_chart",
    "path_table",
    "point_table",
    "range_test_chart",
    "range_test_tables",
    "recorded_rate_chart",
    "sweep_table",
    "sweep_u_chart",
    "sweep_u_table",
    "thinned",
    "u_chart",
    "u_table",
    "value_chart",
    "weights_picture",
]
