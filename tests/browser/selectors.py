"""Streamlit's undocumented ``data-testid`` values that browser tests and benchmarks rely on (1.67).

Accessible names are used wherever there is one. After an upgrade of Streamlit, every test in this
folder fails if one of these has changed.
"""

from __future__ import annotations

APP = "stApp"
MAIN = "stMain"
SIDEBAR = "stSidebar"
NAVIGATION = "stTopNav"
METRIC, METRIC_VALUE = "stMetric", "stMetricValue"
TABLE = "stDataFrame"
CHART = "stVegaLiteChart"
COMPONENT = "stBidiComponentIsolated"

BADGE = ".stMarkdownBadge"
"""The CSS class of a badge."""

IDLE_APP = f"[data-testid={APP}][data-test-script-state=notRunning]"
"""The app while the server runs no script for it."""


def by_id(test_id: str) -> str:
    """The CSS selector of elements with a test id."""
    return f"[data-testid={test_id}]"
